"""What a scheduler is told when it asks how its tasks are: six cases, and silence."""

from __future__ import annotations

import json

import pytest

from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.messages import (
    EndedFrameworkMessage,
    ReconcileTasksMessage,
    RunTaskMessage,
    StatusUpdateMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import FrameworkCapability, Reason, Source, TaskReference, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on

GHOST = TaskID("ghost")


@pytest.fixture
def scheduler(scene: Scene, agent: AgentPeer) -> SchedulerPeer:
    """One that knows all states."""
    return scene.scheduler(FrameworkCapability.PARTITION_AWARE).register()


def ask(scheduler: SchedulerPeer, task_id: TaskID = GHOST, agent_id: AgentID | None = None) -> TaskState | None:
    """The answer about one task; None for silence."""
    before = len(scheduler.all(StatusUpdateMessage))
    scheduler.say(ReconcileTasksMessage(scheduler.id, (TaskReference(task_id, agent_id),)))
    answers = scheduler.all(StatusUpdateMessage)[before:]
    if not answers:
        return None
    (status,) = [answer.update.status for answer in answers]
    assert (status.reason, status.source) == (Reason.REASON_RECONCILIATION, Source.SOURCE_MASTER)
    assert (status.uuid, status.data) == (b"", b"")
    return status.state


def test_a_known_task_is_in_the_newest_state_that_was_told(agent: AgentPeer, scheduler: SchedulerPeer):
    """A newer one comes as an update of its own. Found by seed 6: one that had ended was running again after that."""
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    assert ask(scheduler, task.task_id) is TaskState.TASK_STAGING

    agent.update(task, TaskState.TASK_RUNNING, latest=TaskState.TASK_KILLED)

    assert ask(scheduler, task.task_id) is TaskState.TASK_RUNNING


def test_a_task_that_is_over_ended_as_it_did(agent: AgentPeer, scheduler: SchedulerPeer):
    """Found by seed 196: a question that crossed the answer was told that a task is gone which had finished."""
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_FINISHED, b"f")
    scheduler.acknowledge(task, b"f")
    assert ask(scheduler, task.task_id, agent.id) is TaskState.TASK_FINISHED


def test_a_task_that_its_agent_does_not_have_is_gone(agent: AgentPeer, scheduler: SchedulerPeer):
    assert ask(scheduler, agent_id=agent.id) is TaskState.TASK_GONE


def test_of_an_agent_whose_link_broke_nobody_can_know(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    """Found by seed 79: a framework ended and was let in again meanwhile; its task was gone, and then came back."""
    scene.world.partition([scene.node], [agent.node])
    scene.world.run_until(lambda: scene.metric("slaves_disconnected") == 1)
    assert ask(scheduler, agent_id=agent.id) is None

    scene.world.heal()
    agent.reregister(agent.id)
    assert ask(scheduler, agent_id=agent.id) is TaskState.TASK_GONE


def test_a_task_whose_agent_is_out_of_reach_is_unreachable(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.answers_pings = False
    scene.world.advance(100)

    assert ask(scheduler, task.task_id) is TaskState.TASK_UNREACHABLE
    assert ask(scheduler, GHOST, agent.id) is TaskState.TASK_UNREACHABLE
    assert scheduler.status(GHOST).unreachable_time == scene.master.started + 90


def test_a_task_of_an_agent_that_never_was_is_unknown(scene: Scene, scheduler: SchedulerPeer):
    assert ask(scheduler) is TaskState.TASK_UNKNOWN
    assert ask(scheduler, agent_id=AgentID(f"{scene.master.info.id}-S99")) is TaskState.TASK_UNKNOWN


def test_a_task_whose_agent_is_gone_is_gone_by_an_operators_word(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    agent_id, order = agent.id, {"agent_id": {"value": agent.id}}
    body = json.dumps({"type": "MARK_AGENT_GONE", "mark_agent_gone": order})
    assert scene.get("/api/v1", "POST", body, headers=(("content-type", "application/json"),)).status == 200

    assert ask(scheduler, agent_id=agent_id) is TaskState.TASK_GONE_BY_OPERATOR


def test_other_frameworks_are_told_lost(scene: Scene, agent: AgentPeer):
    plain = scene.scheduler().register()

    assert ask(plain) is TaskState.TASK_LOST
    assert ask(plain, agent_id=agent.id) is TaskState.TASK_LOST


def test_of_an_agent_that_has_not_ended_what_an_adopted_framework_had_there_nobody_can_know(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    """Found by seed 78: the order to end it was lost, the task was said to be gone, and came back with its agent."""
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    scene.get("/adopt", "POST", f"frameworkId={scheduler.id}")
    scheduler.reregister(scheduler.id, capabilities=(FrameworkCapability.PARTITION_AWARE,))
    assert ask(scheduler, task.task_id, agent.id) is None

    agent.say(EndedFrameworkMessage(agent.id, scheduler.id))
    assert ask(scheduler, task.task_id, agent.id) is TaskState.TASK_GONE


@pytest.mark.parametrize("ending", [(), ("F",)])
def test_an_agent_that_comes_back_says_what_it_is_still_ending(
    ending: tuple[str, ...], scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    agent_id = agent.id
    scene.restart_master()
    scheduler.reregister(FrameworkID("F"), capabilities=(FrameworkCapability.PARTITION_AWARE,))
    agent.reregister(agent_id, ending_frameworks=tuple(map(FrameworkID, ending)))
    assert ask(scheduler, agent_id=agent_id) is (None if ending else TaskState.TASK_GONE)


def test_of_an_agent_that_may_come_back_to_a_new_master_nothing_is_said(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scene.restart_master()
    scheduler.reregister(framework_id, capabilities=(FrameworkCapability.PARTITION_AWARE,))

    assert ask(scheduler, task.task_id, agent_id) is None
    assert ask(scheduler, task.task_id) is None
    newcomer = scene.scheduler(FrameworkCapability.PARTITION_AWARE).register()
    assert ask(newcomer) is TaskState.TASK_UNKNOWN  # it had no tasks under a former master

    agent.reregister(agent_id, **reported(order))
    assert ask(scheduler, task.task_id, agent_id) is TaskState.TASK_RUNNING
    assert ask(scheduler, GHOST, agent_id) is TaskState.TASK_GONE


def test_the_silence_ends_when_agents_had_their_time(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    framework_id, agent_id = scheduler.id, agent.id
    scene.restart_master()
    scheduler.reregister(framework_id, capabilities=(FrameworkCapability.PARTITION_AWARE,))
    scene.world.advance(600)

    assert ask(scheduler, GHOST, agent_id) is TaskState.TASK_UNREACHABLE
    assert ask(scheduler) is TaskState.TASK_UNKNOWN


def test_to_ask_for_nothing_is_to_ask_for_all_that_run(agent: AgentPeer, scheduler: SchedulerPeer):
    offer = scheduler.offer()
    tasks = [task_on(offer, f"t{number}") for number in range(3)]
    scheduler.launch(*tasks)
    agent.update(tasks[0], TaskState.TASK_RUNNING)
    agent.update(tasks[1], TaskState.TASK_FINISHED)
    scheduler.inbox[:] = scheduler.inbox[:1]
    scheduler.say(ReconcileTasksMessage(scheduler.id))

    answers = [message.update.status for message in scheduler.all(StatusUpdateMessage)]
    assert [(status.task_id, status.state) for status in answers] == [
        ("t0", TaskState.TASK_RUNNING),
        ("t2", TaskState.TASK_STAGING),
    ]
