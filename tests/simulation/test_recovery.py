"""Stories of an agent that ends before what runs on it, and of the next one that takes that up."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from agent.dialogues.base import AgentState
from libprocess import Runtime
from mesos.executor import ExecutorCalls
from mesos.ids import ExecutorID, TaskID
from mesos.messages import ReregisterExecutorMessage, StatusUpdateMessage
from mesos.resources import Resources
from mesos.states import terminal
from mesos.types import AgentInfo, CommandInfo, ExecutorInfo, Offer, Reason, TaskInfo, TaskState, TaskStatus
from tests.simulation.frameworks import Echo, Runner, framework
from tools.simulate.cluster import Cluster

STARTING, RUNNING, FINISHED = TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FINISHED
FAILED, KILLED = TaskState.TASK_FAILED, TaskState.TASK_KILLED


class Told(Echo):
    """Says what befalls it."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.driver: ExecutorCalls | None = None

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        self.driver = driver
        super().launch_task(driver, task)

    def disconnected(self, driver: ExecutorCalls) -> None:
        self.news.append("disconnected")

    def reregistered(self, driver: ExecutorCalls, agent_info: AgentInfo) -> None:
        self.news.append("reregistered")

    def shutdown(self, driver: ExecutorCalls) -> None:
        self.news.append("shutdown")

    def report(self, task_id: str, state: TaskState) -> None:
        """Tell of a task, in a turn of its own."""
        assert self.driver is not None
        self.driver.send_status_update(TaskStatus(TaskID(task_id), state))


class Story:
    """A cluster with one agent, and a framework whose tasks are to outlive it."""

    def __init__(self, cluster: Cluster, **task: Any) -> None:
        self.cluster = cluster
        self.told = Told()
        cluster.executors["./told"] = lambda: self.told
        self._task = task
        cluster.elect()

    def run(self, *commands: str) -> Runner:
        """A framework whose tasks run, or have."""
        story = self

        class Own(Runner):
            def task(self, id: TaskID, offer: Offer) -> TaskInfo:
                return replace(super().task(id, offer), **story._task)

        self.runner = Own(*commands)
        self.driver = self.cluster.run(self.runner, framework(checkpoint=True))
        self.cluster.run_until(
            lambda: [self.runner.state(f"t{n + 1}") for n in range(len(commands))] == [RUNNING] * len(commands)
        )
        return self.runner

    def run_told(self) -> Runner:
        """A framework with an executor of its own, whose task runs."""
        executor = ExecutorInfo(ExecutorID("told"), CommandInfo("./told"), Resources.parse("cpus:0.5;mem:32"))
        self.runner = Runner("", executor=executor)
        self.driver = self.cluster.run(self.runner, framework(checkpoint=True))
        return self._running()

    def _running(self) -> Runner:
        """Once its scheduler has said that it knows."""
        self.cluster.run_until(lambda: self.runner.state("t1") is RUNNING)
        self.cluster.settle()
        return self.runner

    def kill(self, task_id: str) -> None:
        self.driver.kill_task(TaskID(task_id))
        self.cluster.node_of(self.driver.process).drain()

    @property
    def program(self) -> Runtime:
        """Where the executor lives."""
        return next(node for address, node in self.cluster.nodes.items() if address.port >= 20000)

    def kill_agent(self) -> None:
        self.cluster.kill(self.cluster.node_of(self.cluster.agent))

    def start_agent(self) -> None:
        self.cluster.add_agent("agent-1")


@pytest.fixture
def story(cluster: Cluster) -> Story:
    return Story(cluster)


# Frameworks' own executors.


def test_an_executor_comes_back_to_its_agent_with_what_it_runs(cluster: Cluster, story: Story):
    runner = story.run_told()
    story.kill_agent()
    cluster.advance(seconds=10)
    story.start_agent()
    cluster.advance(seconds=5)
    cluster.advance(seconds=1000)  # it waits for nobody any more
    assert story.told.news == ["disconnected", "reregistered"]
    assert runner.states[TaskID("t1")] == [RUNNING]

    story.kill("t1")
    cluster.advance(seconds=1)
    assert runner.states[TaskID("t1")] == [RUNNING, KILLED]


def test_what_an_executor_said_while_its_agent_was_away_arrives_once(cluster: Cluster, story: Story):
    runner = story.run_told()
    story.kill_agent()
    cluster.advance(seconds=1)
    story.told.report("t1", FINISHED)
    story.program.drain()
    cluster.advance(seconds=10)
    story.start_agent()
    cluster.advance(seconds=30)
    assert runner.states[TaskID("t1")] == [RUNNING, FINISHED]


def test_an_executor_that_ended_while_its_agent_was_away_took_its_tasks_with_it(cluster: Cluster, story: Story):
    runner = story.run_told()
    story.kill_agent()
    story.told.driver.stop()
    story.program.drain()
    cluster.advance(seconds=5)
    story.start_agent()
    cluster.advance(seconds=5)
    assert runner.states[TaskID("t1")] == [RUNNING, FAILED]
    assert runner.statuses[-1].message == "the executor exited with status 0"


def test_an_executor_that_does_not_come_back_in_time_is_destroyed(cluster: Cluster, story: Story):
    runner = story.run_told()
    story.kill_agent()
    cluster.pause(story.program)
    cluster.advance(seconds=1)
    story.start_agent()
    cluster.advance(seconds=1.5)
    assert cluster.agent.state is AgentState.RECOVERING

    cluster.advance(seconds=10)
    assert cluster.agent.state is AgentState.REGISTERED
    assert runner.state("t1") is FAILED
    assert runner.statuses[-1].reason is Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT
    assert not cluster.containers["agent-1"].living


def test_an_executor_waits_for_its_agent_no_longer_than_the_recovery_timeout(cluster: Cluster, story: Story):
    story.run_told()
    story.kill_agent()
    cluster.advance(seconds=890)
    assert story.told.news == ["disconnected"]

    cluster.advance(seconds=20)
    assert story.told.news == ["disconnected", "shutdown"]
    assert not cluster.containers["agent-1"].living


@pytest.mark.parametrize("stopped", ["agent", "executor"])
def test_whoever_is_stopped_for_a_while_loses_no_task(cluster: Cluster, story: Story, stopped: str):
    runner = story.run_told()
    node = story.program if stopped == "executor" else cluster.node_of(cluster.agent)
    cluster.pause(node)
    cluster.advance(seconds=30)
    if stopped == "agent":
        story.told.report("t1", FINISHED)
    cluster.resume(node)
    cluster.advance(seconds=10)
    assert story.told.news[:2] == ["disconnected", "reregistered"]
    if stopped == "executor":
        story.kill("t1")
        cluster.advance(seconds=5)
    assert runner.states[TaskID("t1")] == [RUNNING, KILLED if stopped == "executor" else FINISHED]


def test_a_task_can_be_killed_while_its_executor_is_away(cluster: Cluster, story: Story):
    runner = story.run_told()
    cluster.pause(story.program)
    cluster.advance(seconds=30)
    story.kill("t1")
    cluster.advance(seconds=5)
    cluster.resume(story.program)
    cluster.advance(seconds=10)
    assert runner.states[TaskID("t1")] == [RUNNING, KILLED]


def test_an_executor_that_is_lost_is_not_awaited_for_ever(cluster: Cluster, story: Story):
    runner = story.run_told()
    cluster.pause(story.program)
    cluster.advance(seconds=900)
    assert runner.state("t1") is RUNNING

    cluster.advance(seconds=60)
    assert runner.state("t1") is FAILED
    assert runner.statuses[-1].message == "the executor did not come back within 15mins after its connection broke"
    assert not cluster.containers["agent-1"].living


def test_an_executor_that_is_asked_twice_to_come_back_does_so_once(cluster: Cluster, story: Story):
    runner = story.run_told()
    story.kill_agent()
    cluster.advance(seconds=1)
    answers = cluster.hold(ReregisterExecutorMessage)
    story.start_agent()
    cluster.advance(seconds=1.5)
    cluster.release(answers)
    cluster.advance(seconds=5)
    assert len(answers.seen) == 2
    assert "shutdown" not in story.told.news
    assert runner.state("t1") is RUNNING


def test_an_executor_that_had_not_registered_does_so_with_the_next_agent(cluster: Cluster, story: Story):
    story.runner = Runner("", executor=ExecutorInfo(ExecutorID("told"), CommandInfo("./told")))
    cluster.run(story.runner, framework(checkpoint=True))
    cluster.run_until(lambda: bool(cluster.containers["agent-1"].living))
    story.kill_agent()
    cluster.advance(seconds=5)
    story.start_agent()
    cluster.advance(seconds=5)
    assert story.runner.states[TaskID("t1")] == [RUNNING]


@pytest.mark.parametrize("cluster", range(10), indirect=True)
def test_at_whatever_moments_an_agent_is_killed_each_task_ends_once(cluster: Cluster, story: Story):
    executor = ExecutorInfo(ExecutorID("told"), CommandInfo("./told"), Resources.parse("cpus:0.5;mem:32"))
    runner = Runner("", "", "", executor=executor)
    driver = cluster.run(runner, framework(checkpoint=True))
    for _ in range(6):
        cluster.advance(seconds=cluster.chance.choice((0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 3.0)))
        story.kill_agent()
        cluster.advance(seconds=cluster.chance.choice((0.0, 0.1, 1.9, 5.0)))
        story.start_agent()
    cluster.advance(seconds=100)
    for task_id in runner.states:
        driver.kill_task(task_id)
    cluster.node_of(driver.process).drain()
    cluster.advance(seconds=60)
    ends = [[state for state in states if terminal(state)] for states in runner.states.values()]
    assert [len(each) for each in ends] == [1, 1, 1], ends
    assert not cluster.agent.streams


# Commands.


def test_updates_that_were_not_acknowledged_are_told_by_the_next_agent(cluster: Cluster, story: Story):
    runner = story.run("sleep 5")
    lost = cluster.drop(StatusUpdateMessage, to=cluster.master.pid)
    cluster.advance(seconds=7)
    story.kill_agent()
    cluster.restore(lost)
    story.start_agent()
    cluster.advance(seconds=5)
    assert runner.states[TaskID("t1")] == [STARTING, RUNNING, FINISHED]
    assert not cluster.agent.streams
    assert not cluster.agent.frameworks


def test_a_task_may_run_as_long_as_it_may_whoever_its_agent_is(cluster: Cluster):
    story = Story(cluster, max_completion_time_seconds=20.0)
    runner = story.run("sleep infinity")
    cluster.advance(seconds=10)
    story.kill_agent()
    cluster.advance(seconds=5)
    story.start_agent()
    cluster.advance(seconds=4)
    assert runner.state("t1") is RUNNING

    cluster.advance(seconds=4)
    assert runner.statuses[-1].reason is Reason.REASON_MAX_COMPLETION_TIME_REACHED


def test_a_kill_ends_when_it_was_to_end(cluster: Cluster, story: Story):
    runner = story.run("trap '' TERM; sleep infinity")
    story.kill("t1")
    cluster.advance(seconds=1)
    story.kill_agent()
    cluster.advance(seconds=60)
    story.start_agent()
    cluster.advance(seconds=2)
    assert runner.states[TaskID("t1")] == [STARTING, RUNNING, KILLED]


def test_a_task_that_had_not_begun_begins(cluster: Cluster, story: Story):
    runner = Runner("sleep infinity")
    cluster.run(runner, framework(checkpoint=True))
    cluster.run_until(lambda: bool(cluster.agent.frameworks))
    story.kill_agent()
    cluster.containers["agent-1"].fall()  # as if it had not been asked yet
    story.start_agent()
    cluster.advance(seconds=5)
    assert runner.state("t1") is RUNNING
    assert len(cluster.containers["agent-1"].living) == 1


def test_a_framework_that_was_shut_down_stays_so(cluster: Cluster, story: Story):
    """Found by seed 26: its tasks came back to life, in the agent's books, after they had ended."""
    story.run("sleep infinity")
    story.driver.stop()
    cluster.node_of(story.driver.process).drain()
    cluster.advance(seconds=10)
    assert not cluster.agent.frameworks
    story.kill_agent()
    story.start_agent()
    cluster.advance(seconds=10)
    assert not cluster.agent.frameworks


# The power goes.


@pytest.mark.parametrize("changes", range(24))
def test_at_whatever_write_the_power_goes_nothing_is_forgotten_that_was_acknowledged(cluster: Cluster, changes: int):
    story = Story(cluster)
    runner = Runner("sleep 5", "sleep 6; exit 1", "sleep 30")
    cluster.run(runner, framework(checkpoint=True))
    acknowledged = cluster.expect(StatusUpdateMessage, to=cluster.master.pid)
    agent_node = cluster.node_of(cluster.agent)
    cluster.storage(agent_node.address).lose_power_after(changes)
    cluster.advance(seconds=12)
    if cluster.agents:
        cluster.crash(agent_node)
    cluster.advance(seconds=3)
    story.start_agent()
    cluster.advance(seconds=60)

    assert cluster.agent.state is AgentState.REGISTERED
    assert not cluster.agent.frameworks
    assert not cluster.agent.streams
    told = {message.update.status.uuid for message in acknowledged.seen}
    assert told <= {status.uuid for status in runner.statuses}
    for task_id in runner.states:  # an update whose acknowledgement was lost with the power comes twice
        ends = {each.uuid for each in runner.statuses if each.task_id == task_id and terminal(each.state)}
        assert len(ends) == 1
