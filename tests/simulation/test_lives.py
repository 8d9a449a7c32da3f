"""Stories of a whole cluster: registering, and the lives of tasks."""

from __future__ import annotations

from msgspec.structs import replace

from agent.dialogues.base import AgentState
from mesos.ids import AgentID, ExecutorID, TaskID
from mesos.messages import (
    AgentRegisteredMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.types import CommandInfo, ExecutorInfo, Offer, TaskInfo, TaskState
from tests.simulation.frameworks import Echo, Runner, framework
from tools.simulate.cluster import Cluster

FINISHED = [TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FINISHED]


def test_an_agent_registers_again_when_its_registration_is_lost(cluster: Cluster):
    lost = cluster.drop(RegisterAgentMessage, to=cluster.master.pid)
    cluster.elect()
    cluster.settle()
    assert len(lost.seen) == 1

    cluster.restore(lost)
    cluster.advance(seconds=1)
    assert cluster.agent.state is AgentState.REGISTERED


def test_an_agent_that_did_not_hear_the_answer_gets_the_same_id(cluster: Cluster):
    lost = cluster.drop(AgentRegisteredMessage)
    cluster.elect()
    cluster.settle()
    cluster.restore(lost)
    cluster.advance(seconds=1)
    assert cluster.agent.id == lost.seen[0].agent_id
    assert list(cluster.master.cluster.agents) == [cluster.agent.id]


def test_orders_to_an_agent_that_did_not_hear_the_answer_wait_for_it(cluster: Cluster):
    lost = cluster.drop(AgentRegisteredMessage)
    cluster.elect()
    runner = Runner("sleep 100", "sleep 100")
    driver = cluster.run(runner, framework(checkpoint=True))
    cluster.settle()
    assert not runner.waiting, "the master offers what it believes to be there"
    driver.kill_task(TaskID("t1"))
    cluster.settle()

    cluster.restore(lost)
    cluster.advance(seconds=10)
    assert [runner.state("t1"), runner.state("t2")] == [TaskState.TASK_KILLED, TaskState.TASK_RUNNING]


def test_a_framework_registers_again_when_its_registration_is_lost(cluster: Cluster):
    cluster.elect()
    lost = cluster.drop(RegisterFrameworkMessage)
    runner = Runner()
    cluster.run(runner, framework())
    cluster.settle()
    assert (len(lost.seen), runner.news) == (1, [])

    cluster.restore(lost)
    cluster.advance(seconds=2)
    assert runner.news == ["registered"]


def test_tasks_run_and_end_as_their_commands_do(cluster: Cluster):
    cluster.elect()
    runner = Runner("sleep 5", "false", "sleep 1; exit 3")
    cluster.run(runner, framework())
    cluster.advance(seconds=4)
    assert runner.state("t1") is TaskState.TASK_RUNNING

    cluster.advance(seconds=4)
    assert runner.states[TaskID("t1")] == FINISHED
    assert [runner.state("t2"), runner.state("t3")] == [TaskState.TASK_FAILED] * 2
    assert [status.message for status in runner.statuses if status.state is TaskState.TASK_FAILED] == [
        "Command exited with status 1",
        "Command exited with status 3",
    ]


def test_what_a_task_held_is_offered_again_when_it_has_ended(cluster: Cluster):
    cluster.elect()
    runner = Runner(*["sleep 5"] * 8)
    cluster.run(runner, framework())
    cluster.advance(seconds=3)
    assert len(runner.waiting) == 4, "the agent has 4 cpus"

    cluster.advance(seconds=20)
    assert {state for states in runner.states.values() for state in states[-1:]} == {TaskState.TASK_FINISHED}
    assert len(runner.states) == 8


def test_a_task_that_is_killed_dies_gently_and_a_stubborn_one_after_its_time(cluster: Cluster):
    cluster.elect()
    runner = Runner("sleep infinity", "trap '' TERM; sleep infinity")
    driver = cluster.run(runner, framework())
    cluster.advance(seconds=1)
    for task_id in runner.states:
        driver.kill_task(task_id)
    cluster.node_of(driver.process).drain()
    cluster.advance(seconds=1)
    assert (runner.state("t1"), runner.state("t2")) == (TaskState.TASK_KILLED, TaskState.TASK_RUNNING)

    cluster.advance(seconds=5)
    assert runner.state("t2") is TaskState.TASK_KILLED
    assert not cluster.containers["agent-1"].living


def test_a_task_that_asks_for_more_than_it_is_offered_is_refused_with_the_reason(cluster: Cluster):
    class Greedy(Runner):
        def task(self, id: TaskID, offer: Offer) -> TaskInfo:
            return replace(super().task(id, offer), resources=Resources.parse("cpus:40;mem:64"))

    cluster.elect()
    runner = Greedy("true")
    cluster.run(runner, framework())
    cluster.advance(seconds=1)
    assert runner.state("t1") is TaskState.TASK_ERROR
    assert "cpus:40" in runner.statuses[0].message


def test_an_update_is_sent_again_until_it_is_acknowledged(cluster: Cluster):
    cluster.elect()
    runner = Runner("sleep infinity")
    driver = cluster.run(runner, framework())
    lost = cluster.drop(StatusUpdateMessage, to=driver.process.pid)
    cluster.advance(seconds=5)
    assert (len(lost.seen), runner.states) == (1, {})

    cluster.restore(lost)
    cluster.advance(seconds=10)
    assert runner.states[TaskID("t1")] == FINISHED[:2]
    assert not cluster.agent.streams


def test_the_next_update_waits_for_the_acknowledgement_of_the_last(cluster: Cluster):
    cluster.elect()
    runner = Runner("sleep 2")
    held = cluster.hold(StatusUpdateAcknowledgementMessage, to=cluster.agent.pid)
    cluster.run(runner, framework())
    cluster.advance(seconds=8)
    assert runner.states[TaskID("t1")] == FINISHED[:1]

    cluster.restore(held)
    cluster.advance(seconds=10)
    assert runner.states[TaskID("t1")] == [FINISHED[0], *FINISHED], "the first one twice, and then the others"


def test_an_executor_of_the_framework_runs_its_tasks_and_talks_with_it(cluster: Cluster):
    cluster.executors["./echo"] = Echo
    cluster.elect()
    executor = ExecutorInfo(ExecutorID("echo"), CommandInfo("./echo"), Resources.parse("cpus:0.5;mem:32"))
    runner = Runner("", executor=executor)
    driver = cluster.run(runner, framework())
    cluster.advance(seconds=1)
    assert runner.state("t1") is TaskState.TASK_RUNNING

    driver.send_framework_message(ExecutorID("echo"), AgentID(cluster.agent.id), b"hello")
    driver.kill_task(TaskID("t1"))
    cluster.node_of(driver.process).drain()
    cluster.settle()
    assert runner.messages == [b"HELLO"]
    assert runner.state("t1") is TaskState.TASK_KILLED


def test_when_an_executor_crashes_its_tasks_have_failed(cluster: Cluster):
    cluster.executors["./echo"] = Echo
    cluster.elect()
    runner = Runner("", executor=ExecutorInfo(ExecutorID("echo"), CommandInfo("./echo")))
    cluster.run(runner, framework())
    cluster.advance(seconds=1)
    container = next(iter(cluster.containers["agent-1"].living.values()))
    cluster.containers["agent-1"].destroy(container.config.container_id)
    cluster.advance(seconds=1)
    assert runner.state("t1") is TaskState.TASK_FAILED
