"""Launches that wait: what the master has freed may still be in use on the machine."""

from __future__ import annotations

import signal

import pytest

from agent.checkpoints.facts import UpdateFact
from mesos.ids import FrameworkID, TaskID
from mesos.messages import ExitedExecutorMessage, KillTaskMessage, ShutdownFrameworkMessage
from mesos.resources import Resources
from mesos.types import FrameworkInfo, Reason, TaskState
from tests.agent.cluster import FRAMEWORK, Cluster, command_task, executor_task

OTHER = FrameworkID("F2")
LAUNCHED = [TaskState.TASK_STARTING, TaskState.TASK_RUNNING]
HALF = Resources.of(cpus=2, mem=512)
ALL = Resources.of(cpus=4, mem=1024)
LATE_SECONDS = 61.0


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    """The first framework's two tasks fill the machine, and are told to end; they take their time."""
    cluster.run(command_task("old-1", resources=HALF), command_task("old-2", resources=HALF))
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.master.mail.clear()
    cluster.framework = FrameworkInfo("root", "other", id=OTHER)
    return cluster


def test_a_task_waits_until_what_it_needs_is_free(cluster: Cluster):
    old_1, old_2 = cluster.machine.running
    cluster.run(command_task("big", resources=ALL))
    assert cluster.master.states == []

    cluster.machine.end(signal.SIGTERM, old_1)
    cluster.world.settle()
    assert cluster.master.states == []

    cluster.machine.end(signal.SIGTERM, old_2)
    cluster.world.settle()
    assert cluster.master.states == LAUNCHED
    assert cluster.machine.config.resources == ALL


def test_tasks_are_started_in_their_order_as_far_as_there_is_room(cluster: Cluster):
    old_1, old_2 = cluster.machine.running
    cluster.run(*(command_task(id_, resources=HALF) for id_ in ("new-1", "new-2")))
    cluster.machine.end(signal.SIGTERM, old_1)
    cluster.world.settle()
    assert cluster.master.states == LAUNCHED
    assert cluster.master.status.task_id == "new-1"

    cluster.machine.end(signal.SIGTERM, old_2)
    cluster.world.settle()
    assert cluster.master.states == LAUNCHED * 2
    assert cluster.master.status.task_id == "new-2"


def test_reservations_make_no_machine_larger(cluster: Cluster):
    cluster.run(command_task("reserved", resources=Resources.parse("cpus(eng):1;mem(eng):64").allocate("eng")))
    assert len(cluster.machine.running) == 2


def test_what_fits_beside_what_is_being_ended_does_not_wait(cluster: Cluster):
    cluster.machine.end(signal.SIGTERM, cluster.machine.running[0])
    cluster.world.settle()
    cluster.run(command_task("small"))
    assert cluster.master.states == LAUNCHED


def test_a_task_can_be_killed_while_it_waits(cluster: Cluster):
    cluster.run(command_task("t1"), command_task("t2"))
    cluster.tell(KillTaskMessage(OTHER, TaskID("t1")))
    assert cluster.master.states == [TaskState.TASK_KILLED]
    assert cluster.master.status.reason is Reason.REASON_TASK_KILLED_DURING_LAUNCH

    cluster.machine.end(signal.SIGTERM, cluster.machine.running[0])
    cluster.world.settle()
    assert cluster.master.states[1:] == LAUNCHED
    assert cluster.master.status.task_id == "t2"


def test_an_executor_that_waits_takes_further_tasks_and_is_told_to_the_master_when_it_is_killed(cluster: Cluster):
    cluster.run(executor_task("t1"), executor_task("t2"))
    cluster.tell(KillTaskMessage(OTHER, TaskID("t1")))
    assert cluster.master.got(ExitedExecutorMessage) == []

    cluster.tell(KillTaskMessage(OTHER, TaskID("t2")))
    assert cluster.master.states == [TaskState.TASK_KILLED] * 2
    assert [message.executor_id for message in cluster.master.got(ExitedExecutorMessage)] == ["E1"]


def test_a_framework_that_is_shut_down_waits_no_more(cluster: Cluster):
    cluster.run(command_task("t1"), executor_task("t2"))
    cluster.tell(ShutdownFrameworkMessage(OTHER))
    for id_ in cluster.machine.running:
        cluster.machine.end(signal.SIGTERM, id_)
    cluster.world.settle()
    assert cluster.machine.running == []
    assert len(cluster.agent.frameworks) == 0


def test_a_task_does_not_wait_for_ever(cluster: Cluster):
    cluster.machine.destroy = lambda container_id: None
    cluster.run(command_task("t1"))
    cluster.world.advance(LATE_SECONDS)

    assert cluster.master.states == [TaskState.TASK_LOST]
    assert cluster.master.status.reason is Reason.REASON_CONTAINER_LAUNCH_FAILED
    assert cluster.master.status.message == "what it was given was still in use on the agent after 1mins"


# The agent is started again meanwhile.


@pytest.fixture
def kept(cluster: Cluster) -> Cluster:
    """What runs is told to end, and that it was told so outlives the agent, as do the tasks that wait."""
    cluster.framework = FrameworkInfo("root", "kept", id=OTHER, checkpoint=True)
    for id_ in cluster.machine.running:
        cluster.machine.end(signal.SIGTERM, id_)
    cluster.world.settle()
    cluster.run(command_task("old-1", resources=HALF), command_task("old-2", resources=HALF))
    cluster.tell(ShutdownFrameworkMessage(OTHER))
    cluster.master.mail.clear()
    cluster.framework = FrameworkInfo("root", "third", id=FrameworkID("F3"), checkpoint=True)
    return cluster


def test_what_waited_for_room_waits_on_when_the_agent_is_started_again(kept: Cluster):
    old_1, old_2 = kept.machine.running
    kept.run(command_task("t1", resources=ALL))
    kept.revive_agent()
    kept.world.settle()
    kept.revive_agent()
    kept.register()
    assert kept.machine.running == [old_1, old_2]

    kept.machine.end(signal.SIGTERM, old_1)
    kept.machine.end(signal.SIGTERM, old_2)
    kept.world.settle()
    assert kept.master.states == LAUNCHED
    kept.revive_agent()
    kept.register()
    taken_up = [known.config.container_id for known in kept.machine.recovered]
    assert taken_up == kept.machine.running, "what was started then is not started again"
    assert len(taken_up) == 1


def test_what_waits_since_an_earlier_life_can_be_killed(kept: Cluster):
    kept.run(command_task("t1"))
    kept.revive_agent()
    kept.register()
    kept.tell(KillTaskMessage(FrameworkID("F3"), TaskID("t1")))
    assert kept.master.states == [TaskState.TASK_KILLED]


def test_what_has_waited_is_not_said_to_be_killed_while_it_runs(kept: Cluster):
    kept.run(command_task("t1", resources=ALL))
    for id_ in kept.machine.running:
        kept.machine.end(signal.SIGTERM, id_)
    kept.world.settle()
    kept.revive_agent_without(UpdateFact)
    kept.machine.signals.clear()
    kept.tell(KillTaskMessage(FrameworkID("F3"), TaskID("t1")))
    assert kept.machine.signals == [signal.SIGTERM]
    assert TaskState.TASK_KILLED not in kept.master.states


def test_what_waits_since_an_earlier_life_waits_no_longer_for_that(kept: Cluster):
    kept.machine.destroy = lambda container_id: None
    kept.run(command_task("t1"))
    kept.world.advance(LATE_SECONDS / 2)
    kept.revive_agent()
    kept.register()
    assert kept.master.states == []

    kept.world.advance(LATE_SECONDS / 2)
    assert kept.master.states == [TaskState.TASK_LOST]


def test_what_waits_since_an_earlier_life_is_not_started_to_be_ended(kept: Cluster):
    kept.run(command_task("t1"))
    running = kept.machine.running
    kept.give_flags(recover="cleanup")
    kept.revive_agent()
    kept.world.settle()
    assert [known.config.container_id for known in kept.machine.recovered] == running
    assert kept.agent.pid not in kept.node.processes
