"""Those who read /state in the http bench, in a process of their own: `python -m tools.bench.readers ADDRESS`.

A line of input says what to do, and one line of output how it went.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time

PIECE_BYTES = 1 << 20


class Readers:
    """That process, as the bench sees it."""

    def __init__(self, address: str) -> None:
        command = [sys.executable, "-m", __name__, address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def do(self, *words: object) -> list[str]:
        """Have something done, and return the words that it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        line = await asyncio.to_thread(self._process.stdout.readline)
        if not line:
            raise RuntimeError("those who read /state ended")
        return line.split()

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self._process.kill()
        self._process.communicate()


async def read(host: str, port: int, *headers: str) -> tuple[int, int, str, float]:
    """Ask for /state once; its status, how many bytes came, its ETag, and how many seconds that took."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(host, port, limit=PIECE_BYTES)
    lines = ["GET /state HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = 0
    while piece := await reader.read(PIECE_BYTES):
        size += len(piece)
    seconds = time.perf_counter() - began
    writer.close()
    tag = next((line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("etag")), "")
    return int(head.split()[1]), size, tag, seconds


async def poll(host: str, port: int, pause_seconds: float, until: float, chance: random.Random) -> int:
    """Ask as a page does, every so often and only for what is new; how often there was an answer."""
    tag, count = '""', 0
    await asyncio.sleep(chance.uniform(0, pause_seconds))
    while time.monotonic() < until:
        began = time.monotonic()
        _, _, tag, _ = await read(host, port, "Accept-Encoding: gzip", f"If-None-Match: {tag}")
        count += 1
        await asyncio.sleep(max(0.0, began + pause_seconds - time.monotonic()))
    return count


async def serve(host: str, port: int) -> None:
    """Do what the lines of the input say."""
    tag, chance = "", random.Random(1)
    while words := (await asyncio.to_thread(sys.stdin.readline)).split():
        if words[0] == "read":
            status, size, tag, seconds = await read(host, port)
            print(status, size, seconds, flush=True)
        elif words[0] == "again":
            status, size, _, seconds = await read(host, port, f"If-None-Match: {tag}")
            print(status, size, seconds, flush=True)
        else:
            count, pause_seconds, seconds = int(words[1]), float(words[2]), float(words[3])
            until = time.monotonic() + seconds
            print(
                sum(await asyncio.gather(*(poll(host, port, pause_seconds, until, chance) for _ in range(count)))),
                flush=True,
            )


if __name__ == "__main__":
    the_host, _, the_port = sys.argv[1].rpartition(":")
    asyncio.run(serve(the_host, int(the_port)))
