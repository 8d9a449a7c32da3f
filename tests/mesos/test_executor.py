"""Executors as their authors see them, with a real agent in a simulated world."""

from __future__ import annotations

import pytest

from libprocess.errors import OperatorError
from libprocess.pid import PID
from mesos.driver import DriverStatus
from mesos.executor import Executor, ExecutorCalls, ExecutorPlace, LocalExecutorDriver
from mesos.ids import AgentID, ExecutorID, TaskID
from mesos.messages import (
    ExecutorToFrameworkMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    ReconnectExecutorMessage,
    RegisterExecutorMessage,
    ReregisterExecutorMessage,
    ShutdownExecutorMessage,
    StatusUpdateMessage,
)
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, TaskStatus
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, executor_task

RUNNING, FINISHED, FAILED, KILLED = (
    TaskState.TASK_RUNNING,
    TaskState.TASK_FINISHED,
    TaskState.TASK_FAILED,
    TaskState.TASK_KILLED,
)


class Worker(Executor):
    """Notes what it is told, and says that tasks run until they are killed."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def registered(
        self, driver: ExecutorCalls, executor: ExecutorInfo, framework: FrameworkInfo, agent: AgentInfo
    ) -> None:
        self.heard.append(f"registered {executor.executor_id} {framework.id} {agent.id}")

    def launchTask(self, driver: ExecutorCalls, task: TaskInfo) -> None:  # the spelling of Mesos does as well
        self.heard.append(f"launch {task.task_id}")
        driver.send_status_update(TaskStatus(task.task_id, RUNNING))

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> None:
        self.heard.append(f"kill {task_id}")
        driver.send_status_update(TaskStatus(task_id, KILLED))

    def framework_message(self, driver: ExecutorCalls, data: bytes) -> None:
        driver.send_framework_message(data[::-1])

    def disconnected(self, driver: ExecutorCalls) -> None:
        self.heard.append("disconnected")

    def shutdown(self, driver: ExecutorCalls) -> None:
        self.heard.append("shutdown")


class Stage:
    """A worker that was started for one task."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        cluster.run(executor_task("t1"))
        place = ExecutorPlace(cluster.agent.pid, FRAMEWORK, ExecutorID("E1"))
        self.worker = Worker()
        self.driver = LocalExecutorDriver(self.worker, place)
        self.node = cluster.world.node("agent", 40000)
        self.node.spawn(self.driver.process)

    @property
    def is_alive(self) -> bool:
        return self.driver.process.pid in self.node.processes


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.register()
    return cluster


@pytest.fixture
def stage(cluster: Cluster) -> Stage:
    stage = Stage(cluster)
    cluster.world.settle()
    return stage


def test_an_executor_registers_and_runs_its_tasks(stage: Stage):
    assert stage.worker.heard == [f"registered E1 {FRAMEWORK} {AGENT}", "launch t1"]
    assert stage.cluster.master.states == [RUNNING]


def test_a_registration_that_is_lost_is_sent_again(cluster: Cluster):
    lost = cluster.world.drop(RegisterExecutorMessage)
    stage = Stage(cluster)
    cluster.world.advance(seconds=3)
    assert len(lost.seen) == 4

    cluster.world.restore(lost)
    cluster.world.advance(seconds=1)
    assert stage.worker.heard[-1] == "launch t1"


def test_updates_say_who_sends_them(stage: Stage):
    status = stage.cluster.master.status

    assert (status.agent_id, status.executor_id, status.source) == (AGENT, "E1", "SOURCE_EXECUTOR")
    assert status.timestamp == stage.cluster.node.clock.now()
    assert len(status.uuid) == 16


def test_tasks_are_killed(stage: Stage):
    stage.cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))

    assert stage.worker.heard[-1] == "kill t1"
    assert stage.cluster.master.states == [RUNNING, KILLED]


def test_mail_goes_both_ways(stage: Stage):
    stage.cluster.tell(FrameworkToExecutorMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"abc"))

    assert [mail.data for mail in stage.cluster.master.got(ExecutorToFrameworkMessage)] == [b"cba"]


def test_a_driver_ends_after_shutdown_as_soon_as_its_tasks_have(stage: Stage):
    stage.cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    assert stage.worker.heard[-1] == "shutdown"
    assert stage.is_alive

    stage.driver.send_status_update(TaskStatus(TaskID("t1"), FINISHED))
    stage.node.drain()  # which a callback need not do
    stage.cluster.world.advance(seconds=0.1)
    assert not stage.is_alive
    assert stage.cluster.master.states == [RUNNING, FINISHED]


def test_a_driver_ends_after_the_grace_period_at_the_latest(stage: Stage):
    stage.cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    stage.cluster.world.advance(seconds=6)

    assert not stage.is_alive


def test_an_executor_that_loses_its_agent_shuts_down(stage: Stage):
    stage.cluster.world.crash(stage.cluster.node)
    stage.cluster.world.settle()
    assert stage.worker.heard[-2:] == ["disconnected", "shutdown"]

    stage.cluster.world.advance(seconds=6)
    assert not stage.is_alive


def test_an_executor_whose_agent_is_gone_has_nobody_to_wait_for(stage: Stage):
    stage.cluster.world.drop(StatusUpdateMessage, to=stage.cluster.agent.pid)
    stage.driver.send_status_update(TaskStatus(TaskID("t1"), FINISHED))
    stage.node.drain()
    stage.cluster.world.crash(stage.cluster.node)
    stage.cluster.world.settle()
    assert not stage.is_alive


def test_an_executor_comes_back_to_its_own_agent_only_and_not_once_it_ends(stage: Stage):
    cluster = stage.cluster
    answers = cluster.world.drop(ReregisterExecutorMessage)

    def answers_to(agent_id: AgentID) -> int:
        cluster.node.send(stage.driver.process.pid, ReconnectExecutorMessage(agent_id), cluster.agent.pid)
        cluster.world.settle()
        return len(answers.seen)

    assert answers_to(AgentID("A2")) == 0
    assert answers_to(AGENT) == 1
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    assert answers_to(AGENT) == 1


def test_a_driver_that_is_stopped_leaves_its_agent(stage: Stage):
    assert stage.driver.stop() is DriverStatus.STOPPED
    stage.node.drain()
    stage.cluster.world.advance(seconds=10)

    assert not stage.is_alive
    assert stage.cluster.master.status.state is FAILED


def test_a_driver_that_was_aborted_calls_nobody_back(stage: Stage):
    assert stage.driver.abort() is DriverStatus.ABORTED
    stage.cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))

    assert stage.worker.heard[-1] == "launch t1"


def test_the_place_is_read_from_the_environment():
    place = ExecutorPlace.from_environment(
        {
            "MESOS_SLAVE_PID": "agent@127.0.0.1:6051",
            "MESOS_FRAMEWORK_ID": "F1",
            "MESOS_EXECUTOR_ID": "E1",
            "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "2secs",
        }
    )
    assert place == ExecutorPlace(PID("agent", "127.0.0.1", 6051), FRAMEWORK, ExecutorID("E1"), 2.0)


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({}, "expected the variable MESOS_SLAVE_PID, found none; executors are started by agents, not by hand"),
        (
            {"MESOS_SLAVE_PID": "nobody", "MESOS_FRAMEWORK_ID": "F", "MESOS_EXECUTOR_ID": "E"},
            "the agent's environment is damaged: expected id@host:port, found 'nobody'",
        ),
    ],
)
def test_who_is_not_started_by_an_agent_is_told_so(environ: dict[str, str], text: str):
    with pytest.raises(OperatorError) as raised:
        ExecutorPlace.from_environment(environ)
    assert str(raised.value) == text
