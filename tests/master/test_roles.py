"""What operators decide over HTTP: weights and quotas of roles, reservations and volumes on agents."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from libprocess.http import HttpResponse
from master.allocator.messages import OfferResourcesMessage
from mesos.ids import OperationID
from mesos.messages import (
    ApplyOperationMessage,
    RegisterAgentMessage,
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


def operate(scene: Scene, path: str, agent: AgentPeer, resources: Resources) -> HttpResponse:
    field = "volumes" if "volumes" in path else "resources"
    body = urlencode({"slaveId": agent.id, field: json.dumps(resources_to_json(resources))})
    return scene.get(path, "POST", body)


def quota(scene: Scene, role: str = "eng", guarantee: str = "", limit: str | None = None, **more: Any) -> HttpResponse:
    """Set a quota over HTTP."""
    tree = {"role": role, "guarantee": resources_to_json(Resources.parse(guarantee)), **more}
    if limit is not None:
        tree["limit"] = resources_to_json(Resources.parse(limit))
    return scene.get("/quota", "POST", json.dumps(tree))


# Operations.


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent with disk."""
    return scene.agent("cpus:4;mem:4096;disk:1000").register()


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


# Weights.


def test_weights_are_set_and_shown(scene: Scene):
    assert scene.get("/weights", "PUT", '[{"role": "eng", "weight": 2.5}]').status == 200
    assert json.loads(scene.get("/weights").body) == [{"role": "eng", "weight": 2.5}]


@pytest.mark.parametrize("body", ["x", '[{"role": "eng", "weight": 0}]', '[{"role": "a//b", "weight": 1}]', "{}"])
def test_what_is_no_weight_is_refused(scene: Scene, body: str):
    assert scene.get("/weights", "PUT", body).status == 400
    assert json.loads(scene.get("/weights").body) == []


def test_what_is_offered_is_shared_out_anew_by_new_weights(scene: Scene):
    light, heavy = scene.scheduler(role="a").register(), scene.scheduler(role="b").register()
    for _ in range(6):
        scene.agent().register()
    assert (len(light.offers()), len(heavy.offers())) == (3, 3)

    scene.get("/weights", "PUT", '[{"role": "b", "weight": 2}]')
    assert (len(light.offers()), len(heavy.offers())) == (2, 4)


def test_weights_that_concern_nobody_take_no_offer_back(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(role="eng").register()
    scene.get("/weights", "PUT", '[{"role": "eng", "weight": 1}, {"role": "ops", "weight": 2}]')

    assert not scheduler.all(RescindResourceOfferMessage)


# Quotas.


def test_a_quota_is_set_shown_and_removed(scene: Scene, agent: AgentPeer):
    assert quota(scene, guarantee="cpus:2").status == 200
    shown = json.loads(scene.get("/quota").body)
    assert shown["infos"][0]["guarantee"] == [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 2.0}}]
    assert shown["configs"] == [
        {"role": "eng", "guarantees": {"cpus": {"value": 2.0}}, "limits": {"cpus": {"value": 2.0}}}
    ]

    assert scene.get("/quota/eng", "DELETE").status == 200
    assert json.loads(scene.get("/quota").body) == {}
    assert scene.get("/quota/eng", "DELETE").status == 400


def test_a_limit_holds_for_the_roles_below(scene: Scene, agent: AgentPeer):
    quota(scene, limit="cpus:1.5")
    scheduler = scene.scheduler(role="eng/web").register()

    assert scheduler.offer().resources.scalar("cpus") == 1.5


def test_a_guarantee_is_kept_from_others(scene: Scene, agent: AgentPeer):
    quota(scene, guarantee="cpus:3", limit="cpus:4")

    assert scene.scheduler(role="ops").register().offer().resources.scalar("cpus") == 1


def test_offers_above_a_new_limit_are_taken_back(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(role="eng").register()
    assert quota(scene, limit="cpus:1").status == 200

    assert scheduler.all(RescindResourceOfferMessage)
    assert scheduler.offer().resources.scalar("cpus") == 1


def test_a_new_limit_takes_back_offers_for_the_roles_below(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(role="eng/web").register()
    quota(scene, limit="cpus:1")

    assert scheduler.offer().resources.scalar("cpus") == 1


def test_offers_to_whoever_has_a_guarantee_stand_when_another_gets_one(scene: Scene, agent: AgentPeer):
    quota(scene, "ops", guarantee="cpus:4", force=True)
    ops = scene.scheduler(role="ops").register()
    other = scene.scheduler(role="other").register()
    scene.agent().register()
    assert other.offers()
    quota(scene, guarantee="cpus:8", force=True)

    assert other.all(RescindResourceOfferMessage)
    assert not ops.all(RescindResourceOfferMessage)


def test_offers_that_cross_a_new_limit_are_not_made(scene: Scene, agent: AgentPeer):
    crossing = scene.world.hold(OfferResourcesMessage)
    scheduler = scene.scheduler(role="eng").register()
    quota(scene, limit="cpus:1")
    assert crossing.seen
    scene.world.release(crossing)
    scene.world.settle()

    assert [offer.resources.scalar("cpus") for offer in scheduler.offers()] == [1]


def test_offers_within_a_new_limit_stand(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(role="eng").register()
    quota(scene, limit="cpus:4")

    assert not scheduler.all(RescindResourceOfferMessage)


def test_offers_to_others_give_way_to_a_guarantee(scene: Scene, agent: AgentPeer):
    hoarder = scene.scheduler(role="ops").register()
    quota(scene, guarantee="cpus:3")
    scheduler = scene.scheduler(role="eng").register()

    assert hoarder.all(RescindResourceOfferMessage)
    assert scheduler.offer().resources.scalar("cpus") == 3


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"role": "*", "guarantee": "cpus:1"}, "expected a role of its own for a quota, found *"),
        ({"role": "eng/web", "guarantee": "cpus:1"}, "expected a top-level role"),
        ({"role": "a b", "guarantee": "cpus:1"}, "expected a role without blanks"),
        ({"guarantee": "cpus:2", "limit": "cpus:1"}, "expected a guarantee within the limit cpus:1, found cpus:2"),
        ({"guarantee": "cpus(eng):2"}, "expected scalars that are not reserved, found cpus(eng):2"),
        ({"guarantee": "ports:[1-2]"}, "expected scalars that are not reserved, found ports:[1-2]"),
        ({"guarantee": ""}, "expected a guarantee of at least one resource, found none"),
    ],
)
def test_a_quota_that_makes_no_sense_is_refused(scene: Scene, fields: dict[str, str], text: str):
    answer = quota(scene, **fields, force=True)

    assert answer.status == 400
    assert text in answer.body.decode()


def test_a_guarantee_beyond_the_cluster_is_refused_unless_forced(scene: Scene, agent: AgentPeer):
    quota(scene, "ops", guarantee="cpus:3")
    answer = quota(scene, guarantee="cpus:2")
    assert answer.status == 409
    assert "all guarantees together come to cpus:5, and the cluster has cpus:4" in answer.body.decode()

    assert quota(scene, guarantee="cpus:2", force=True).status == 200


def test_what_may_be_taken_away_again_guarantees_nothing(scene: Scene):
    peer = scene.agent()
    revocable = Resources.of(Resource.of(Kind("cpus", revocable=True), 4), cpus=1)
    peer.say(RegisterAgentMessage(replace(peer.info, resources=revocable), "1"))
    answer = quota(scene, guarantee="cpus:2")

    assert answer.status == 409
    assert "come to cpus:2, and the cluster has cpus:1" in answer.body.decode()


def test_a_limit_below_what_is_consumed_is_refused_unless_forced(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(role="eng").register()
    operate(scene, "/reserve", agent, CPUS)
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:2"))
    answer = quota(scene, limit="cpus:2")
    assert answer.status == 409
    assert "role eng consumes cpus:3 already, more than a limit of cpus:2" in answer.body.decode()

    assert quota(scene, limit="cpus:2", force=True).status == 200


def test_a_quota_is_not_set_twice(scene: Scene, agent: AgentPeer):
    quota(scene, limit="cpus:2")

    assert quota(scene, limit="cpus:3").status == 400
    assert call(scene, "SET_QUOTA", quota_request={"role": "eng", "guarantee": [cpus(1)]}).status == 400
    assert call(scene, "UPDATE_QUOTA", quota_configs=[{"role": "eng", "limits": {"cpus": {"value": 3}}}]).status == 200


def call(scene: Scene, type_: str, **body: Any) -> HttpResponse:
    """A call of the v1 API."""
    tree = {"type": type_, type_.lower(): body}
    return scene.get("/api/v1", "POST", json.dumps(tree), headers=(("content-type", "application/json"),))


def cpus(value: float, **more: Any) -> dict[str, Any]:
    return {"name": "cpus", "type": "SCALAR", "scalar": {"value": value}, **more}


RESERVED = {"reservations": [{"role": "eng", "type": "DYNAMIC"}]}


@pytest.mark.parametrize(
    ("type_", "body", "text"),
    [
        ("UPDATE_QUOTA", {"quota_configs": [{"role": "eng", "limits": {"cpus": {"value": -1}}}]}, "found -1.0"),
        ("UPDATE_QUOTA", {"quota_configs": [{"role": "eng", "guarantees": {"cpus": {"value": 1e30}}}]}, "found 1e+30"),
        ("UPDATE_QUOTA", {"quota_configs": [{"role": "eng", "guarantees": {"cpus": {"value": 9}}}]}, "come to cpus:9"),
        ("SET_QUOTA", {"quota_request": {"role": "eng", "guarantee": [cpus(-1)]}}, "found -1.0"),
        ("SET_QUOTA", {"quota_request": {"role": "eng", "guarantee": [cpus(1, **RESERVED)]}}, "that are not reserved"),
        ("SET_QUOTA", {"quota_request": {"role": "eng", "guarantee": [cpus(1), cpus(2)]}}, "several times: cpus"),
    ],
)
def test_a_call_about_quotas_that_makes_no_sense_is_refused(
    scene: Scene, agent: AgentPeer, type_: str, body: dict[str, Any], text: str
):
    answer = call(scene, type_, **body)

    assert answer.status == 400
    assert text in answer.body.decode()
    assert not scene.world.failures


def test_roles_are_shown_with_what_they_have(scene: Scene, agent: AgentPeer):
    scene.get("/weights", "PUT", '[{"role": "eng", "weight": 2}]')
    operate(scene, "/reserve", agent, CPUS)
    quota(scene, limit="cpus:3")
    scheduler = scene.scheduler(role="eng/web").register()
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:2"), refuse_seconds=60)
    eng, web = json.loads(scene.get("/roles").body)["roles"]

    assert (eng["name"], eng["weight"], eng["reserved"]) == ("eng", 2.0, {"cpus": 1.0})
    assert eng["quota"] == {"role": "eng", "guarantee": {}, "limit": {"cpus": 3.0}, "consumed": {"cpus": 3.0}}
    assert (web["name"], web["allocated"], web["frameworks"]) == ("eng/web", {"cpus": 2.0}, [scheduler.id])


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
