"""How bodies are read: what clients may write, and what is refused, with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesos.v1.jsonform import read_json
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.tree import Misfit, Tree

CALL = message("scheduler.Call")
STATUS = message("TaskStatus")


def read(document: Any, name: str = "scheduler.Call") -> Tree:
    return read_json(json.dumps(document).encode(), message(name))


def test_what_is_unknown_or_null_is_not_there():
    assert read({"type": "REVIVE", "framework_id": None, "colour": {"deep": 1}}) == {"type": "REVIVE"}


def test_a_name_that_an_enum_does_not_have_is_not_there():
    assert read({"type": "PAINT"}) == {}


def test_an_enum_may_be_a_number():
    assert read({"type": 5}) == {"type": "REVIVE"}


def test_a_bare_value_is_a_list_of_one():
    tree = read({"type": "DECLINE", "decline": {"offer_ids": {"value": "o1"}}})
    assert tree["decline"] == {"offer_ids": [{"value": "o1"}]}


def test_bytes_are_base64():
    tree = read(
        {"type": "MESSAGE", "message": {"agent_id": {"value": "a"}, "executor_id": {"value": "e"}, "data": "aGk="}}
    )
    assert tree["message"]["data"] == b"hi"


def test_64_bits_may_be_text():
    assert read({"nanoseconds": "-9007199254740993"}, "TimeInfo") == {"nanoseconds": -9007199254740993}


def test_infinity_is_text():
    assert read({"value": "Infinity"}, "Value.Scalar") == {"value": float("inf")}


STATUS_START = {"task_id": {"value": "t"}, "state": "TASK_RUNNING"}


@pytest.mark.parametrize(
    ("document", "name", "text"),
    [
        ([], "scheduler.Call", "expected an object, found []"),
        ({"type": True}, "scheduler.Call", "type: expected the name of a value, found True"),
        ({"framework_id": "f"}, "scheduler.Call", "framework_id: expected an object, found 'f'"),
        ({"framework_id": {}}, "scheduler.Call", "framework_id: expected the field 'value', found none"),
        ({"framework_id": {"value": 7}}, "scheduler.Call", "framework_id.value: expected a text, found 7"),
        (
            {"decline": {"offer_ids": [{"value": "o"}, {}]}},
            "scheduler.Call",
            "decline.offer_ids[1]: expected the field 'value', found none",
        ),
        ({**STATUS_START, "uuid": "!"}, "TaskStatus", "uuid: expected bytes in base64, found '!'"),
        ({**STATUS_START, "healthy": 1}, "TaskStatus", "healthy: expected true or false, found 1"),
        ({**STATUS_START, "timestamp": "soon"}, "TaskStatus", "timestamp: expected a number, found 'soon'"),
        ({**STATUS_START, "timestamp": "NaN"}, "TaskStatus", "timestamp: expected a number, found 'NaN'"),
        ({"port": 1.5}, "Address", "port: expected a whole number from -2147483648 to 2147483647, found 1.5"),
        ({"port": 2**31}, "Address", f"port: expected a whole number from -2147483648 to 2147483647, found {2**31}"),
        ({"state": "TASK_RUNNING"}, "TaskStatus", "expected the field 'task_id', found none"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(document: Any, name: str, text: str):
    with pytest.raises(Misfit) as caught:
        read(document, name)
    assert str(caught.value) == text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": "\xed\xa0\x80"}', b'{"a": "\\ud800"}'])
def test_what_is_no_json_is_refused(body: bytes):
    with pytest.raises(Misfit, match=r"^expected (JSON|an object)"):
        read_json(body, CALL)


@given(body=st.binary(max_size=60), media=st.sampled_from(Media))
def test_any_bytes_are_read_or_refused(body: bytes, media: Media):
    try:
        tree = media.read(body, CALL)
    except Misfit:
        return
    assert media.read(media.write(tree, CALL), CALL) == tree


def test_protobuf_that_lacks_what_is_required_is_refused():
    body = Media.PROTOBUF.write({"framework_id": {"value": "f"}}, CALL)
    with pytest.raises(Misfit, match=r"^framework_id\.value: expected a value, found none$"):
        Media.PROTOBUF.read(body[:1] + b"\x00", CALL)


def test_a_media_type_may_have_parameters():
    assert Media.of("Application/JSON; charset=utf-8") is Media.JSON
    assert Media.of("text/json") is None


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", Media.JSON),
        ("*/*", Media.JSON),
        ("application/*;q=0.5", Media.JSON),
        ("application/x-protobuf", Media.PROTOBUF),
        ("application/x-protobuf, application/json", Media.JSON),
        ("application/x-protobuf, application/json;q=0", Media.PROTOBUF),
        ("text/html", None),
    ],
)
def test_what_is_accepted(accept: str, media: Media | None):
    assert Media.accepted(accept) is media
