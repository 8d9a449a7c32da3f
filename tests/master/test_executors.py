"""Executors: mail to and from them, their shutdown and their end."""

from __future__ import annotations

import pytest

from mesos.ids import AgentID, ExecutorID
from mesos.messages import (
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkToExecutorMessage,
    ShutdownExecutorMessage,
)
from mesos.resources import Resources
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, task_on

E1 = ExecutorID("e1")


@pytest.fixture
def running(agent: AgentPeer, scheduler: SchedulerPeer) -> SchedulerPeer:
    """A scheduler with one task on its executor e1."""
    scheduler.launch(task_on(scheduler.offer(), executor=executor()))
    return scheduler


def test_a_framework_speaks_to_its_executor(agent: AgentPeer, running: SchedulerPeer):
    running.say(FrameworkToExecutorMessage(running.id, agent.id, E1, b"hello"))

    assert agent.last(FrameworkToExecutorMessage).data == b"hello"


def test_an_executor_speaks_to_its_framework(agent: AgentPeer, running: SchedulerPeer):
    agent.say(ExecutorToFrameworkMessage(running.id, agent.id, E1, b"hello"))

    assert running.last(ExecutorToFrameworkMessage).data == b"hello"


def test_a_framework_shuts_its_executor_down(agent: AgentPeer, running: SchedulerPeer):
    running.say(ShutdownExecutorMessage(running.id, E1, agent.id))

    assert agent.last(ShutdownExecutorMessage).executor_id == E1


@pytest.mark.parametrize("agent_id", [None, AgentID("S9")])
def test_what_leads_nowhere_is_counted(scene: Scene, running: SchedulerPeer, agent_id: AgentID | None):
    running.say(ShutdownExecutorMessage(running.id, E1, agent_id))

    assert scene.metric("dropped_messages") == 1


def test_mail_for_a_framework_that_is_away_is_lost(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    framework_id = scheduler.id
    scheduler.die()
    agent.say(ExecutorToFrameworkMessage(framework_id, agent.id, E1, b"hello"))

    assert scene.metric("dropped_messages") == 1


def test_the_end_of_an_executor_frees_what_it_had(scene: Scene, agent: AgentPeer, running: SchedulerPeer):
    agent.say(ExitedExecutorMessage(running.id, agent.id, E1, 9))

    assert running.last(ExitedExecutorMessage).status == 9
    assert scene.master.cluster.agents[agent.id].executors == {}
    assert scene.master.cluster.agents[agent.id].used.total().unallocate() == Resources.parse("cpus:1;mem:64")


def test_an_executor_ends_once(scene: Scene, agent: AgentPeer, running: SchedulerPeer):
    for _ in range(2):
        agent.say(ExitedExecutorMessage(running.id, agent.id, E1, 9))

    assert len(running.all(ExitedExecutorMessage)) == 1
    assert scene.metric("dropped_messages") == 1


def test_after_its_end_the_next_task_brings_a_new_one(scene: Scene, agent: AgentPeer, running: SchedulerPeer):
    agent.say(ExitedExecutorMessage(running.id, agent.id, E1, 0))
    scene.world.advance(6)
    running.launch(task_on(running.offer(), "t2", executor=executor(data=b"other")))

    assert scene.master.cluster.agents[agent.id].executors[running.id, E1].data == b"other"
