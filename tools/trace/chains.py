"""`why` and `effects`: the chain of messages that led to one, and all that came of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tools.trace.busy import Busy
from tools.trace.errors import NotInStory
from tools.trace.hops import Gatherer, Hop
from tools.trace.lines import Lines
from tools.trace.reading import add_files, open_story
from tools.trace.story import Step, Story

DEPTH_MAX = 10_000
EFFECTS_SHOWN = 200
CAUSES_SHOWN = 40


class Chains:
    """Looks messages up by their ids, without reading the rest."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._busy: Busy | None = None
        self._known: dict[int, Hop | None] = {}

    def hop(self, id_: int) -> Hop | None:
        """A message's way; None if no recording tells of it."""
        if id_ not in self._known:
            self._known[id_] = self._gathered(self._story.steps_of(id_))
        return self._known[id_]

    def cause(self, hop: Hop) -> Hop | None:
        """What led to a message; None if nothing did, or no recording tells of it."""
        return self.hop(hop.cause) if hop.cause else None

    def effects(self, id_: int) -> list[int]:
        """The ids of the messages that were sent while that one was handled, in order."""
        steps = (step for row in self._story.find(id_) for step in self._story.at(row))
        return list(dict.fromkeys(step.id for step in steps if step.cause == id_ and step.id))

    def causes(self, hop: Hop) -> Iterator[Hop]:
        """What led to a message: its cause, that one's cause, and so on."""
        for _ in range(DEPTH_MAX):
            cause = self.cause(hop)
            if cause is None:
                return
            yield cause
            hop = cause

    def _gathered(self, steps: list[Step]) -> Hop | None:
        if not steps:
            return None
        self._busy = self._busy or Busy(self._story)
        found = next(Gatherer(self._busy).hops(steps))
        of_cause = self._story.steps_of(found.cause) if found.cause else []
        cause = next((step for step in of_cause if step.kind == "handled"), None)
        if cause is not None and found.seconds is None:
            found.posted = cause.end
            if found.left is None:
                found.came = cause.end
        return found


def add_why(parser: argparse.ArgumentParser) -> None:
    """The options of `why`."""
    parser.add_argument("id", metavar="ID", help="as `log` shows it: 0.17")
    add_files(parser)
    parser.add_argument("--limit", type=int, default=CAUSES_SHOWN, metavar="N", help="show so many (%(default)s)")
    parser.set_defaults(run=why)


def why(options: argparse.Namespace) -> Iterator[str]:
    """The chain that led to a message, latest first."""
    story = open_story(options.files)
    chains, lines = Chains(story), Lines(story)
    hop = _found(chains, story, options.id)
    yield lines.hop(hop)
    for number, cause in enumerate(chains.causes(hop)):
        if number == options.limit:
            yield f"  and so on; give a higher --limit than {options.limit} to see more"
            return
        yield "  because " + lines.hop(cause)
        hop = cause
    if hop.cause:
        yield f"  because of #{story.id_text(hop.cause)}, which no recording tells of"
    else:
        yield "  which nothing led to: it came from outside, or an actor's first turn"


def add_effects(parser: argparse.ArgumentParser) -> None:
    """The options of `effects`."""
    parser.add_argument("id", metavar="ID", help="as `log` shows it: 0.17")
    add_files(parser)
    parser.add_argument("--limit", type=int, default=EFFECTS_SHOWN, metavar="N", help="show so many (%(default)s)")
    parser.set_defaults(run=effects)


def effects(options: argparse.Namespace) -> Iterator[str]:
    """All that came of a message, as a tree."""
    story = open_story(options.files)
    chains, lines = Chains(story), Lines(story)
    todo = [(0, _found(chains, story, options.id))]
    shown = 0
    while todo:
        depth, hop = todo.pop()
        if shown == options.limit:
            yield f"… and more: {len(todo) + 1} branches are not shown; give a higher --limit"
            return
        yield "  " * depth + lines.hop(hop)
        shown += 1
        found = [chains.hop(id_) for id_ in chains.effects(hop.id)]
        todo += [(depth + 1, effect) for effect in reversed(found) if effect is not None]


def _found(chains: Chains, story: Story, text: str) -> Hop:
    hop = chains.hop(story.id_of(text))
    if hop is None:
        raise NotInStory(f"no message #{text} is told of; `log` shows the ids")
    return hop
