"""`tap`: follow running nodes: one line per message as it is handled, and what each node sent saved for later."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import BinaryIO

from libprocess import PID, ExitedMessage, Message, Process, run
from libprocess.endings import ending_signals
from libprocess.tracing.messages import TapMessage, TappedMessage, TapReadMessage, TraceDeniedMessage, UntapMessage
from tools.trace.hops import Gatherer, Hop
from tools.trace.lines import fate, moment, way
from tools.trace.live import Unreachable, add_nodes, addresses, find_nodes, tool_node
from tools.trace.names import Names
from tools.trace.reading import add_filters, is_wanted, selection
from tools.trace.selecting import Selection
from tools.trace.story import Step
from tools.trace.stream import Stream

WAITING_MAX = 20_000
"""While more than this waits to be shown, no more is asked for."""

SETTLE_SECONDS = 0.3
"""What nodes tell is put in order by time; so long may one be later than another."""


def add_tap(parser: argparse.ArgumentParser) -> None:
    """The options of `tap`."""
    add_nodes(parser)
    add_filters(parser)
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after that time")
    parser.add_argument("--save", type=Path, metavar="DIRECTORY", help="keep what comes in as recordings, one per node")
    parser.add_argument("--quiet", action="store_true", help="print no messages: only save, and what goes wrong")
    parser.set_defaults(run=tap)


class Follower:
    """Puts the steps of several nodes together, and shows the mail that is wanted."""

    def __init__(self, show: Callable[[str], None], wanted: Callable[[Names, Hop], bool]) -> None:
        self.names = Names({})
        self.left_out = 0
        self.shown = 0
        self._show = show
        self._wanted = wanted
        self._streams: dict[PID, Stream] = {}
        self._gatherer = Gatherer(None)
        self._waiting: list[tuple[float, int, Step]] = []
        self._serial = 0
        self._left_out: Counter[PID] = Counter()

    def take(self, node: PID, content: bytes, left_out: int) -> None:
        """A batch came in."""
        stream = self._streams.setdefault(node, Stream(len(self._streams)))
        for step in stream.feed(content):
            self._serial += 1
            heappush(self._waiting, (step.time, self._serial, step))
        self.names.learn(stream.names)
        if left_out:
            self.left_out += left_out
            self._left_out[node] += left_out

    @property
    def is_behind(self) -> bool:
        """Whether more waits to be shown than should."""
        return len(self._waiting) > WAITING_MAX

    def go_on(self, until: float) -> None:
        """Show what happened by then, and how much of it was not told."""
        for node, left_out in self._left_out.items():
            self._show(f"{node.address}: {left_out:,} messages left out: more happens there than is read here")
        self._left_out.clear()
        while self._waiting and self._waiting[0][0] <= until:
            step = heappop(self._waiting)[2]
            if step.kind in ("spawned", "exited"):
                continue
            hop = self._gatherer.take(step)
            if hop is None and step.kind == "sent" and not self._is_tapped(step):
                hop = self._gatherer.let_go(step.id)
            if hop is not None and self._wanted(self.names, hop):
                self.shown += 1
                self._show(f"{moment(hop.finish)[11:26]} {way(hop)} {self.names.text(hop.message)}{fate(hop)}")
        self._gatherer.forget()

    def _is_tapped(self, step: Step) -> bool:
        return any((node.host, node.port) == (step.to[1], step.to[2]) for node in self._streams)


class CatchUpMessage(Message, frozen=True):
    """From the tool's main loop to its actor: some of what waited was shown."""


class TapProcess(Process):
    """The tool's actor: taps nodes, acknowledges what it has worked through, and learns when they leave."""

    def __init__(self, nodes: list[PID], wish: TapMessage, follower: Follower, save: Path | None) -> None:
        self._nodes = nodes
        self._wish = wish
        self._follower = follower
        self._save = save
        self._files: dict[PID, BinaryIO] = {}
        self._unanswered: list[PID] = []  # whose batches came faster than they are shown
        self.lost: dict[PID, str] = {}
        """Nodes that are not tapped any more, and why."""
        self.all_lost = asyncio.Event()

    def initialize(self) -> None:
        if self._save is not None:
            self._save.mkdir(parents=True, exist_ok=True)
        for node in self._nodes:
            self.link(node)
            self.send(node, self._wish)

    def tapped(self, message: TappedMessage) -> None:
        if self._save is not None:
            self._file(self._save).write(message.records)
        self._follower.take(self.sender, message.records, message.left_out)
        if self._follower.is_behind:
            self._unanswered.append(self.sender)
        else:
            self.reply(TapReadMessage())

    def catch_up(self, message: CatchUpMessage) -> None:
        if not self._follower.is_behind:
            unanswered, self._unanswered = self._unanswered, []
            for node in unanswered:
                self.send(node, TapReadMessage())

    def _file(self, directory: Path) -> BinaryIO:
        node = self.sender
        if node not in self._files:
            self._files[node] = (directory / f"{node.host}-{node.port}.trace").open("wb")
        return self._files[node]

    def trace_denied(self, message: TraceDeniedMessage) -> None:
        self._leave(self.sender, message.reason)

    def exited(self, message: ExitedMessage) -> None:
        self._leave(message.pid, message.reason)

    def _leave(self, node: PID, reason: str) -> None:
        if node not in self.lost:
            self.lost[node] = reason
            print(f"{node.address} is not tapped any more: {reason}", file=sys.stderr)
        if len(self.lost) == len(self._nodes):
            self.all_lost.set()

    def finalize(self) -> None:
        for node in self._nodes:
            if node not in self.lost:
                self.send(node, UntapMessage())
        for file in self._files.values():
            file.close()


def tap(options: argparse.Namespace) -> Iterator[str]:
    """Follow until interrupted, until the time is over, or until no node is left."""
    wanted = selection(options)
    follower = Follower(_silent if options.quiet else _print, lambda names, hop: is_wanted(hop, wanted, names, options))
    run(_tap(options, find_nodes(options), wanted, follower))
    yield from _summary(follower)


async def _tap(options: argparse.Namespace, nodes: list[PID], wanted: Selection, follower: Follower) -> None:
    async with tool_node(options) as runtime:
        process = TapProcess(nodes, TapMessage(wanted.kind, wanted.actor), follower, options.save)
        over = asyncio.Event()
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        pid = runtime.spawn(process, "tap")
        print(f"tapping {addresses(nodes)}; Ctrl-C ends it", file=sys.stderr)
        ends = [asyncio.create_task(event.wait()) for event in (over, process.all_lost)]
        deadline = time.monotonic() + options.seconds if options.seconds else float("inf")
        while not any(end.done() for end in ends) and time.monotonic() < deadline:
            await asyncio.wait(ends, timeout=SETTLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            follower.go_on(time.time() - SETTLE_SECONDS)
            runtime.send(pid, CatchUpMessage())
        for end in ends:
            end.cancel()
        follower.go_on(float("inf"))
        if process.all_lost.is_set() and not follower.shown:
            raise Unreachable(f"{addresses(nodes)}: {next(iter(process.lost.values()))}")


def _summary(follower: Follower) -> Iterator[str]:
    yield f"{follower.shown:,} messages shown, {follower.left_out:,} left out"


def _print(line: str) -> None:
    print(line, flush=True)


def _silent(line: str) -> None:
    """Nothing is to be printed."""
