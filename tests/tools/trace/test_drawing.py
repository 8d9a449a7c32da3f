"""Drawings: each form is what its readers expect, and shows each message."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.tools.trace.conftest import Output
from tools.trace.errors import NotInStory

Trace = Callable[..., Output]

CHART = """\
sequenceDiagram
    participant a0 as porter@a:5050
    participant a1 as shelf@b:5050
    a0-->>a0: ShelveMessage(key='later', weight=0) after 1 s
    a0->>a1: ShelveMessage(key='later', weight=0) (43.9 ms)
    a1->>a0: ShelvedMessage(key='later') (44.5 ms)"""


def test_mermaid(story: Path, trace: Trace):
    assert trace("draw", "mermaid", story, "--task", "later").text == CHART


def test_svg_is_a_picture_of_all_actors_and_messages(story: Path, trace: Trace):
    picture = ET.fromstring(trace("draw", "svg", story).text)
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in picture.iter(f"{space}text")]
    assert texts[:2] == ["porter@a:5050", "shelf@b:5050"]
    assert len(picture.findall(f"{space}g")) == 9
    width, height = int(picture.attrib["width"]), int(picture.attrib["height"])
    for text in picture.iter(f"{space}text"):
        assert 0 <= int(text.attrib["x"]) <= width
        assert 0 <= int(text.attrib["y"]) <= height


def test_a_page_needs_nothing_from_outside(story: Path, trace: Trace, tmp_path: Path):
    page = tmp_path / "page.html"
    assert trace("draw", "html", story, "-o", page).lines == [f"{page}: 9 messages"]
    text = page.read_text()
    assert "http://" not in text
    assert "https://" not in text
    [line] = [line for line in text.splitlines() if line.startswith("const story = ")]
    told = json.loads(line.removeprefix("const story = ").removesuffix(";"))
    assert told["actors"] == ["porter@a:5050", "shelf@b:5050"]
    assert len(told["hops"]) == 9


def test_what_is_in_a_message_cannot_end_the_script(story: Path, trace: Trace, tmp_path: Path):
    file = story / "a.trace"
    file.write_bytes(file.read_bytes().replace(b"\xa5later", b"\xa5</scr"))
    assert trace("draw", "html", story).text.count("</scr") == 1, "the template's own"


def test_chrome_trace_events(story: Path, trace: Trace):
    events = json.loads(trace("draw", "chrome", story).text)["traceEvents"]
    names = [event["args"]["name"] for event in events if event["name"] == "thread_name"]
    assert names == ["porter@a:5050", "shelf@b:5050"]
    handled = [event for event in events if event["ph"] == "X"]
    assert len(handled) == 9
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in handled)
    starts, ends = ({event["id"]: event for event in events if event["ph"] == phase} for phase in "sf")
    assert starts.keys() == ends.keys() == set(range(9))
    for event in events:
        assert event.keys() >= {"ph", "name", "pid"} | ({"ts", "tid"} if event["ph"] != "M" else set())
    for end in ends.values():
        assert is_within_a_slice(end, handled), "an arrow leads to what was handled then"
    inside = [number for number, start in starts.items() if is_within_a_slice(start, handled)]
    assert len(inside) == 5, "all begin at what led to them, but those that nothing led to"


def is_within_a_slice(event: dict[str, Any], slices: list[dict[str, Any]]) -> bool:
    """Readers draw an arrow's end only where its thread does something."""
    return any(
        (one["pid"], one["tid"]) == (event["pid"], event["tid"]) and one["ts"] <= event["ts"] < one["ts"] + one["dur"]
        for one in slices
    )


def test_spans_hang_together_as_messages_do(story: Path, trace: Trace):
    resources = json.loads(trace("draw", "otlp", story).text)["resourceSpans"]
    spans = [span for resource in resources for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert len(spans) == 9
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in spans)
    by_id = {span["spanId"]: span for span in spans}
    children = [span for span in spans if "parentSpanId" in span]
    assert len(children) == 5
    for span in children:
        parent = by_id[span["parentSpanId"]]
        assert parent["traceId"] == span["traceId"]
        assert int(parent["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])
    assert len({span["traceId"] for span in spans}) == 4, "four roots"


def test_spans_are_what_collectors_take(story: Path, trace: Trace):
    told = json.loads(trace("draw", "otlp", story).text)
    for resource in told["resourceSpans"]:
        for span in resource["scopeSpans"][0]["spans"]:
            for name in ("traceId", "spanId", "parentSpanId"):  # OTLP's JSON has ids in hex, protobuf's in base64
                if name in span:
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    read = ParseDict(told, TracesData())  # an error at whatever it does not know
    spans = [span for resource in read.resource_spans for span in resource.scope_spans[0].spans]
    assert len(spans) == 9
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


def test_a_part_is_drawn(story: Path, trace: Trace, capsys: pytest.CaptureFixture[str]):
    assert len(trace("draw", "mermaid", story, "--limit", "2").lines) == 1 + 2 + 2
    assert "only the first 2 messages are drawn" in capsys.readouterr().err
    with pytest.raises(NotInStory, match="no message is selected"):
        trace("draw", "svg", story, "--type", "Nothing*")
