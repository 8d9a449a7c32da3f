"""Tracing: what watching costs the watched, and how quickly recordings are read."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from libprocess import PID, Runtime, run
from libprocess.ports import Envelope
from libprocess.recording import BoundedFile, FlightRecorder, Recorder, encode_record, header
from libprocess.runtime import TURN_MAX
from libprocess.simulation import World
from libprocess.system import DiskStorage, LoopClock
from libprocess.zeromq import Setup, Sockets, ZeroMQ
from tools.bench import measure
from tools.bench.mail import CpuMessage, Sink, TaskNewsMessage, Teller
from tools.bench.measure import Figure
from tools.options import Parser
from tools.trace import indexing
from tools.trace.life import Life
from tools.trace.story import Story

REPEATS = 9
WINDOWS, WINDOW_MESSAGES = 60, 2048
FLIGHT_SECONDS = 30.0
RECORDING_BYTES = 64 << 20

NODES = 5
RECORDS = 1_000_000
FRAME_MESSAGES = 64

NEWS = TaskNewsMessage.of_size(16)


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench trace", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--core", type=int, help="the core to run on (the last one)")
    options = parser.parse_args(arguments)
    measure.fix_addresses()
    measure.pin(options.core)
    return measure.show([*run(_tells()), *_reading()], options.json)


# What it costs to be watched: both nodes are, in each mode.


class BareRuntime(Runtime):
    """The runtime as it would be if nobody could ever observe it."""

    def deliver(self, envelopes: Iterable[Envelope]) -> None:
        """As the Runtime's, without a look for an observer."""
        self._queue.extend(envelopes)
        if self._turning or self._closed:
            return
        self._turning = True
        try:
            self._turn()
        finally:
            self._turning = False
            self._current = self._idle
        del self._queue[:TURN_MAX]
        self.network.flush()
        if self._queue:
            self._wake()


MODES = ("bare", "off", "flight", "record")


@contextmanager
def watched_node(mode: str) -> Iterator[Runtime]:
    """A node that is watched in that mode."""
    loop = asyncio.get_running_loop()
    kind = BareRuntime if mode == "bare" else Runtime
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as scratch:
        runtime = kind(
            clock=LoopClock(loop),
            network=ZeroMQ(loop, Sockets(Setup())),
            chance=random.SystemRandom(),
            storage=DiskStorage(scratch),
        )
        if mode == "flight":
            runtime.trace = FlightRecorder(runtime, FLIGHT_SECONDS)
        elif mode == "record":
            runtime.trace = Recorder(runtime, BoundedFile(Path(scratch) / "node.trace", RECORDING_BYTES))
        try:
            yield runtime
        finally:
            runtime.close()


class Pair:
    """A near node, and a far one in a process of its own; both in the same mode."""

    def __init__(self, mode: str, runtime: Runtime) -> None:
        self._runtime = runtime
        command = [sys.executable, "-m", __name__, mode]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._sink = PID.parse(self._process.stdout.readline().strip())

    async def tell(self) -> float:
        """Seconds of cpu, of both processes, per message."""
        gc.collect()
        start = await self._cpu()
        teller = Teller(self._sink, NEWS, WINDOWS, WINDOW_MESSAGES)
        await self._runtime.wait(self._runtime.spawn(teller))
        return (await self._cpu() - start) / (WINDOWS * WINDOW_MESSAGES)

    async def _cpu(self) -> float:
        far = await self._runtime.ask(self._sink, CpuMessage(), timeout=10)
        assert isinstance(far, CpuMessage)
        return far.seconds + time.process_time()

    def end(self) -> None:
        """Kill the far process and wait until it is gone."""
        self._process.kill()
        self._process.communicate()


async def _tells() -> list[Figure]:
    took: dict[str, list[float]] = {mode: [] for mode in MODES}
    for _ in range(REPEATS):
        for mode in MODES:  # in turns, so that whatever disturbs one disturbs all
            with watched_node(mode) as runtime:
                pair = Pair(mode, runtime)
                try:
                    await pair.tell()  # warms up
                    took[mode] += [await pair.tell(), await pair.tell()]
                finally:
                    pair.end()
    least = {mode: min(values) for mode, values in took.items()}
    bars = {"off": 1.02, "flight": 1.25, "record": 2.0}
    return [
        Figure(
            f"{mode}_ratio", least[mode] / least["bare"], bar, own=_micro(least[mode]), reference=_micro(least["bare"])
        )
        for mode, bar in bars.items()
    ]


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs cpu"


async def _far(mode: str) -> None:
    """The far node: be there until stdin closes."""
    with watched_node(mode) as runtime:
        print(runtime.spawn(Sink(), "sink"), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# How quickly recordings are read: each record here is a turn with one piece of mail or with a frame of it.


def _reading() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as scratch:
        directory = Path(scratch)
        files, mail = write_recordings(directory)
        merged = directory / "merged"
        merging = measure.best_of(3, lambda: _merge(files, merged))[0]
        records = mail // 2  # each is told of by its sender and by its receiver
        [answer] = measure.best_of(3, lambda: _first_answer(merged))
    return [
        Figure("first_answer_seconds", answer, 1.0, own=f"the life of one task in {mail:,} records, in a new process"),
        Figure(
            "merge_records_per_second",
            mail / merging,
            300_000,
            at_least=True,
            own=f"{mail:,} records of {records:,} messages, {NODES} nodes, {merging:.2f} s",
        ),
    ]


def write_recordings(directory: Path) -> tuple[list[Path], int]:
    """Recordings of nodes that send each other news in turns; returns them, and how much mail they tell of."""
    world = World(seed=1)
    nodes = [world.node(f"h{number}") for number in range(NODES)]
    files = [directory / f"h{number}.trace" for number in range(NODES)]
    opened = [path.open("wb") for path in files]
    for node, file in zip(nodes, opened, strict=True):
        file.write(header(node))
    serials = [0] * NODES
    mail = 0
    clock = nodes[0].clock.now()
    while mail < RECORDS:
        sender = mail // FRAME_MESSAGES % NODES
        receiver = (sender + 1 + mail // FRAME_MESSAGES // NODES % (NODES - 1)) % NODES
        frame = _frame(nodes, sender, receiver, serials)
        clock += 0.001
        for number, begin in ((sender, clock), (receiver, clock + 0.0005)):
            times = [begin + place * 1e-6 for place in range(FRAME_MESSAGES)]
            opened[number].write(encode_record(("turn", 0, begin, frame, times, begin + 0.0002)))
            mail += FRAME_MESSAGES
    for file in opened:
        file.close()
    return files, mail


def _frame(nodes: list[Runtime], sender: int, receiver: int, serials: list[int]) -> list[Envelope]:
    frame: list[Envelope] = []
    to, origin = (PID("worker", *nodes[number].address) for number in (receiver, sender))
    for _ in range(FRAME_MESSAGES):
        serials[sender] += 1
        news = TaskNewsMessage("f" * 32, f"t{sender}-{serials[sender]}", 1, 1.7e9, b"0123456789abcdef")
        frame.append((to, origin, news, nodes[sender].incarnation << 32 | serials[sender], 0))
    return frame


def _merge(files: list[Path], output: Path) -> float:
    """Seconds of cpu to read, order and write all."""
    gc.collect()
    start = time.process_time()
    indexing.write(Story(files), output)
    return time.process_time() - start


def _first_answer(merged: Path) -> float:
    """Seconds until a new process has said what one task's life was."""
    task = f"t2-{RECORDS // NODES // 4}"
    assert Life(Story([merged]), task).hops, task
    start = time.perf_counter()
    command = [sys.executable, "-m", "tools.trace", "task", task, str(merged)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    run(_far(sys.argv[1]))
