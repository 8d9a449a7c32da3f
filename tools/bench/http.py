"""The master's web port, of a large cluster: /state, events, and what readers cost those who wait for offers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from statistics import median

import msgspec

from libprocess import PID
from libprocess.edge import run
from libprocess.http import HttpRequest
from libprocess.http.server import HttpServer
from libprocess.http.stream import HttpStream
from master.http.state import state
from master.master import Master
from tools.bench.crowd import Crowd, crowd
from tools.bench.measure import Figure, percentile, show
from tools.bench.readers import Readers
from tools.options import Parser, count

REPEATS = 7
EVENTS = 2_000
POLLERS = 50
CHANGES_PER_SECOND = 100
ROUNDS = 6
SUBSCRIBE = b'{"type":"SUBSCRIBE"}'


async def measured(agents: int, tasks: int, poll_seconds: float) -> list[Figure]:
    """Everything."""
    async with crowd(agents, tasks) as (the_crowd, master, server):
        readers = Readers(str(server.address))
        try:
            figures = await _reads(the_crowd, master, readers)
            figures += await _offers(the_crowd, readers, poll_seconds)
            return [*figures, await _events(the_crowd, server)]
        finally:
            readers.end()


# Reads.


async def _reads(the_crowd: Crowd, master: Master, readers: Readers) -> list[Figure]:
    first, size = await _read(readers)
    tree = state(master.cluster, master.info, master.flags, master.started)
    own, unmodified, reference = [], [], []
    for _ in range(REPEATS):
        the_crowd.report(1)
        own.append((await _read(readers))[0])
        status, _, seconds = await readers.do("again")
        assert status == "304", f"/state that has not changed is answered {status}"
        unmodified.append(float(seconds))
        began = time.perf_counter()
        msgspec.json.encode(tree)
        reference.append(time.perf_counter() - began)
    reference_ms = min(reference) * 1000
    encoded = f"msgspec.json.encode of the same: {reference_ms:.0f} ms"
    after_a_change = f"{size >> 20} MB after a change"
    return [
        Figure("state_ms", min(own) * 1000, 1.5 * reference_ms, own=after_a_change, reference=encoded),
        Figure("state_unmodified_ms", min(unmodified) * 1000, reference_ms, own="read by who has it already"),
        Figure("state_reference_ms", reference_ms, float("inf"), own="to encode, and nothing else"),
        Figure("state_first_ms", first * 1000, float("inf"), own="the first read since the master began"),
    ]


async def _read(readers: Readers) -> tuple[float, int]:
    status, size, seconds = await readers.do("read")
    assert status == "200", f"/state is answered {status}"
    return float(seconds), int(size)


# Offers.


async def _offers(the_crowd: Crowd, readers: Readers, poll_seconds: float) -> list[Figure]:
    """What passes from the end of a task to an offer of what it had, alone and while others poll, in turns."""
    alone: list[tuple[float, float]] = []
    polled: list[tuple[float, float]] = []
    seconds = poll_seconds
    polls = 0
    for _ in range(ROUNDS):
        alone += await _latencies(the_crowd, seconds)
        polling = asyncio.ensure_future(readers.do("poll", POLLERS, poll_seconds, seconds))
        polled += await _latencies(the_crowd, seconds)
        polls += int((await polling)[0])
    alone_s, alone_cpu = zip(*alone, strict=True)
    polled_s, polled_cpu = zip(*polled, strict=True)
    own = f"p99, {POLLERS} read /state every {poll_seconds:g} s ({polls} times)"
    return [
        _compared("offer_p99_ratio_with_pollers", polled_s, alone_s, 0.99, 1.05, own),
        _compared("offer_p50_ratio_with_pollers", polled_s, alone_s, 0.5, float("inf"), "p50"),
        _compared("offer_p99_cpu_ratio_with_pollers", polled_cpu, alone_cpu, 0.99, float("inf"), "p99 of its own work"),
    ]


def _compared(key: str, polled: Sequence[float], alone: Sequence[float], part: float, bar: float, own: str) -> Figure:
    """What readers make of a percentile."""
    mine, reference = percentile(polled, part) * 1000, percentile(alone, part) * 1000
    return Figure(key, mine / reference, bar, own=f"{mine:.2f} ms {own}", reference=f"{reference:.2f} ms alone")


async def _latencies(the_crowd: Crowd, seconds: float) -> list[tuple[float, float]]:
    the_crowd.latencies.clear()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        the_crowd.change()
        await asyncio.sleep(1 / CHANGES_PER_SECOND)
    return list(the_crowd.latencies)


# Events.


async def _events(the_crowd: Crowd, server: HttpServer) -> Figure:
    """What an update of a task costs more when an operator listens."""
    alone = [await _updates(the_crowd) for _ in range(REPEATS)]
    stream = await _subscribe(the_crowd)
    listened = []
    for _ in range(REPEATS):
        listened.append(await _updates(the_crowd))
        while stream.take():
            pass
    cost_us = (median(listened) - median(alone)) / EVENTS * 1e6
    return Figure("event_us", cost_us, float("inf"), own="an event for an operator, as JSON, encoded and sent")


async def _subscribe(the_crowd: Crowd) -> HttpStream:
    runtime = the_crowd.runtime
    headers = (("content-type", "application/json"), ("accept", "application/json"))
    response = await runtime.routes.answer(HttpRequest("POST", "/api/v1", headers=headers, body=SUBSCRIBE))
    assert isinstance(response.stream, PID), response
    stream = runtime.processes[response.stream]
    assert isinstance(stream, HttpStream)
    while stream.take():
        pass
    return stream


async def _updates(the_crowd: Crowd) -> float:
    """The seconds of processor time that many updates of tasks take, with all that follows from them."""
    began = time.thread_time()
    the_crowd.report(EVENTS)
    while the_crowd.runtime.mailbox_depths().total():
        await asyncio.sleep(0)
    return time.thread_time() - began


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench http", description=__doc__)
    parser.add_argument("--agents", type=count, default=10_000, help="how many agents (10000)")
    parser.add_argument("--tasks", type=count, default=50_000, help="how many tasks (50000)")
    parser.add_argument("--poll_seconds", type=float, default=10.0, help="how often each poller reads /state (10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args(arguments)
    return show(run(measured(options.agents, options.tasks, options.poll_seconds)), options.json)
