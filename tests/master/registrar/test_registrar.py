"""The registrar: what is written before it is answered, in what batches, and what becomes of a store that fails."""

from __future__ import annotations

from typing import TypeVar

import pytest

from libprocess import PID, Message, Process
from libprocess.simulation import World
from master.allocator.messages import Quota, RoleWeight
from master.registrar.actor import Registrar
from master.registrar.entries import (
    AgentEntry,
    Drain,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    QuotasEntry,
    Rows,
    Standing,
    WeightsEntry,
    read_entries,
    write_entries,
)
from master.registrar.messages import (
    ChangeRegistryMessage,
    RegistryChangedMessage,
    RegistryFetchedMessage,
    RegistryLostMessage,
    RegistryRecoveredMessage,
    RegistryStoredMessage,
    StoreFailedMessage,
)
from master.registrar.operations import (
    Admit,
    DeactivateAgent,
    DrainAgent,
    EndFramework,
    FinishDrain,
    ForgetFramework,
    LeaveFramework,
    MarkGone,
    MarkUnreachable,
    Operation,
    ReactivateAgent,
    RemoveAgent,
    ReturnFramework,
    UpdateQuotas,
    UpdateWeights,
    apply,
)
from master.registrar.store import Changes, change_rows
from mesos.ids import AgentID, FrameworkID
from mesos.types import AgentInfo, FrameworkInfo, MasterInfo

A, B = AgentID("a"), AgentID("b")
F = FrameworkID("f")
INFO = AgentInfo("host")
FRAMEWORK = FrameworkInfo("somebody", "tests", F)
ENDED = EndedFrameworkEntry(F, 9.0, 1.0, FRAMEWORK)
M = TypeVar("M", bound=Message)


class TestStore:
    """A store that answers when the test says so."""

    __test__ = False
    ensemble_size = 3
    remedy = "restore it"

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.batches: list[Changes] = []

    def fetch(self, asker: PID) -> None:
        self.asker = asker

    def store(self, asker: PID, changes: Changes) -> None:
        self.batches.append(changes)

    def close(self) -> None: ...


class Asker(Process):
    """Stands for the master."""

    def __init__(self) -> None:
        self.inbox: list[Message] = []

    def registry_recovered(self, message: RegistryRecoveredMessage) -> None:
        self.inbox.append(message)

    def registry_changed(self, message: RegistryChangedMessage) -> None:
        self.inbox.append(message)

    def registry_lost(self, message: RegistryLostMessage) -> None:
        self.inbox.append(message)


class Scene:
    """A registrar between a master and a store."""

    def __init__(self, rows: Rows) -> None:
        self.world = World(seed=1)
        self.node = self.world.node("master")
        self.store = TestStore(rows)
        self.asker = Asker()
        master = self.node.spawn(self.asker)
        info = MasterInfo("m", master, ip="10.0.0.1")
        self.registrar = self.node.spawn(Registrar(master, info, self.store, 60.0, 20.0))
        self.world.settle()

    def ask(self, *operations: Operation) -> None:
        for serial, operation in enumerate(operations, self.asked + 1):
            self.node.send(self.registrar, ChangeRegistryMessage(serial, operation), sender=self.asker.pid)
        self.asked += len(operations)
        self.world.settle()

    asked = 0

    def answer(self, message: Message) -> None:
        self.node.send(self.registrar, message)
        self.world.settle()

    def fetched(self) -> None:
        self.answer(RegistryFetchedMessage(tuple(sorted(self.store.rows.items()))))

    def stored(self) -> None:
        change_rows(self.store.rows, self.store.batches[-1])
        self.answer(RegistryStoredMessage())

    def told(self, kind: type[M]) -> list[M]:
        return [message for message in self.asker.inbox if isinstance(message, kind)]

    @property
    def done(self) -> list[int]:
        return [message.serial for message in self.told(RegistryChangedMessage)]


@pytest.fixture
def scene() -> Scene:
    """One whose store knows nothing yet, and has said so."""
    scene = Scene({})
    scene.fetched()
    return scene


def test_what_was_written_down_is_told_first():
    entries: tuple[Entry, ...] = (AgentEntry(A, Standing.ADMITTED, 1.0, INFO), FrameworkEntry(F, 2.0, 60.0))
    scene = Scene(write_entries(entries))
    scene.ask(Admit(B, INFO, 3.0))
    assert scene.asker.inbox == []
    assert scene.store.batches == []

    scene.fetched()
    assert scene.asker.inbox == [RegistryRecoveredMessage(entries)]
    assert list(scene.store.batches[0]) == ["agent/b"]


def test_nothing_is_answered_before_it_is_safe(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0))
    assert scene.done == []
    scene.stored()
    assert scene.done == [1]


def test_what_comes_while_it_writes_is_written_together(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0))
    scene.ask(Admit(B, INFO, 2.0), MarkUnreachable(A, 3.0), LeaveFramework(F, 4.0, 60.0))
    assert len(scene.store.batches) == 1
    scene.stored()
    assert [sorted(batch) for batch in scene.store.batches] == [["agent/a"], ["agent/a", "agent/b", "framework/f"]]
    assert scene.done == [1]
    scene.stored()
    assert scene.done == [1, 2, 3, 4]


def test_what_is_so_already_is_not_written_again(scene: Scene):
    scene.ask(RemoveAgent(A), Admit(B, INFO, 1.0))
    assert (scene.done, len(scene.store.batches)) == ([1], 1)
    scene.ask(MarkUnreachable(A, 1.0), Admit(B, INFO, 2.0))
    scene.stored()
    assert (scene.done, len(scene.store.batches)) == ([1, 2, 3, 4], 1)


def test_others_have_nothing_written(scene: Scene):
    scene.node.send(scene.registrar, ChangeRegistryMessage(1, Admit(A, INFO, 1.0)))
    scene.world.settle()
    assert scene.store.batches == []


def test_a_store_that_fails_is_the_end(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0))
    scene.answer(StoreFailedMessage("the disk is full"))
    assert scene.told(RegistryLostMessage) == [RegistryLostMessage("the disk is full")]
    scene.ask(Admit(B, INFO, 1.0))
    assert len(scene.store.batches) == 1


def test_a_store_that_takes_too_long_is_the_end(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0))
    scene.world.advance(21)
    (lost,) = scene.told(RegistryLostMessage)
    assert lost.reason == "the store did not store within 20 s; --registry_store_timeout allows more"


def test_a_store_that_cannot_be_read_for_too_long_is_the_end():
    scene = Scene({})
    scene.world.advance(61)
    (lost,) = scene.told(RegistryLostMessage)
    assert lost.reason == "the store did not fetch within 60 s; --registry_fetch_timeout allows more"


def test_nobody_on_another_node_says_that_something_is_written(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0))
    stranger = scene.world.node("stranger")
    stranger.send(scene.registrar, RegistryStoredMessage(), sender=PID("store", *stranger.address))
    scene.world.settle()
    assert scene.done == []


def test_an_entry_that_cannot_be_read_is_refused_with_the_remedy():
    scene = Scene({"agent/a": b'["agent","b","ADMITTED",1.0]'})
    scene.fetched()
    (lost,) = scene.told(RegistryLostMessage)
    assert lost == RegistryLostMessage("expected the entry 'agent/a', found 'agent/b' in its place; restore it", True)
    scene.ask(Admit(A, INFO, 1.0))
    assert scene.store.batches == []


def test_it_says_how_it_does(scene: Scene):
    scene.ask(Admit(A, INFO, 1.0), Admit(B, INFO, 1.0))
    numbers = scene.node.metrics.snapshot()
    assert (numbers["registrar/queued_operations"], numbers["registrar/log/ensemble_size"]) == (2, 3)
    scene.stored()
    scene.stored()
    numbers = scene.node.metrics.snapshot()
    assert (numbers["registrar/queued_operations"], numbers["registrar/log/recovered"]) == (0, 1)
    assert numbers["registrar/registry_size_bytes"] == sum(map(len, scene.store.rows.values()))
    assert numbers["registrar/state_store_ms/count"] == 2


# Operations.

DRAIN = Drain(5.0, 60.0, mark_gone=True)
LIVING = AgentEntry(A, Standing.ADMITTED, 1.0, INFO)
LOST = AgentEntry(A, Standing.UNREACHABLE, 2.0)
GONE = AgentEntry(A, Standing.GONE, 3.0)


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        (None, Admit(A, INFO, 1.0), LIVING),
        (LOST, Admit(A, INFO, 1.0), LIVING),
        (LIVING, Admit(A, AgentInfo("other"), 9.0), AgentEntry(A, Standing.ADMITTED, 1.0, AgentInfo("other"))),
        (GONE, Admit(A, INFO, 1.0), GONE),
        (LIVING, MarkUnreachable(A, 2.0), LOST),
        (LOST, MarkUnreachable(A, 9.0), LOST),
        (None, MarkUnreachable(A, 2.0), None),
        (LIVING, MarkGone(A, 3.0), GONE),
        (None, MarkGone(A, 3.0), GONE),
        (GONE, MarkGone(A, 9.0), GONE),
        (LOST, RemoveAgent(A), None),
        (LIVING, DrainAgent(A, DRAIN), AgentEntry(A, Standing.ADMITTED, 1.0, INFO, DRAIN, True)),
        (GONE, DrainAgent(A, DRAIN), GONE),
        (AgentEntry(A, Standing.UNREACHABLE, 2.0, None, DRAIN, True), ReactivateAgent(A), LOST),
        (LIVING, FinishDrain(A), LIVING),
        (LIVING, DeactivateAgent(A), AgentEntry(A, Standing.ADMITTED, 1.0, INFO, None, True)),
        (None, LeaveFramework(F, 1.0, 60.0), FrameworkEntry(F, 1.0, 60.0)),
        (FrameworkEntry(F, 1.0, 60.0), LeaveFramework(F, 9.0, 30.0), FrameworkEntry(F, 1.0, 30.0)),
        (FrameworkEntry(F, 1.0, 60.0), ReturnFramework(F), None),
        (FrameworkEntry(F, 1.0, 60.0), EndFramework(F, 9.0, 1.0, FRAMEWORK), ENDED),
        (FrameworkEntry(F, 1.0, 60.0), ForgetFramework(F), FrameworkEntry(F, 1.0, 60.0)),
        (ENDED, LeaveFramework(F, 10.0, 60.0), ENDED),
        (ENDED, ReturnFramework(F), ENDED),
        (ENDED, ForgetFramework(F), None),
        (
            WeightsEntry((RoleWeight("a", 2.0), RoleWeight("b", 2.0))),
            UpdateWeights((RoleWeight("b", 3.0),)),
            WeightsEntry((RoleWeight("a", 2.0), RoleWeight("b", 3.0))),
        ),
        (
            QuotasEntry((Quota("a", (("cpus", 1),)),)),
            UpdateQuotas((Quota("a"), Quota("b", (), (("cpus", 2),)))),
            QuotasEntry((Quota("b", (), (("cpus", 2),)),)),
        ),
    ],
)
def test_an_operation_makes_one_entry_of_another(before: Entry | None, operation: Operation, after: Entry | None):
    entries = {} if before is None else {operation.key: before}
    changed = apply(entries, [operation])
    assert {**entries, **changed}.get(operation.key) == after
    assert changed == ({} if before == after else {operation.key: after})


def test_entries_come_back_as_they_were_written():
    entries: tuple[Entry, ...] = (LIVING, FrameworkEntry(F, 1.0, 60.0), QuotasEntry((Quota("a", (("cpus", 1),)),)))
    assert tuple(read_entries(write_entries(entries)).values()) == entries
