"""A sequence chart as a picture: actors are columns, time goes down, and a slanted arrow is a message on its way."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tools.trace.drawing.chart import Chart
from tools.trace.hops import Hop
from tools.trace.lines import duration

COLUMN = 260
LINE = 26
TOP = 70
LEFT = 130
BOX = 10

STYLE = """
text { font: 12px ui-monospace, monospace; fill: #223 }
.actor { font-weight: bold; text-anchor: middle }
.time { fill: #889; text-anchor: end }
.label { text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: 4px }
.life { stroke: #ccd; stroke-dasharray: 3 3 }
.way { stroke: #25c; stroke-width: 1.5; fill: none; marker-end: url(#tip) }
.timer { stroke: #a70; stroke-dasharray: 4 3 }
.beyond { stroke: #99a }
.lost { stroke: #c22; stroke-dasharray: 2 2; marker-end: url(#cross) }
.wait { fill: #fb4; opacity: .7 }
.work { fill: #25c }
"""

MARKERS = (
    '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#25c"/></marker>'
    '<marker id="cross" markerWidth="10" markerHeight="10" refX="5" refY="5">'
    '<path d="M1,1 L9,9 M9,1 L1,9" stroke="#c22" stroke-width="2"/></marker></defs>'
)


class Picture:
    """Where everything is. Each moment that something happened gets a line of its own, in order."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        moments = {time for hop in chart.hops for time in self._moments(hop)}
        self._lines = {time: number for number, time in enumerate(sorted(moments))}
        self.width = LEFT + COLUMN * max(1, len(chart.actors))
        self.height = TOP + LINE * (len(self._lines) + 1)

    @staticmethod
    def _moments(hop: Hop) -> list[float]:
        times = [hop.start, hop.came if hop.queue else None, hop.begun, hop.ended]
        return [time for time in times if time is not None]

    def x(self, pid: object) -> int:
        """An actor's column."""
        return LEFT + COLUMN * self.chart.column(pid) + COLUMN // 2

    def y(self, time: float) -> int:
        """A moment's line."""
        return TOP + LINE * self._lines[time]

    def parts(self) -> Iterator[str]:
        """All elements of the picture."""
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}"><style>{STYLE}</style>{MARKERS}'
            f'<rect width="100%" height="100%" fill="#fff"/>'
        )
        for actor, column in self.chart.actors.items():
            x = LEFT + COLUMN * column + COLUMN // 2
            yield f'<text class="actor" x="{x}" y="{TOP - 36}">{escape(actor)}</text>'
            yield f'<line class="life" x1="{x}" x2="{x}" y1="{TOP - 26}" y2="{self.height - 8}"/>'
        for time, number in self._lines.items():
            text = self.chart.lines.at(time)
            yield f'<text class="time" x="{LEFT - 12}" y="{TOP + LINE * number + 4}">{text}</text>'
        for hop in self.chart.hops:
            yield from self._boxes(hop)
        for hop in self.chart.hops:
            yield from self._arrow(hop)
        yield "</svg>"

    def _boxes(self, hop: Hop) -> Iterator[str]:
        """How long it waited, and how long it was handled."""
        if hop.begun is None or hop.ended is None:
            return
        x, y = self.x(hop.to), self.y(hop.begun)
        if hop.queue and hop.came is not None:
            yield _box("wait", x, self.y(hop.came), y - self.y(hop.came), f"waited {duration(hop.queue)}")
        yield _box("work", x, y, max(4, self.y(hop.ended) - y), f"handled in {duration(hop.handling)}")

    def _arrow(self, hop: Hop) -> Iterator[str]:
        x1, y1, x2 = self.x(hop.sender), self.y(hop.start), self.x(hop.to)
        kind = "way"
        y2 = y1 + LINE // 2
        if hop.begun is not None:
            y2 = self.y(hop.came if hop.queue and hop.came is not None else hop.begun)
        else:
            kind = "way lost" if self.chart.is_lost(hop) else "way beyond"
        if hop.seconds is not None:
            kind += " timer"
        tip = escape(self.chart.lines.hop(hop))
        label = escape(self.chart.short_label(hop))
        if x1 == x2:
            path = f"M{x1},{y1} C{x1 + 50},{y1} {x1 + 50},{y2} {x1 + BOX // 2},{y2}"
            text = (
                f'<text class="label" style="text-anchor: start" x="{x1 + 44}" y="{(y1 + y2) // 2 + 4}">{label}</text>'
            )
        else:
            end = x2 - BOX // 2 if x2 > x1 else x2 + BOX // 2
            path = f"M{x1},{y1} L{end},{y2}"
            text = f'<text class="label" x="{(x1 + x2) // 2}" y="{(y1 + y2) // 2 - 4}">{label}</text>'
        yield f'<g><title>{tip}</title><path class="{kind}" d="{path}"/>{text}</g>'


def _box(kind: str, x: int, y: int, height: int, tip: str) -> str:
    return (
        f'<rect class="{kind}" x="{x - BOX // 2}" y="{y}" width="{BOX}" height="{height}">'
        f"<title>{escape(tip)}</title></rect>"
    )


def draw(chart: Chart) -> Iterator[str]:
    """The picture's text."""
    yield from Picture(chart).parts()
