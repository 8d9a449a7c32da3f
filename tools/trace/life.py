"""`task`: the life of whatever has an id, over all nodes, and the one path through it that says where the time went."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tools.trace.chains import Chains
from tools.trace.errors import NotInStory
from tools.trace.hops import Gatherer, Hop
from tools.trace.lines import Lines, duration
from tools.trace.names import pid_text
from tools.trace.reading import add_files, open_story
from tools.trace.story import Story
from tools.trace.tables import table

BETWEEN_MAX = 50
"""So many messages that do not name the id may lie between two that do."""

ROWS_AHEAD_MAX = 50_000
SHOWN_PART = 0.001
AHEAD_SHOWN = 3


class Part(NamedTuple):
    """A stretch of a life, and what was waited for in it."""

    begin: float
    end: float
    what: str
    hop: Hop | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


class Life:
    """The messages that name an id, with those that led from one of them to another."""

    def __init__(self, story: Story, name: str) -> None:
        self.chains = Chains(story)
        self.lines = Lines(story)
        self.story = story
        self._naming = self._find(name)
        if not self._naming:
            raise NotInStory(f"no message names {name!r}; expected the value of a field, such as a task's id")
        self.hops = sorted(self._with_between(), key=lambda hop: (hop.finish, hop.start))

    def _find(self, name: str) -> dict[int, Hop]:
        """By their ids; those without one, as of a flight recorder, by negative numbers."""
        found: dict[int, Hop] = {}
        for row in self.story.find(name):
            for step in self.story.at(row):
                if step.id in found or all(value != name for _, value in self.lines.names.flat(step.message)):
                    continue
                hop = self.chains.hop(step.id) if step.id else Gatherer(None).take(step)
                if hop is not None:
                    found[step.id or -len(found) - 1] = hop
        return found

    def _with_between(self) -> list[Hop]:
        hops = dict(self._naming)
        for hop in self._naming.values():
            between: list[Hop] = []
            for cause in self.chains.causes(hop):
                if cause.id in hops:
                    hops |= {found.id: found for found in between}
                if cause.id in hops or len(between) == BETWEEN_MAX:
                    break
                between.append(cause)
        return list(hops.values())

    def path(self) -> list[Part]:
        """What the last message waited for, back to the first one, without gaps."""
        hop = max(self.hops, key=lambda hop: hop.finish)
        first = min(self.hops, key=lambda hop: hop.start)
        parts = (
            [Part(hop.begun, hop.ended, _handling(hop), hop)] if hop.begun is not None and hop.ended is not None else []
        )
        passed: set[int] = set()  # in virtual time several happen at the same moment, and each is before the other
        while True:
            passed.add(id(hop))
            parts += self._way(hop)
            if hop is first:
                break
            cause = self.chains.cause(hop)
            is_on_the_way = cause is not None and hop.start >= first.start and id(cause) not in passed
            if cause is not None and cause.begun is not None and is_on_the_way:
                parts.append(Part(cause.begun, hop.start, _handling(cause), cause))
                hop = cause
                continue
            earlier = self._before(hop, passed)
            if earlier is None:
                break
            parts.append(Part(earlier.finish, hop.start, "no message tells"))
            if earlier.begun is not None:
                parts.append(Part(earlier.begun, earlier.finish, _handling(earlier), earlier))
            hop = earlier
        return [part for part in reversed(parts) if part.end > part.begin]

    def _before(self, hop: Hop, passed: set[int]) -> Hop | None:
        earlier = [other for other in self.hops if other.finish <= hop.start and id(other) not in passed]
        return max(earlier, key=lambda other: other.finish, default=None)

    @staticmethod
    def _way(hop: Hop) -> Iterator[Part]:
        """A message's way, latest part first."""
        if hop.seconds is not None and hop.posted is not None and hop.begun is not None:
            due = min(hop.begun, hop.posted + hop.seconds)
            yield Part(due, hop.begun, f"queue of {pid_text(hop.to)}", hop)
            yield Part(hop.posted, due, f"timer of {hop.seconds:g} s of {pid_text(hop.to)}", hop)
            return
        if hop.came is not None and hop.begun is not None:
            yield Part(hop.came, hop.begun, f"queue of {pid_text(hop.to)}", hop)
        if hop.left is not None:
            if hop.came is not None:
                yield Part(hop.left, hop.came, f"wire to {hop.to[1]}:{hop.to[2]}", hop)
            if hop.posted is not None:
                yield Part(hop.posted, hop.left, f"queue out of {hop.sender[1]}:{hop.sender[2]}", hop)

    def ahead(self, part: Part) -> Counter[tuple[str, str]]:
        """What a node did while mail waited there: seconds, by type and receiver."""
        seconds: Counter[tuple[str, str]] = Counter()
        hop = part.hop
        if hop is None or hop.node is None:
            return seconds
        rows, skew = self.story.rows, self.story.nodes[hop.node].skew
        begin, end = part.begin + skew, part.end + skew
        near = [
            row
            for row in range(max(0, hop.row - ROWS_AHEAD_MAX), min(len(rows), hop.row + ROWS_AHEAD_MAX))
            if rows.node[row] == hop.node and rows.begin[row] <= end and not rows.end[row] < begin
        ]
        for row in near:
            for step in self.story.at(row):
                overlap = min(step.end, part.end) - max(step.time, part.begin)
                if step.kind == "handled" and step.id != hop.id and overlap > 0:
                    seconds[str(step.message[0]), pid_text(step.to)] += overlap  # type: ignore[assignment]
        return seconds


def _handling(hop: Hop) -> str:
    return f"{pid_text(hop.to)} handles {hop.kind}"


def add_task(parser: argparse.ArgumentParser) -> None:
    """The options of `task`."""
    parser.add_argument("id", metavar="ID", help="the value of a field of its messages, such as t7")
    add_files(parser)
    parser.set_defaults(run=task)


def task(options: argparse.Namespace) -> Iterator[str]:
    """Its messages, and where its time went."""
    life = Life(open_story(options.files), options.id)
    lines = life.lines
    yield from map(lines.hop, life.hops)
    path = life.path()
    whole = sum(part.seconds for part in path)
    yield ""
    yield (
        f"{options.id} took {duration(whole)}, from {lines.at(path[0].begin)} to {lines.at(path[-1].end)}:"
        if path
        else ""
    )
    shown = [part for part in path if part.seconds >= whole * SHOWN_PART]
    rows = [(lines.at(part.begin), f"{part.seconds / whole:.1%}", duration(part.seconds), part.what) for part in shown]
    yield from table(["at", "part", "for", "where"], rows, 0)
    if path:
        yield from _longest(life, path, whole)


def _longest(life: Life, path: list[Part], whole: float) -> Iterator[str]:
    longest = max(path, key=lambda part: part.seconds)
    yield ""
    yield f"longest: {duration(longest.seconds)} of {duration(whole)}: {longest.what}"
    if "queue" not in longest.what:
        return
    for (kind, to), seconds in life.ahead(longest).most_common(AHEAD_SHOWN):
        yield f"  meanwhile {to} handled {kind} for {duration(seconds)}"
