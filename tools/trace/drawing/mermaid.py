"""A sequence chart in Mermaid's language, as README files show it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.trace.drawing.chart import Chart
from tools.trace.hops import Hop
from tools.trace.lines import duration


def draw(chart: Chart) -> Iterator[str]:
    """The chart's text."""
    yield "sequenceDiagram"
    for actor, column in chart.actors.items():
        yield f"    participant a{column} as {_plain(actor)}"
    for hop in chart.hops:
        yield f"    {_arrow(chart, hop)}: {_plain(chart.label(hop))}{_time(hop)}"


def _arrow(chart: Chart, hop: Hop) -> str:
    sign = "-x" if chart.is_lost(hop) else "-->>" if hop.seconds is not None else "->>"
    return f"a{chart.column(hop.sender)}{sign}a{chart.column(hop.to)}"


def _time(hop: Hop) -> str:
    if hop.seconds is not None:
        return f" after {hop.seconds:g} s"
    return f" ({duration(hop.total)})" if hop.begun is not None else ""


def _plain(text: str) -> str:
    """Without what means something to Mermaid."""
    return text.replace("#", "#35;").replace(";", "#59;").replace("<", "#lt;").replace(">", "#gt;")
