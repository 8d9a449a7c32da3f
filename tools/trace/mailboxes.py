"""`mailboxes`: how much mail waits for each actor, over time."""

from __future__ import annotations

import argparse
from array import array
from collections import defaultdict
from collections.abc import Iterator

from tools.trace.lines import Lines, duration
from tools.trace.names import pid_text
from tools.trace.reading import add_files, hops, open_story
from tools.trace.story import Pid
from tools.trace.tables import bars, table

COLUMNS = 60
SHOWN = 40


def add_mailboxes(parser: argparse.ArgumentParser) -> None:
    """The options of `mailboxes`."""
    add_files(parser)
    parser.set_defaults(run=mailboxes)


def mailboxes(options: argparse.Namespace) -> Iterator[str]:
    """One line per actor, the fullest first."""
    story = open_story(options.files)
    lines = Lines(story)
    came: dict[Pid, array[float]] = defaultdict(lambda: array("d"))
    begun: dict[Pid, array[float]] = defaultdict(lambda: array("d"))
    last = story.begin
    for hop in hops(story):
        if hop.begun is not None and hop.came is not None and hop.seconds is None:
            pid = hop.to[0], hop.to[1], hop.to[2]
            came[pid].append(hop.came)
            begun[pid].append(hop.begun)
            last = max(last, hop.begun)
    width = max(1e-9, (last - story.begin) / COLUMNS)
    found = [(pid, *depth(came[pid], begun[pid], story.begin, width)) for pid in came]
    found.sort(key=lambda row: -row[1])
    yield f"until {lines.at(last)}; each column is {duration(width)}, its height the most that waited at once"
    yield from table(
        ["actor", "over time", "most", "at"],
        [(pid_text(pid), bars(columns), most, lines.at(at)) for pid, most, at, columns in found[:SHOWN]],
        2,
    )


def depth(came: array[float], begun: array[float], begin: float, width: float) -> tuple[int, float, list[int]]:
    """The most mail that waited, when that was, and the most in each column of time."""
    columns = [0] * COLUMNS
    waiting = most = 0
    at = begin
    changes = sorted(
        [*((time, 1) for time in came), *((time, -1) for time in begun)], key=lambda change: (change[0], -change[1])
    )
    for place, (time, change) in enumerate(changes):
        column = min(COLUMNS - 1, max(0, int((time - begin) / width)))
        waiting += change
        columns[column] = max(columns[column], waiting)
        if waiting > most:
            most, at = waiting, time
        following = changes[place + 1][0] if place + 1 < len(changes) else time
        for later in range(column + 1, min(COLUMNS, int((following - begin) / width) + 1)):
            columns[later] = max(columns[later], waiting)
    return most, at, columns
