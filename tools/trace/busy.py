"""Busy: when nodes had work without a pause. Who comes then waits, be it in the node's queue or at its door."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right

from tools.trace.scanning import TURN
from tools.trace.story import Story

PAUSE_SECONDS = 0.001
"""Between two turns a busy node reads its sockets, which takes less than this."""


class Busy:
    """The busy periods of all nodes of a story."""

    def __init__(self, story: Story) -> None:
        self._begins = [array("d") for _ in story.nodes]
        self._ends = [array("d") for _ in story.nodes]
        rows = story.rows
        skews = [node.skew for node in story.nodes]
        for row, node in enumerate(rows.node):
            if rows.kind[row] == TURN:
                begin = rows.begin[row] - skews[node]
                end = begin if math.isnan(rows.end[row]) else rows.end[row] - skews[node]
                self._add(node, begin, end)

    def _add(self, node: int, begin: float, end: float) -> None:
        begins, ends = self._begins[node], self._ends[node]
        if ends and begin - ends[-1] <= PAUSE_SECONDS:
            ends[-1] = max(ends[-1], end)
        else:
            begins.append(begin)
            ends.append(end)

    def since(self, node: int, time: float) -> float:
        """Since when the node was busy at that time; the time itself if it was not."""
        place = bisect_right(self._begins[node], time) - 1
        if place < 0 or self._ends[node][place] < time:
            return time
        return self._begins[node][place]

    def share(self, node: int) -> float:
        """Seconds that a node was busy."""
        return sum(end - begin for begin, end in zip(self._begins[node], self._ends[node], strict=True))
