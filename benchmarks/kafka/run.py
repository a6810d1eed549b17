"""Compares millrace with Apache Kafka; see README.md."""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

import crowd
from confluent_kafka.admin import AdminClient, NewTopic
from servers import Kafka, Millrace


class Bench:
    def __init__(self, client, servers, scale):
        self.client, self.servers, self.scale = client, servers, scale
        self.contenders = [(server, mode) for server in servers for mode in server.modes]
        self.results = {}  # (row, contender) -> values of the rounds
        self.topics = 0
        self.random = random.Random(1)

    def note(self, row, contender, value):
        self.results.setdefault(row, {}).setdefault(contender, []).append(value)
        print(f"{row} {contender} {value:.6g}", file=sys.stderr, flush=True)

    def in_turns(self):
        """In another order each time, so that nobody always comes after the same one."""
        self.random.shuffle(self.contenders)
        return self.contenders

    def with_topic(self, server, mode, partitions, use):
        self.topics += 1
        name = f"bench-{os.getpid()}-{self.topics}"
        admin = AdminClient({"bootstrap.servers": server.address})
        settings = server.modes[mode]
        for made in admin.create_topics([NewTopic(name, partitions, 1, config=settings)]).values():
            made.result(30)
        try:
            use(name)
        finally:
            for gone in admin.delete_topics([name]).values():
                gone.result(30)

    def run_client(self, server, what, topic, *work):
        words = [self.client, what, server.address, topic, *map(str, work)]
        # What rows before left to be written must not get between a flush and the disk.
        os.sync()
        before = server.processor_seconds()
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: {done.stderr}")
        got = json.loads(done.stdout)
        seconds = got["records"] / got["per_second"]
        got["server_cpu"] = (server.processor_seconds() - before) / seconds
        return got

    def count(self, full):
        return max(64, int(full * self.scale))

    def throughput(self, size, acks, partitions):
        row = f"{size}B.acks_{acks}.{partitions}p"
        count = self.count(3_000_000 if size == 100 else 600_000)
        for server, mode in self.in_turns():

            def use(topic):
                work = (topic, partitions, acks, size, count, 0)
                for what in ("produce", "consume"):
                    got = self.run_client(server, what, *work)
                    self.note(f"{what}.{row}", f"{server.name}/{mode}", got["per_second"])
                    for part in ("client_cpu", "client_thread", "server_cpu"):
                        self.note(f"{what}.{row}.{part}", f"{server.name}/{mode}", got[part])

            self.with_topic(server, mode, partitions, use)

    def latency(self, what, acks):
        for server, mode in self.in_turns():

            def use(topic):
                got = self.run_client(
                    server, what, topic, 1, acks, 100, self.count(10_000), 1000
                )
                for part in ("p50_us", "p99_us"):
                    self.note(f"{what}.1000_per_s.acks_{acks}.{part}", f"{server.name}/{mode}", got[part])

            self.with_topic(server, mode, 1, use)

    def one_by_one(self):
        for server, mode in self.in_turns():

            def use(topic):
                got = self.run_client(
                    server, "one_by_one", topic, 1, "all", 100, self.count(12_800), 0
                )
                for part in ("per_second", "p99_us"):
                    self.note(f"64_producers.{part}", f"{server.name}/{mode}", got[part])

            self.with_topic(server, mode, 1, use)

    def crowds(self):
        for server in self.servers:
            got = crowd.run_idle(server, 1000, max(2, 20 * self.scale))
            for part, value in got.items():
                self.note(f"1000_idle.{part}", f"{server.name}/default", value)
            self.with_topic(
                server,
                "default",
                1,
                lambda topic: self.note_crowd(
                    server, crowd.run_active(server, topic, 2000, max(2, int(20 * self.scale)))
                ),
            )

    def note_crowd(self, server, got):
        for part, value in got.items():
            self.note(f"2000_active.{part}", f"{server.name}/default", value)

    def start(self):
        """Several times, as that is what it costs to start."""
        for again in (True, True, False):
            for server in self.servers:
                self.note("ready_ms", f"{server.name}/default", server.start() * 1000)
                if again:
                    server.stop()
        time.sleep(2)
        for server in self.servers:
            self.note("resident_mib.idle", f"{server.name}/default", server.resident_mib())

    def warm_up(self):
        """Kafka's server is compiled while it runs."""
        for server, mode in self.contenders:

            def use(topic):
                work = (topic, 1, "all", 100, self.count(1_000_000), 0)
                self.run_client(server, "produce", *work)
                self.run_client(server, "consume", *work)
                self.run_client(server, "one_by_one", topic, 1, "all", 100, self.count(6_400), 0)

            self.with_topic(server, mode, 1, use)

    def round(self, only):
        if only != "latency":
            self.throughputs()
        if only != "throughput":
            self.latencies()
        for server in self.servers:
            self.note("resident_mib.loaded", f"{server.name}/default", server.resident_mib())

    def throughputs(self):
        for size in (100, 1024):
            for acks in ("1", "all"):
                for partitions in (1, 4):
                    self.throughput(size, acks, partitions)

    def latencies(self):
        self.latency("produce", "1")
        self.latency("produce", "all")
        self.latency("end_to_end", "all")
        self.one_by_one()

    def table(self):
        names = [f"{server.name}/{mode}" for server in self.servers for mode in server.modes]
        pairs = [("millrace/default", "kafka/default"), ("millrace/default", "kafka/flush_1")]
        pairs.append(("millrace/by_os", "kafka/default"))
        lines = ["| row | " + " | ".join(names) + " | "]
        lines[0] += " | ".join(f"{left} : {right}" for left, right in pairs) + " |"
        lines.append("|---" * (1 + len(names) + len(pairs)) + "|")
        for row, values in self.results.items():
            medians = {name: statistics.median(of) for name, of in values.items()}
            cells = [f"{medians[name]:.5g}" if name in medians else "" for name in names]
            for pair in pairs:
                known = all(name in medians for name in pair) and medians[pair[1]]
                # Of each round by itself, as the machine is not the same in all.
                ratios = [a / b for a, b in zip(*(values[name] for name in pair)) if b] if known else []
                cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millrace", required=True, help="the program")
    parser.add_argument("--client", required=True, help="made of client.cpp")
    parser.add_argument("--jars", required=True, help="a folder with Kafka's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1, help="0.01: only to see that it works")
    parser.add_argument("--only", choices=("throughput", "latency"), help="leave out the other rows")
    options = parser.parse_args()
    crowd.allow_many_files()
    parent = os.environ.get("BENCH_DIR") or os.environ.get("TMPDIR") or "/tmp"
    with tempfile.TemporaryDirectory(prefix="millrace-kafka-bench-", dir=parent) as directory:
        servers = [
            Millrace(os.path.join(directory, "millrace"), options.millrace),
            Kafka(os.path.join(directory, "kafka"), options.jars),
        ]
        bench = Bench(options.client, servers, options.scale)
        try:
            bench.start()
            bench.warm_up()
            for _ in range(options.rounds):
                bench.round(options.only)
            if not options.only:
                bench.crowds()
        finally:
            for server in servers:
                if hasattr(server, "process"):
                    server.stop()
            if bench.results:
                print(bench.table())


main()
