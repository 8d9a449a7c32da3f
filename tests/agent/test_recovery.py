"""An agent that takes up what an earlier one left, as its master, its machine and its executors see it."""

from __future__ import annotations

import signal

import pytest
from msgspec.structs import replace

from agent.checkpoints.facts import EndedFact, EndingFact, UpdateFact
from agent.checkpoints.replay import facts_of
from agent.dialogues.base import AgentState
from agent.janitor import KeepSandboxMessage
from agent.records.task import STATUSES_KEPT
from libprocess import PID, Process
from mesos.ids import ContainerID, ExecutorID, TaskID
from mesos.messages import (
    AgentReregisteredMessage,
    KillTaskMessage,
    PingAgentMessage,
    Reconciliation,
    ReregisterAgentMessage,
    ReregisterExecutorMessage,
    ShutdownExecutorMessage,
    ShutdownFrameworkMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    UpdateFrameworkMessage,
)
from mesos.resources import Resources
from mesos.types import FrameworkCapability, Reason, StatusUpdate, TaskReference, TaskState, TaskStatus
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, Program, acknowledgement, command_task, executor_task, kept

UUID = b"0123456789abcdef"
STARTING, RUNNING, FINISHED = TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FINISHED


def test_the_master_is_told_of_what_goes_on(cluster: Cluster):
    kept(cluster).run(command_task("t1"), command_task("t2"))
    cluster.revive_agent()
    cluster.register()

    [message] = cluster.master.got(ReregisterAgentMessage)
    assert message.agent.id == AGENT
    assert [(task.task_id, task.state) for task in message.tasks] == [("t1", RUNNING), ("t2", RUNNING)]
    assert [framework.id for framework in message.frameworks] == [FRAMEWORK]


def test_an_agent_registers_at_once_when_it_waits_for_nobody(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.revive_agent()
    assert cluster.agent.state is AgentState.RECOVERING
    cluster.world.settle()
    assert cluster.agent.state is not AgentState.RECOVERING


def test_what_was_shut_down_with_its_framework_stays_so_when_that_comes_again(cluster: Cluster):
    """Found by seed 34: the second life after that had it running again, for the sake of what is shown."""
    kept(cluster).run(command_task("t1"))
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.machine.end()
    cluster.world.settle()
    cluster.run(command_task("t2"))
    for _ in range(3):
        cluster.revive_agent()
        cluster.world.settle()
    cluster.register()
    [message] = cluster.master.got(ReregisterAgentMessage)
    assert [task.task_id for task in message.tasks] == ["t2"]


def test_an_answer_to_an_earlier_life_is_no_answer(cluster: Cluster):
    """Found by seed 4: a master took long to write the earlier one down, and went on to count what had run then."""
    cluster.run(command_task("t1"))
    cluster.revive_agent()
    cluster.world.settle()
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0))
    assert cluster.agent.state is AgentState.DISCONNECTED

    cluster.register()
    [message] = cluster.master.got(ReregisterAgentMessage)
    assert message.tasks == ()


def test_updates_are_sent_again_with_the_shortest_wait(cluster: Cluster):
    cluster.master.acknowledges = False
    kept(cluster).run(command_task("t1"))
    cluster.machine.end()
    cluster.world.advance(seconds=100)
    cluster.revive_agent()
    cluster.master.acknowledges = False
    cluster.register()
    times = []
    for _ in range(8):
        cluster.tell(PingAgentMessage(connected=True))
        cluster.world.advance(seconds=10)
        times.append(len(cluster.master.got(StatusUpdateMessage)))
    assert times == [2, 2, 3, 3, 3, 3, 4, 4]  # after 10, 30 and 70 s
    assert {message.update.latest_state for message in cluster.master.got(StatusUpdateMessage)} == {FINISHED}
    assert set(cluster.master.states) == {STARTING}


def test_what_was_said_of_a_task_of_an_unknown_framework_is_said_again(cluster: Cluster):
    cluster.master.acknowledges = False
    missing = Reconciliation(FRAMEWORK, (TaskReference(TaskID("t9")),), (FrameworkCapability.PARTITION_AWARE,))
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (missing,)))
    [told] = cluster.master.got(StatusUpdateMessage)

    for _ in range(2):
        cluster.revive_agent()
        cluster.master.acknowledges = False
        cluster.register()
        cluster.world.settle()
        assert cluster.master.got(StatusUpdateMessage) == [told]


def test_what_ran_before_the_machine_was_started_again_is_gone_and_what_runs_since_then_is_not(cluster: Cluster):
    cluster.framework = replace(cluster.framework, capabilities=(FrameworkCapability.PARTITION_AWARE,))
    kept(cluster).run(command_task("t1"))
    cluster.revive_agent()
    cluster.register()
    assert len(cluster.machine.recovered) == 1
    cluster.machine.end()
    cluster.boot_id = "another"
    cluster.revive_agent()
    cluster.register()
    cluster.world.settle()
    assert cluster.machine.recovered == [], "it is to forget what it knew"
    assert cluster.master.states == [TaskState.TASK_GONE]
    assert cluster.master.status.reason is Reason.REASON_AGENT_RESTARTED

    cluster.run(command_task("t2"))
    cluster.revive_agent()
    cluster.register()
    assert [(task.task_id, task.state) for task in cluster.master.got(ReregisterAgentMessage)[0].tasks] == [
        ("t2", RUNNING)
    ]


def test_an_executor_that_was_just_started_has_its_time_and_no_master_waits_for_that(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.revive_agent()
    cluster.world.advance(seconds=1)
    assert cluster.agent.state is AgentState.REGISTERED

    cluster.world.advance(seconds=50)
    assert cluster.start_program().tasks == ["t1"]


def test_an_executor_that_stays_away_and_does_not_die_keeps_no_agent_from_its_master(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.start_program()
    cluster.machine.destroy = lambda container_id: None
    cluster.revive_agent()
    cluster.world.advance(seconds=4)
    assert cluster.agent.state is AgentState.REGISTERED


def test_a_command_that_had_ended_is_not_started_again(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.machine.end()
    cluster.world.settle()
    assert cluster.master.states == [STARTING, RUNNING, FINISHED]
    cluster.revive_agent_without(EndedFact)
    assert cluster.machine.running == []
    assert not cluster.agent.frameworks


def test_a_command_that_was_to_start_is_not_said_to_be_killed_while_it_runs(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.revive_agent_without(UpdateFact)
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))
    assert cluster.machine.signals == [signal.SIGTERM]
    assert TaskState.TASK_KILLED not in cluster.master.states


def test_since_when_a_task_runs_is_known_however_often_it_was_told_to_run(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = cluster.start_program()
    for _ in range(STATUSES_KEPT + 1):
        cluster.world.advance(1)
        program.report(TaskID("t1"), RUNNING)
    cluster.world.settle()
    times = []
    for _ in range(2):
        cluster.revive_agent()
        cluster.world.settle()
        times += [task.running_since for task in cluster.agent.frameworks.tasks()]
    assert times[0] == times[1]


def test_an_executor_that_goes_on_is_still_let_in(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.start_program()
    cluster.guests.clear()
    cluster.revive_agent()
    cluster.world.settle()
    assert cluster.guests == {cluster.machine.container_id}


def test_an_executor_that_has_left_is_not_awaited_for_a_framework_that_is_over(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = cluster.start_program()
    cluster.node.terminate(program.pid)
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    assert len(cluster.machine.running) == 1
    cluster.revive_agent()
    cluster.world.settle()
    assert cluster.machine.running == []


class Keeper(Process):
    """The janitor, who notes what is to stay."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def keep_sandbox(self, message: KeepSandboxMessage) -> None:
        self.kept.append(message.path)


def test_the_sandbox_of_what_goes_on_is_not_garbage(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.revive_agent()
    cluster.agent.janitor = cluster.node.spawn(keeper := Keeper())
    cluster.world.settle()
    assert keeper.kept == [cluster.machine.config.directory]


def test_a_command_that_was_to_be_killed_is_told_so_again(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))
    assert cluster.machine.signals == [signal.SIGTERM]
    for times in (2, 3):
        cluster.revive_agent()
        cluster.world.settle()
        assert cluster.machine.signals == [signal.SIGTERM] * times, "the last agent may have ended before it did"


def test_what_a_framework_has_become_is_known_to_the_next_agent(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    changed = replace(cluster.framework, name="changed")
    scheduler = PID("scheduler", "elsewhere", 7)
    cluster.tell(UpdateFrameworkMessage(FRAMEWORK, changed, scheduler))
    cluster.revive_agent()
    cluster.world.settle()
    [framework] = cluster.agent.frameworks
    assert (framework.info, framework.pid) == (changed, scheduler)


def test_what_a_framework_says_with_a_later_task_is_known_to_the_next_agent(cluster: Cluster):
    kept(cluster).run(command_task("t1"))
    cluster.framework = replace(cluster.framework, name="changed")
    cluster.run(command_task("t2"))
    cluster.revive_agent()
    cluster.world.settle()
    [framework] = cluster.agent.frameworks
    assert framework.info.name == "changed"


def test_which_process_an_executor_was_is_known_to_the_next_agent(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.machine.starts = False
    cluster.revive_agent()
    cluster.world.settle()
    assert [executor.process_id for executor in cluster.agent.containers.values()] == [4711]


def test_what_was_said_of_a_task_that_never_was_is_over_with_its_framework(cluster: Cluster):
    cluster.master.acknowledges = False
    missing = Reconciliation(FRAMEWORK, (TaskReference(TaskID("t9")),))
    cluster.tell(AgentReregisteredMessage(AGENT, 75.0, (missing,)))
    assert cluster.master.states == [TaskState.TASK_LOST]
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.revive_agent()
    cluster.register()
    cluster.world.settle()
    assert cluster.master.states == []


def test_an_executor_that_comes_back_has_room_for_what_it_was_given_last(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = Program(cluster.agent.pid, ExecutorID("E1"))
    cluster.world.node("agent", 20000).spawn(program)
    cluster.world.settle()
    cluster.machine.sizes.clear()
    cluster.revive_agent()
    program.say(ReregisterExecutorMessage(FRAMEWORK, ExecutorID("E1"), (), ()))
    cluster.world.settle()
    assert [size.scalar("cpus") for size in cluster.machine.sizes] == [1.5]


def test_an_executor_that_was_told_to_end_is_not_taken_up(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    cluster.start_program()
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    ending = EndingFact(cluster.machine.container_id)
    assert ending in list(facts_of(cluster.agent.frameworks, cluster.agent.streams)), "should all be written anew now"
    destroyed: list[ContainerID] = []
    cluster.machine.destroy = destroyed.append  # which takes a while
    for _ in range(2):
        cluster.revive_agent()
        cluster.world.settle()
    assert destroyed == [cluster.machine.container_id] * 2, "nobody waits for it to come back"


def test_what_was_acknowledged_is_not_told_again_behind_what_came_after_it(cluster: Cluster):
    """Found by seed 92: the power went, and a scheduler that knew of the end was told once more that its task runs."""
    kept(cluster).run(executor_task("t1"))
    program = cluster.start_program()
    cluster.master.acknowledges = False
    program.report(TaskID("t1"), RUNNING)
    program.report(TaskID("t1"), FINISHED)
    cluster.world.settle()
    [running] = cluster.master.got(StatusUpdateMessage)
    cluster.tell(acknowledgement(running.update))
    assert cluster.master.states == [RUNNING, FINISHED]

    cluster.restart_agent()
    cluster.register()
    cluster.world.settle()
    assert cluster.master.states == [FINISHED]


def test_what_has_ended_is_shown_by_the_next_agent_too(cluster: Cluster):
    def shown() -> list[tuple[str, list[tuple[str, str]]]]:
        frameworks = cluster.agent.frameworks
        ended = [executor for each in (*frameworks.completed, *frameworks) for executor in each.completed_executors]
        return [(each.id, [(task.id, task.state) for task in each.completed_tasks]) for each in ended]

    kept(cluster).run(command_task("t1"))
    cluster.machine.end()
    cluster.world.settle()
    cluster.run(executor_task("t2"))
    program = cluster.start_program()
    program.report(TaskID("t2"), FINISHED)
    cluster.world.settle()
    cluster.machine.end()
    cluster.run(command_task("t3"))
    assert shown() == [("t1", [("t1", FINISHED)]), ("E1", [("t2", FINISHED)])]
    for _ in range(2):
        cluster.revive_agent()
        cluster.register()
        assert shown() == [("t1", [("t1", FINISHED)]), ("E1", [("t2", FINISHED)])]
        assert [task.id for task in cluster.agent.frameworks.tasks()] == ["t3"]
        assert len(cluster.agent.frameworks.completed) == 0, "the framework is here, and nowhere else"


def test_a_framework_that_was_shut_down_goes_on_ending(cluster: Cluster):
    cluster.master.acknowledges = False
    kept(cluster).run(command_task("t1", "trap '' TERM"))
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.revive_agent()
    cluster.world.advance(seconds=10)
    assert cluster.machine.running == []
    assert cluster.master.states == []
    assert cluster.master.got(ReregisterAgentMessage)[0].tasks == ()


@pytest.mark.parametrize("boot_id", ["", "another"])
def test_an_agent_that_cleans_up_ends_all_and_itself(cluster: Cluster, boot_id: str):
    kept(cluster).run(command_task("t1"), executor_task("t2"))
    cluster.start_program()
    cluster.give_flags(recover="cleanup")
    cluster.info = replace(cluster.info, resources=Resources.of(cpus=1))  # no matter what the next one is to have
    cluster.boot_id = boot_id
    cluster.revive_agent()
    cluster.world.settle()
    assert bool(cluster.machine.running) == bool(boot_id), "after a reboot there is nothing to end"
    assert cluster.agent.pid not in cluster.node.processes
    assert cluster.node.storage.list("agents") == []


def test_an_update_that_comes_before_its_executor_is_back_is_not_taken_for_told(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = Program(cluster.agent.pid, ExecutorID("E1"))
    cluster.world.node("agent", 20000).spawn(program)
    cluster.world.settle()
    cluster.revive_agent()
    cluster.world.settle()
    mail = len(program.mail)
    program.report(TaskID("t1"), FINISHED, uuid=UUID)
    cluster.world.settle()
    assert len(program.mail) == mail

    update = StatusUpdate(FRAMEWORK, TaskStatus(TaskID("t1"), FINISHED, uuid=UUID))
    program.say(ReregisterExecutorMessage(FRAMEWORK, ExecutorID("E1"), (), (update,)))
    cluster.register()
    cluster.world.settle()
    assert cluster.master.states == [FINISHED]
    assert StatusUpdateAcknowledgementMessage(FRAMEWORK, AGENT, TaskID("t1"), UUID) in program.mail
