"""`log` and `actor`: one line per message, in the order in which they were handled."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice

from tools.trace.busy import Busy
from tools.trace.errors import NotInStory
from tools.trace.hops import Gatherer, Hop
from tools.trace.lines import Lines, fate, moment
from tools.trace.names import pid_text
from tools.trace.reading import add_files, add_filters, open_story, selected
from tools.trace.selecting import is_called
from tools.trace.story import Step


def add_log(parser: argparse.ArgumentParser) -> None:
    """The options of `log`."""
    add_files(parser)
    add_filters(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="stop after so many lines")
    parser.set_defaults(run=log)


def log(options: argparse.Namespace) -> Iterator[str]:
    """One line per message."""
    story = open_story(options.files)
    lines = Lines(story)
    yield f"begins {moment(story.begin)}"
    yield from map(lines.hop, islice(selected(story, options, lines), options.limit))


def add_actor(parser: argparse.ArgumentParser) -> None:
    """The options of `actor`."""
    parser.add_argument("pid", metavar="PID", help="id@host:port, or a pattern such as agent*")
    add_files(parser)
    parser.set_defaults(run=actor)


def actor(options: argparse.Namespace) -> Iterator[str]:
    """What one actor saw, and what it did then."""
    story = open_story(options.files)
    lines = Lines(story)
    yield f"begins {moment(story.begin)}"
    told = 0
    gatherer = Gatherer(Busy(story))
    for step in story.steps():
        hop = gatherer.take(step)
        for text in _of_actor(lines, options.pid, step, hop):
            told += 1
            yield text
    if not told:
        raise NotInStory(f"no actor is called {options.pid!r}; `stats` lists those there are")


def _of_actor(lines: Lines, pid: str, step: Step, hop: Hop | None) -> Iterator[str]:
    if step.kind in ("spawned", "exited"):
        if is_called(step.to, pid):
            yield lines.life(step)
    elif step.kind == "timer":
        if is_called(step.to, pid):
            yield f"{lines.at(step.time)}   sets {lines.names.text(step.message)} for in {step.detail:g} s"
    elif step.kind == "handled" and hop is not None and is_called(step.to, pid):
        yield f"{lines.at(step.time)} gets {lines.names.text(step.message)} from {_sender(step)}{fate(hop)}"
    elif (step.kind == "sent" or (hop is not None and hop.from_node is None)) and is_called(step.sender, pid):
        yield f"{lines.at(step.time)}   sends {lines.names.text(step.message)} to {pid_text(step.to)}"
    elif step.kind == "dropped" and is_called(step.to, pid):
        yield f"{lines.at(step.time)} LOST {lines.names.text(step.message)} to {pid_text(step.to)}: {step.detail}"


def _sender(step: Step) -> str:
    if step.sender == step.to:
        return "itself"
    return pid_text(step.sender) if step.sender[0] else f"outside, at {pid_text(step.sender)[1:]}"
