"""Tasks that are a command: run by the agent itself, from the order to the last update."""

from __future__ import annotations

import signal

import pytest
from msgspec.structs import replace

from mesos.ids import TaskID
from mesos.messages import ExitedExecutorMessage, KillTaskMessage, ShutdownFrameworkMessage
from mesos.resources import Resources
from mesos.types import FrameworkCapability, KillPolicy, Reason, TaskState
from tests.agent.cluster import FRAMEWORK, Cluster, command_task

STARTING, RUNNING, KILLING = TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING
FINISHED, FAILED, KILLED = TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED


def kill(cluster: Cluster, grace_seconds: float | None = None, task_id: str = "t1") -> None:
    policy = None if grace_seconds is None else KillPolicy(grace_seconds)
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID(task_id), kill_policy=policy))


def test_a_command_that_is_killed_since_its_agent_is_emptied_says_so(cluster: Cluster):
    cluster.run(command_task())
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1"), is_drain=True))
    cluster.machine.end(status=signal.SIGTERM)
    cluster.world.settle()
    assert cluster.master.status.state is KILLED
    assert cluster.master.status.reason is Reason.REASON_AGENT_DRAINING


def test_a_command_runs_and_finishes(cluster: Cluster):
    cluster.run(command_task(line="echo hello"))
    assert cluster.machine.config.command.value == "echo hello"
    assert cluster.machine.config.resources == Resources.of(cpus=1, mem=64)
    assert cluster.master.states == [STARTING, RUNNING]
    assert cluster.master.status.container_status
    assert cluster.master.status.container_status.executor_pid == 4711

    cluster.machine.end(status=0)
    cluster.world.settle()
    assert cluster.master.states == [STARTING, RUNNING, FINISHED]
    assert cluster.master.status.message == "Command exited with status 0"


def test_nothing_is_left_of_a_command_that_ended(cluster: Cluster):
    cluster.run(command_task())
    cluster.machine.end()
    cluster.world.settle()

    assert not cluster.agent.frameworks
    assert not cluster.agent.streams
    assert not cluster.agent.containers
    assert not [pid for pid in cluster.node.processes if pid.id.startswith("command-executor")]
    assert cluster.master.got(ExitedExecutorMessage) == []  # the master does not know of a command's executor


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (3 << 8, "Command exited with status 3"),
        (signal.SIGSEGV, "Command terminated with signal Segmentation fault"),
        (None, "Command ended in a way that nobody saw"),
    ],
)
def test_a_command_that_does_not_exit_with_0_has_failed(cluster: Cluster, status: int | None, text: str):
    cluster.run(command_task())
    cluster.machine.end(status=status)
    cluster.world.settle()

    assert cluster.master.status.state is FAILED
    assert cluster.master.status.message == text


def test_a_limit_that_was_hit_is_told(cluster: Cluster):
    cluster.run(command_task())
    memory = Resources.of(mem=64)
    reason = Reason.REASON_CONTAINER_LIMITATION_MEMORY
    cluster.machine.end(status=signal.SIGKILL, reason=reason, message="64 MB are used up", limitation=memory)
    cluster.world.settle()

    status = cluster.master.status
    assert (status.state, status.reason, status.message) == (FAILED, reason, "64 MB are used up")
    assert status.limitation
    assert status.limitation.resources == memory


def test_a_command_is_asked_to_end_and_has_its_grace_period(cluster: Cluster):
    cluster.run(command_task())
    kill(cluster)
    assert cluster.machine.signals == [signal.SIGTERM]

    cluster.world.advance(seconds=2.9)
    assert cluster.machine.signals == [signal.SIGTERM]

    cluster.world.advance(seconds=0.2)
    assert cluster.machine.signals == [signal.SIGTERM, signal.SIGKILL]
    assert cluster.master.states == [STARTING, RUNNING, KILLED]


def test_a_command_that_ends_when_asked_is_not_killed_for_good(cluster: Cluster):
    cluster.run(command_task())
    kill(cluster)
    cluster.machine.end(status=signal.SIGTERM)
    cluster.world.advance(seconds=60)

    assert cluster.machine.signals == [signal.SIGTERM]
    assert cluster.master.status.state is KILLED
    assert cluster.master.status.message == "Command terminated with signal Terminated"


def test_the_grace_period_is_the_orders_else_the_tasks(cluster: Cluster):
    cluster.run(command_task("t1", kill_policy=KillPolicy(10)), command_task("t2", kill_policy=KillPolicy(10)))
    kill(cluster, task_id="t1")
    kill(cluster, task_id="t2", grace_seconds=20)

    cluster.world.advance(seconds=10)
    assert cluster.master.status.task_id == "t1"
    assert len(cluster.machine.running) == 1

    cluster.world.advance(seconds=10)
    assert cluster.master.status.task_id == "t2"


def test_killing_again_may_only_shorten_the_grace_period(cluster: Cluster):
    cluster.run(command_task())
    kill(cluster, grace_seconds=30)
    kill(cluster, grace_seconds=600)
    kill(cluster, grace_seconds=20)
    cluster.world.advance(seconds=20)

    assert cluster.machine.signals == [signal.SIGTERM, signal.SIGKILL]


def test_frameworks_that_care_are_told_of_the_killing(cluster: Cluster):
    cluster.framework = replace(cluster.framework, capabilities=(FrameworkCapability.TASK_KILLING_STATE,))
    cluster.run(command_task())
    kill(cluster)
    cluster.world.advance(seconds=5)

    assert cluster.master.states == [STARTING, RUNNING, KILLING, KILLED]


def test_a_command_can_be_killed_while_it_is_started(cluster: Cluster):
    cluster.machine.starts = False
    cluster.run(command_task())
    kill(cluster)

    assert cluster.master.states == [STARTING, KILLED]
    assert cluster.machine.running == []


def test_a_command_may_run_for_so_long(cluster: Cluster):
    cluster.run(command_task(max_completion_time_seconds=60.0))
    cluster.world.advance(seconds=59)
    assert cluster.machine.signals == []

    cluster.world.advance(seconds=5)
    assert cluster.master.status.state is FAILED
    assert cluster.master.status.reason is Reason.REASON_MAX_COMPLETION_TIME_REACHED


def test_the_commands_of_a_framework_that_is_shut_down_end_unseen(cluster: Cluster):
    cluster.run(command_task("t1"), command_task("t2"))
    seen = len(cluster.master.states)
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    assert cluster.machine.signals == [signal.SIGTERM, signal.SIGTERM]

    cluster.world.advance(seconds=10)
    assert cluster.machine.running == []
    assert len(cluster.master.states) == seen
    assert not cluster.agent.frameworks
    assert {task.reason for task in cluster.agent.archive} == {Reason.REASON_FRAMEWORK_REMOVED}


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_command_whose_agent_is_gone_goes_on_only_if_it_is_to_be_taken_up(cluster: Cluster, checkpoint: bool):
    cluster.framework = replace(cluster.framework, checkpoint=checkpoint)
    cluster.run(command_task())
    cluster.node.terminate(cluster.agent.pid)
    cluster.world.settle()

    assert bool(cluster.machine.running) == checkpoint


def test_a_command_can_tell_where_it_is(cluster: Cluster):
    cluster.run(command_task())
    config = cluster.machine.config
    variables = {variable.name: variable.value for variable in config.environment.variables}

    assert variables["MESOS_SANDBOX"] == config.directory
    assert variables["MESOS_FRAMEWORK_ID"] == FRAMEWORK
    assert variables["MESOS_SLAVE_PID"] == "agent@agent:5051"
    assert config.directory == f"/srv/mesos/agents/A1/frameworks/F1/executors/t1/runs/{config.container_id}"


def test_an_order_that_comes_twice_is_obeyed_once(cluster: Cluster):
    cluster.run(command_task())
    cluster.run(command_task())

    assert len(cluster.machine.configs) == 1
