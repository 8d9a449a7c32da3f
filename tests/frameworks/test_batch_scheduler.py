"""The batch's scheduler. The test plays the cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from frameworks.batch.ledger import LOSSES_MAX, Item, Ledger
from frameworks.batch.results import Results
from frameworks.batch.scheduler import BatchScheduler, Plan
from frameworks.batch.template import Template
from frameworks.carrier import carrier
from frameworks.carrier.protocol import (
    Chunk,
    Forget,
    Job,
    Outcome,
    Read,
    Stream,
    ToCarrier,
    decode,
    decode_order,
    encode,
)
from mesos.driver import DriverStatus
from mesos.ids import AgentID, OfferID
from mesos.messages import (
    AcceptInverseOffersMessage,
    DeclineOffersMessage,
    ReconcileTasksMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    SuppressOffersMessage,
)
from mesos.resources import Resources
from mesos.types import InverseOffer, MasterInfo, TaskInfo, TaskState, Unavailability

from .conftest import FRAMEWORK, Stage

OUT, ERR = Stream
ROOM = "cpus:64;mem:65536"


class Notes:
    """An audience that takes notes."""

    def __init__(self) -> None:
        self.done_inputs: list[str] = []
        self.notices: list[str] = []

    def done(self, item: Item) -> None:
        self.done_inputs.append(item.input)

    def notice(self, text: str) -> None:
        self.notices.append(text)


class Batch:
    """A batch on a stage."""

    def __init__(self, stage: Stage, directory: Path, inputs: str, jobs_max: int = 1000) -> None:
        self.stage = stage
        self.ledger = Ledger.of(inputs)
        self.audience = Notes()
        self._directory = directory
        plan = Plan(Template(("wc {}",), ""), Resources.of(cpus=1, mem=64), carrier("python3"), jobs_max)
        results = Results(directory, len(inputs))
        self.scheduler = BatchScheduler(self.ledger, plan, results, self.audience, now=lambda: 0.0)
        stage.enter(self.scheduler)

    def end(self, task: TaskInfo, stdout: bytes = b"", stderr: bytes = b"", exit_status: int = 0) -> None:
        """Let a task end; nothing of its output has been sent."""
        state = TaskState.TASK_FAILED if exit_status else TaskState.TASK_FINISHED
        self.stage.update(task, state, encode(Outcome(exit_status, len(stdout), len(stderr), 1.0, 0.5)))

    def carry(self, task: TaskInfo, stream: Stream, offset: int, data: bytes) -> None:
        self.stage.carry(task, encode(Chunk(task.task_id, stream, offset, data)))

    def orders(self) -> list[ToCarrier]:
        return [decode_order(data) for _, data in self.stage.orders()]

    def acknowledged(self) -> list[bytes]:
        return [message.uuid for message in self.stage.take(StatusUpdateAcknowledgementMessage)]

    def written(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self._directory.iterdir())}

    @property
    def items(self) -> list[Item]:
        return self.ledger.items


@pytest.fixture
def batch(stage: Stage, tmp_path: Path) -> Batch:
    """A batch of the inputs a, b and c."""
    return Batch(stage, tmp_path, "abc")


def line(task: TaskInfo) -> str:
    return decode(task.data, Job).command.value


# Offers.


def test_inputs_are_launched_as_far_as_an_offer_goes(batch: Batch):
    tasks = batch.stage.offer("cpus:2.5;mem:1024")
    assert [line(task) for task in tasks] == ["wc a", "wc b"]
    assert [line(task) for task in batch.stage.offer(ROOM, "A2")] == ["wc c"]


def test_the_carrier_of_an_agent_is_paid_for_once(batch: Batch):
    assert batch.stage.offer("cpus:1;mem:111") == []  # 64 for a task and 48 for its carrier
    first, *rest = batch.stage.offer("cpus:1;mem:112")
    assert rest == []
    [second] = batch.stage.offer("cpus:1;mem:64")
    assert first.executor == second.executor


def test_each_agent_has_a_carrier_of_its_own(batch: Batch):
    [first] = batch.stage.offer("cpus:1;mem:1024", "A1")
    [second] = batch.stage.offer("cpus:1;mem:1024", "A2")
    assert first.executor
    assert second.executor
    assert first.executor.executor_id != second.executor.executor_id


def test_no_more_jobs_than_wanted_run_at_once(stage: Stage, tmp_path: Path):
    batch = Batch(stage, tmp_path, "abc", jobs_max=1)
    [task] = stage.offer(ROOM)
    assert stage.offer(ROOM, "A2") == []
    batch.end(task)
    [task] = stage.offer(ROOM)
    assert line(task) == "wc b"


def test_an_offer_that_is_of_no_use_is_declined_and_none_wanted_once_all_are_launched(batch: Batch):
    batch.stage.offer("cpus:0.5;mem:1024")
    assert len(batch.stage.take(DeclineOffersMessage)) == 1
    assert batch.stage.take(SuppressOffersMessage) == []
    batch.stage.offer(ROOM)
    assert len(batch.stage.take(SuppressOffersMessage)) == 1


def test_the_user_hears_once_that_nothing_fits(batch: Batch):
    batch.stage.offer("cpus:0.5;mem:1024")
    batch.stage.offer("cpus:8;mem:1")
    [notice] = batch.audience.notices
    assert notice.startswith("waiting for more: a task takes cpus:1;mem:64 and mem:48 for the executor, host-A1 offers")


# Ends.


def test_a_batch_without_inputs_is_done_when_it_is_registered(stage: Stage, tmp_path: Path):
    Batch(stage, tmp_path, "")
    stage.tell("registered", "F", None)
    assert stage.status is DriverStatus.STOPPED


def test_a_batch_is_done_when_all_its_inputs_are(batch: Batch):
    for task in batch.stage.offer(ROOM):
        assert batch.stage.status is DriverStatus.RUNNING
        batch.stage.update(task, TaskState.TASK_RUNNING)
        batch.end(task)
    assert batch.stage.status is DriverStatus.STOPPED
    assert batch.audience.done_inputs == ["a", "b", "c"]
    assert [item.hostname for item in batch.items] == ["host-A1"] * 3


def test_output_that_was_sent_before_the_end_is_written_and_forgotten(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.carry(task, OUT, 0, b"out")
    batch.carry(task, ERR, 0, b"err")
    batch.end(task, b"out", b"err")
    assert batch.written() == {"1.stderr": b"err", "1.stdout": b"out"}
    assert batch.orders() == [Forget(task.task_id)]


def test_the_rest_of_an_output_is_asked_for_piece_by_piece(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.carry(task, OUT, 0, b"ab")
    batch.end(task, b"abcd", b"x")
    assert batch.orders() == [Read(task.task_id, OUT, 2), Read(task.task_id, ERR, 0)]
    batch.carry(task, OUT, 2, b"c")
    assert batch.orders() == [Read(task.task_id, OUT, 3)]
    batch.carry(task, ERR, 0, b"x")
    assert batch.orders() == []
    batch.carry(task, OUT, 3, b"d")
    assert batch.orders() == [Forget(task.task_id)]
    assert batch.written()["1.stdout"] == b"abcd"


def test_an_end_is_acknowledged_when_all_output_is_here_and_asks_again_when_it_comes_again(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.end(task, b"ab")
    assert batch.acknowledged() == []
    batch.orders()
    batch.end(task, b"ab")  # sent again by the agent, since nobody acknowledged it
    assert batch.orders() == [Read(task.task_id, OUT, 0)]
    batch.carry(task, OUT, 0, b"ab")
    assert batch.acknowledged() == [b"2"]
    batch.end(task, b"ab")  # it was on its way
    assert batch.acknowledged() == [b"3"]
    assert batch.audience.done_inputs == ["a"]


def test_a_command_that_fails_is_not_tried_again(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.end(task, exit_status=3)
    assert batch.items[0].is_failed
    assert batch.stage.offer(ROOM) == []


# Losses.


@pytest.mark.parametrize(
    ("state", "is_reliable"),
    [
        (TaskState.TASK_ERROR, False),
        (TaskState.TASK_LOST, False),
        (TaskState.TASK_LOST, True),
        (TaskState.TASK_FAILED, True),
        (TaskState.TASK_KILLED, True),
    ],
)
def test_a_task_that_ends_without_an_outcome_is_launched_again_first(batch: Batch, state: TaskState, is_reliable: bool):
    first, *_ = batch.stage.offer("cpus:2;mem:1024")
    batch.carry(first, OUT, 0, b"half")
    batch.stage.update(first, state, message="executor terminated", is_reliable=is_reliable)
    again, *_ = batch.stage.offer(ROOM)
    assert line(again) == "wc a"
    assert again.task_id != first.task_id
    batch.carry(again, OUT, 0, b"whole")
    batch.end(again, b"whole")
    assert batch.written()["1.stdout"] == b"whole"
    assert batch.items[0].losses == 1


def test_what_is_killed_where_an_agent_is_emptied_runs_elsewhere(batch: Batch):
    first, second, *_ = batch.stage.offer(ROOM)
    inverse = InverseOffer(OfferID("I1"), FRAMEWORK, first.agent_id, Unavailability(600.0))
    batch.stage.tell("inverse_offers", (inverse,))
    assert [message.inverse_offer_ids for message in batch.stage.take(AcceptInverseOffersMessage)] == [(inverse.id,)]
    batch.end(second, b"")  # what is done by then is done
    batch.stage.update(first, TaskState.TASK_KILLED, encode(Outcome(-15, 0, 0, 1.0, 0.5)))
    (again,) = batch.stage.offer(ROOM, "A2")
    assert line(again) == line(first)
    assert batch.items[1].outcome is not None


def test_what_is_killed_where_it_may_stay_has_failed(batch: Batch):
    first, *_ = batch.stage.offer(ROOM)
    batch.stage.tell("inverse_offers", (InverseOffer(OfferID("I1"), FRAMEWORK, first.agent_id, Unavailability(600.0)),))
    batch.stage.tell("inverse_offer_rescinded", OfferID("I1"))
    batch.stage.update(first, TaskState.TASK_KILLED, encode(Outcome(-15, 0, 0, 1.0, 0.5)))
    assert batch.items[0].is_failed


def test_offers_are_wanted_again_when_a_task_is_lost(batch: Batch):
    first, *_ = batch.stage.offer(ROOM)
    batch.stage.update(first, TaskState.TASK_LOST)
    assert len(batch.stage.take(ReviveOffersMessage)) == 1
    batch.stage.offer(ROOM)
    assert len(batch.stage.take(SuppressOffersMessage)) == 2


def test_news_of_a_task_that_was_given_up_is_acknowledged_and_forgotten(batch: Batch):
    first, *_ = batch.stage.offer(ROOM)
    batch.stage.update(first, TaskState.TASK_LOST)
    batch.acknowledged()
    batch.end(first, b"late")
    batch.carry(first, OUT, 0, b"late")
    assert batch.acknowledged() == [b"2"]
    assert batch.written() == {}
    assert batch.audience.done_inputs == []


def test_an_input_that_is_lost_too_often_has_failed(stage: Stage, tmp_path: Path):
    batch = Batch(stage, tmp_path, "a")
    for _ in range(LOSSES_MAX + 1):
        [task] = stage.offer(ROOM)
        stage.update(task, TaskState.TASK_LOST, message="agent lost")
    assert batch.items[0].problem == f"came to nothing {LOSSES_MAX + 1} times, the last time: agent lost"
    assert stage.status is DriverStatus.STOPPED


def test_a_new_carrier_follows_one_that_was_lost(batch: Batch):
    [first] = batch.stage.offer("cpus:1;mem:1024")
    assert first.executor
    batch.stage.tell("executor_lost", first.executor.executor_id, first.agent_id, 9)
    [second] = batch.stage.offer("cpus:1;mem:1024")
    assert second.executor
    assert second.executor.executor_id != first.executor.executor_id


def test_a_carrier_that_takes_no_tasks_any_more_is_not_given_any(batch: Batch):
    [first] = batch.stage.offer("cpus:1;mem:1024")
    batch.stage.update(first, TaskState.TASK_LOST, message="the executor is being ended")
    [second] = batch.stage.offer("cpus:1;mem:1024")
    assert first.executor
    assert second.executor
    assert second.executor.executor_id != first.executor.executor_id


@pytest.mark.parametrize("loss", ["executor_lost", "agent_lost"])
def test_a_command_whose_output_is_lost_with_its_machine_runs_again(batch: Batch, loss: str):
    first, second, _ = batch.stage.offer(ROOM)
    assert first.executor
    batch.carry(first, OUT, 0, b"ab")
    batch.end(first, b"abc")
    arguments = (first.executor.executor_id, first.agent_id, 9) if loss == "executor_lost" else (first.agent_id,)
    batch.stage.tell(loss, *arguments)
    assert batch.acknowledged() == [b"1"]
    assert [line(task) for task in batch.stage.offer(ROOM, "A2")] == ["wc a"]
    assert batch.ledger.find(second.task_id) is not None  # it may still be running


def test_it_does_not_matter_when_another_agent_is_lost(batch: Batch):
    first, *_ = batch.stage.offer(ROOM)
    batch.end(first, b"abc")
    batch.stage.tell("agent_lost", AgentID("A2"))
    assert batch.stage.offer(ROOM, "A3") == []


# Another master.


def test_a_new_master_is_asked_what_became_of_the_tasks(batch: Batch):
    tasks = batch.stage.offer(ROOM)
    batch.stage.tell("disconnected")
    batch.stage.tell("reregistered", MasterInfo)
    [asked] = batch.stage.take(ReconcileTasksMessage)
    assert [task.task_id for task in asked.tasks] == [task.task_id for task in tasks]
    assert len(batch.audience.notices) == 2


def test_a_mere_answer_that_a_task_ended_is_not_taken_for_its_end(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.stage.update(task, TaskState.TASK_FINISHED, is_reliable=False)
    assert batch.audience.done_inputs == []
    batch.end(task)
    assert batch.audience.done_inputs == ["a"]


def test_what_is_no_chunk_is_ignored(batch: Batch):
    task, *_ = batch.stage.offer(ROOM)
    batch.stage.carry(task, b"\xc1")
    assert batch.stage.status is DriverStatus.RUNNING


def test_a_framework_that_is_refused_says_why(batch: Batch):
    batch.stage.tell("error", "no such role")
    assert batch.scheduler.failure == "no such role"
