"""A new master knows what the one before it wrote down: agents, frameworks without schedulers, weights and quotas."""

from __future__ import annotations

import json

import pytest

from libprocess.http import HttpRequest, HttpResponse
from master.flags import Rate
from master.registrar.entries import AgentEntry, EndedFrameworkEntry, Standing, read_entries, write_entries
from master.registrar.messages import RegistryFetchedMessage, RegistryStoredMessage, StoreFailedMessage
from mesos.messages import (
    AgentLostMessage,
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    FrameworkErrorMessage,
    FrameworkReregisteredMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UnregisterAgentMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import AgentInfo, FrameworkCapability
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on

JSON = (("content-type", "application/json"), ("accept", "application/json"))
MORE = AgentInfo("agent-1", resources=Resources.parse("cpus:8;mem:8192"))
"""What an agent says whose machine has grown."""
PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


def standings(scene: Scene) -> dict[str, Standing]:
    """How each agent stands, as it is written down."""
    entries = read_entries(scene.registry).values()
    return {entry.id: entry.standing for entry in entries if isinstance(entry, AgentEntry)}


# Written before it is acted upon.


def test_an_agent_is_answered_when_its_admission_is_written(scene: Scene):
    writing = scene.world.hold(RegistryStoredMessage)
    agent = scene.agent().register()
    assert agent.inbox == []
    assert scene.master.cluster.agents == {}

    scene.world.release(writing)
    scene.world.settle()
    assert list(standings(scene)) == [agent.last(AgentRegisteredMessage).agent_id]


def test_an_agent_that_asks_again_meanwhile_is_admitted_once(scene: Scene):
    writing = scene.world.hold(RegistryStoredMessage)
    agent = scene.agent().register().register()
    scene.world.release(writing)
    scene.world.settle()
    assert len(agent.all(AgentRegisteredMessage)) == 1
    assert len(scene.master.cluster.agents) == 1


def test_frameworks_learn_of_a_loss_when_it_is_written(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent_id = agent.id
    writing = scene.world.hold(RegistryStoredMessage)
    agent.answers_pings = False
    scene.world.advance(95)
    assert scheduler.all(AgentLostMessage) == []

    agent.reregister(agent_id)  # it is decided already
    assert agent.all(AgentReregisteredMessage) == []

    scene.world.release(writing)
    scene.world.settle()
    assert scheduler.last(AgentLostMessage).agent_id == agent_id
    assert standings(scene) == {agent_id: Standing.UNREACHABLE}
    agent.reregister(agent_id)
    assert standings(scene) == {agent_id: Standing.ADMITTED}
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id


def test_quotas_and_weights_hold_when_they_are_written(scene: Scene, agent: AgentPeer):
    quota = {"role": "eng", "guarantee": resources_to_json(Resources.parse("cpus:1"))}
    assert scene.get("/quota", "POST", json.dumps(quota)).status == 200
    assert scene.get("/weights", "PUT", json.dumps([{"role": "eng", "weight": 3.0}])).status == 200
    scene.restart_master()
    assert scene.master.cluster.roles.weights == {"eng": 3.0}
    assert list(scene.master.cluster.roles.quotas) == ["eng"]


def test_an_agent_that_takes_its_leave_is_forgotten(scene: Scene, agent: AgentPeer):
    agent.say(UnregisterAgentMessage(agent.id))
    assert standings(scene) == {}


def test_a_master_whose_registry_is_lost_ends(scene: Scene):
    writing = scene.world.hold(RegistryStoredMessage)
    scene.agent().register()
    scene.node.send(scene.master.registrar, StoreFailedMessage("the disk is full"))
    scene.world.settle()
    assert scene.master.lost == ("the registry is lost, and nothing can be written down any more: the disk is full")
    assert scene.master.pid not in scene.node.mailbox_depths()
    scene.world.restore(writing)


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
    assert standings(scene) == {agent_id: Standing.UNREACHABLE}
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
    assert set(standings(scene).values()) == {Standing.ADMITTED}


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
    writing = scene.world.hold(RegistryStoredMessage)
    order = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
    answers: list[HttpResponse] = []
    scene.ask(HttpRequest("POST", "/api/v1", (), JSON, json.dumps(order).encode()), answers.append)
    scene.world.advance(2)
    scene.world.release(writing)
    scene.world.settle()
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


def test_a_scheduler_that_comes_back_is_answered_when_that_is_written(scene: Scene, agent: AgentPeer):
    """Else, if it ended together with its master just then, the next one would count from the older absence."""
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.die()
    scene.world.advance(595)
    writing = scene.world.hold(RegistryStoredMessage)
    heir = scene.scheduler()
    for _ in range(2):
        heir.reregister(framework_id, failover_timeout_seconds=600.0)
    assert (heir.inbox, scene.master.cluster.frameworks[framework_id].connected) == ([], False)

    scene.world.advance(10)  # its time is over, but for that
    scene.world.release(writing)
    scene.world.settle()
    assert heir.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert "framework/" + framework_id not in scene.registry
    heir.die()
    scene.world.crash(scene.node)
    scene.start_master()
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(595)
    assert agent.all(ShutdownFrameworkMessage) == []


def test_who_comes_last_speaks_for_a_framework_whose_return_is_written(scene: Scene):
    """Whoever came before it may be no more: nobody looks after who has not been answered."""
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    framework_id = scheduler.id
    scheduler.die()
    writing = scene.world.hold(RegistryStoredMessage)
    first = scene.scheduler().reregister(framework_id)
    second = scene.scheduler().reregister(framework_id)
    scene.world.release(writing)
    scene.world.settle()
    assert first.last(FrameworkErrorMessage).message.startswith("Framework failed over")
    assert second.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert first.all(FrameworkReregisteredMessage) == []


def test_a_framework_may_end_while_its_return_is_written(scene: Scene):
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    framework_id = scheduler.id
    scheduler.die()
    writing = scene.world.hold(RegistryStoredMessage)
    heir = scene.scheduler().reregister(framework_id)
    scene.ask(HttpRequest("POST", "/teardown", body=f"frameworkId={framework_id}".encode()), lambda response: None)
    scene.world.settle()
    scene.world.release(writing)
    scene.world.settle()
    assert heir.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert scene.master.cluster.frameworks == {}


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


# Frameworks that ended.


def test_what_ended_is_over_for_every_master(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    agent.inbox.clear()
    scene.restart_master()
    scheduler.reregister(framework_id)
    agent.reregister(agent_id, **reported(order))  # it was out of reach when its framework ended

    assert scheduler.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id
    assert scene.master.cluster.frameworks == {}
    (shown,) = json.loads(scene.get("/frameworks").body)["completed_frameworks"]
    assert (shown["id"], shown["name"], shown["active"]) == (framework_id, "tests", False)
    assert shown["unregistered_time"] > shown["registered_time"] - 1


def test_what_was_adopted_may_come_back_at_every_master(scene: Scene, scheduler: SchedulerPeer):
    framework_id = scheduler.id
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    scene.restart_master()
    writing = scene.world.hold(RegistryStoredMessage)
    adopted: list[HttpResponse] = []
    scene.ask(HttpRequest("POST", "/adopt", (), (), f"frameworkId={framework_id}".encode()), adopted.append)
    assert adopted == []  # not before later masters know

    scene.world.release(writing)
    scene.world.settle()
    scene.restart_master()
    scheduler.reregister(framework_id)
    assert [each.status for each in adopted] == [200]
    assert scheduler.last(FrameworkReregisteredMessage).framework_id == framework_id


def test_who_tears_down_is_answered_when_that_is_written(scene: Scene, scheduler: SchedulerPeer):
    writing = scene.world.hold(RegistryStoredMessage)
    answers: list[HttpResponse] = []
    scene.ask(HttpRequest("POST", "/teardown", (), (), f"frameworkId={scheduler.id}".encode()), answers.append)
    assert scheduler.all(FrameworkErrorMessage) == []
    assert answers == []

    scene.world.release(writing)
    scene.world.settle()
    assert [each.status for each in answers] == [200]
    assert scheduler.all(FrameworkErrorMessage) != []


def test_a_framework_whose_end_is_not_written_lives_on(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scene.world.drop(RegistryStoredMessage)
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    assert agent.all(ShutdownFrameworkMessage) == []

    del scene.registry["framework/" + framework_id]  # what the store was given never arrived
    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    assert agent.all(ShutdownFrameworkMessage) == []
    scene.scheduler().reregister(framework_id, failover_timeout_seconds=600.0)
    assert list(scene.master.cluster.frameworks[framework_id].tasks) == [order.task.task_id]


def test_nobody_speaks_for_a_framework_while_its_end_is_written(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    framework_id, offer = scheduler.id, scheduler.offer()
    writing = scene.world.hold(RegistryStoredMessage)
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    scheduler.launch(task_on(offer), on=[offer])
    scene.world.advance(5)
    assert scheduler.offers() == []
    scheduler.reregister(framework_id)
    assert scene.get("/teardown", "POST", f"frameworkId={framework_id}").status == 409
    assert agent.all(RunTaskMessage) == []

    scene.world.release(writing)
    scene.world.settle()
    assert scheduler.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert scene.master.cluster.frameworks == {}


def test_more_is_refused_than_is_shown():
    scene = Scene(max_completed_frameworks=1, registry_max_framework_count=2, registry_gc_interval_seconds=60.0)
    ids = []
    for _ in range(3):
        scheduler = scene.scheduler().register()
        ids.append(scheduler.id)
        scheduler.say(UnregisterFrameworkMessage(scheduler.id))
        scene.world.advance(1)
    scene.world.advance(60)
    scene.restart_master()
    assert list(scene.master.cluster.completed) == ids[2:]
    assert list(scene.master.cluster.ended) == ids[1:]
    oldest, younger = (scene.scheduler().reregister(id_) for id_ in ids[:2])
    assert oldest.last(FrameworkReregisteredMessage).framework_id == ids[0]
    assert younger.last(FrameworkErrorMessage).message.startswith("Framework has been removed")


# Garbage.


def test_an_agent_that_comes_back_just_then_is_not_forgotten():
    scene = Scene(registry_gc_interval_seconds=1000.0, registry_max_agent_age_seconds=500.0)
    agent = scene.agent().register()
    agent_id, agent.answers_pings = agent.id, False
    scene.world.advance(995)
    agent.answers_pings = True
    writing = scene.world.hold(RegistryStoredMessage)
    agent.reregister(agent_id)
    scene.world.advance(10)
    scene.world.release(writing)
    scene.world.settle()
    assert standings(scene) == {agent_id: Standing.ADMITTED}


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
    assert len(scene.master.cluster.unreachable) == len(standings(scene)) == left


# While an agent is written down, it may be started anew.


def test_the_last_report_of_an_agent_counts(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.answers_pings = False
    scene.world.advance(120)
    agent.answers_pings = True
    writing = scene.world.hold(RegistryStoredMessage)
    agent.reregister(agent_id, **reported(order))
    agent.reregister(agent_id)  # as another process, that has nothing any more
    scene.world.release(writing)
    scene.world.settle()
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert scene.master.cluster.agents[agent_id].tasks == {}


def test_an_agent_that_is_back_when_the_time_of_all_is_over_stays(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    scene.world.advance(599)
    writing = scene.world.hold(RegistryStoredMessage)
    agent.info = MORE
    agent.reregister(agent_id)
    scene.world.advance(2)
    scene.world.release(writing)
    scene.world.settle()
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert standings(scene) == {agent_id: Standing.ADMITTED}
    assert scene.metric("recovery_slave_removals") == 0


def test_one_agent_comes_back_with_an_id(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    other = scene.agent()
    writing = scene.world.hold(RegistryStoredMessage)
    agent.info = MORE
    agent.reregister(agent_id)
    other.reregister(agent_id)  # with a copy of its work_dir
    scene.world.release(writing)
    scene.world.settle()
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert other.inbox == []
    other.reregister(agent_id)
    assert "expected agent" in other.last(ShutdownMessage).message


def test_an_agent_that_an_operator_says_is_gone_while_it_comes_back_is_sent_away(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    writing = scene.world.hold(RegistryStoredMessage)
    agent.info = MORE
    agent.reregister(agent_id)
    order = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
    answers: list[HttpResponse] = []
    scene.ask(HttpRequest("POST", "/api/v1", (), JSON, json.dumps(order).encode()), answers.append)
    scene.world.release(writing)
    scene.world.settle()
    assert [answer.status for answer in answers] == [200]
    assert agent.all(AgentReregisteredMessage) == []
    assert scene.master.cluster.agents == {}

    agent.reregister(agent_id)
    assert "is gone" in agent.last(ShutdownMessage).message


def test_an_agent_that_forgot_its_id_meanwhile_is_another(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    agent.answers_pings = False
    scene.world.advance(120)
    agent.answers_pings = True
    writing = scene.world.hold(RegistryStoredMessage)
    agent.reregister(agent_id)
    agent.register()
    scene.world.release(writing)
    scene.world.settle()
    assert agent.all(AgentReregisteredMessage) == []
    assert agent.id != agent_id
    assert standings(scene) == {agent.id: Standing.ADMITTED}
