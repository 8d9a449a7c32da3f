"""Chrome's trace format, which Perfetto (ui.perfetto.dev) opens: nodes are processes, actors are threads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tools.trace.drawing.chart import Chart
from tools.trace.hops import Hop
from tools.trace.names import pid_text

LEAST_MICRO = 0.001


def draw(chart: Chart) -> Iterator[str]:
    """One JSON object, an event per line."""
    yield '{"displayTimeUnit": "ms", "traceEvents": ['
    events = list(_events(chart))
    for event in events[:-1]:
        yield json.dumps(event) + ","
    yield from (json.dumps(event) for event in events[-1:])
    yield "]}"


def _events(chart: Chart) -> Iterator[dict[str, Any]]:
    nodes: dict[str, int] = {}
    for actor, thread in chart.actors.items():
        address = actor.rpartition("@")[2]
        process = nodes.setdefault(address, len(nodes) + 1)
        yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": address}}
        yield {"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": actor}}
    causes = {hop.id: hop for hop in chart.hops if hop.id}
    for number, hop in enumerate(chart.hops):
        yield from _hop(chart, nodes, causes, number, hop)


def _hop(
    chart: Chart, nodes: dict[str, int], causes: dict[int, Hop], number: int, hop: Hop
) -> Iterator[dict[str, Any]]:
    start, begun = _micro(chart, hop.start), _micro(chart, hop.begun)
    here = {"pid": nodes[chart.node_of(hop)], "tid": chart.column(hop.to)}
    there = {"pid": nodes[f"{hop.sender[1]}:{hop.sender[2]}"], "tid": chart.column(hop.sender)}
    about = {
        "id": chart.story.id_text(hop.id),
        "cause": chart.story.id_text(hop.cause),
        "from": pid_text(hop.sender),
        **{name: str(value) for name, value in chart.lines.names.flat(hop.message)},
    }
    if begun is None:
        fate = hop.dropped or "never arrived"
        yield {"ph": "i", "s": "t", "name": f"{hop.kind}: {fate}", "ts": start, **there, "args": about}
        return
    if hop.queue and hop.came is not None:
        waited = {"ph": "b", "ts": _micro(chart, hop.came)}, {"ph": "e", "ts": begun}
        yield from (event | {"cat": "queue", "name": f"{hop.kind} waits", "id": number, **here} for event in waited)
    yield {"ph": "X", "name": hop.kind, "ts": begun, "dur": _length(hop), **here, "args": about}
    flow = {"cat": "mail", "name": hop.kind, "id": number}
    yield {"ph": "s", "ts": _departure(chart, causes.get(hop.cause), start), **there, **flow}
    yield {"ph": "f", "bp": "e", "ts": begun, **here, **flow}


def _length(hop: Hop) -> float:
    """How long a slice is; in virtual time nothing takes any, and would not be seen."""
    return max(round(hop.handling * 1e6, 3), LEAST_MICRO)


def _departure(chart: Chart, cause: Hop | None, start: float | None) -> float | None:
    """When an arrow begins: within the slice of what led to it, or readers do not draw it."""
    begun = _micro(chart, cause.begun) if cause is not None else None
    if cause is None or begun is None or start is None:
        return start
    return round(max(begun, min(start, begun + _length(cause) - LEAST_MICRO)), 3)


def _micro(chart: Chart, time: float | None) -> float | None:
    return None if time is None else round((time - chart.lines.begin) * 1e6, 3)
