"""Nothing is said before it is written down, and what is written down is there after any end of the agent."""

from __future__ import annotations

import pytest

from agent.checkpoints.facts import EndedFact
from agent.checkpoints.identity import journal_path
from agent.checkpoints.journal import Journal
from agent.dialogues.messages import WriteJournalMessage
from mesos.ids import ContainerID, TaskID
from mesos.types import TaskState
from tests.agent.cluster import AGENT, Cluster, command_task, executor_task, kept

RUNNING = TaskState.TASK_RUNNING


@pytest.mark.parametrize("changes", [0, 1], ids=["not written", "not synced"])
def test_nothing_is_said_of_an_update_that_did_not_reach_the_disk(cluster: Cluster, changes: int):
    kept(cluster).run(executor_task("t1"))
    program = cluster.start_program()
    cluster.world.advance(1)
    mail = len(program.mail)
    cluster.node.storage.lose_power_after(changes)
    program.report(TaskID("t1"), RUNNING)
    cluster.world.settle()

    assert cluster.master.states == []
    assert len(program.mail) == mail


def test_nothing_is_said_before_it_is_written_down_however_long_that_takes(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = cluster.start_program()
    cluster.world.advance(1)
    writing = cluster.world.hold(WriteJournalMessage)
    mail = len(program.mail)
    program.report(TaskID("t1"), RUNNING)
    cluster.world.settle()
    assert cluster.master.states == []
    assert len(program.mail) == mail

    cluster.world.release(writing)
    cluster.world.settle()
    assert cluster.master.states == [RUNNING]
    assert len(program.mail) == mail + 1


def test_what_was_launched_outlives_a_loss_of_power_a_moment_later(cluster: Cluster):
    for number in range(8):
        kept(cluster).run(executor_task(f"t{number}", executor_id=f"E{number}"))
        cluster.world.advance(1)
    cluster.restart_agent()
    cluster.world.settle()
    assert len(list(cluster.agent.frameworks.tasks())) == 8


def test_a_torn_end_does_not_hide_what_is_written_behind_it(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.node.storage.append(journal_path(AGENT), bytes(50))
    cluster.revive_agent()
    cluster.register()
    cluster.run(command_task("t2"))
    cluster.revive_agent()
    cluster.world.settle()
    assert [task.id for task in cluster.agent.frameworks.tasks()] == ["t1", "t2"]


def test_damage_is_skipped_and_counted_if_that_is_wanted_and_left_alone_otherwise(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    journal = journal_path(AGENT)
    damaged = bytearray(cluster.node.storage.read(journal) or b"")
    damaged[20] ^= 0xFF
    cluster.node.storage.write(journal, bytes(damaged))
    cluster.revive_agent()
    cluster.world.settle()
    [failure] = cluster.world.failures
    assert f"{journal} is damaged at byte" in str(failure)
    assert cluster.node.storage.read(journal) == damaged
    cluster.world.failures.clear()

    cluster.give_flags(strict=False)
    cluster.revive_agent()
    cluster.world.settle()
    assert cluster.node.metrics.snapshot()["slave/recovery_errors"] == 1


def test_what_is_at_hand_when_an_agent_ends_is_written_down(cluster: Cluster):
    cluster.world.hold(WriteJournalMessage)
    kept(cluster).run(command_task("t1"))
    cluster.node.terminate(cluster.agent.pid)
    cluster.world.settle()
    cluster.revive_agent()
    cluster.world.settle()
    assert [task.id for task in cluster.agent.frameworks.tasks()] == ["t1"]


def test_what_is_written_down_in_one_turn_is_one_write(cluster: Cluster):
    kept(cluster).run(*[executor_task(f"t{number}") for number in range(20)])
    program = cluster.start_program()
    cluster.node.storage.lose_power_after(3)  # append and sync, and one more
    for number in range(20):
        program.report(TaskID(f"t{number}"), RUNNING)
    cluster.world.run_until(lambda: len(cluster.master.states) == 20)


def test_the_end_of_a_container_is_forgotten_only_when_it_is_written_down(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    container_id = cluster.machine.container_id
    written: list[bool] = []

    def forget(id_: ContainerID) -> None:
        facts = Journal(cluster.node.storage, journal_path(AGENT)).read(strict=True).facts
        written.append(EndedFact(id_) in facts and id_ == container_id)

    cluster.machine.forget = forget
    cluster.machine.end()
    cluster.world.settle()
    assert written == [True]


@pytest.mark.parametrize("changes", range(6))
def test_what_ran_before_a_reboot_is_not_started_again_at_whatever_write_the_agent_ends(cluster: Cluster, changes: int):
    kept(cluster).run(command_task("t1"))
    cluster.machine.end()
    cluster.boot_id = "another"
    cluster.revive_agent(writes=changes)
    cluster.world.settle()
    states = cluster.master.states
    cluster.revive_agent()
    cluster.register()
    cluster.world.settle()
    assert cluster.machine.running == []
    assert TaskState.TASK_LOST in states + cluster.master.states
