"""Every message of the cluster: that it survives the wire, and keeps to the rules that all messages share."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck as Check
from hypothesis import given, settings
from hypothesis import strategies as st

import mesos.messages
import mesos.types
from libprocess.message import Message, any_message
from mesos import (
    AgentID,
    CommandInfo,
    FrameworkCapability,
    FrameworkID,
    FrameworkInfo,
    Launch,
    OfferID,
    Resources,
    TaskID,
    TaskInfo,
)
from mesos.messages import AcceptOffersMessage, PingAgentMessage, RegisterFrameworkMessage
from mesos.struct import Struct
from mesos.types import Secret, SecretType
from tests.mesos.values import values_of

MESSAGES = [value for value in vars(mesos.messages).values() if isinstance(value, type) and issubclass(value, Message)]
STRUCTS = [value for value in vars(mesos.types).values() if isinstance(value, type) and issubclass(value, Struct)]

decoder = msgspec.msgpack.Decoder(any_message())


def on_the_wire(message: Message) -> list[Any]:
    """The array that a message is sent as."""
    return list(msgspec.msgpack.decode(msgspec.msgpack.encode(message)))


def received(array: list[Any]) -> Any:
    """What a peer makes of an array."""
    return decoder.decode(msgspec.msgpack.encode(array))


@pytest.mark.parametrize("message_type", MESSAGES, ids=lambda each: each.__name__)
@settings(max_examples=10, suppress_health_check=[Check.too_slow, Check.data_too_large])
@given(data=st.data())
def test_messages_survive_the_wire(message_type: type[Message], data: st.DataObject) -> None:
    message = data.draw(values_of(message_type))
    assert received(on_the_wire(message)) == message
    assert isinstance(hash(message), int), "a field is mutable"


@pytest.mark.parametrize("message_type", MESSAGES, ids=lambda each: each.__name__)
def test_messages_say_who_sends_them_to_whom(message_type: type[Message]) -> None:
    first_line = (message_type.__doc__ or "").splitlines()[0]
    assert "→" in first_line


@pytest.mark.parametrize("value_type", [*MESSAGES, *STRUCTS], ids=lambda each: each.__name__)
def test_values_are_frozen_arrays_that_the_collector_need_not_follow(value_type: type[msgspec.Struct]) -> None:
    config = value_type.__struct_config__
    assert (config.frozen, config.array_like, config.gc) == (True, True, False)


@pytest.mark.parametrize("value_type", [*MESSAGES, *STRUCTS], ids=lambda each: each.__name__)
def test_durations_have_their_unit_in_their_name(value_type: type[msgspec.Struct]) -> None:
    for name in typing.get_type_hints(value_type):
        if any(word in name for word in ("timeout", "period", "duration", "interval", "delay", "refuse")):
            assert name.endswith("_seconds")


# Peers of other versions.


def accept() -> AcceptOffersMessage:
    task = TaskInfo("sleep", TaskID("t1"), AgentID("S0"), Resources.of(cpus=1, mem=32), CommandInfo("sleep 1"))
    return AcceptOffersMessage(FrameworkID("F0"), (OfferID("O1"),), (Launch((task,)),))


def test_what_a_newer_peer_appends_is_ignored() -> None:
    array = on_the_wire(accept())
    array[3][0][1][0].append("a field of tomorrow")
    assert received([*array, "another one"]) == accept()


def test_what_an_older_peer_leaves_out_gets_its_default() -> None:
    assert received(on_the_wire(accept())[:-1]) == accept()


def test_a_newer_capability_is_unknown_and_does_no_harm() -> None:
    array = on_the_wire(RegisterFrameworkMessage(FrameworkInfo("me", "f", capabilities=tuple(FrameworkCapability))))
    array[1][10] = ["PARTITION_AWARE", "TELEPATHY"]
    assert received(array).framework.capabilities == (
        FrameworkCapability.PARTITION_AWARE,
        FrameworkCapability.UNKNOWN,
    )


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (["PingAgentMessage", "yes"], r"Expected `bool`, got `str` - at `\$\[1\]`"),
        (["PingAgentMessage"], "at least length 2"),
        (["PingSlaveMessage", True], "Invalid value 'PingSlaveMessage'"),
        (["StatusUpdateMessage", ["F0", ["t1", "TASK_DREAMING"]]], "Invalid enum value 'TASK_DREAMING'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(array: list[Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        received(array)


def test_a_message_is_small() -> None:
    assert len(msgspec.msgpack.encode(PingAgentMessage(True))) == 19
    assert len(msgspec.msgpack.encode(accept())) < 200


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(Secret(SecretType.VALUE, value=b"hunter2"))
