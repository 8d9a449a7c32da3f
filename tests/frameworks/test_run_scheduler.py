"""The scheduler of mesos-run. The test plays the cluster."""

from __future__ import annotations

import signal
from collections import defaultdict
from typing import Any

import pytest

from frameworks.carrier import carrier
from frameworks.carrier.protocol import Chunk, Job, Outcome, Read, Stream, ToCarrier, decode, decode_order, encode
from frameworks.run.__main__ import order_of
from frameworks.run.console import Console
from frameworks.run.flags import RunFlags
from frameworks.run.instance import Instance, exit_status
from frameworks.run.scheduler import Order, RunScheduler
from libprocess.errors import OperatorError
from mesos.driver import DriverStatus
from mesos.ids import AgentID, OfferID, TaskID
from mesos.messages import (
    AcceptInverseOffersMessage,
    DeclineInverseOffersMessage,
    ReconcileTasksMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    SuppressOffersMessage,
)
from mesos.resources import Resources
from mesos.types import CommandInfo, Environment, InverseOffer, TaskInfo, TaskState, TaskStatus, Unavailability

from .conftest import FRAMEWORK, Stage

OUT, ERR = Stream
ROOM = "cpus:64;mem:65536"
COMMAND = CommandInfo("make")


class Notes:
    """A watcher that takes notes."""

    def __init__(self) -> None:
        self.states: list[tuple[str, TaskState]] = []
        self.written: defaultdict[str, bytes] = defaultdict(bytes)
        self.notices: list[str] = []

    def changed(self, instance: Instance, message: str) -> None:
        self.states.append((instance.task_id, instance.state))

    def wrote(self, instance: Instance, stream: Stream, data: bytes) -> None:
        self.written[f"{instance.task_id} {stream.name}"] += data

    def notice(self, text: str) -> None:
        self.notices.append(text)


class Run:
    """A run on a stage."""

    def __init__(self, stage: Stage, instances: int = 1, follow: bool = False, moves: bool = True) -> None:
        self.stage = stage
        self.notes = Notes()
        its_carrier = carrier("python3") if follow else None
        order = Order("job", COMMAND, Resources.of(cpus=1, mem=64), instances, its_carrier, moves)
        self.scheduler = RunScheduler(order, self.notes)
        stage.enter(self.scheduler)

    def orders(self) -> list[ToCarrier]:
        return [decode_order(data) for _, data in self.stage.orders()]

    def carry(self, task: TaskInfo, stream: Stream, offset: int, data: bytes) -> None:
        self.stage.carry(task, encode(Chunk(task.task_id, stream, offset, data)))

    def end(self, task: TaskInfo, stdout: bytes = b"", status: int = 0) -> None:
        state = TaskState.TASK_FAILED if status else TaskState.TASK_FINISHED
        self.stage.update(task, state, encode(Outcome(status, len(stdout), 0, 1.0, 0.5)))


def test_a_command_runs_and_its_status_is_that_of_the_run(stage: Stage):
    run = Run(stage)
    [task] = stage.offer(ROOM)
    assert (task.task_id, task.command, task.executor) == ("job-1", COMMAND, None)
    assert len(stage.take(SuppressOffersMessage)) == 1
    stage.update(task, TaskState.TASK_RUNNING)
    assert stage.status is DriverStatus.RUNNING
    stage.update(task, TaskState.TASK_FAILED, message="Command exited with status 3")
    assert stage.status is DriverStatus.STOPPED
    assert run.scheduler.exit_status == 3
    assert run.notes.states == [("job-1", TaskState.TASK_RUNNING), ("job-1", TaskState.TASK_FAILED)]
    assert len(stage.take(StatusUpdateAcknowledgementMessage)) == 2


def test_instances_spread_over_offers_and_the_run_ends_with_the_last(stage: Stage):
    run = Run(stage, instances=3)
    tasks = [*stage.offer("cpus:2.5;mem:1024", "A1"), *stage.offer(ROOM, "A2")]
    assert [task.task_id for task in tasks] == ["job-1", "job-2", "job-3"]
    assert stage.offer(ROOM) == []
    for task in reversed(tasks):
        assert stage.status is DriverStatus.RUNNING
        stage.update(task, TaskState.TASK_FINISHED)
    assert stage.status is DriverStatus.STOPPED
    assert run.scheduler.exit_status == 0


def test_a_run_that_is_not_over_has_failed(stage: Stage):
    run = Run(stage, instances=2)
    assert run.scheduler.exit_status == 1
    task, _ = stage.offer(ROOM)
    stage.update(task, TaskState.TASK_FINISHED)
    assert run.scheduler.exit_status == 1


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        (TaskState.TASK_FINISHED, "Command exited with status 0", 0),
        (TaskState.TASK_FAILED, "Command exited with status 127", 127),
        (TaskState.TASK_FAILED, "Command terminated with signal Killed", 128 + signal.SIGKILL),
        (TaskState.TASK_KILLED, "Command terminated with signal Terminated", 128 + signal.SIGTERM),
        (TaskState.TASK_LOST, "", 1),
        (TaskState.TASK_ERROR, "asks too much", 1),
    ],
)
def test_the_exit_status_of_a_command_is_told_as_a_shell_does(state: TaskState, message: str, expected: int):
    assert exit_status(TaskStatus(TaskID("t"), state, message=message)) == expected


def leave(stage: Stage, agent: str) -> None:
    """An agent is being emptied."""
    offer = InverseOffer(OfferID("I1"), FRAMEWORK, AgentID(agent), Unavailability(1e9))
    stage.tell("inverse_offers", (offer,))


@pytest.mark.parametrize("follow", [False, True])
def test_what_is_killed_on_a_machine_that_is_emptied_runs_anew_elsewhere(stage: Stage, follow: bool):
    run = Run(stage, instances=2, follow=follow)
    moved, done = stage.offer(ROOM)
    leave(stage, "A1")
    assert len(stage.take(AcceptInverseOffersMessage)) == 1
    run.end(done)
    stage.update(moved, TaskState.TASK_KILLED, encode(Outcome(15, 0, 0, 1.0, 0.5)) if follow else b"")
    assert len(stage.take(ReviveOffersMessage)) == 1
    assert run.notes.notices[-1].startswith("job-1 was killed since host-A1 is emptied: running anew")

    [anew] = stage.offer(ROOM, "A2")
    assert anew.task_id == "job-3"
    run.end(anew)
    assert (stage.status, run.scheduler.exit_status) == (DriverStatus.STOPPED, 0)


def test_what_must_not_run_twice_is_over_with_its_machine(stage: Stage):
    run = Run(stage, moves=False)
    [task] = stage.offer(ROOM)
    leave(stage, "A1")
    assert len(stage.take(DeclineInverseOffersMessage)) == 1
    stage.update(task, TaskState.TASK_KILLED, message="Command terminated with signal Terminated")
    assert (stage.status, run.scheduler.exit_status) == (DriverStatus.STOPPED, 128 + signal.SIGTERM)


def test_what_is_killed_after_all_on_a_machine_that_stays_is_over(stage: Stage):
    run = Run(stage)
    [task] = stage.offer(ROOM)
    leave(stage, "A1")
    stage.tell("inverse_offer_rescinded", OfferID("I1"))
    stage.update(task, TaskState.TASK_KILLED)
    assert (stage.status, run.scheduler.exit_status) == (DriverStatus.STOPPED, 1)


def test_the_user_hears_once_that_nothing_fits(stage: Stage):
    run = Run(stage)
    stage.offer("cpus:0.5;mem:1024")
    stage.offer("cpus:0.5;mem:1024")
    assert run.notes.notices == ["waiting for more: it takes cpus:1;mem:64, host-A1 offers cpus:0.5;mem:1024"]


# Following.


def test_what_is_followed_is_asked_for_as_soon_as_it_runs_and_ever_on(stage: Stage):
    run = Run(stage, follow=True)
    [task] = stage.offer(ROOM)
    assert task.executor
    assert decode(task.data, Job) == Job(COMMAND)
    stage.update(task, TaskState.TASK_RUNNING)
    assert run.orders() == [Read(task.task_id, OUT, 0), Read(task.task_id, ERR, 0)]
    run.carry(task, OUT, 0, b"ab")
    assert run.orders() == [Read(task.task_id, OUT, 2)]
    run.end(task, b"abcd")
    assert run.orders() == [Read(task.task_id, OUT, 2)]
    assert stage.status is DriverStatus.RUNNING
    run.carry(task, OUT, 2, b"cd")
    assert stage.status is DriverStatus.STOPPED
    assert run.notes.written == {"job-1 STDOUT": b"abcd"}


def test_the_status_of_what_is_followed_is_the_commands(stage: Stage):
    run = Run(stage, follow=True)
    [task] = stage.offer(ROOM)
    run.end(task, status=143)
    assert run.scheduler.exit_status == 143


def test_each_instance_that_is_followed_has_its_carrier(stage: Stage):
    Run(stage, instances=2, follow=True)
    first, second = stage.offer(ROOM)
    assert first.executor
    assert second.executor
    assert first.executor.executor_id != second.executor.executor_id


@pytest.mark.parametrize("loss", ["executor_lost", "agent_lost"])
def test_a_run_does_not_wait_for_output_that_is_lost(stage: Stage, loss: str):
    run = Run(stage, follow=True)
    [task] = stage.offer(ROOM)
    assert task.executor
    run.end(task, b"abc", status=4)
    arguments: tuple[Any, ...] = (task.agent_id,)
    stage.tell(loss, *((task.executor.executor_id, task.agent_id, 9) if loss == "executor_lost" else arguments))
    assert stage.status is DriverStatus.STOPPED
    assert run.scheduler.exit_status == 4
    assert run.notes.notices == ["the last output of job-1 is lost"]


def test_a_carrier_that_dies_takes_its_run_with_it(stage: Stage):
    run = Run(stage, follow=True)
    [task] = stage.offer(ROOM)
    stage.update(task, TaskState.TASK_FAILED, message="the executor terminated with signal Killed")
    assert run.scheduler.exit_status == 128 + signal.SIGKILL


# Another master.


def test_a_new_master_is_asked_what_became_of_the_instances_that_are_not_over(stage: Stage):
    Run(stage, instances=2)
    first, second = stage.offer(ROOM)
    stage.update(first, TaskState.TASK_FINISHED)
    stage.tell("disconnected")
    stage.tell("reregistered", None)
    [asked] = stage.take(ReconcileTasksMessage)
    assert [task.task_id for task in asked.tasks] == [second.task_id]


def test_a_mere_answer_that_an_instance_ended_is_not_taken_for_its_end(stage: Stage):
    Run(stage)
    [task] = stage.offer(ROOM)
    stage.update(task, TaskState.TASK_FINISHED, is_reliable=False)
    assert stage.status is DriverStatus.RUNNING


# What the user sees and gives.


def test_lines_of_several_instances_are_told_apart(capfdbinary: pytest.CaptureFixture[bytes]):
    console = Console(instances_count=2)
    first, second = (Instance(TaskID(f"t-{number}"), AgentID("A"), "host") for number in (1, 2))
    console.wrote(first, OUT, b"one\ntw")
    console.wrote(second, OUT, b"uno\n")
    console.wrote(first, OUT, b"o\nthree")
    second.exit_status = first.exit_status = 0
    console.changed(first, "over")
    assert capfdbinary.readouterr().out == b"t-1: one\nt-2: uno\nt-1: two\nt-1: three\n"


def test_what_a_single_instance_writes_is_printed_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]):
    console = Console(instances_count=1)
    console.wrote(Instance(TaskID("t"), AgentID("A"), "host"), ERR, b"\xffno line")
    assert capfdbinary.readouterr().err == b"\xffno line"


def order(*argv: str) -> Order:
    return order_of(RunFlags.load(["--master=127.0.0.1:5050", *argv], {}))


def test_a_command_is_a_line_or_a_program():
    assert order("--command=a | b").command == CommandInfo("a | b")
    assert order("--", "ls", "-l").command == CommandInfo("ls", shell=False, arguments=("ls", "-l"))
    variables = Environment.of({"A": "1=2", "B": ""})
    assert order("--env=A=1=2", "--env=B=", "--command=a").command.environment == variables


def test_what_an_instance_asks_for_is_said_in_either_way():
    assert order("--cpus=2", "--mem=10", "ls").each == Resources.of(cpus=2, mem=10)
    assert order("--resources=cpus:1;disk:5", "ls").each == Resources.of(cpus=1, disk=5)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ((), "expected either --command='a line for the shell' or PROGRAM ARGUMENTS…, found neither"),
        (("--command=a", "ls"), "found both"),
        (("--instances=0", "ls"), "--instances: expected 1 or more, found 0"),
        (("--env=A", "ls"), "--env: expected NAME=VALUE, found 'A'"),
        (("--env==1", "ls"), "--env: expected NAME=VALUE, found '=1'"),
        (("--name=a/b", "ls"), "--name: expected an id without separators"),
        (("--resources=cpus", "ls"), "expected a resource such as cpus:4"),
        (("--mem=-1", "ls"), "--resources, --cpus, --mem: expected a number from 0"),
    ],
)
def test_flags_that_make_no_sense_are_refused(argv: tuple[str, ...], text: str):
    with pytest.raises(OperatorError, match=text):
        order(*argv)
