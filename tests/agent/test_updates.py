"""Updates reach the scheduler: each one, in order, until it is acknowledged."""

from __future__ import annotations

from msgspec.structs import replace

from agent.records.updates import UpdateStream
from mesos.ids import FrameworkID, TaskID
from mesos.messages import (
    AgentReregisteredMessage,
    PingAgentMessage,
    Reconciliation,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    UpdateFrameworkMessage,
)
from mesos.types import FrameworkCapability, Reason, TaskReference, TaskState
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, Seat, acknowledgement, command_task, executor_task

STARTING, RUNNING, FINISHED = TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FINISHED


def acknowledge_last(cluster: Cluster) -> None:
    update = cluster.master.got(StatusUpdateMessage)[-1].update
    cluster.tell(acknowledgement(update))


def test_one_update_of_a_task_is_under_way_at_a_time(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.machine.end()
    cluster.world.settle()
    assert cluster.master.states == [STARTING]

    acknowledge_last(cluster)
    assert cluster.master.states == [STARTING, RUNNING]

    acknowledge_last(cluster)
    assert cluster.master.states == [STARTING, RUNNING, FINISHED]

    acknowledge_last(cluster)
    assert not cluster.agent.frameworks


def test_the_newest_state_travels_with_an_old_update(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.machine.end()
    cluster.world.settle()
    acknowledge_last(cluster)

    update = cluster.master.got(StatusUpdateMessage)[-1].update
    assert (update.status.state, update.latest_state) == (RUNNING, FINISHED)


def test_an_update_without_acknowledgement_is_sent_again_with_back_off(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(executor_task())
    program = cluster.start_program()
    program.report(TaskID("t1"), RUNNING, uuid=b"u1")
    times = []
    for _ in range(100):
        cluster.tell(PingAgentMessage(connected=True))
        cluster.world.advance(seconds=10)
        times.append(len(cluster.master.states))

    # 10, 20, 40, 80, … seconds after one another: at 10, 30, 70, 150, 310 and 630 seconds
    assert [times.index(count) + 1 for count in range(2, 8)] == [1, 3, 7, 15, 31, 63]
    assert {message.update.status.uuid for message in cluster.master.got(StatusUpdateMessage)} == {b"u1"}


def test_the_next_update_is_sent_again_as_soon_as_the_first_one_was(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.world.advance(seconds=35)
    assert cluster.master.states == [STARTING] * 3
    acknowledge_last(cluster)
    counts = []
    for _ in range(3):
        cluster.tell(PingAgentMessage(connected=True))
        cluster.world.advance(seconds=9)
        counts.append(cluster.master.states.count(RUNNING))
    assert counts == [1, 2, 2]


def test_a_scheduler_that_came_back_gets_at_once_what_it_has_not_acknowledged(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.world.advance(seconds=5)
    cluster.tell(UpdateFrameworkMessage(FRAMEWORK, cluster.framework))
    assert cluster.master.states == [STARTING, STARTING]

    cluster.world.advance(seconds=9)  # the wait for its answer began anew
    assert cluster.master.states == [STARTING, STARTING]

    cluster.world.advance(seconds=1)
    assert cluster.master.states == [STARTING, STARTING, STARTING]


def test_updates_of_other_frameworks_do_not_hurry_when_a_scheduler_comes_back(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    other = FrameworkID("F2")
    cluster.tell(UpdateFrameworkMessage(other, replace(cluster.framework, id=other)))

    assert cluster.master.states == [STARTING]


def test_the_acknowledgement_of_another_update_counts_for_nothing(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.tell(StatusUpdateAcknowledgementMessage(FRAMEWORK, AGENT, TaskID("t1"), b"another"))

    assert cluster.master.states == [STARTING]


def test_updates_wait_for_a_master(cluster: Cluster):
    cluster.run(command_task())
    cluster.world.close(cluster.master_node)
    cluster.world.settle()
    cluster.machine.end()
    cluster.world.advance(seconds=100)

    cluster.elect(Seat(), host="standby")
    cluster.world.advance(seconds=1)
    assert cluster.master.states == [FINISHED]


def test_an_update_that_was_under_way_to_a_master_that_is_gone_goes_to_the_next(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    cluster.world.close(cluster.master_node)
    cluster.world.advance(seconds=100)

    cluster.elect(Seat(), host="standby")
    cluster.world.advance(seconds=1)
    assert cluster.master.states == [STARTING, RUNNING]


def test_tasks_that_only_the_master_knows_are_reported_lost(cluster: Cluster):
    reference = TaskReference(TaskID("t9"))
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (Reconciliation(FRAMEWORK, (reference,)),)))

    assert cluster.master.states == [TaskState.TASK_LOST]
    assert cluster.master.status.reason is Reason.REASON_RECONCILIATION


def test_what_the_master_asks_or_answers_twice_is_said_once(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(command_task())
    missing = Reconciliation(FRAMEWORK, (TaskReference(TaskID("t9")),))
    for _ in range(2):
        cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (missing,)))

    assert cluster.master.states == [STARTING, TaskState.TASK_LOST]
    assert len(cluster.agent.streams[FRAMEWORK, TaskID("t9")]) == 1


def test_a_framework_that_knows_of_partitions_is_told_that_such_a_task_was_dropped(cluster: Cluster):
    reference = TaskReference(TaskID("t9"))
    missing = Reconciliation(FRAMEWORK, (reference,), (FrameworkCapability.PARTITION_AWARE,))
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (missing,)))

    assert cluster.master.states == [TaskState.TASK_DROPPED]


def test_a_task_that_runs_is_not_reported_lost(cluster: Cluster):
    cluster.run(command_task())
    reference = TaskReference(TaskID("t1"))
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (Reconciliation(FRAMEWORK, (reference,)),)))

    assert cluster.master.states == [STARTING, RUNNING]


def test_nobody_waits_for_more_than_ten_minutes_to_say_it_again():
    stream = UpdateStream()
    assert [stream.back_off() for _ in range(8)] == [10, 20, 40, 80, 160, 320, 600, 600]
    stream.rest()
    assert stream.back_off() == 10
