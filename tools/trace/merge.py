"""`merge`: several nodes' recordings as one file, with an index that lets every other command begin at once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tools.trace import indexing
from tools.trace.lines import duration
from tools.trace.reading import add_files, open_story


def add_merge(parser: argparse.ArgumentParser) -> None:
    """The options of `merge`."""
    add_files(parser)
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="the merged recording")
    parser.set_defaults(run=merge)


def merge(options: argparse.Namespace) -> Iterator[str]:
    """Write it, and say how far the clocks were apart."""
    story = open_story(options.files)
    count = indexing.write(story, options.output)
    yield f"{options.output}: {count:,} records of {len(story.nodes)} nodes"
    for number, node in enumerate(story.nodes):
        ahead = "ahead of" if node.skew >= 0 else "behind"
        yield f"  {number} {node}, its clock {duration(abs(node.skew))} {ahead} the first's"
