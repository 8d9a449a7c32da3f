"""Frameworks' own executors: their start, their tasks, what they may not do, and their end."""

from __future__ import annotations

import signal
from math import inf

from msgspec.structs import replace

from libprocess import PID
from mesos.ids import ExecutorID, TaskID
from mesos.messages import (
    EndedFrameworkMessage,
    ExecutorRegisteredMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    RegisterExecutorMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    ShutdownFrameworkMessage,
    StatusUpdateAcknowledgementMessage,
)
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit, TaskState
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, Program, executor_task, kept

RUNNING, FINISHED, FAILED = TaskState.TASK_RUNNING, TaskState.TASK_FINISHED, TaskState.TASK_FAILED
KILLED, LOST = TaskState.TASK_KILLED, TaskState.TASK_LOST


def test_tasks_wait_until_their_executor_has_registered(cluster: Cluster):
    cluster.run(executor_task("t1"), executor_task("t2"))
    assert len(cluster.machine.configs) == 1

    program = cluster.start_program()
    assert [type(message) for message in program.mail] == [ExecutorRegisteredMessage, RunTaskMessage, RunTaskMessage]
    assert program.tasks == ["t1", "t2"]

    cluster.run(executor_task("t3"))
    assert program.tasks == ["t1", "t2", "t3"]
    assert len(cluster.machine.configs) == 1


def test_an_executor_is_let_in_as_long_as_its_container_runs(cluster: Cluster):
    cluster.run(executor_task())
    assert cluster.guests == {cluster.machine.config.container_id}
    cluster.start_program()
    cluster.machine.end()
    cluster.world.settle()
    assert cluster.guests == set()


def test_a_container_is_as_large_as_what_runs_in_it(cluster: Cluster):
    cluster.run(executor_task("t1"), executor_task("t2"))
    assert cluster.machine.config.resources == Resources.of(cpus=1.5, mem=96)

    program = cluster.start_program()
    assert cluster.machine.sizes[-1] == Resources.of(cpus=2.5, mem=160)

    program.report(TaskID("t1"), FINISHED)
    cluster.world.settle()
    assert cluster.machine.sizes[-1] == Resources.of(cpus=1.5, mem=96)


def test_a_container_may_go_as_far_as_its_tasks_limits_let_it(cluster: Cluster):
    limited = replace(executor_task("t1"), limits=(ResourceLimit("mem", 100), ResourceLimit("cpus", inf)))
    cluster.run(limited, executor_task("t2"))
    assert cluster.machine.config.limits == (ResourceLimit("cpus", inf), ResourceLimit("mem", 132))

    program = cluster.start_program()
    assert cluster.machine.limits[-1] == {"cpus": inf, "mem": 196}

    program.report(TaskID("t1"), FINISHED)
    cluster.world.settle()
    assert cluster.machine.limits[-1] == {}


def test_updates_are_stamped_passed_on_and_acknowledged_to_the_executor(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    program.report(TaskID("t1"), RUNNING, uuid=b"u1")
    cluster.world.settle()

    status = cluster.master.status
    assert (status.state, status.agent_id, status.executor_id, status.uuid) == (RUNNING, AGENT, "E1", b"u1")
    assert status.container_status
    assert status.container_status.container_id == cluster.machine.container_id
    assert [m.uuid for m in program.mail if isinstance(m, StatusUpdateAcknowledgementMessage)] == [b"u1"]


def test_an_update_that_comes_twice_is_passed_on_once(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    for _ in range(3):
        program.report(TaskID("t1"), RUNNING, uuid=b"u1")
    cluster.world.settle()

    assert cluster.master.states == [RUNNING]


def test_nobody_speaks_for_the_tasks_of_others(cluster: Cluster):
    cluster.run(executor_task("t1", "E1"), executor_task("t2", "E2"))
    cluster.start_program("E1")
    liar = cluster.start_program("E2")
    liar.report(TaskID("t1"), FAILED)
    liar.report(TaskID("t9"), FINISHED)
    liar.say(ExecutorToFrameworkMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"lies"))
    cluster.world.settle()

    assert cluster.master.states == []
    assert cluster.master.got(ExecutorToFrameworkMessage) == []
    assert cluster.node.metrics.snapshot()["slave/invalid_status_updates"] == 2


def test_who_is_not_expected_is_sent_away(cluster: Cluster):
    cluster.run(executor_task())
    cluster.start_program()
    for executor_id in ("E1", "E7"):
        stranger = cluster.start_program(executor_id)
        assert [type(message) for message in stranger.mail] == [ShutdownExecutorMessage]


def test_an_executor_that_did_not_wait_for_its_answer_gets_it_twice(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    program.say(RegisterExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    cluster.world.settle()

    assert [type(message) for message in program.mail] == [
        ExecutorRegisteredMessage,
        RunTaskMessage,
        ExecutorRegisteredMessage,
    ]


def test_an_executor_that_is_told_to_end_cannot_register_again(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    program.say(RegisterExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    cluster.world.settle()

    assert [type(message) for message in program.mail[2:]] == [ShutdownExecutorMessage, ShutdownExecutorMessage]


def test_an_executor_that_ends_takes_its_tasks_with_it(cluster: Cluster):
    cluster.run(executor_task("t1"), executor_task("t2"))
    program = cluster.start_program()
    program.report(TaskID("t1"), FINISHED)
    cluster.world.settle()
    cluster.machine.end(status=1 << 8)
    cluster.world.settle()

    assert cluster.master.states == [FINISHED, FAILED]
    assert cluster.master.status.task_id == "t2"
    assert cluster.master.status.reason is Reason.REASON_EXECUTOR_TERMINATED
    assert cluster.master.status.message == "the executor exited with status 1"
    assert cluster.master.got(ExitedExecutorMessage) == [ExitedExecutorMessage(FRAMEWORK, AGENT, ExecutorID("E1"), 256)]
    assert not cluster.agent.frameworks


def test_an_executor_that_does_not_register_is_killed(cluster: Cluster):
    cluster.run(executor_task())
    cluster.world.advance(seconds=61)

    assert cluster.machine.signals == [signal.SIGKILL]
    assert cluster.master.status.state is FAILED
    assert cluster.master.status.reason is Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT
    assert "within 1mins" in cluster.master.status.message


def test_an_executor_that_leaves_but_lives_on_is_killed(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.node.terminate(program.pid)
    cluster.world.advance(seconds=4)
    assert cluster.machine.signals == []

    cluster.world.advance(seconds=2)
    assert cluster.machine.signals == [signal.SIGKILL]
    assert cluster.master.status.state is FAILED


def test_an_executor_that_leaves_does_not_come_back_even_if_it_was_to_live_on(cluster: Cluster):
    kept(cluster).run(executor_task())
    elsewhere = cluster.world.node("agent", 20000)
    program = Program(cluster.agent.pid, ExecutorID("E1"))
    elsewhere.spawn(program)
    cluster.world.settle()
    elsewhere.terminate(program.pid)
    elsewhere.drain()
    cluster.world.advance(seconds=6)
    assert cluster.machine.signals == [signal.SIGKILL]
    assert cluster.master.status.state is FAILED


def test_a_task_that_its_executor_does_not_know_yet_is_killed_at_once(cluster: Cluster):
    cluster.run(executor_task("t1"), executor_task("t2"))
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))
    assert cluster.master.states == [KILLED]
    assert cluster.master.status.reason is Reason.REASON_TASK_KILLED_DURING_LAUNCH

    program = cluster.start_program()
    assert program.tasks == ["t2"]


def test_an_executor_without_a_task_left_is_not_started(cluster: Cluster):
    cluster.run(executor_task("t1"))
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))

    assert cluster.machine.running == []
    assert not cluster.agent.frameworks


def test_kills_are_passed_on(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))

    assert isinstance(program.mail[-1], KillTaskMessage)


def test_a_task_that_nobody_knows_cannot_be_killed(cluster: Cluster):
    cluster.run(executor_task())
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t9")))

    assert cluster.master.states == [LOST]
    assert not cluster.agent.streams


def test_of_a_framework_that_is_not_there_nothing_is_killed_and_nothing_said(cluster: Cluster):
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t9")))
    assert cluster.master.states == []


def test_an_executor_is_asked_to_shut_down_and_then_killed(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    assert isinstance(program.mail[-1], ShutdownExecutorMessage)
    assert cluster.machine.signals == []

    cluster.world.advance(seconds=5)
    assert cluster.machine.signals == [signal.SIGKILL]
    assert cluster.master.status.state is FAILED


def test_nothing_is_run_by_an_executor_that_is_being_ended(cluster: Cluster):
    cluster.run(executor_task("t1"))
    cluster.start_program()
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1")))
    cluster.run(executor_task("t2"))

    assert cluster.master.states == [LOST]
    assert cluster.master.status.reason is Reason.REASON_EXECUTOR_TERMINATED


def test_no_new_executor_is_started_where_the_master_counts_on_an_old_one(cluster: Cluster):
    cluster.run(executor_task(), launch_executor=False)

    assert cluster.machine.configs == {}
    assert cluster.master.states == [LOST]
    assert not cluster.agent.frameworks


def test_an_executor_may_come_again_while_its_last_updates_are_not_acknowledged(cluster: Cluster):
    cluster.master.acknowledges = False
    cluster.run(executor_task("t1"))
    cluster.start_program()
    cluster.machine.end(status=1 << 8)
    cluster.world.settle()
    cluster.run(executor_task("t2"))

    assert len(cluster.machine.configs) == 2
    assert [task.id for task in cluster.agent.frameworks.tasks()] == ["t1", "t2"]


def test_mail_goes_both_ways(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.tell(FrameworkToExecutorMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"hello"))
    assert program.mail[-1] == FrameworkToExecutorMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"hello")

    answer = ExecutorToFrameworkMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"good day")
    program.say(answer)
    cluster.world.settle()
    assert cluster.master.got(ExecutorToFrameworkMessage) == [answer]


def test_the_executors_of_a_framework_that_is_shut_down_end_with_it(cluster: Cluster):
    cluster.run(executor_task())
    program = cluster.start_program()
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    assert isinstance(program.mail[-1], ShutdownExecutorMessage)
    assert cluster.master.got(EndedFrameworkMessage) == []

    cluster.world.advance(seconds=5)
    assert cluster.machine.running == []
    assert cluster.master.states == []
    assert not cluster.agent.frameworks
    assert cluster.master.got(EndedFrameworkMessage) == [EndedFrameworkMessage(AGENT, FRAMEWORK)]


def test_of_a_framework_that_is_not_here_nothing_runs(cluster: Cluster):
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    assert cluster.master.got(EndedFrameworkMessage) == [EndedFrameworkMessage(AGENT, FRAMEWORK)]


def test_a_framework_that_was_let_in_again_is_told_of_a_task_that_came_too_soon(cluster: Cluster):
    cluster.run(executor_task())
    cluster.start_program()
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.run(executor_task("t2"))
    assert (cluster.master.states, cluster.master.status.task_id) == ([LOST], TaskID("t2"))

    cluster.world.advance(seconds=5)
    assert cluster.machine.running == []
    assert not cluster.agent.frameworks


def test_only_the_master_gives_orders(cluster: Cluster):
    stranger = PID("stranger", "elsewhere", 5050)
    cluster.node.send(cluster.agent.pid, RunTaskMessage(cluster.framework, executor_task()), stranger)
    cluster.world.settle()

    assert cluster.machine.configs == {}
