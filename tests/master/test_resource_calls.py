"""Operators reserve and make volumes by the v1 API, in JSON and protobuf, as frameworks do by operations."""

from __future__ import annotations

from typing import Any

import pytest

from mesos.messages import ApplyOperationMessage
from mesos.resources import Resource, Resources
from mesos.types import Create, Destroy, GrowVolume, Reserve, ShrinkVolume, Unreserve
from mesos.v1.faces import CODECS
from mesos.v1.media import Media
from tests.master.scene import AgentPeer, Scene
from tests.master.test_operations import CPUS, CREATED, DISK, ENG, VOLUME
from tests.master.test_operator_api import Operator


@pytest.fixture(params=Media)
def operator(scene: Scene, request: pytest.FixtureRequest) -> Operator:
    return Operator(scene, request.param)


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent with disk."""
    return scene.agent("cpus:4;mem:4096;disk:1000").register()


def write(these: Resources | Resource) -> Any:
    return CODECS[type(these)].write(these)


def test_everything_that_frameworks_do_with_resources(operator: Operator, agent: AgentPeer):
    here = {"agent_id": {"value": agent.id}}
    grown = Resource.of(VOLUME, 150)
    for call, body, expected in (
        ("RESERVE_RESOURCES", {"resources": write(CPUS)}, Reserve(CPUS)),
        ("UNRESERVE_RESOURCES", {"resources": write(CPUS)}, Unreserve(CPUS)),
        (
            "RESERVE_RESOURCES",
            {"resources": write(Resources.parse("disk:200").push_reservation(ENG))},
            Reserve(Resources.parse("disk:200").push_reservation(ENG)),
        ),
        ("CREATE_VOLUMES", {"volumes": write(CREATED)}, Create(CREATED)),
        (
            "GROW_VOLUME",
            {"volume": write(Resource.of(VOLUME, 100)), "addition": write(Resource.of(DISK, 50))},
            GrowVolume(Resource.of(VOLUME, 100), Resource.of(DISK, 50)),
        ),
        (
            "SHRINK_VOLUME",
            {"volume": write(grown), "subtract": {"value": 50.0}},
            ShrinkVolume(grown, 50_000),
        ),
        ("DESTROY_VOLUMES", {"volumes": write(CREATED)}, Destroy(CREATED)),
    ):
        response = operator.post(call, here | body)
        assert (response.status, response.body) == (202, b""), (call, response.body)
        order = agent.last(ApplyOperationMessage)
        assert order.operation == expected
        [shown] = operator.ask("GET_OPERATIONS")["operations"]
        assert shown["agent_id"] == {"value": agent.id}
        assert shown["latest_status"]["state"] == "OPERATION_PENDING"
        agent.finish(order)
        assert operator.ask("GET_OPERATIONS") == {}


def test_what_cannot_be_done_is_refused_with_a_reason(operator: Operator, agent: AgentPeer):
    here = {"agent_id": {"value": agent.id}}
    volume = {"volume": write(Resource.of(VOLUME, 100)), "addition": write(Resource.of(DISK, 50))}
    for call, body, status, text in (
        ("RESERVE_RESOURCES", {"agent_id": {"value": "nobody"}}, 400, "No agent found"),
        ("RESERVE_RESOURCES", here, 400, "Invalid RESERVE operation"),
        ("GROW_VOLUME", volume, 400, "Expecting 'agent_id' to be present"),
        ("GROW_VOLUME", here | volume, 400, "expected a volume that agent"),
        ("DESTROY_VOLUMES", None, 400, "Expecting 'destroy_volumes' to be present"),
    ):
        response = operator.post(call, body)
        assert response.status == status, (call, response.body)
        assert text in response.body.decode()
    assert not agent.all(ApplyOperationMessage)
