"""Chart: the hops that are drawn, in order, and their actors as columns."""

from __future__ import annotations

from collections.abc import Iterable

from tools.trace.hops import Hop
from tools.trace.lines import Lines
from tools.trace.names import pid_text
from tools.trace.story import Story

LABEL_WIDTH = 44
SHORT_WIDTH = 34
NAMING = ("task_id", "key")
"""Fields that say what a message is about."""


class Chart:
    """Hops, and the actors they went between in the order in which they first appear."""

    def __init__(self, story: Story, hops: Iterable[Hop]) -> None:
        self.story = story
        self.lines = Lines(story)
        self._recorded = {tuple(node.address) for node in story.nodes}
        self.hops = sorted(hops, key=lambda hop: (hop.start, hop.finish))
        self.actors: dict[str, int] = {}
        for hop in self.hops:
            for pid in (hop.sender, hop.to):
                self.actors.setdefault(pid_text(pid), len(self.actors))

    def label(self, hop: Hop) -> str:
        """The message, short."""
        return self.lines.names.text(hop.message, LABEL_WIDTH)

    def short_label(self, hop: Hop) -> str:
        """The same, where there is room for little more than its type."""
        text = self.lines.names.text([hop.kind.removesuffix("Message"), *hop.message[1:]], 0).partition("(")[0]
        about = next((str(value) for path, value in self.lines.names.flat(hop.message) if path.endswith(NAMING)), "")
        return f"{text} {about}"[:SHORT_WIDTH].rstrip()

    def is_lost(self, hop: Hop) -> bool:
        """Whether it should have arrived, as far as is known: not if nobody recorded the node it is for."""
        if hop.dropped is not None:
            return True
        return hop.begun is None and hop.seconds is None and (hop.to[1], hop.to[2]) in self._recorded

    def column(self, pid: object) -> int:
        """Where an actor is drawn."""
        return self.actors[pid_text(pid)]

    def node_of(self, hop: Hop) -> str:
        """The address of the node that a message is for."""
        return f"{hop.to[1]}:{hop.to[2]}"
