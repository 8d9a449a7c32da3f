"""`stats`: what is in recordings: nodes with their clocks, actors, messages, losses."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

from tools.trace.busy import Busy
from tools.trace.lines import duration, moment
from tools.trace.names import pid_text
from tools.trace.reading import add_files, open_story
from tools.trace.story import Story
from tools.trace.tables import table

SHOWN = 20


def add_stats(parser: argparse.ArgumentParser) -> None:
    """The options of `stats`."""
    add_files(parser)
    parser.set_defaults(run=stats)


class Counts:
    """How much of what happened."""

    def __init__(self, story: Story) -> None:
        self.steps: Counter[str] = Counter()
        self.handled: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()
        self.last = story.begin
        for step in story.steps():
            self.steps[step.kind] += 1
            self.last = max(self.last, step.end)
            if step.kind == "handled":
                actor = pid_text(step.to)
                self.handled[actor] += 1
                self.seconds[actor] += step.end - step.time  # type: ignore[assignment]
                self.kinds[str(step.message[0])] += 1
                self.sent[pid_text(step.sender)] += 1
            elif step.kind == "dropped":
                self.drops[f"{step.message[0]}: {step.detail}"] += 1


def stats(options: argparse.Namespace) -> Iterator[str]:
    """Several tables."""
    story = open_story(options.files)
    counts = Counts(story)
    took = counts.last - story.begin
    yield f"begins {moment(story.begin)}, lasts {duration(took)}; {len(story.rows):,} records, {story.size():,} bytes"
    yield ", ".join(f"{number:,} {kind}" for kind, number in counts.steps.most_common())
    yield ""
    busy = Busy(story)
    nodes = [
        (number, node, f"{node.incarnation:x}", _signed(node.skew), f"{busy.share(number) / took:.1%}" if took else "-")
        for number, node in enumerate(story.nodes)
    ]
    yield from table(["node", "address", "incarnation", "clock ahead", "busy"], nodes, 2)
    yield ""
    rows = [
        (actor, f"{number:,}", f"{counts.sent[actor]:,}", duration(counts.seconds[actor]))
        for actor, number in counts.handled.most_common(SHOWN)
    ]
    yield from table(["actor", "handled", "sent (and handled)", "handling"], rows, 3)
    yield ""
    yield from table(
        ["message", "handled"], [(kind, f"{number:,}") for kind, number in counts.kinds.most_common(SHOWN)], 1
    )
    if counts.drops:
        yield ""
        yield from table(["lost", "times"], counts.drops.most_common(SHOWN), 1)


def _signed(seconds: float) -> str:
    return ("-" if seconds < 0 else "+") + duration(abs(seconds))
