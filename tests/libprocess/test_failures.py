"""Failures: an actor that raises ends, alone, and leaves a report."""

from __future__ import annotations

import pytest

from libprocess import Message, Process, Runtime
from libprocess.simulation import World
from libprocess.system import DiskError
from tests.libprocess.actors import Listener, TextMessage


class Faulty(Process):
    """Fails on what it hears."""

    def initialize(self) -> None:
        self.mood = "bad"
        self._hidden = "secret"
        self.finals = 0

    def text(self, message: TextMessage) -> None:
        try:
            [][1]
        except IndexError as error:
            raise LookupError("nothing there") from error

    def finalize(self) -> None:
        self.finals += 1


@pytest.fixture
def node(world: World) -> Runtime:
    yield world.node("h")
    world.failures.clear()


def test_the_report_names_actor_message_sender_state_and_the_chain_of_causes(world: World, node: Runtime):
    pid = node.spawn(Faulty())
    node.send(pid, TextMessage("a"))
    world.settle()
    report = str(world.failures[0])
    for part in (
        "faulty(1)@h:5050 failed",
        "on TextMessage(text='a')",
        "mood = 'bad'",
        "IndexError: list index out of range",
        "direct cause",
        "LookupError: nothing there",
    ):
        assert part in report
    assert "secret" not in report


def test_an_operators_fault_is_told_in_a_line(world: World, node: Runtime):
    class Full(Process):
        def text(self, message: TextMessage) -> None:
            raise DiskError("the journal cannot be written: No space left on device")

    node.send(node.spawn(Full()), TextMessage("a"))
    world.settle()
    assert str(world.failures[0]) == "full(1)@h:5050 failed: the journal cannot be written: No space left on device"


def test_a_failed_actor_is_gone_and_the_others_are_not(world: World, node: Runtime):
    faulty, listener = Faulty(), Listener()
    pid, other = node.spawn(faulty), node.spawn(listener)
    for to in (pid, other, pid, other):
        node.send(to, TextMessage("a"))
    world.settle()
    assert pid not in node.processes
    assert listener.heard == ["begin", "a", "a"]
    assert (len(world.failures), faulty.finals) == (1, 0)


def test_failing_in_the_first_turn_is_failing(world: World, node: Runtime):
    class Stillborn(Process):
        def initialize(self) -> None:
            raise ValueError("no")

    reasons: list[str] = []
    node.when_exited(node.spawn(Stillborn()), reasons.append)
    world.settle()
    assert reasons == ["failed: ValueError: no"]


def test_a_key_error_of_the_handlers_own_is_a_failure_and_no_missing_handler(world: World, node: Runtime):
    class Forgetful(Process):
        def text(self, message: TextMessage) -> None:
            {}["a"]

    node.send(node.spawn(Forgetful()), TextMessage("a"))
    world.settle()
    assert isinstance(world.failures[0].error, KeyError)
    assert not node.drops


def test_a_failure_is_traced_back_to_what_it_was_told(world: World, node: Runtime):
    class OrderMessage(Message, frozen=True):
        """To a Manager."""

    class Manager(Process):
        def order(self, message: OrderMessage) -> None:
            self.send(faulty, TextMessage("a"))

    faulty = node.spawn(Faulty())
    node.send(node.spawn(Manager()), OrderMessage())
    world.settle()
    _, sender, _, id_, cause = world.failures[0].envelope
    assert sender.id == "manager(1)"
    assert 0 < cause < id_
