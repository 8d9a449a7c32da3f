"""Lines: hops and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.trace.hops import Hop
from tools.trace.names import Names, pid_text
from tools.trace.story import Step, Story

SHOWN_SECONDS = 10e-6
"""Shorter parts of a hop are not worth a word."""


def duration(seconds: float) -> str:
    """`12 µs`, `3.4 ms`, `1.23 s`."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def moment(time: float) -> str:
    """A date and time in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def way(hop: Hop) -> str:
    """From whom to whom."""
    if hop.seconds is not None:
        return f"{pid_text(hop.to)} ⏲ {hop.seconds:g} s"
    return f"{pid_text(hop.sender)} → {pid_text(hop.to)}"


def fate(hop: Hop) -> str:
    """How long its parts took, or what became of it."""
    if hop.dropped is not None:
        return f"  DROPPED: {hop.dropped}"
    if hop.begun is None:
        fate = "cancelled, or not due" if hop.seconds is not None else "never arrived"
        return f"  ({fate} in this recording)"
    parts = [("out", hop.out), ("wire", hop.wire), ("queue", hop.queue), ("took", hop.handling)]
    words = [f"{name} {duration(seconds)}" for name, seconds in parts if seconds >= SHOWN_SECONDS]
    return f"  {', '.join(words)}" if words else ""


class Lines:
    """Writes lines about one story. Times count from its beginning."""

    def __init__(self, story: Story) -> None:
        self.names = Names(story.names)
        self.begin = story.begin
        self._story = story

    def at(self, time: float) -> str:
        """Seconds since the story began."""
        return f"+{time - self.begin:.6f}"

    def hop(self, hop: Hop) -> str:
        """One message: when, from whom to whom, what, its id and its cause's, and where its time went."""
        trail = f"  #{self._story.id_text(hop.id)} of {self._story.id_text(hop.cause)}" if hop.id else ""
        return f"{self.at(hop.finish)} {way(hop)} {self.names.text(hop.message)}{trail}{fate(hop)}"

    def life(self, step: Step) -> str:
        """An actor's beginning or end."""
        reason = f" ({step.detail})" if step.detail else ""
        return f"{self.at(step.time)} {pid_text(step.to)} {step.kind}{reason}"
