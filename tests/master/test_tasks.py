"""A task's news on their way to the scheduler, its acknowledgements on their way back, and killing."""

from __future__ import annotations

from mesos.ids import AgentID, TaskID
from mesos.messages import (
    KillTaskMessage,
    RunTaskMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.types import FrameworkCapability, Reason, StatusUpdate, TaskState, TaskStatus
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, task_on


def test_updates_pass_through_as_they_are(agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING, uuid=b"first")

    assert scheduler.status(task).state is TaskState.TASK_RUNNING
    assert scheduler.status(task).uuid == b"first"


def test_acknowledgements_pass_through_as_they_are(agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING, uuid=b"first")
    scheduler.acknowledge(task, b"first")

    message = agent.last(StatusUpdateAcknowledgementMessage)
    assert (message.task_id, message.uuid) == (task.task_id, b"first")


def test_a_task_that_ended_frees_its_resources_before_anybody_acknowledges(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer(), resources="cpus:4;mem:4096")
    scheduler.launch(task)
    other = scene.scheduler().register()
    agent.update(task, TaskState.TASK_FINISHED)

    assert other.offers() or scheduler.offers()
    assert scene.master.cluster.agents[agent.id].used.total() == Resources()
    assert scene.metric("tasks_finished") == 1


def test_the_newest_state_counts_even_while_older_news_are_delivered(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer(), resources="cpus:4;mem:4096")
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING, latest=TaskState.TASK_FAILED)

    record = scene.master.cluster.frameworks[scheduler.id].tasks[task.task_id]
    assert record.state is TaskState.TASK_FAILED
    assert scheduler.status(task).state is TaskState.TASK_RUNNING
    assert scheduler.offer().resources == Resources.parse("cpus:4;mem:4096")
    assert scene.metric("tasks_failed") == 1


def test_a_task_is_over_when_its_last_update_is_acknowledged(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework = scene.master.cluster.frameworks[scheduler.id]
    agent.update(task, TaskState.TASK_RUNNING, uuid=b"1")
    agent.update(task, TaskState.TASK_FINISHED, uuid=b"2")

    scheduler.acknowledge(task, b"1")
    assert task.task_id in framework.tasks

    scheduler.acknowledge(task, b"2")
    assert framework.tasks == {}
    (completed,) = framework.completed_tasks
    assert [status.state for status in completed.statuses] == [TaskState.TASK_RUNNING, TaskState.TASK_FINISHED]


def test_an_end_that_needs_no_acknowledgement_is_the_end(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_LOST, uuid=b"")

    assert scene.master.cluster.frameworks[scheduler.id].tasks == {}


def test_an_update_that_comes_again_is_delivered_again(agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_FINISHED)
    scheduler.acknowledge(task)
    agent.update(task, TaskState.TASK_FINISHED)

    assert [status.state for status in scheduler.statuses(task)] == [TaskState.TASK_FINISHED] * 2


def test_what_has_ended_stays_as_it_ended(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_FINISHED, uuid=b"1")
    agent.update(task, TaskState.TASK_RUNNING, uuid=b"2")

    record = scene.master.cluster.frameworks[scheduler.id].tasks[task.task_id]
    assert record.state is TaskState.TASK_FINISHED
    assert not scene.world.failures


def test_only_the_agent_of_a_task_speaks_for_it(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    stranger = scene.agent().register()
    status = TaskStatus(task.task_id, TaskState.TASK_FAILED, agent.id, uuid=b"u")
    stranger.say(StatusUpdateMessage(StatusUpdate(scheduler.id, status, agent.id)))

    assert scheduler.statuses(task) == []
    assert scene.metric("dropped_messages") == 1


def test_an_acknowledgement_of_an_agent_that_is_away_is_not_sent(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_FINISHED)
    agent.die()
    scheduler.acknowledge(task)

    assert task.task_id in scene.master.cluster.frameworks[scheduler.id].tasks  # the agent will ask again


def test_ends_are_counted_by_source_and_reason(scene: Scene, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:9"))

    assert scene.metric("task_error/source_master/reason_task_invalid") == 1


# Killing.


def test_a_kill_goes_to_the_agent(agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    scheduler.say(KillTaskMessage(scheduler.id, task.task_id))

    assert agent.last(KillTaskMessage).task_id == task.task_id


def test_to_kill_what_nobody_knows_is_answered(scheduler: SchedulerPeer):
    scheduler.say(KillTaskMessage(scheduler.id, TaskID("ghost")))

    assert scheduler.status(TaskID("ghost")).state is TaskState.TASK_LOST
    assert scheduler.status(TaskID("ghost")).reason is Reason.REASON_RECONCILIATION


def test_to_kill_what_its_agent_does_not_have_says_that_it_is_gone(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(FrameworkCapability.PARTITION_AWARE).register()
    scheduler.say(KillTaskMessage(scheduler.id, TaskID("ghost"), AgentID(agent.id)))

    assert scheduler.status(TaskID("ghost")).state is TaskState.TASK_GONE


def test_nobody_kills_the_tasks_of_another(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    other = scene.scheduler().register()
    other.say(KillTaskMessage(scheduler.id, task.task_id))

    assert agent.all(KillTaskMessage) == []
    assert agent.last(RunTaskMessage)
