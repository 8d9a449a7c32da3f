"""`diff`: two runs of the same program, and where they first part.

Nodes are matched by their order, since ports and incarnations differ between runs; each actor's mail is compared with
that of its counterpart, in order and without times. The first divergence is the earliest in the first run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.trace.lines import Lines
from tools.trace.names import is_pid, pid_text
from tools.trace.reading import open_story
from tools.trace.story import Step, Story

CONTEXT = 3


def add_diff(parser: argparse.ArgumentParser) -> None:
    """The options of `diff`."""
    parser.add_argument("a", help="a recording, or a directory of *.trace files")
    parser.add_argument("b", help="that of the other run")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="FIELD", help="a field that may differ: timestamp"
    )
    parser.set_defaults(run=diff)


@dataclass
class Seen:
    """One message that an actor got."""

    step: Step
    content: Any
    """What is compared."""


class Run:
    """What each actor of a run got, in order."""

    def __init__(self, story: Story, ignored: set[str]) -> None:
        self.story = story
        self.lines = Lines(story)
        self._ignored = ignored
        self._numbers = {tuple(node.address): number for number, node in enumerate(story.nodes)}
        self.actors: dict[Any, list[Seen]] = {}
        for step in story.steps():
            if step.kind == "handled":
                content = self._plain(step.sender), step.message[0], self._fields(step.message)
                self.actors.setdefault(self._plain(step.to), []).append(Seen(step, content))

    def _fields(self, message: Any) -> list[Any]:
        flat = self.lines.names.flat(message)
        return [(path, self._plain(value)) for path, value in flat if path.rpartition(".")[2] not in self._ignored]

    def _plain(self, value: Any) -> Any:
        """A PID of this run, as one that could be of the other."""
        return (value[0], self._numbers.get((value[1], value[2]), "?")) if is_pid(value) else value

    def line(self, seen: Seen) -> str:
        """One message an actor got."""
        step = seen.step
        return (
            f"{self.lines.at(step.time)} {pid_text(step.to)} gets {self.lines.names.text(step.message)} "
            f"from {pid_text(step.sender)} #{self.story.id_text(step.id)}"
        )


def diff(options: argparse.Namespace) -> Iterator[str]:
    """The first divergence with what came before it; exit status 1 if there is one."""
    a, b = (Run(open_story([path]), set(options.ignore)) for path in (options.a, options.b))
    parted = [
        (actor, place)
        for actor in {**a.actors, **b.actors}
        if (place := first_difference(a.actors.get(actor, []), b.actors.get(actor, []))) is not None
    ]
    if not parted:
        yield f"the same: {len(a.actors)} actors got the same mail in the same order"
        return
    options.status = 1
    actor, place = min(parted, key=lambda part: _when(a, b, *part))
    count = len({**a.actors, **b.actors})
    yield f"{len(parted)} of {count} actors got other mail; the first is {actor[0]} of node {actor[1]}"
    for run in (a, b):
        yield f"{'a' if run is a else 'b'}:"
        seen = run.actors.get(actor, [])
        for number in range(max(0, place - CONTEXT), min(place + 1, len(seen))):
            yield ("> " if number == place else "  ") + run.line(seen[number])
        if place >= len(seen):
            yield "> nothing more"
    yield from _fields(a.actors.get(actor, [])[place : place + 1], b.actors.get(actor, [])[place : place + 1])


def first_difference(a: list[Seen], b: list[Seen]) -> int | None:
    """Where two actors' mail first differs; None if it does not."""
    for place, (one, other) in enumerate(zip(a, b, strict=False)):
        if one.content != other.content:
            return place
    return None if len(a) == len(b) else min(len(a), len(b))


def _when(a: Run, b: Run, actor: Any, place: int) -> float:
    times = [
        run.actors[actor][place].step.time - run.lines.begin for run in (a, b) if place < len(run.actors.get(actor, []))
    ]
    return min(times)


def _fields(a: list[Seen], b: list[Seen]) -> Iterator[str]:
    """Which fields differ, where both got a message of the same type from the same sender."""
    if a and b and a[0].content[:2] == b[0].content[:2]:
        ones, others = dict(a[0].content[2]), dict(b[0].content[2])
        for path in {**ones, **others}:
            if ones.get(path) != others.get(path):
                yield f"{path}: {ones.get(path)!r} in a, {others.get(path)!r} in b"
