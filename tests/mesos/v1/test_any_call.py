"""Whatever a client sends that fits the messages is understood or refused: nothing else comes out of reading it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesos import types
from mesos.ids import AgentID
from mesos.resources import Resource
from mesos.v1 import executor, scheduler
from mesos.v1.faces import CODECS, FACES
from mesos.v1.jsonform import read_json
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.tree import Misfit
from tests.mesos.v1.trees import documents

OFTEN = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# Types that are made of most others.
BIG = [
    (types.TaskInfo, "TaskInfo"),
    (types.TaskStatus, "TaskStatus"),
    (types.FrameworkInfo, "FrameworkInfo"),
    (types.AgentInfo, "AgentInfo"),
    (types.Offer, "Offer"),
    (types.Operation, "Offer.Operation"),
    (Resource, "Resource"),
]


def calls(descriptor: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Calls with the body of their type."""
    types = [value.name for value in descriptor.enum_types_by_name["Type"].values]
    return st.sampled_from(types).flatmap(lambda type_: _call(descriptor, type_))


def _call(descriptor: Any, type_: str) -> st.SearchStrategy[dict[str, Any]]:
    body = descriptor.fields_by_name.get(type_.lower())
    known = {"type": st.just(type_), "framework_id": st.just({"value": "f"}), "executor_id": st.just({"value": "e"})}
    if body is not None:
        known[type_.lower()] = documents(body.message_type, 1)
    return st.fixed_dictionaries({name: value for name, value in known.items() if name in descriptor.fields_by_name})


@OFTEN
@given(document=calls(scheduler.CALL))
def test_any_call_of_a_scheduler_is_read_or_refused(document: dict[str, Any]):
    with suppress(Misfit):
        scheduler.read_call(read_json(msgspec.json.encode(document), scheduler.CALL))


@OFTEN
@given(document=calls(executor.CALL))
def test_any_call_of_an_executor_is_read_or_refused(document: dict[str, Any]):
    with suppress(Misfit):
        executor.read_call(read_json(msgspec.json.encode(document), executor.CALL), AgentID("a"))


@pytest.mark.parametrize(("type_", "name"), BIG, ids=[name for _, name in BIG])
def test_any_value_that_is_read_can_be_written(type_: Any, name: str):
    """What is odd may become plainer on the way, as an empty id becomes none, but only once."""
    descriptor = message(name)
    codec = CODECS.get(type_) or FACES[type_].codec

    def there_and_back(value: Any, media: Media) -> Any:
        return codec.read(media.read(media.write(codec.write(value), descriptor), descriptor))

    @OFTEN
    @given(document=documents(descriptor), media=st.sampled_from(Media))
    def can_be_written(document: dict[str, Any], media: Media) -> None:
        try:
            odd = codec.read(read_json(msgspec.json.encode(document), descriptor))
        except ValueError:
            return
        plain = there_and_back(odd, media)
        assert there_and_back(plain, media) == plain

    can_be_written()
