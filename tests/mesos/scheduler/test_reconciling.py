"""What a driver asks the master about its tasks, and what it tells of the answers."""

from __future__ import annotations

from libprocess.simulation import World
from mesos.ids import TaskID
from mesos.messages import FrameworkReregisteredMessage, ReconcileTasksMessage, StatusUpdateMessage
from mesos.resources import Resources
from mesos.types import FrameworkInfo, Reason, StatusUpdate, TaskInfo, TaskReference, TaskState, TaskStatus
from tests.mesos.scheduler.scene import AGENT, FRAMEWORK, OFFER, TASK, Cluster, Master, info, update

MINUTE = 60.0


def answer(state: TaskState = TaskState.TASK_RUNNING, task_id: TaskID = TASK.task_id) -> StatusUpdateMessage:
    """What a master answers who is asked for a task."""
    status = TaskStatus(task_id, state, AGENT, reason=Reason.REASON_RECONCILIATION)
    return StatusUpdateMessage(StatusUpdate(FRAMEWORK, status))


def test_a_driver_asks_a_new_master_for_its_tasks_until_it_knows_of_each(cluster: Cluster):
    launched = [TaskInfo("t", TaskID(name), AGENT, Resources.of(cpus=1)) for name in ("T1", "T2", "T3")]
    cluster.register()
    cluster.driver.launch_tasks(OFFER.id, launched)
    cluster.say(update())
    other = reregister(cluster)
    assert questions(other) == [()]
    cluster.say(answer(task_id=TaskID("T3")), sender=other)

    cluster.world.advance(5 * MINUTE)
    asked = questions(other)
    assert set(asked) == {(TaskReference(TaskID("T1"), AGENT), TaskReference(TaskID("T2"), AGENT))}
    assert 6 <= len(asked) <= 10  # ever more rarely

    cluster.say(answer(), sender=other)
    cluster.say(answer(TaskState.TASK_LOST, TaskID("T2")), sender=other)
    cluster.world.advance(5 * MINUTE)
    assert questions(other) == []


def test_what_the_scheduler_knows_already_it_is_not_told_again_unless_it_asks(cluster: Cluster):
    cluster.register()
    cluster.say(update())
    cluster.heard.clear()
    cluster.say(answer())
    assert cluster.heard == []
    cluster.driver.reconcile_tasks()
    cluster.settle()
    cluster.say(answer())
    cluster.say(answer(TaskState.TASK_LOST))
    assert [status.state for _, status in cluster.heard] == [TaskState.TASK_RUNNING, TaskState.TASK_LOST]


def test_an_answer_that_was_under_way_when_a_task_ended_is_no_second_end(cluster: Cluster):
    cluster.register()
    cluster.say(update())
    cluster.driver.reconcile_tasks([update().update.status])
    cluster.settle()
    cluster.say(update(TaskState.TASK_DROPPED, b"u2"))
    cluster.say(answer(TaskState.TASK_GONE))
    assert [status.state for _, status in cluster.heard] == [TaskState.TASK_RUNNING, TaskState.TASK_DROPPED]
    cluster.driver.reconcile_tasks([update().update.status])  # who asks once more is answered
    cluster.settle()
    cluster.say(answer(TaskState.TASK_GONE))
    assert cluster.heard[-1][1].state is TaskState.TASK_GONE


def test_nor_is_the_answer_to_a_kill_that_crossed_the_end(cluster: Cluster):
    """Found by seed 236: a task that was refused while it was to be killed was unknown after that."""
    cluster.register()
    cluster.say(update())
    cluster.driver.kill_task(TASK.task_id)
    cluster.settle()
    cluster.say(update(TaskState.TASK_ERROR, b"u2"))
    cluster.say(answer(TaskState.TASK_UNKNOWN))
    assert [status.state for _, status in cluster.heard] == [TaskState.TASK_RUNNING, TaskState.TASK_ERROR]


def test_a_driver_asks_every_fifteen_minutes_in_one_loop(cluster: Cluster):
    cluster.register()
    cluster.world.advance(60 * MINUTE)
    assert questions(cluster.master) == []  # there is nothing to ask for
    cluster.say(update())
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(cluster.master)))
    for _ in range(4):
        cluster.world.advance(15 * MINUTE)
        cluster.say(answer())
    assert questions(cluster.master) == [()] * 4


def test_a_driver_that_takes_over_asks_for_tasks_that_it_never_heard_of(world: World):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f", id=FRAMEWORK))
    cluster.elect(cluster.master)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(cluster.master)))
    assert questions(cluster.master) == [()]


def reregister(cluster: Cluster) -> Master:
    """With another master."""
    other = cluster.add_master("m2")
    cluster.elect(other)
    cluster.world.advance(1)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(other)), sender=other)
    return other


def questions(master: Master) -> list[tuple[TaskReference, ...]]:
    return [message.tasks for message in master.take() if isinstance(message, ReconcileTasksMessage)]
