"""Nothing is acted upon before it is written down; and whoever speaks meanwhile is not forgotten."""

from __future__ import annotations

import json

from libprocess.http import HttpRequest, HttpResponse
from master.registrar.entries import Standing
from master.registrar.messages import RegistryStoredMessage, StoreFailedMessage
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
)
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import AgentInfo
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on

JSON = (("content-type", "application/json"), ("accept", "application/json"))
MORE = AgentInfo("agent-1", resources=Resources.parse("cpus:8;mem:8192"))
"""What an agent says whose machine has grown."""

# What is written.


def test_an_agent_is_answered_when_its_admission_is_written(scene: Scene):
    with scene.writing():
        agent = scene.agent().register()
        assert agent.inbox == []
        assert scene.master.cluster.agents == {}
    assert list(scene.standings) == [agent.last(AgentRegisteredMessage).agent_id]


def test_an_agent_that_asks_again_meanwhile_is_admitted_once(scene: Scene):
    with scene.writing():
        agent = scene.agent().register().register()
    assert len(agent.all(AgentRegisteredMessage)) == 1
    assert len(scene.master.cluster.agents) == 1


def test_frameworks_learn_of_a_loss_when_it_is_written(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent_id = agent.id
    with scene.writing():
        agent.answers_pings = False
        scene.world.advance(95)
        assert scheduler.all(AgentLostMessage) == []

        agent.reregister(agent_id)  # it is decided already
        assert agent.all(AgentReregisteredMessage) == []
    assert scheduler.last(AgentLostMessage).agent_id == agent_id
    assert scene.standings == {agent_id: Standing.UNREACHABLE}
    agent.reregister(agent_id)
    assert scene.standings == {agent_id: Standing.ADMITTED}
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
    assert scene.standings == {}


def test_a_master_whose_registry_is_lost_ends(scene: Scene):
    writing = scene.world.hold(RegistryStoredMessage)
    scene.agent().register()
    scene.node.send(scene.master.registrar, StoreFailedMessage("the disk is full"))
    scene.world.settle()
    assert scene.master.lost == ("the registry is lost, and nothing can be written down any more: the disk is full")
    assert scene.master.pid not in scene.node.mailbox_depths()
    scene.world.restore(writing)


# While an agent is written down, it may be started anew.


def test_the_last_report_of_an_agent_counts(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.answers_pings = False
    scene.world.advance(120)
    agent.answers_pings = True
    with scene.writing():
        agent.reregister(agent_id, **reported(order))
        agent.reregister(agent_id)  # as another process, that has nothing any more
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert scene.master.cluster.agents[agent_id].tasks == {}


def test_an_agent_that_is_back_when_the_time_of_all_is_over_stays(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    scene.world.advance(599)
    with scene.writing():
        agent.info = MORE
        agent.reregister(agent_id)
        scene.world.advance(2)
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert scene.standings == {agent_id: Standing.ADMITTED}
    assert scene.metric("recovery_slave_removals") == 0


def test_one_agent_comes_back_with_an_id(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    other = scene.agent()
    with scene.writing():
        agent.info = MORE
        agent.reregister(agent_id)
        other.reregister(agent_id)  # with a copy of its work_dir
    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    assert other.inbox == []
    other.reregister(agent_id)
    assert "expected agent" in other.last(ShutdownMessage).message


def test_an_agent_that_an_operator_says_is_gone_while_it_comes_back_is_sent_away(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    scene.restart_master()
    with scene.writing():
        agent.info = MORE
        agent.reregister(agent_id)
        order = {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": {"value": agent_id}}}
        answers: list[HttpResponse] = []
        scene.ask(HttpRequest("POST", "/api/v1", (), JSON, json.dumps(order).encode()), answers.append)
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
    with scene.writing():
        agent.reregister(agent_id)
        agent.register()
    assert agent.all(AgentReregisteredMessage) == []
    assert agent.id != agent_id
    assert scene.standings == {agent.id: Standing.ADMITTED}


# Frameworks that come back.


def test_a_scheduler_that_comes_back_is_answered_when_that_is_written(scene: Scene, agent: AgentPeer):
    """Else, if it ended together with its master just then, the next one would count from the older absence."""
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.die()
    scene.world.advance(595)
    with scene.writing():
        heir = scene.scheduler()
        for _ in range(2):
            heir.reregister(framework_id, failover_timeout_seconds=600.0)
        assert (heir.inbox, scene.master.cluster.frameworks[framework_id].connected) == ([], False)

        scene.world.advance(10)  # its time is over, but for that
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
    with scene.writing():
        first = scene.scheduler().reregister(framework_id)
        second = scene.scheduler().reregister(framework_id)
    assert first.last(FrameworkErrorMessage).message.startswith("Framework failed over")
    assert second.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert first.all(FrameworkReregisteredMessage) == []


def test_a_framework_may_end_while_its_return_is_written(scene: Scene):
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    framework_id = scheduler.id
    scheduler.die()
    with scene.writing():
        heir = scene.scheduler().reregister(framework_id)
        scene.ask(HttpRequest("POST", "/teardown", body=f"frameworkId={framework_id}".encode()), lambda response: None)
        scene.world.settle()
    assert heir.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert scene.master.cluster.frameworks == {}
