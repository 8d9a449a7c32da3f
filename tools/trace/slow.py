"""`slow`: how long messages wait, travel, and are handled, by type and receiver."""

from __future__ import annotations

import argparse
import re
from array import array
from collections.abc import Iterator

from tools.trace.hops import Hop
from tools.trace.lines import Lines, duration
from tools.trace.reading import add_files, add_filters, open_story, selected
from tools.trace.tables import percentile, table

SHOWN = 30
PARTS = ("out", "wire", "queue", "handling", "total")


def add_slow(parser: argparse.ArgumentParser) -> None:
    """The options of `slow`."""
    add_files(parser)
    add_filters(parser)
    parser.set_defaults(run=slow)


class Group:
    """The hops of one type to one kind of actor: seconds, by part."""

    def __init__(self) -> None:
        self.parts = {part: array("d") for part in PARTS}
        self.slowest: Hop | None = None

    def add(self, hop: Hop) -> None:
        """Count one."""
        for part, values in self.parts.items():
            values.append(getattr(hop, part))
        if self.slowest is None or hop.total > self.slowest.total:
            self.slowest = hop

    def row(self) -> list[str]:
        """Its count, then the 50th and 99th percentile of each part, and the greatest total."""
        cells = [str(len(self.parts["total"]))]
        for part in PARTS:
            ordered = sorted(self.parts[part])
            cells.append(f"{duration(percentile(ordered, 0.5))} / {duration(percentile(ordered, 0.99))}")
        return [*cells, duration(max(self.parts["total"]))]


def slow(options: argparse.Namespace) -> Iterator[str]:
    """A table, slowest first."""
    story = open_story(options.files)
    groups: dict[tuple[str, str], Group] = {}
    for hop in selected(story, options, Lines(story)):
        if hop.begun is not None and hop.seconds is None:
            groups.setdefault((hop.kind, actor_kind(hop.to[0])), Group()).add(hop)
    ordered = sorted(groups.items(), key=lambda item: -max(item[1].parts["total"]))[:SHOWN]
    head = ["message", "to", "count", *(f"{part} p50 / p99" for part in PARTS), "max", "slowest"]
    rows = [[*key, *group.row(), _id(story.id_text(group.slowest.id))] for key, group in ordered if group.slowest]
    yield from table(head, rows, len(PARTS) + 3)


def _id(text: str) -> str:
    return text if text == "-" else f"#{text}"


def actor_kind(id_: str) -> str:
    """An actor's id without its number: `teller(3)` is a teller."""
    return re.sub(r"\(\d+\)$", "", id_)
