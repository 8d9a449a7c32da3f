"""The actor runtime: messages, asks, spawns and ends, beside the least that the same work can cost."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
import tracemalloc
from collections.abc import Awaitable, Callable

from libprocess import PID, ExitedMessage, Process, Runtime, open_node, run
from tools.bench import measure, peers, reference
from tools.bench.mail import (
    Asker,
    Chorus,
    Counter,
    CpuMessage,
    Neighbour,
    Sink,
    TaskNewsMessage,
    Teller,
    Voice,
)
from tools.bench.measure import Figure
from tools.bench.side import Side
from tools.options import Parser

REPEATS = 5
SILENCE_SECONDS = 0.6
ACTORS = 100_000
VOICES = 1000

NEWS = TaskNewsMessage.of_size(16)
NEWS_1K = TaskNewsMessage.of_size(1024 - 63)
NEWS_64K = TaskNewsMessage.of_size(65536 - 65)


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench runtime", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--core", type=int, help="the core to run on (the last one)")
    parser.add_argument("--peers", action="store_true", help="fetch other actor libraries, and measure them beside")
    options = parser.parse_args(arguments)
    measure.fix_addresses()
    measure.pin(options.core)
    figures = run(_measure())
    if options.peers:
        figures += peers.figures()
    return measure.show(figures, options.json)


async def _measure() -> list[Figure]:
    side = Side("node", str(SILENCE_SECONDS))
    try:
        with reference.Zs() as zs:
            async with open_node() as runtime:
                remote = Remote(runtime, PID.parse(side.said), zs)
                return [
                    await _local_tell(runtime),
                    *await remote.figures(),
                    *await _spawns(),
                    await _exited_kill(),
                    await _exited_stop(),
                ]
    finally:
        side.end()


Measured = Callable[[], Awaitable[float]]


async def _best_of(own: Measured, of_reference: Callable[[], float]) -> tuple[float, float]:
    """The least of each, measured in turns."""
    owns, references = [], []
    for _ in range(REPEATS):
        gc.collect()
        references.append(of_reference())
        owns.append(await own())
    return min(owns), min(references)


def _ratio(key: str, bar: float, own: float, of_reference: float, unit: str = "µs cpu") -> Figure:
    return Figure(key, own / of_reference, bar, own=_micro(own, unit), reference=_micro(of_reference, unit))


def _micro(seconds: float, unit: str) -> str:
    return f"{seconds * 1e6:.3g} {unit}"


# Within a process.


async def _local_tell(runtime: Runtime) -> Figure:
    counter = runtime.spawn(Counter())
    messages = 200_000

    async def own() -> float:
        start = time.process_time()
        await runtime.wait(runtime.spawn(Neighbour(counter, NEWS, messages // 1000, 1000)))
        return (time.process_time() - start) / messages

    return _ratio("local_tell_ratio", 2.0, *await _best_of(own, lambda: reference.local_tell(messages, NEWS)))


class Idle(Process):
    """The least of an actor."""


async def _spawns() -> list[Figure]:
    rates = []
    for _ in range(REPEATS):
        rates.append(await _spawn_all())
    tracemalloc.start()
    size = await _spawn_all(lambda: tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return [
        Figure("spawns_per_second", max(rates), 500_000, at_least=True, own=f"{ACTORS:,} actors, initialized"),
        Figure("bytes_per_actor", size, 300, own=f"{ACTORS:,} actors, tracemalloc"),
    ]


async def _spawn_all(weigh: Callable[[], int] | None = None) -> float:
    """Actors spawned and initialized per second of cpu; or the bytes that each takes."""
    async with open_node() as runtime:
        sink = runtime.spawn(Sink())
        await runtime.ask(sink, CpuMessage(), timeout=10)
        gc.collect()
        before = weigh() if weigh else 0
        start = time.process_time()
        for _ in range(ACTORS):
            runtime.spawn(Idle())
        await runtime.ask(sink, CpuMessage(), timeout=60)  # all that waited before it was handled
        took = time.process_time() - start
        gc.collect()
        return (weigh() - before) / ACTORS if weigh else ACTORS / took


# Between processes.


class Remote:
    """A sink in another process."""

    def __init__(self, runtime: Runtime, sink: PID, zs: reference.Zs) -> None:
        self._runtime = runtime
        self._sink = sink
        self._zs = zs

    async def figures(self) -> list[Figure]:
        """All that is measured between two processes."""
        tell = await self._tell("remote_tell_ratio", 0.25, NEWS, 40, 2048)
        return [
            tell[0],
            (await self._tell("remote_tell_1k_ratio", 0.45, NEWS_1K, 40, 512))[0],
            (await self._tell("remote_tell_64k_ratio", 1.2, NEWS_64K, 60, 16))[0],
            *await self._ask(),
            await self._ask_in_flight(),
            await self._fan_in(tell[1]),
        ]

    async def _tell(
        self, key: str, bar: float, news: TaskNewsMessage, windows: int, window_messages: int
    ) -> tuple[Figure, float]:
        messages = windows * window_messages
        own, zs = await _best_of(
            lambda: self._told_by(Teller(self._sink, news, windows, window_messages)),
            lambda: self._zs.tell(messages, news),
        )
        return _ratio(key, bar, own, zs), own

    async def _told_by(self, teller: Teller) -> float:
        """Seconds of cpu, of both processes, per message."""
        messages = teller.windows * teller.window_messages
        start = await self._cpu()
        await self._runtime.wait(self._runtime.spawn(teller))
        return (await self._cpu() - start) / messages

    async def _ask(self) -> list[Figure]:
        asks = 2000
        owns, references = [], []
        for _ in range(REPEATS):
            references.append(self._zs.ask(asks, NEWS))
            owns.append(await self._took(asks))
        figures = []
        for key, bar, part in (("remote_ask_p50_ratio", 1.5, 0.5), ("remote_ask_p99_ratio", 1.7, 0.99)):
            own = min(measure.percentile(took, part) for took in owns)
            zs = min(measure.percentile(took, part) for took in references)
            figures.append(_ratio(key, bar, own, zs, "µs"))
        return figures

    async def _took(self, asks: int) -> list[float]:
        asker = Asker(self._sink, asks, in_flight=1)
        await self._runtime.wait(self._runtime.spawn(asker))
        return asker.took

    async def _ask_in_flight(self) -> Figure:
        in_flight, asks = 100, 10_000

        async def own() -> float:
            start = await self._cpu()
            await self._runtime.wait(self._runtime.spawn(Asker(self._sink, asks, in_flight)))
            return (await self._cpu() - start) / asks

        zs = lambda: self._zs.ask_in_flight(asks, in_flight, NEWS)  # noqa: E731
        return _ratio("remote_ask_100_ratio", 0.30, *await _best_of(own, zs))

    async def _fan_in(self, tell: float) -> Figure:
        voices = [Voice() for _ in range(VOICES)]
        for voice in voices:
            self._runtime.spawn(voice)

        async def own() -> float:
            chorus = Chorus(self._sink, NEWS, 80, VOICES)
            chorus.voices = voices
            return await self._told_by(chorus)

        best = min([await own() for _ in range(REPEATS)])
        return _ratio("fan_in_ratio", 1.5, best, tell)

    async def _cpu(self) -> float:
        """Seconds of cpu that both processes have used so far."""
        far = await self._runtime.ask(self._sink, CpuMessage(), timeout=10)
        assert isinstance(far, CpuMessage)
        return far.seconds + time.process_time()


# How soon it is known that a process is gone.


class Watcher(Process):
    """Waits for the end of an actor in another process."""

    def __init__(self, to: PID, exited: asyncio.Future[float]) -> None:
        self.to = to
        self.told = exited

    def initialize(self) -> None:
        self.link(self.to)

    def exited(self, message: ExitedMessage) -> None:
        self.told.set_result(time.perf_counter())


async def _exited_after(number: signal.Signals) -> float:
    """Seconds from a signal to a process until a linker of an actor there is told."""
    side = Side("node", str(SILENCE_SECONDS))
    try:
        async with open_node(silence_seconds=SILENCE_SECONDS) as runtime:
            sink = PID.parse(side.said)
            told: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            runtime.spawn(Watcher(sink, told))
            await runtime.ask(sink, CpuMessage(), timeout=10)
            start = time.perf_counter()
            os.kill(side.process.pid, number)
            return await told - start
    finally:
        side.end()


async def _exited_kill() -> Figure:
    worst = max([await _exited_after(signal.SIGKILL) for _ in range(REPEATS)])
    return Figure("exited_kill_ms", worst * 1000, 20, own=f"the worst of {REPEATS} kill -9")


async def _exited_stop() -> Figure:
    worst = max([await _exited_after(signal.SIGSTOP) for _ in range(3)])
    return Figure(
        "exited_stop_ratio",
        worst / SILENCE_SECONDS,
        1.2,
        own=f"{worst * 1000:.0f} ms, the worst of 3 SIGSTOP",
        reference=f"{SILENCE_SECONDS * 1000:.0f} ms of silence",
    )
