"""OpenTelemetry: messages as spans, in OTLP's JSON form, which collectors read from a file.

A message is a span of its receiver's node, from its sending to the end of its handling; its parent is its cause, and
all that came of one root is one trace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from libprocess.version import VERSION
from tools.trace.drawing.chart import Chart
from tools.trace.hops import Hop
from tools.trace.names import pid_text

CONSUMER = 5
ERROR = 2


def draw(chart: Chart) -> Iterator[str]:
    """One JSON object."""
    roots = _roots(chart)
    nodes: dict[str, list[dict[str, Any]]] = {}
    for hop in chart.hops:
        if hop.id:
            nodes.setdefault(chart.node_of(hop), []).append(_span(chart, hop, roots[hop.id]))
    yield json.dumps({"resourceSpans": [_resource(node, spans) for node, spans in nodes.items()]})


def _roots(chart: Chart) -> dict[int, int]:
    """Of each message: the first known of the chain that led to it."""
    causes = {hop.id: hop.cause for hop in chart.hops}
    roots: dict[int, int] = {}
    for id_ in causes:
        chain = []
        at = id_
        while at not in roots and causes.get(at):
            chain.append(at)
            at = causes[at]
        roots |= dict.fromkeys([*chain, id_], roots.get(at, at))
    return roots


def _resource(node: str, spans: list[dict[str, Any]]) -> dict[str, Any]:
    scope = {"name": "libprocess", "version": VERSION}
    return {
        "resource": {"attributes": [_attribute("service.name", "libprocess"), _attribute("service.instance.id", node)]},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }


def _span(chart: Chart, hop: Hop, root: int) -> dict[str, Any]:
    about = {
        "messaging.system": "libprocess",
        "messaging.destination.name": pid_text(hop.to),
        "libprocess.sender": pid_text(hop.sender),
        "libprocess.queue_seconds": hop.queue,
        "libprocess.wire_seconds": hop.wire,
        "libprocess.handling_seconds": hop.handling,
        **{f"message.{name}": value for name, value in chart.lines.names.flat(hop.message)},
    }
    span: dict[str, Any] = {
        "traceId": f"{root:032x}",
        "spanId": f"{hop.id:016x}",
        "name": hop.kind,
        "kind": CONSUMER,
        "startTimeUnixNano": _nano(hop.start),
        "endTimeUnixNano": _nano(hop.finish),
        "attributes": [_attribute(name, value) for name, value in about.items()],
    }
    if hop.cause:
        span["parentSpanId"] = f"{hop.cause:016x}"
    if chart.is_lost(hop):
        span["status"] = {"code": ERROR, "message": hop.dropped or "never arrived in this recording"}
    return span


def _nano(time: float) -> str:
    return str(int(time * 1e9))


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": name, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": name, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": name, "value": {"doubleValue": value}}
    return {"key": name, "value": {"stringValue": str(value)}}
