"""What operators decide over HTTP about roles: their weights and quotas."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from libprocess.http import HttpResponse
from master.allocator.messages import OfferResourcesMessage
from mesos.messages import RegisterAgentMessage, RescindResourceOfferMessage
from mesos.resources import Kind, Reservation, ReservationType, Resource, Resources
from mesos.resources.jsonform import resources_to_json
from tests.master.scene import AgentPeer, Scene, task_on

ENG = Reservation("eng", ReservationType.DYNAMIC, "ops")
CPUS = Resources.parse("cpus:1").push_reservation(ENG)


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent with disk."""
    return scene.agent("cpus:4;mem:4096;disk:1000").register()


def reserve(scene: Scene, agent: AgentPeer) -> None:
    """Reserve a processor over HTTP."""
    body = urlencode({"slaveId": agent.id, "resources": json.dumps(resources_to_json(CPUS))})
    assert scene.get("/reserve", "POST", body).status == 202


def quota(scene: Scene, role: str = "eng", guarantee: str = "", limit: str | None = None, **more: Any) -> HttpResponse:
    """Set a quota over HTTP."""
    tree = {"role": role, "guarantee": resources_to_json(Resources.parse(guarantee)), **more}
    if limit is not None:
        tree["limit"] = resources_to_json(Resources.parse(limit))
    return scene.get("/quota", "POST", json.dumps(tree))


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
    reserve(scene, agent)
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
    reserve(scene, agent)
    quota(scene, limit="cpus:3")
    scheduler = scene.scheduler(role="eng/web").register()
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:2"), refuse_seconds=60)
    eng, web = json.loads(scene.get("/roles").body)["roles"]

    assert (eng["name"], eng["weight"], eng["reserved"]) == ("eng", 2.0, {"cpus": 1.0})
    assert eng["quota"] == {"role": "eng", "guarantee": {}, "limit": {"cpus": 3.0}, "consumed": {"cpus": 3.0}}
    assert (web["name"], web["allocated"], web["frameworks"]) == ("eng/web", {"cpus": 2.0}, [scheduler.id])
