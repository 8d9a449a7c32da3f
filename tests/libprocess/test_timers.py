"""Timers: mail to oneself, later, and not at all if it is cancelled in time."""

from __future__ import annotations

from libprocess.simulation import World
from tests.libprocess.actors import Puppet, TextMessage


def start(world: World, puppet: Puppet) -> None:
    world.node("h").spawn(puppet)
    world.settle()


def act(world: World, puppet: Puppet, *acts) -> None:
    """Have it do these in one turn of its node, one after the other."""
    node = next(iter(world.nodes.values()))
    for each in acts:
        node.send(puppet.pid, puppet.will(each))
    world.settle()


def test_a_timer_comes_when_it_is_due_and_from_oneself(world: World):
    puppet = Puppet()
    start(world, puppet)
    act(world, puppet, lambda self: self.delay(5, TextMessage("due")))
    world.advance(4.9)
    assert puppet.heard == ["begin"]
    world.advance(0.1)
    assert puppet.heard == ["begin", "due"]
    assert puppet.senders == [puppet.pid]


def test_a_cancelled_timer_does_not_come(world: World):
    puppet = Puppet()
    start(world, puppet)
    act(world, puppet, lambda self: self.delay(5, TextMessage("due")).cancel())
    world.advance(10)
    assert puppet.heard == ["begin"]


def test_a_timer_can_be_cancelled_while_it_waits_in_the_mailbox(world: World):
    puppet = Puppet()
    start(world, puppet)
    timers = []

    def set_two(self: Puppet) -> None:
        timers.append(self.delay(1, puppet.will(lambda _: timers[1].cancel())))
        timers.append(self.delay(1, TextMessage("cancelled while due")))
        timers.append(self.delay(1, TextMessage("due")))

    act(world, puppet, set_two)
    world.advance(1)
    assert puppet.heard == ["begin", "due"]


def test_cancelling_late_or_twice_is_fine(world: World):
    puppet = Puppet()
    start(world, puppet)
    timers = []
    act(world, puppet, lambda self: timers.append(self.delay(1, TextMessage("due"))))
    world.advance(1)
    for _ in range(2):
        timers[0].cancel()
    world.advance(1)
    assert puppet.heard == ["begin", "due"]


def test_the_timer_of_an_actor_that_ended_is_dropped(world: World):
    puppet = Puppet()
    start(world, puppet)
    act(world, puppet, lambda self: self.delay(1, TextMessage("due")), lambda self: self.terminate())
    world.advance(2)
    assert puppet.heard == ["begin", "end"]
