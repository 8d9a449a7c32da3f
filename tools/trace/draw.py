"""`draw`: a chart of a story, or of a part of it, in the form that is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from tools.trace.chains import Chains
from tools.trace.drawing import chrome, mermaid, otlp, page, svg
from tools.trace.drawing.chart import Chart
from tools.trace.errors import NotInStory
from tools.trace.hops import Hop
from tools.trace.life import Life
from tools.trace.lines import Lines
from tools.trace.reading import add_files, add_filters, open_story, selected
from tools.trace.story import Story

FORMS: dict[str, tuple[Callable[[Chart], Iterator[str]], int]] = {
    "mermaid": (mermaid.draw, 200),
    "svg": (svg.draw, 500),
    "html": (page.draw, 50_000),
    "chrome": (chrome.draw, 1_000_000),
    "otlp": (otlp.draw, 1_000_000),
}
"""How each is drawn, and how many messages it can bear."""


def add_draw(parser: argparse.ArgumentParser) -> None:
    """The options of `draw`."""
    parser.add_argument(
        "form", choices=FORMS, help="mermaid, svg, html: to look at; chrome: for Perfetto; otlp: a collector"
    )
    add_files(parser)
    add_filters(parser)
    parser.add_argument("--task", metavar="ID", help="the life of a task, as the command of that name")
    parser.add_argument("--effects", metavar="ID", help="all that came of a message")
    parser.add_argument("--limit", type=int, metavar="N", help="draw so many messages at most")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there, not to the terminal")
    parser.set_defaults(run=draw)


def draw(options: argparse.Namespace) -> Iterator[str]:
    """The chart, or where it was written."""
    story = open_story(options.files)
    draw_form, bearable = FORMS[options.form]
    limit = options.limit or bearable
    hops = list(islice(_hops(story, options), limit + 1))
    if not hops:
        raise NotInStory("no message is selected; give other filters")
    if len(hops) > limit:
        del hops[limit:]
        print(f"only the first {limit} messages are drawn; select fewer, or give a higher --limit", file=sys.stderr)
    texts = draw_form(Chart(story, hops))
    if options.output is None:
        yield from texts
        return
    with options.output.open("w") as file:
        file.writelines(text + "\n" for text in texts)
    yield f"{options.output}: {len(hops)} messages"


def _hops(story: Story, options: argparse.Namespace) -> Iterable[Hop]:
    if options.task is not None:
        return Life(story, options.task).hops
    if options.effects is not None:
        return _tree(Chains(story), story.id_of(options.effects))
    return selected(story, options, Lines(story))


def _tree(chains: Chains, id_: int) -> Iterator[Hop]:
    todo = [id_]
    while todo:
        hop = chains.hop(todo.pop())
        if hop is not None:
            yield hop
            todo += reversed(chains.effects(hop.id))
