"""What operators reserve and create on agents over HTTP, and which tasks use such volumes."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from libprocess.http import HttpResponse
from mesos.ids import OperationID
from mesos.messages import (
    ApplyOperationMessage,
    RescindResourceOfferMessage,
    RunTaskMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import DiskInfo, Kind, Mount, Reservation, ReservationType, Resource, Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import Create, Destroy, FrameworkCapability, Launch, Reserve, TaskState, Unreserve
from tests.master.scene import AgentPeer, Scene, task_on

ENG = Reservation("eng", ReservationType.DYNAMIC, "ops")
CPUS = Resources.parse("cpus:1").push_reservation(ENG)
DISK = Resources.of(Resource.of(Kind("disk", reservations=(ENG,)), 100))
VOLUME = Resources.of(
    Resource.of(Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v1", volume=Mount("data"))), 100)
)


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent with disk."""
    return scene.agent("cpus:4;mem:4096;disk:1000").register()


def operate(scene: Scene, path: str, agent: AgentPeer, resources: Resources) -> HttpResponse:
    field = "volumes" if "volumes" in path else "resources"
    body = urlencode({"slaveId": agent.id, field: json.dumps(resources_to_json(resources))})
    return scene.get(path, "POST", body)


def test_operators_reserve_and_create_and_undo_it(scene: Scene, agent: AgentPeer):
    steps = (("/reserve", DISK), ("/create-volumes", VOLUME), ("/destroy-volumes", VOLUME), ("/unreserve", DISK))
    answers = [operate(scene, path, agent, resources).status for path, resources in steps]

    assert answers == [202] * 4
    orders = [message.operation for message in agent.all(ApplyOperationMessage)]
    assert orders == [Reserve(DISK), Create(VOLUME), Destroy(VOLUME), Unreserve(DISK)]


def test_what_operators_reserve_is_offered_to_that_role(scene: Scene, agent: AgentPeer):
    operate(scene, "/reserve", agent, CPUS)

    assert scene.scheduler(role="eng").register().offer().resources.contains(CPUS)


def test_offers_in_the_way_of_an_operation_are_taken_back(scene: Scene, agent: AgentPeer):
    other = scene.scheduler().register()
    assert operate(scene, "/reserve", agent, CPUS).status == 202

    assert other.all(RescindResourceOfferMessage)
    assert other.offer().resources == Resources.parse("cpus:3;mem:4096;disk:1000")


def test_what_is_in_use_is_not_reserved_and_no_offer_is_taken_back_for_nothing(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register()
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:3.5"), refuse_seconds=0)
    scene.world.advance(2)
    answer = operate(scene, "/reserve", agent, CPUS)

    assert answer.status == 409
    assert b"expected cpus:1 to be free on agent" in answer.body
    assert not scheduler.all(RescindResourceOfferMessage)


@pytest.mark.parametrize(
    ("path", "resources", "text"),
    [
        ("/reserve", Resources.parse("cpus:1"), "expected a reservation, found cpus reserved for nobody"),
        ("/unreserve", Resources.parse("cpus(eng):1"), "expected a dynamic reservation"),
        ("/create-volumes", DISK, "expected a disk with a persistence id"),
        ("/destroy-volumes", VOLUME, "expected a volume that agent"),
    ],
)
def test_an_operation_that_makes_no_sense_is_refused(
    scene: Scene, agent: AgentPeer, path: str, resources: Resources, text: str
):
    answer = operate(scene, path, agent, resources)

    assert answer.status == 400
    assert text in answer.body.decode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "Missing 'slaveId'"),
        ("slaveId=x", "Missing 'resources'"),
        ("slaveId=x&resources=y", "Error in parsing 'resources'"),
        ("slaveId=x&resources=[]", "No agent found with specified ID"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(scene: Scene, body: str, text: str):
    answer = scene.get("/reserve", "POST", body)

    assert answer.status == 400
    assert text in answer.body.decode()


def test_nothing_is_done_on_an_agent_that_is_away(scene: Scene, agent: AgentPeer):
    agent.die()

    assert operate(scene, "/reserve", agent, CPUS).status == 409


# Volumes in use.


def test_a_volume_that_a_task_uses_is_not_destroyed(scene: Scene, agent: AgentPeer):
    operate(scene, "/reserve", agent, DISK)
    operate(scene, "/create-volumes", agent, VOLUME)
    scheduler = scene.scheduler(role="eng").register()
    scheduler.launch(replace(task_on(scheduler.offer()), resources=Resources.parse("cpus:1") + VOLUME))
    answer = operate(scene, "/destroy-volumes", agent, VOLUME)

    assert answer.status == 400
    assert (
        "expected volumes that no task uses, found disk(eng dynamic by ops, volume v1) in use" in answer.body.decode()
    )


def test_a_shared_volume_is_used_by_several_tasks_at_a_time(scene: Scene, agent: AgentPeer):
    shared = VOLUME.map_kinds(lambda kind: replace(kind, shared=True))
    operate(scene, "/reserve", agent, DISK)
    assert operate(scene, "/create-volumes", agent, shared).status == 202
    scheduler = scene.scheduler(FrameworkCapability.SHARED_RESOURCES, role="eng").register()
    for id_ in ("t1", "t2"):
        task = replace(task_on(scheduler.offer(), id_), resources=Resources.parse("cpus:1") + shared)
        scheduler.launch(task, refuse_seconds=0)
        scene.world.advance(2)

    assert [order.task.task_id for order in agent.all(RunTaskMessage)] == ["t1", "t2"]
    assert scheduler.offer().resources.contains(shared)
    assert operate(scene, "/destroy-volumes", agent, shared).status == 400

    for order in agent.all(RunTaskMessage):
        agent.update(order.task, TaskState.TASK_FINISHED)
    assert operate(scene, "/destroy-volumes", agent, shared).status == 202
    assert scheduler.offer().resources == Resources.parse("cpus:4;mem:4096;disk:900") + DISK


def test_a_shared_volume_is_used_by_several_tasks_of_one_offer(scene: Scene, agent: AgentPeer):
    shared = VOLUME.map_kinds(lambda kind: replace(kind, shared=True))
    operate(scene, "/reserve", agent, DISK)
    operate(scene, "/create-volumes", agent, shared)
    scheduler = scene.scheduler(FrameworkCapability.SHARED_RESOURCES, role="eng").register()
    resources = Resources.parse("cpus:1") + shared
    tasks = [replace(task_on(scheduler.offer(), id_), resources=resources) for id_ in ("t1", "t2", "t3")]
    scheduler.accept(Launch(tuple(tasks)), Destroy(shared, id=OperationID("too-early")), refuse_seconds=0)

    assert [order.task.task_id for order in agent.all(RunTaskMessage)] == ["t1", "t2", "t3"]
    assert "expected volumes that no task uses" in scheduler.last(UpdateOperationStatusMessage).status.message
    scene.world.advance(2)
    assert scheduler.offer().resources == Resources.parse("cpus:1;mem:4096;disk:900") + shared

    for order in agent.all(RunTaskMessage):
        agent.update(order.task, TaskState.TASK_FINISHED)
    scheduler.accept(Destroy(shared), on=scheduler.offers(), refuse_seconds=0)
    scene.world.advance(2)
    assert scheduler.offer().resources == Resources.parse("cpus:4;mem:4096;disk:900") + DISK


def test_a_shared_volume_that_somebody_destroys_is_taken_back_from_others(scene: Scene, agent: AgentPeer):
    shared = VOLUME.map_kinds(lambda kind: replace(kind, shared=True))
    operate(scene, "/reserve", agent, DISK)
    operate(scene, "/create-volumes", agent, shared)
    able = FrameworkCapability.SHARED_RESOURCES
    first, second = scene.scheduler(able, role="eng").register(), scene.scheduler(able, role="eng").register()
    first.launch(task_on(first.offer(), "t1"), refuse_seconds=0)
    task = task_on(second.offer(), "t2")
    second.launch(task, refuse_seconds=3)
    scene.world.advance(4)
    agent.update(task, TaskState.TASK_FINISHED)
    assert first.offer().resources.contains(shared)
    assert second.offer().resources.contains(shared)

    first.accept(Destroy(shared))
    assert second.last(RescindResourceOfferMessage)
    assert all(not offer.resources.contains(shared) for offer in (*first.offers(), *second.offers()))
    assert not scene.world.failures


def test_what_is_not_shared_is_used_by_one_task_of_an_offer(scene: Scene, agent: AgentPeer):
    operate(scene, "/reserve", agent, DISK)
    operate(scene, "/create-volumes", agent, VOLUME)
    scheduler = scene.scheduler(role="eng").register()
    tasks = [replace(task_on(scheduler.offer(), id_), resources=VOLUME) for id_ in ("t1", "t2")]
    scheduler.launch(*tasks)

    assert "asks for disk(eng dynamic by ops, volume v1)" in scheduler.status(tasks[1]).message
