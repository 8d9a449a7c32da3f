"""Filters: a test sees, drops, holds back and lets go the mail it names."""

from __future__ import annotations

import pytest

from libprocess import PID, ExitedMessage
from libprocess.simulation import World
from tests.libprocess.simulation.actors import CountedMessage, CountMessage, Notebook, NoteMessage, Writer


class Desk:
    """A notebook, and two writers of whom one sits on another node."""

    def __init__(self, world: World) -> None:
        self.world = world
        here, there = world.node("here"), world.node("there")
        self.notebook = Notebook()
        here.spawn(self.notebook, "notebook")
        self.near = here.spawn(Writer(self.notebook.pid), "near")
        self.far = there.spawn(Writer(self.notebook.pid), "far")
        world.settle()

    def write(self, writer: PID, *texts: str) -> None:
        for text in texts:
            self.world.nodes[writer.address].send(writer, NoteMessage(text))
        self.world.settle()


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_expect_sees_and_changes_nothing(world: World, desk: Desk):
    expected = world.expect(NoteMessage, to=desk.notebook.pid)
    desk.write(desk.near, "a")
    assert expected.seen == [NoteMessage("a")]
    assert desk.notebook.notes == ["a"]


def test_drop_loses_until_restored(world: World, desk: Desk):
    lost = world.drop(NoteMessage, to=desk.notebook.pid)
    desk.write(desk.far, "a", "b")
    world.restore(lost)
    desk.write(desk.far, "c")
    assert (lost.seen, desk.notebook.notes) == ([NoteMessage("a"), NoteMessage("b")], ["c"])


def test_a_filter_tells_near_and_far_senders_apart(world: World, desk: Desk):
    world.drop(NoteMessage, sender=desk.far)
    desk.write(desk.far, "far")
    desk.write(desk.near, "near")
    assert desk.notebook.notes == ["near"]


def test_a_filter_without_names_catches_all_of_a_kind_and_nothing_else(world: World, desk: Desk):
    held = world.hold(NoteMessage)
    desk.write(desk.near, "a")
    assert world.ask(desk.notebook.pid, CountMessage()) == CountedMessage(0)
    assert held.seen == [NoteMessage("a")]


def test_hold_keeps_back_and_release_delivers_in_order(world: World, desk: Desk):
    held = world.hold(NoteMessage, sender=desk.far)
    desk.write(desk.far, "first", "second")
    desk.write(desk.near, "third")
    assert desk.notebook.notes == ["third"]
    world.release(held)
    desk.write(desk.far, "fourth")
    assert desk.notebook.notes == ["third", "first", "second", "fourth"]


def test_what_is_released_is_not_caught_again(world: World, desk: Desk):
    held = world.hold(NoteMessage, to=desk.notebook.pid)
    other = world.hold(NoteMessage, sender=desk.near)
    desk.write(desk.near, "a")
    world.release(held)
    assert (desk.notebook.notes, other.seen) == (["a"], [])


def test_what_is_held_is_lost_when_the_filter_is_only_ended(world: World, desk: Desk):
    held = world.hold(NoteMessage, to=desk.notebook.pid)
    desk.write(desk.near, "a")
    world.restore(held)
    world.settle()
    assert desk.notebook.notes == []


def test_what_is_held_for_a_node_that_crashes_is_lost_with_it(world: World, desk: Desk):
    held = world.hold(NoteMessage, to=desk.notebook.pid)
    desk.write(desk.far, "a")
    world.crash(world.nodes[desk.notebook.pid.address])
    again = Notebook()
    world.node("here").spawn(again, "notebook")
    world.release(held)
    world.settle()
    assert again.notes == []


def test_a_filter_sees_nodes_that_come_later(world: World, desk: Desk):
    expected = world.expect(NoteMessage)
    later = world.node("later")
    later.send(later.spawn(Notebook()), NoteMessage("a"))
    world.settle()
    assert expected.seen == [NoteMessage("a")]


def test_an_end_can_be_dropped_too(world: World, desk: Desk):
    lost = world.drop(ExitedMessage, to=desk.near)
    world.nodes[desk.notebook.pid.address].terminate(desk.notebook.pid)
    world.settle()
    assert [message.pid for message in lost.seen] == [desk.notebook.pid]


def test_a_dropped_question_waits_for_its_time(world: World, desk: Desk):
    world.drop(CountMessage)
    with pytest.raises(TimeoutError):
        world.ask(desk.notebook.pid, CountMessage(), timeout_seconds=5.0)
    assert world.elapsed == 5.0
