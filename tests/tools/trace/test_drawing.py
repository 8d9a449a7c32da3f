"""Drawings: each form is what its readers expect, and shows each message."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

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
    starts, ends = ({event["id"] for event in events if event["ph"] == phase} for phase in "sf")
    assert starts == ends == set(range(9))


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


def test_a_part_is_drawn(story: Path, trace: Trace, capsys: pytest.CaptureFixture[str]):
    assert len(trace("draw", "mermaid", story, "--limit", "2").lines) == 1 + 2 + 2
    assert "only the first 2 messages are drawn" in capsys.readouterr().err
    with pytest.raises(NotInStory, match="no message is selected"):
        trace("draw", "svg", story, "--type", "Nothing*")
