"""Reading: what all commands on recordings share: the files, the filters, and what is said about damage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from tools.trace.busy import Busy
from tools.trace.hops import Gatherer, Hop
from tools.trace.lines import Lines
from tools.trace.names import Names
from tools.trace.selecting import Selection, Where
from tools.trace.story import Story


def add_files(parser: argparse.ArgumentParser) -> None:
    """The recordings that a command reads."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a recording, or a directory of *.trace files")


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The filters of a command."""
    parser.add_argument("--actor", default="", metavar="GLOB", help="mail to or from it: agent*, *@h2:5050")
    parser.add_argument("--from", dest="sender", default="", metavar="GLOB", help="mail from it")
    parser.add_argument("--to", default="", metavar="GLOB", help="mail to it")
    parser.add_argument("--type", default="", metavar="GLOB", help="messages of that type")
    parser.add_argument("--where", action="append", default=[], metavar="EXPR", help="field value: task_id==t7")
    parser.add_argument("--drops", action="store_true", help="only mail that was lost")
    parser.add_argument("--slower", type=float, default=0.0, metavar="MS", help="only mail that took so long, in ms")


def selection(options: argparse.Namespace) -> Selection:
    """What the options select."""
    where = tuple(map(Where.parse, options.where))
    return Selection(options.actor, options.sender, options.to, options.type, where)


def open_story(files: list[str]) -> Story:
    """The story these files tell; what is damaged is said on stderr."""
    story = Story(files)
    for damage in story.damage:
        print(f"damaged: {damage}", file=sys.stderr)
    return story


def hops(story: Story) -> Iterator[Hop]:
    """All hops of a story, each when it is over."""
    return Gatherer(Busy(story)).hops(story.steps())


def selected(story: Story, options: argparse.Namespace, lines: Lines) -> Iterator[Hop]:
    """The hops that the options select."""
    wanted = selection(options)
    return (hop for hop in hops(story) if is_wanted(hop, wanted, lines.names, options))


def is_wanted(hop: Hop, wanted: Selection, names: Names, options: argparse.Namespace) -> bool:
    """Whether the options select a hop."""
    return (
        wanted.takes(names, hop.to, hop.sender, hop.message)
        and (not options.drops or hop.dropped is not None)
        and hop.total * 1000 >= options.slower
    )
