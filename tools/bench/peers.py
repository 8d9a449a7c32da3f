"""Peers: what a remote tell costs with other actor libraries, each in a throw-away environment of its own.

They are fetched from the package index when they are measured, which is why nobody measures them unless asked to.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from libprocess import run
from tools.bench.measure import Figure
from tools.bench.trace import Pair, watched_node

SECONDS = 300
REPEATS = 3
AHEAD = 10.0

_SHARED = """
import os, psutil
NEWS = ("f" * 32, "t" * 14, 1, 1.7e9, os.urandom(16))
def cpu():
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(time.user + time.system for time in times)
"""

_PYKKA = """
import pykka
class Sink(pykka.ThreadingActor):
    taken = 0
    def on_receive(self, message):
        if message == "count":
            return self.taken
        self.taken += 1
sink = Sink.start()
count = 20_000
for warmed in range(2):
    start = cpu()
    for _ in range(count):
        sink.tell(NEWS)
    sink.ask("count")
print((cpu() - start) / count)
sink.stop()
"""

_THESPIAN = """
from thespian.actors import Actor, ActorSystem
class Sink(Actor):
    taken = 0
    def receiveMessage(self, message, sender):
        if message == "count":
            self.send(sender, self.taken)
        elif isinstance(message, tuple):
            self.taken += 1
if __name__ == "__main__":
    system = ActorSystem("multiprocTCPBase")
    sink = system.createActor(Sink)
    count = 2000
    for warmed in range(2):
        start = cpu()
        for _ in range(count):
            system.tell(sink, NEWS)
        system.ask(sink, "count", 60)
    print((cpu() - start) / count)
    system.shutdown()
"""

_XOSCAR = """
import asyncio
import xoscar
class Sink(xoscar.Actor):
    def __init__(self):
        super().__init__()
        self.taken = 0
    def take(self, news):
        self.taken += 1
    def count(self):
        return self.taken
async def main():
    pool = await xoscar.create_actor_pool("127.0.0.1:0", n_process=1)
    there = xoscar.allocate_strategy.ProcessIndex(1)
    sink = await xoscar.create_actor(Sink, uid="sink", address=pool.external_address, allocate_strategy=there)
    count = 3000
    for warmed in range(2):
        start = cpu()
        for _ in range(count):
            await sink.take.tell(NEWS)
        while await sink.count() < count * (warmed + 1):
            await asyncio.sleep(0.01)
    print((cpu() - start) / count)
    await pool.stop()
if __name__ == "__main__":
    asyncio.run(main())
"""

PEERS = {"thespian": _THESPIAN, "xoscar": _XOSCAR, "pykka": _PYKKA}


def figures() -> list[Figure]:
    """How many times as much as ours a tell costs with each. pykka has no remote one: its local one stands there."""
    own = run(_own())
    told = []
    for name, script in PEERS.items():
        seconds = _measured(name, _SHARED + script)
        what = "a tell between threads" if name == "pykka" else "a remote tell"
        bar = 1.0 if name == "pykka" else AHEAD
        told.append(
            Figure(
                f"{name}_times",
                seconds / own,
                bar,
                at_least=True,
                own=f"{what}: {_micro(seconds)}",
                reference=f"our remote tell: {_micro(own)}",
            )
        )
    return told


async def _own() -> float:
    with watched_node("off") as runtime:
        pair = Pair("off", runtime)
        try:
            await pair.tell()
            return min([await pair.tell() for _ in range(REPEATS)])
        finally:
            pair.end()


def _measured(name: str, script: str) -> float:
    """Seconds of cpu per message."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as scratch:
        venv.create(scratch, with_pip=True)
        python = Path(scratch) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", name, "psutil"], check=True, timeout=SECONDS)
        file = Path(scratch) / "peer.py"
        file.write_text(script)
        print(f"measuring {name}", file=sys.stderr)
        command = [python, file]
        said = [
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout
            for _ in range(REPEATS)
        ]
    return statistics.median(float(text.split()[-1]) for text in said)


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs cpu"
