"""Chart: the hops that are drawn, in order, and their actors as columns."""

from __future__ import annotations

from collections.abc import Iterable

from tools.trace.hops import Hop
from tools.trace.lines import Lines
from tools.trace.names import pid_text
from tools.trace.story import Story

LABEL_WIDTH = 44


class Chart:
    """Hops, and the actors they went between in the order in which they first appear."""

    def __init__(self, story: Story, hops: Iterable[Hop]) -> None:
        self.story = story
        self.lines = Lines(story)
        self.hops = sorted(hops, key=lambda hop: (hop.start, hop.finish))
        self.actors: dict[str, int] = {}
        for hop in self.hops:
            for pid in (hop.sender, hop.to):
                self.actors.setdefault(pid_text(pid), len(self.actors))

    def label(self, hop: Hop) -> str:
        """The message, short."""
        return self.lines.names.text(hop.message, LABEL_WIDTH)

    def column(self, pid: object) -> int:
        """Where an actor is drawn."""
        return self.actors[pid_text(pid)]

    def node_of(self, hop: Hop) -> str:
        """The address of the node that a message is for."""
        return f"{hop.to[1]}:{hop.to[2]}"
