"""A new master knows what the one before it wrote down: agents, frameworks without schedulers, weights and quotas."""

from __future__ import annotations

import json

import pytest

from libprocess.http import HttpRequest, HttpResponse
from master.flags import Rate
from master.registrar.entries import AgentEntry, EndedFrameworkEntry, Standing, read_entries, write_entries
from master.registrar.messages import RegistryFetchedMessage
from mesos.messages import (
    AgentLostMessage,
    AgentReregisteredMessage,
    FrameworkReregisteredMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UnregisterAgentMessage,
)
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import FrameworkCapability
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on

JSON = (("content-type", "application/json"), ("accept", "application/json"))
PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


# Before the registry is recovered.


def test_nothing_is_said_of_a_cluster_that_is_not_known_yet(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent_id, framework_id = agent.id, scheduler.id
    held = scene.world.hold(RegistryFetchedMessage)
    scene.restart_master()
    assert (scene.get("/state").status, scene.get("/health").status) == (503, 200)
    agent.reregister(agent_id)
    scheduler.reregister(framework_id)
    assert agent.all(AgentReregisteredMessage) == []

    scene.world.release(held)
    scene.world.settle()
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert scheduler.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert scene.get("/state").status == 200


# Agents of a former master.


def test_an_agent_that_stays_away_is_out_of_reach(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent_id, framework_id = agent.id, scheduler.id
    scene.restart_master()
    scheduler.reregister(framework_id, capabilities=(PARTITION_AWARE,))
    scene.world.advance(599)
    assert list(scene.master.cluster.recovered) == [agent_id]
    for path in ("/slaves", "/state"):
        assert [each["id"] for each in json.loads(scene.get(path).body)["recovered_slaves"]] == [agent_id]
    for call in ("GET_AGENTS", "GET_STATE"):
        asked = scene.get("/api/v1", "POST", json.dumps({"type": call}), headers=JSON)
        agents = json.loads(asked.body).get("get_state", json.loads(asked.body))["get_agents"]
        assert [each["id"]["value"] for each in agents["recovered_agents"]] == [agent_id]
        tag = dict(asked.headers)["ETag"]
        assert (
            scene.get("/api/v1", "POST", json.dumps({"type": call}), headers=(*JSON, ("if-none-match", tag))).status
            == 304
        )
    scene.world.advance(2)
    assert scene.standings == {agent_id: Standing.UNREACHABLE}
    assert "recovered_agents" not in scene.get("/api/v1", "POST", '{"type": "GET_AGENTS"}', headers=JSON).body.decode()
    assert scheduler.last(AgentLostMessage).agent_id == agent_id
    assert scene.metric("recovery_slave_removals") == scene.metric("slaves_unreachable") == 1


def test_since_when_an_agent_is_out_of_reach_outlives_the_master(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    agent.answers_pings = False
    scene.world.advance(120)
    since = scene.master.cluster.unreachable[agent_id]
    scene.restart_master()
    assert scene.master.cluster.unreachable == {agent_id: since}


def test_an_agent_that_is_gone_is_turned_away_by_every_master(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.registry |= write_entries([AgentEntry(agent_id, Standing.GONE, 1.0)])
    scene.restart_master()
    agent.reregister(agent_id)
    assert agent.last(ShutdownMessage).message == (
        f"an operator said that agent {agent_id} is gone; start it with another work_dir"
    )
    assert scene.master.cluster.agents == {}


def test_agents_are_given_up_one_after_the_other_where_that_is_limited():
    scene = Scene(agent_removal_rate_limit=Rate(1, 600.0))
    for _ in range(3):
        scene.agent().register()
    scene.restart_master()
    seen = []
    for _ in range(4):
        scene.world.advance(601)
        seen.append(len(scene.master.cluster.unreachable))
    assert seen == [1, 2, 3, 3]
    assert scene.metric("slave_unreachable_scheduled") == scene.metric("slave_unreachable_completed") == 3


def test_silent_agents_are_given_up_one_after_the_other_where_that_is_limited():
    scene = Scene(agent_removal_rate_limit=Rate(1, 3600.0))
    agents = [scene.agent().register() for _ in range(2)]
    for agent in agents:
        agent.answers_pings = False
    scene.world.advance(200)
    assert len(scene.master.cluster.agents) == 1
    for agent in agents:
        agent.answers_pings = True
    scene.world.advance(7200)
    assert len(scene.master.cluster.agents) == 1  # whoever answers again stays
    counted = {name: scene.metric(f"slave_unreachable_{name}") for name in ("scheduled", "completed", "canceled")}
    assert counted == {"scheduled": 2, "completed": 1, "canceled": 1}
    assert counted == {name: scene.metric(f"slave_shutdowns_{name}") for name in counted}
    assert scene.metric("slave_removals/reason_unhealthy") == scene.metric("slave_removals") == 1


def test_a_master_that_would_give_up_too_many_ends():
    scene = Scene(recovery_agent_removal_limit=0.5)
    agents = [scene.agent().register() for _ in range(3)]
    scene.restart_master()
    agents[0].reregister(agents[0].id)
    scene.world.advance(601)
    assert scene.master.lost.startswith("2 of 3 agents did not come back within --agent_reregister_timeout")
    assert not scene.node.failures
    assert set(scene.standings.values()) == {Standing.ADMITTED}


def test_how_many_stay_away_is_asked_once():
    scene = Scene(recovery_agent_removal_limit=0.5, agent_removal_rate_limit=Rate(1, 600.0))
    agents = [scene.agent().register() for _ in range(4)]
    ids = [agent.id for agent in agents]
    scene.restart_master()
    for agent, agent_id in zip(agents[:2], ids, strict=False):
        agent.reregister(agent_id)
    scene.world.advance(601)
    for agent, agent_id in zip(agents[:2], ids, strict=False):
        agent.say(UnregisterAgentMessage(agent_id))
    scene.world.advance(600)
    assert not scene.node.failures
    assert set(scene.master.cluster.unreachable) == set(ids[2:])


def test_who_is_gone_meanwhile_is_not_out_of_reach(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    scene.world.advance(599)
    with scene.writing():
        order = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
        answers: list[HttpResponse] = []
        scene.ask(HttpRequest("POST", "/api/v1", (), JSON, json.dumps(order).encode()), answers.append)
        scene.world.advance(2)
    assert [answer.status for answer in answers] == [200]
    assert (list(scene.master.cluster.gone), list(scene.master.cluster.unreachable)) == ([agent_id], [])


def test_nothing_is_offered_before_quotas_can_be_kept():
    scene = Scene()
    agents = [scene.agent().register() for _ in range(3)]
    ids = [agent.id for agent in agents]
    quota = {"role": "eng", "guarantee": resources_to_json(Resources.parse("cpus:1"))}
    assert scene.get("/quota", "POST", json.dumps(quota)).status == 200
    scene.restart_master()
    scheduler = scene.scheduler(role="eng").register()
    agents[0].reregister(ids[0])
    scene.world.advance(5)
    assert scheduler.offers() == []
    agents[1].reregister(ids[1])  # which makes two thirds, and that is enough
    scene.world.advance(5)
    assert {offer.agent_id for offer in scheduler.offers()} == set(ids[:2])


def test_weights_that_operators_changed_are_not_those_of_the_flags():
    scene = Scene(weights=(("eng", 2.0),))
    assert scene.get("/weights", "PUT", json.dumps([{"role": "eng", "weight": 3.0}])).status == 200
    for _ in range(2):
        scene.restart_master()
        assert scene.master.cluster.roles.weights == {"eng": 3.0}


# Frameworks.


def test_the_time_that_a_framework_may_go_without_a_scheduler_outlives_the_master(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=1000.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.die()
    scene.world.advance(700)
    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(299)
    assert framework_id in scene.master.cluster.frameworks
    scene.world.advance(2)
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id
    entries = read_entries(scene.registry).values()
    assert [entry.id for entry in entries if isinstance(entry, EndedFrameworkEntry)] == [framework_id]


def test_a_framework_whose_time_was_over_meanwhile_may_just_come_back(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=100.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.die()
    scene.world.advance(50)
    scene.world.crash(scene.node)
    scene.world.advance(500)
    scene.start_master()
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(29)
    scene.scheduler().reregister(framework_id, failover_timeout_seconds=100.0)
    scene.world.advance(1000)
    assert framework_id in scene.master.cluster.frameworks
    assert [key for key in scene.registry if key.startswith("framework/")] == []


def test_what_only_agents_know_of_is_shown_and_can_be_torn_down(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    state, listed = (json.loads(scene.get(path).body) for path in ("/state", "/frameworks"))
    assert state["unregistered_frameworks"] == listed["unregistered_frameworks"] == [framework_id]
    assert [task["id"] for task in state["orphan_tasks"]] == ["t1"]
    assert state["frameworks"][0]["recovered"]
    assert scene.metric("frameworks_recovered") == 1

    assert scene.get("/teardown", "POST", f"frameworkId={framework_id}").status == 200
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id
    state = json.loads(scene.get("/state").body)
    assert (state["unregistered_frameworks"], state["orphan_tasks"], state["frameworks"]) == ([], [], [])


def test_an_orphan_is_none_any_more_when_its_scheduler_comes(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    scheduler.reregister(framework_id)
    state = json.loads(scene.get("/state").body)
    assert (state["unregistered_frameworks"], state["orphan_tasks"]) == ([], [])
    assert [task["id"] for task in state["frameworks"][0]["tasks"]] == ["t1"]


# Garbage.


def test_an_agent_that_comes_back_just_then_is_not_forgotten():
    scene = Scene(registry_gc_interval_seconds=1000.0, registry_max_agent_age_seconds=500.0)
    agent = scene.agent().register()
    agent_id, agent.answers_pings = agent.id, False
    scene.world.advance(995)
    agent.answers_pings = True
    with scene.writing():
        agent.reregister(agent_id)
        scene.world.advance(10)
    assert scene.standings == {agent_id: Standing.ADMITTED}


def test_an_agent_that_an_operator_says_is_gone_just_then_is_not_forgotten():
    scene = Scene(registry_gc_interval_seconds=1000.0, registry_max_agent_age_seconds=500.0)
    agent = scene.agent().register()
    agent_id, agent.answers_pings = agent.id, False
    scene.world.advance(995)
    call = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
    with scene.writing():
        scene.ask(HttpRequest("POST", "/api/v1", (), JSON, json.dumps(call).encode()), lambda answer: None)
        scene.world.advance(10)
    assert scene.standings == {agent_id: Standing.GONE}


def test_a_framework_that_nobody_has_heard_of_is_forgotten():
    scene = Scene(registry_gc_interval_seconds=100.0)
    scheduler = scene.scheduler(failover_timeout_seconds=300.0).register()
    scheduler.die()
    scene.restart_master()
    scene.world.advance(800)
    assert list(scene.registry) == [f"framework/{scheduler.id}"]
    scene.world.advance(300)
    assert list(scene.registry) == []


@pytest.mark.parametrize(
    ("flags", "left"), [({"registry_max_agent_age_seconds": 900.0}, 1), ({"registry_max_agent_count": 1}, 1), ({}, 2)]
)
def test_the_oldest_agents_out_of_reach_are_forgotten(flags: dict[str, float], left: int):
    scene = Scene(registry_gc_interval_seconds=1100.0, **flags)
    for _ in range(2):
        agent = scene.agent().register()
        agent.answers_pings = False
        scene.world.advance(500)
    scene.world.advance(200)
    assert len(scene.master.cluster.unreachable) == len(scene.standings) == left
