"""`check`: has each receive its send, each send its receive or a told loss, and each message its cause?"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

from tools.trace.lines import Lines
from tools.trace.names import pid_text
from tools.trace.reading import add_files, open_story
from tools.trace.story import Step, Story
from tools.trace.tables import table

SHOWN = 10
UNDERWAY_SECONDS = 1.0
"""Mail that left so short before its receiver's node fell silent is not missed."""


def add_check(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    add_files(parser)
    parser.set_defaults(run=check)


class Check:
    """Counts what is there, and lists what is missing."""

    def __init__(self, story: Story) -> None:
        self.received = self.sent = self.dropped = self.twice = self.earlier = self.unnumbered = 0
        self.roots: Counter[str] = Counter()
        """Messages that nothing led to, by type."""
        self.without_cause: list[Step] = []
        self._unsent: list[Step] = []
        self._last: dict[int, int] = {}  # the last serial that each incarnation told of sending or handling
        self._incarnations = [node.incarnation for node in story.nodes]
        self._first: dict[int, int] = {}  # the first serial seen of each incarnation
        self._sent: set[int] = set()
        self._handled: set[int] = set()
        underway: dict[int, Step] = {}
        for step in story.steps():
            if step.kind == "sent":
                underway[step.id] = step
            elif step.kind in ("handled", "dropped"):
                underway.pop(step.id, None)
            self._take(step)
        self.without_send = [step for step in self._unsent if step.id <= self._last.get(step.id >> 32, 0)]
        self.unwritten = len(self._unsent) - len(self.without_send)
        """Received from a node whose recording ends before: it was killed, and its last second is lost."""
        runs = _runs(story)
        there = [step for step in underway.values() if step.id and (step.to[1], step.to[2]) in runs]
        self.elsewhere = len(underway) - len(there)
        self.unheard = [
            step
            for step in there
            if step.end + UNDERWAY_SECONDS < _silence(runs, step) and not _is_forgotten(runs, step)
        ]
        """Sent to a node that is recorded and went on, which tells nothing of it."""
        self.at_the_end = len(there) - len(self.unheard)

    def _take(self, step: Step) -> None:
        if step.kind in ("spawned", "exited"):
            return
        if not step.id:
            self.unnumbered += 1
            return
        self._first.setdefault(step.id >> 32, step.id)
        if step.kind == "sent":
            self.sent += 1
            self._sent.add(step.id)
            self._last[step.id >> 32] = step.id
            self._check_cause(step)
        elif step.kind == "dropped":
            self.dropped += 1
        elif step.kind == "handled":
            self._handle(step)

    def _handle(self, step: Step) -> None:
        self.received += 1
        self.twice += step.id in self._handled
        self._handled.add(step.id)
        origin = step.id >> 32
        if origin == self._incarnations[step.node]:
            self._check_cause(step)
        elif origin in self._incarnations and step.id not in self._sent:
            self._unsent.append(step)

    def _check_cause(self, step: Step) -> None:
        if not step.cause:
            self.roots[str(step.message[0])] += 1
        elif step.cause not in self._handled:
            first = self._first.get(step.cause >> 32)
            if first is None or step.cause < first:
                self.earlier += 1
            else:
                self.without_cause.append(step)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not (self.without_send or self.without_cause or self.unheard)


Runs = dict[tuple[str, int], list[tuple[float, float]]]


def _runs(story: Story) -> Runs:
    """By address: the first and the last moment that each run of a node told of, in order."""
    times: dict[int, tuple[float, float]] = {}
    for row, number in enumerate(story.rows.node):
        time = story.rows.begin[row] - story.nodes[number].skew
        times[number] = times.get(number, (time, time))[0], time
    runs: Runs = {}
    for number, run in times.items():
        runs.setdefault(story.nodes[number].address, []).append(run)
    return {address: sorted(of_it) for address, of_it in runs.items()}


def _silence(runs: Runs, step: Step) -> float:
    """When the node fell silent that this was sent to: the run of it that was there then."""
    of_it = runs[step.to[1], step.to[2]]
    return next((last for first, last in reversed(of_it) if first <= step.end), of_it[0][1])


def _is_forgotten(runs: Runs, step: Step) -> bool:
    """Whether the node that sent it was started anew since: who would tell that it was lost?"""
    of_it = runs.get((step.sender[1], step.sender[2]), [])
    return bool(of_it) and step.end < of_it[-1][0]


def check(options: argparse.Namespace) -> Iterator[str]:
    """What is there and what is missing; exit status 1 if anything is."""
    story = open_story(options.files)
    lines = Lines(story)
    found = Check(story)
    yield f"{found.received:,} received, {found.sent:,} sent to other nodes, {found.dropped:,} losses told"
    if found.unnumbered:
        yield f"{found.unnumbered:,} without an id, of which nothing can be said: flight recorders do not number mail"
    yield f"{found.twice:,} received twice, {found.elsewhere:,} sent to nodes that are not recorded"
    yield f"{found.at_the_end:,} underway when the node at either end did"
    yield f"{found.unwritten:,} received from nodes that were killed before they wrote of it"
    yield f"{found.earlier:,} caused by what was before the recording"
    for what, steps in (
        ("received without a send", found.without_send),
        ("sent and neither received nor told lost", found.unheard),
        ("without their cause", found.without_cause),
    ):
        yield f"{len(steps):,} {what}"
        for step in steps[:SHOWN]:
            yield (
                f"  {lines.at(step.time)} {pid_text(step.sender)} → {pid_text(step.to)} "
                f"{lines.names.text(step.message)} #{story.id_text(step.id)} of {story.id_text(step.cause)}"
            )
    yield ""
    yield from table(["roots: from outside, or an actor's first turn", "times"], found.roots.most_common(), 1)
    options.status = 0 if found.is_whole else 1
