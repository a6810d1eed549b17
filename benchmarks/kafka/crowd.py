"""Many clients of one server at once: connected and idle, or each sending records one by one."""

import asyncio
import resource
import struct
import time

from servers import request


def table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


CRC_TABLE = list(table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    text = b""
    while value > 0x7F:
        text += bytes([value & 0x7F | 0x80])
        value >>= 7
    return text + bytes([value])


def produce_request(topic, size):
    """Produce v3: one record, acks=all."""
    record = b"\0" + varint(0) + varint(0) + varint(-1) + varint(size) + b"x" * size + varint(0)
    record = varint(len(record)) + record
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    batch = struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c(body)) + body
    name = topic.encode()
    head = struct.pack(">hhiih", -1, -1, 30000, 1, len(name)) + name + struct.pack(">ii", 1, 0)
    return request(0, 3, 1, head + struct.pack(">i", len(batch)) + batch)


async def exchange(streams, frame):
    reader, writer = streams
    writer.write(frame)
    await writer.drain()
    (length,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(length)


async def connect(port, count):
    wanted = asyncio.Semaphore(64)

    async def one():
        async with wanted:
            streams = await asyncio.open_connection("127.0.0.1", port)
            await exchange(streams, request(18, 0, 1))
            return streams

    return await asyncio.gather(*(one() for _ in range(count)))


async def idle(server, count, seconds):
    before = server.resident_mib()
    clients = await connect(server.port, count)
    await asyncio.sleep(1)
    busy = server.processor_seconds()
    await asyncio.sleep(seconds)
    result = {
        "resident_mib": server.resident_mib(),
        "more_mib": server.resident_mib() - before,
        "cpu_percent": (server.processor_seconds() - busy) / seconds * 100,
    }
    for _, writer in clients:
        writer.close()
    return result


async def active(server, topic, count, rounds):
    frame = produce_request(topic, 100)
    clients = await connect(server.port, count)
    errors = 0
    begin = asyncio.get_running_loop().time()

    async def one(streams):
        nonlocal errors
        for _ in range(rounds):
            response = await exchange(streams, frame)
            # Correlation id, count, name, count, partition, then the error.
            at = 4 + 4 + 2 + len(topic) + 4 + 4
            if response[at : at + 2] != b"\0\0":
                errors += 1

    await asyncio.gather(*(one(streams) for streams in clients))
    seconds = asyncio.get_running_loop().time() - begin
    for _, writer in clients:
        writer.close()
    return {"errors": errors, "per_second": count * rounds / seconds}


def allow_many_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_idle(server, count, seconds):
    return asyncio.run(asyncio.wait_for(idle(server, count, seconds), 120))


def run_active(server, topic, count, rounds):
    return asyncio.run(asyncio.wait_for(active(server, topic, count, rounds), 300))
