"""The scheduler API: what calls mean inside, and how messages look outside."""

from __future__ import annotations

from typing import Any

import pytest

from libprocess.message import Message
from libprocess.pid import PID
from mesos import messages, types
from mesos.resources import Kind, Reservation, ReservationType, Resource, Resources
from mesos.types import FrameworkCapability as Capability
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate, PseudoAttribute
from mesos.v1.media import Media
from mesos.v1.scheduler import CALL, EVENT, HEARTBEAT, event_for, read_call, write_event
from mesos.v1.tree import Misfit

ID = {"framework_id": {"value": "f"}}
FRAMEWORK = {"user": "me", "name": "fw"}


def call(type_: str, **body: Any) -> dict[str, Any]:
    return {"type": type_, **ID, type_.lower(): body}


CALLS = [
    (call("TEARDOWN"), messages.UnregisterFrameworkMessage("f")),
    (
        call("ACCEPT", offer_ids=[{"value": "o"}], operations=[{"type": "LAUNCH", "launch": {}}]),
        messages.AcceptOffersMessage("f", ("o",), (types.Launch(()),)),
    ),
    (
        call("DECLINE", offer_ids=[{"value": "o"}], filters={"refuse_seconds": 1.0}),
        messages.DeclineOffersMessage("f", ("o",), types.Filters(1.0)),
    ),
    ({"type": "REVIVE", **ID}, messages.ReviveOffersMessage("f")),
    (call("SUPPRESS", roles=["eng"]), messages.SuppressOffersMessage("f", ("eng",))),
    (
        call("KILL", task_id={"value": "t"}, kill_policy={"grace_period": {"nanoseconds": 2 * 10**9}}),
        messages.KillTaskMessage("f", "t", kill_policy=types.KillPolicy(2.0)),
    ),
    (
        call("SHUTDOWN", executor_id={"value": "e"}, agent_id={"value": "a"}),
        messages.ShutdownExecutorMessage("f", "e", "a"),
    ),
    (
        call("ACKNOWLEDGE", agent_id={"value": "a"}, task_id={"value": "t"}, uuid=b"u"),
        messages.StatusUpdateAcknowledgementMessage("f", "a", "t", b"u"),
    ),
    (call("RECONCILE"), messages.ReconcileTasksMessage("f")),
    (
        call("RECONCILE", tasks=[{"task_id": {"value": "t"}}]),
        messages.ReconcileTasksMessage("f", (types.TaskReference("t"),)),
    ),
    (
        call("MESSAGE", agent_id={"value": "a"}, executor_id={"value": "e"}, data=b"x"),
        messages.FrameworkToExecutorMessage("f", "a", "e", b"x"),
    ),
    (
        {"type": "SUBSCRIBE", "subscribe": {"framework_info": FRAMEWORK, "suppressed_roles": ["eng"]}},
        messages.RegisterFrameworkMessage(types.FrameworkInfo("me", "fw"), ("eng",)),
    ),
    (
        {"type": "SUBSCRIBE", **ID, "subscribe": {"framework_info": {**FRAMEWORK, "id": {"value": "f"}}}},
        messages.ReregisterFrameworkMessage(types.FrameworkInfo("me", "fw", "f"), force=True),
    ),
    (
        call("ACKNOWLEDGE_OPERATION_STATUS", agent_id={"value": "a"}, uuid=b"u", operation_id={"value": "op"}),
        messages.AcknowledgeOperationStatusMessage("a", b"u", "op", "f"),
    ),
    (
        call("RECONCILE_OPERATIONS", operations=[{"operation_id": {"value": "op"}}]),
        messages.ReconcileOperationsMessage("f", (types.OperationReference("op"),)),
    ),
    (
        {
            "type": "SUBSCRIBE",
            "subscribe": {
                "framework_info": FRAMEWORK,
                "offer_constraints": {
                    "role_constraints": {
                        "eng": {
                            "groups": [
                                {
                                    "attribute_constraints": [
                                        {
                                            "selector": {"attribute_name": "rack"},
                                            "predicate": {"text_matches": {"regex": "r.*"}},
                                        },
                                        {
                                            "selector": {"pseudoattribute_type": "ZONE"},
                                            "predicate": {"not_exists": {}},
                                        },
                                    ]
                                }
                            ]
                        }
                    }
                },
            },
        },
        messages.RegisterFrameworkMessage(
            types.FrameworkInfo("me", "fw"),
            offer_constraints=(
                OfferConstraints(
                    "eng",
                    (
                        (
                            AttributeConstraint(Predicate.TEXT_MATCHES, "rack", text="r.*"),
                            AttributeConstraint(Predicate.NOT_EXISTS, pseudoattribute=PseudoAttribute.ZONE),
                        ),
                    ),
                ),
            ),
        ),
    ),
    (
        call("REQUEST", requests=[{"agent_id": {"value": "A"}}]),
        messages.RequestResourcesMessage("f", (types.ResourceRequest(agent_id="A"),)),
    ),
    (
        call("UPDATE_FRAMEWORK", framework_info={**FRAMEWORK, "id": {"value": "f"}}),
        messages.ReviseFrameworkMessage(types.FrameworkInfo("me", "fw", "f")),
    ),
]


@pytest.mark.parametrize("media", Media)
@pytest.mark.parametrize(("tree", "expected"), CALLS, ids=[tree["type"] for tree, _ in CALLS])
def test_a_call_is_a_message_inside(tree: dict[str, Any], expected: Message | None, media: Media):
    tree = {name: value for name, value in tree.items() if name != "teardown"}
    assert read_call(media.read(media.write(tree, CALL), CALL)).message == expected


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({}, "Expecting 'type' to be present"),
        ({"type": "REVIVE"}, "Expecting 'framework_id' to be present"),
        ({"type": "SUBSCRIBE"}, "Expecting 'subscribe' to be present"),
        ({"type": "ACCEPT", **ID}, "Expecting 'accept' to be present"),
        (
            {"type": "SUBSCRIBE", **ID, "subscribe": {"framework_info": FRAMEWORK}},
            "'framework_id' differs from 'subscribe.framework_info.id'",
        ),
        (
            call("ACCEPT", operations=[{"type": "CREATE_DISK"}]),
            "accept.operations[0].type: expected one of LAUNCH, LAUNCH_GROUP, RESERVE, UNRESERVE, CREATE, DESTROY, "
            "GROW_VOLUME, SHRINK_VOLUME, found CREATE_DISK",
        ),
    ],
)
def test_a_call_that_is_not_complete_is_refused(tree: dict[str, Any], text: str):
    with pytest.raises(Misfit) as caught:
        read_call(tree)
    assert str(caught.value) == text


RESERVED = Resource.of(Kind("mem", reservations=(Reservation("eng", ReservationType.DYNAMIC, "ops"),)), 64)
OFFER = types.Offer(
    "o", "f", "a", "host", "eng", Resources.of(Resource.of("cpus", 1), RESERVED).allocate("eng"), port=5055
)
OFFERS = messages.ResourceOffersMessage((OFFER,), (PID("agent", "10.0.0.1", 6051),))
STATUS = types.TaskStatus("t", types.TaskState.TASK_LOST)
EVENTS = [
    (messages.RescindResourceOfferMessage("o"), {"type": "RESCIND", "rescind": {"offer_id": {"value": "o"}}}),
    (
        messages.StatusUpdateMessage(types.StatusUpdate("f", STATUS)),
        {"type": "UPDATE", "update": {"status": {"task_id": {"value": "t"}, "state": "TASK_LOST"}}},
    ),
    (
        messages.ExecutorToFrameworkMessage("f", "a", "e", b"hi"),
        {"type": "MESSAGE", "message": {"agent_id": {"value": "a"}, "executor_id": {"value": "e"}, "data": b"hi"}},
    ),
    (
        messages.UpdateOperationStatusMessage(
            b"x", types.OperationStatus(types.OperationState.OPERATION_FINISHED, "op", "a", uuid=b"u"), "f"
        ),
        {
            "type": "UPDATE_OPERATION_STATUS",
            "update_operation_status": {
                "status": {
                    "state": "OPERATION_FINISHED",
                    "operation_id": {"value": "op"},
                    "agent_id": {"value": "a"},
                    "uuid": {"value": b"u"},
                }
            },
        },
    ),
    (messages.AgentLostMessage("a"), {"type": "FAILURE", "failure": {"agent_id": {"value": "a"}}}),
    (
        messages.ExitedExecutorMessage("f", "a", "e", 9),
        {"type": "FAILURE", "failure": {"agent_id": {"value": "a"}, "executor_id": {"value": "e"}, "status": 9}},
    ),
    (messages.FrameworkErrorMessage("no"), {"type": "ERROR", "error": {"message": "no"}}),
]


@pytest.mark.parametrize(("message", "event"), EVENTS, ids=[type(message).__name__ for message, _ in EVENTS])
def test_a_message_is_an_event_outside(message: Message, event: dict[str, Any]):
    assert write_event(message) == event


@pytest.mark.parametrize(("message", "event"), [*EVENTS, (OFFERS, None), (None, HEARTBEAT)])
def test_every_event_can_be_written_as_protobuf(message: Message | None, event: dict[str, Any] | None):
    event = event or write_event(message)
    assert event is not None
    assert Media.PROTOBUF.read(Media.PROTOBUF.write(event, EVENT), EVENT) == event


def test_subscribed_says_where_the_master_is_and_how_often_its_heart_beats():
    master = types.MasterInfo("m", PID("master", "127.0.0.1", 6050), "host", "127.0.0.1", 5050)
    event = write_event(messages.FrameworkRegisteredMessage("f", master))
    assert event is not None
    assert event["subscribed"]["heartbeat_interval_seconds"] == 15.0
    assert event["subscribed"]["master_info"]["ip"] == 16777343
    assert event["subscribed"]["master_info"]["pid"] == "master@127.0.0.1:5050"
    assert event["subscribed"]["master_info"]["address"] == {"hostname": "host", "ip": "127.0.0.1", "port": 5050}


def test_an_offer_says_where_the_agents_page_is():
    event = write_event(OFFERS)
    assert event is not None
    [offer] = event["offers"]["offers"]
    assert offer["url"]["address"] == {"hostname": "host", "ip": "10.0.0.1", "port": 5055}


def offered(*capabilities: Capability) -> dict[str, Any]:
    """The offer as a framework with these capabilities sees it."""
    event = write_event(OFFERS)
    assert event is not None
    [offer] = event_for(capabilities, event)["offers"]["offers"]
    return dict(offer)


def test_a_framework_with_refinement_sees_the_stack_of_reservations():
    cpus, mem = offered(Capability.RESERVATION_REFINEMENT, Capability.MULTI_ROLE)["resources"]
    assert "role" not in cpus
    assert mem["reservations"] == [{"type": "DYNAMIC", "role": "eng", "principal": "ops"}]
    assert "role" not in mem


def test_a_framework_without_refinement_sees_a_role_on_each_resource():
    cpus, mem = offered(Capability.MULTI_ROLE)["resources"]
    assert cpus["role"] == "*"
    assert (mem["role"], mem["reservation"]) == ("eng", {"principal": "ops"})
    assert "reservations" not in mem


def test_a_framework_of_one_role_sees_no_allocation():
    assert "allocation_info" not in offered()
    assert not any("allocation_info" in resource for resource in offered()["resources"])
    assert offered(Capability.MULTI_ROLE)["allocation_info"] == {"role": "eng"}
