"""A page that shows a timeline in any browser, without a server or anything else from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tools.trace.drawing.chart import Chart
from tools.trace.hops import Hop

TEMPLATE = Path(__file__).parent / "webui" / "timeline.html"
PLACE = "/*STORY*/null"


def draw(chart: Chart) -> Iterator[str]:
    """The page."""
    actors = sorted(chart.actors, key=lambda actor: (actor.rpartition("@")[2], actor))
    lanes = {actor: lane for lane, actor in enumerate(actors)}
    columns = list(chart.actors)
    story = {
        "begin": chart.lines.begin,
        "actors": actors,
        "hops": [_hop(chart, hop, lanes, columns) for hop in chart.hops],
    }
    text = json.dumps(story, separators=(",", ":"))
    yield TEMPLATE.read_text().replace(PLACE, text.replace("</", "<\\/"))


def _hop(chart: Chart, hop: Hop, lanes: dict[str, int], columns: list[str]) -> list[object]:
    times = [hop.start, hop.left, hop.came, hop.begun, hop.ended]
    return [
        chart.story.id_text(hop.id),
        chart.story.id_text(hop.cause),
        lanes[columns[chart.column(hop.sender)]],
        lanes[columns[chart.column(hop.to)]],
        *(None if time is None else round(time - chart.lines.begin, 7) for time in times),
        hop.kind,
        chart.lines.names.text(hop.message, 400),
        hop.dropped or ("never arrived in this recording" if chart.is_lost(hop) else ""),
        hop.seconds,
    ]
