"""The servers that are compared, and what the system says of them."""

import os
import signal
import socket
import struct
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(key, version, number, body=b""):
    """A frame with a header of version 1."""
    text = struct.pack(">hhih", key, version, number, 5) + b"bench" + body
    return struct.pack(">i", len(text)) + text


def answer(connection):
    def exactly(count):
        data = b""
        while len(data) < count:
            more = connection.recv(count - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    return exactly(struct.unpack(">i", exactly(4))[0])


class Server:
    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        os.makedirs(directory, exist_ok=True)

    def start(self):
        """Returns the seconds until it answers which APIs there are."""
        self.prepare()
        begin = time.monotonic()
        with open(os.path.join(self.directory, "output"), "ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        while time.monotonic() - begin < 60:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(request(18, 0, 1))
                    answer(connection)
                    return time.monotonic() - begin
            except OSError:
                time.sleep(0.0005)
        raise SystemExit(f"{self.name} did not start; see {self.directory}/output")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


class Millrace(Server):
    name = "millrace"
    # What its topics are set to in each mode.
    modes = {"default": {}, "by_os": {"millrace.flush.policy": "by_os"}}

    def __init__(self, directory, program):
        super().__init__(directory)
        self.program = program

    def prepare(self):
        pass

    def command(self):
        data = os.path.join(self.directory, "data")
        return [self.program, "--data", data, "serve", "--listen", self.address]


class Kafka(Server):
    name = "kafka"
    # A minute after a topic is deleted its files would go, in the middle of what is measured then.
    modes = {
        "default": {"file.delete.delay.ms": "0"},
        "flush_1": {"file.delete.delay.ms": "0", "flush.messages": "1"},
    }

    def __init__(self, directory, jars):
        super().__init__(directory)
        self.jars = jars
        self.settings = os.path.join(directory, "server.properties")

    def prepare(self):
        if os.path.exists(self.settings):
            return
        controller = free_port()
        with open(self.settings, "w") as file:
            file.write(
                f"""process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
log.dirs={os.path.join(self.directory, "data")}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
            )
        formatting = ["format", "-t", "MillraceBenchmarkCluster", "-c", self.settings]
        subprocess.run(
            self.java("kafka.tools.StorageTool", "64m") + formatting,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def java(self, main, heap):
        # The options of Kafka's own scripts.
        return [
            "java",
            f"-Xmx{heap}",
            f"-Xms{heap}",
            "-server",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",
            "-XX:InitiatingHeapOccupancyPercent=35",
            "-XX:+ExplicitGCInvokesConcurrent",
            "-Djava.awt.headless=true",
            "-cp",
            os.path.join(self.jars, "*"),
            main,
        ]

    def command(self):
        return self.java("kafka.Kafka", "1g") + [self.settings]
