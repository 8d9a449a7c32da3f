"""`record` and `flight`: have nodes record themselves, or dump their flight recorders, and fetch what they wrote."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from libprocess import PID, Runtime, run
from libprocess.endings import ending_signals
from libprocess.tracing.messages import (
    DumpFlightMessage,
    EndRecordingMessage,
    ReadRecordingMessage,
    RecordingMessage,
    RecordingPieceMessage,
    RecordNodeMessage,
)
from tools.trace.live import add_nodes, addresses, ask, find_nodes, of_all, tool_node

LIMIT_MB = 64


def add_record(parser: argparse.ArgumentParser) -> None:
    """The options of `record`."""
    add_nodes(parser)
    parser.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIRECTORY", help="where they are put (.)")
    parser.add_argument(
        "--limit", type=int, default=LIMIT_MB, metavar="MB", help="keep the last of it (%(default)s MB)"
    )
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after that time")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--start", action="store_true", help="begin, and leave the nodes to it")
    only.add_argument("--stop", action="store_true", help="end what was begun with --start, and fetch it")
    parser.set_defaults(run=record)


def record(options: argparse.Namespace) -> Iterator[str]:
    """Begin, wait, end and fetch; or one half of it."""
    yield from run(_record(options, find_nodes(options)))


async def _record(options: argparse.Namespace, nodes: list[PID]) -> list[str]:
    async with tool_node(options) as runtime:
        if not options.stop:
            begin = RecordNodeMessage(options.limit << 20)
            begun = await of_all(options, nodes, lambda node: ask(runtime, node, begin, RecordingMessage))
            if options.start:
                return [f"{node.address} records to {told.path}" for node, told in begun]
            nodes = [node for node, _ in begun]
            print(f"recording {addresses(nodes)}; Ctrl-C ends it", file=sys.stderr)
            await _interrupted(options.seconds)
        ended = await of_all(options, nodes, lambda node: ask(runtime, node, EndRecordingMessage(), RecordingMessage))
        return [await fetch(runtime, *told, options.output) for told in ended]


async def _interrupted(seconds: float | None) -> None:
    """Until Ctrl-C, or until so many seconds are over."""
    over = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)


def add_flight(parser: argparse.ArgumentParser) -> None:
    """The options of `flight`."""
    add_nodes(parser)
    parser.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIRECTORY", help="where they are put (.)")
    parser.set_defaults(run=flight)


def flight(options: argparse.Namespace) -> Iterator[str]:
    """What happened last, on each node."""
    yield from run(_flight(options, find_nodes(options)))


async def _flight(options: argparse.Namespace, nodes: list[PID]) -> list[str]:
    async with tool_node(options) as runtime:
        dumped = await of_all(options, nodes, lambda node: ask(runtime, node, DumpFlightMessage(), RecordingMessage))
        return [await fetch(runtime, *told, options.output) for told in dumped]


async def fetch(runtime: Runtime, node: PID, told: RecordingMessage, directory: Path) -> str:
    """Copy a node's recording here, piece by piece; returns what to tell of it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / Path(told.path).name
    size = 0
    with path.open("wb") as file:
        while True:
            piece = await ask(runtime, node, ReadRecordingMessage(told.path, size), RecordingPieceMessage)
            if not piece.content:
                return f"{path}: {size:,} bytes of {node.address}"
            size += file.write(piece.content)
