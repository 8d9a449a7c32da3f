"""Actors: how they begin, what they are sent and in which order, and how they end."""

from __future__ import annotations

import pytest

from libprocess import PID, Process, Runtime
from libprocess.simulation import World
from tests.libprocess.actors import Echo, Listener, Puppet, TextMessage


@pytest.fixture
def node(world: World) -> Runtime:
    return world.node("h")


def tell(node: Runtime, to: PID, *texts: str) -> None:
    for text in texts:
        node.send(to, TextMessage(text))


def test_an_actor_begins_before_any_of_its_mail(world: World, node: Runtime):
    listener = Listener()
    pid = PID("listener(1)", "h", 5050)
    assert node.spawn(listener) == pid
    tell(node, pid, "a")
    world.settle()
    assert listener.heard == ["begin", "a"]


def test_mail_is_handled_in_the_order_in_which_it_was_sent(world: World, node: Runtime):
    listener = Listener()
    pid = node.spawn(listener)
    tell(node, pid, *map(str, range(10_000)))
    world.settle()
    assert listener.heard == ["begin", *map(str, range(10_000))]


def test_ids_are_made_from_the_class_and_counted(node: Runtime):
    assert [str(node.spawn(actor)) for actor in (Listener(), Listener(), Echo())] == [
        "listener(1)@h:5050",
        "listener(2)@h:5050",
        "echo(1)@h:5050",
    ]


def test_an_id_that_lives_is_refused_and_one_that_ended_is_not(world: World, node: Runtime):
    pid = node.spawn(Listener(), "master")
    with pytest.raises(ValueError, match="there is an actor called master@h:5050 already"):
        node.spawn(Listener(), "master")
    node.terminate(pid)
    world.settle()
    assert node.spawn(Listener(), "master") == pid


def test_an_actor_spawned_by_another_is_there_when_spawn_returns(world: World, node: Runtime):
    parent, child = Puppet(), Listener()
    node.send(node.spawn(parent), parent.will(lambda self: self.send(self.spawn(child, "child"), TextMessage("a"))))
    world.settle()
    assert child.heard == ["begin", "a"]
    assert child.senders == [parent.pid]


def test_a_reply_goes_to_the_sender(world: World, node: Runtime):
    asker, echo = Puppet(), node.spawn(Echo())
    node.send(node.spawn(asker), asker.will(lambda self: self.send(echo, TextMessage("a"))))
    world.settle()
    assert asker.heard == ["begin", "a"]
    assert asker.senders == [echo]


def test_what_is_forwarded_comes_from_its_first_sender(world: World, node: Runtime):
    class Relay(Process):
        def text(self, message: TextMessage) -> None:
            self.forward(echo)

    asker, echo, relay = Puppet(), node.spawn(Echo()), node.spawn(Relay())
    node.send(node.spawn(asker), asker.will(lambda self: self.send(relay, TextMessage("a"))))
    world.settle()
    assert asker.senders == [echo]


def test_nothing_is_forwarded_to_another_node(world: World, node: Runtime):
    class Relay(Process):
        def text(self, message: TextMessage) -> None:
            self.forward(PID("echo", "elsewhere", 1))

    node.send(node.spawn(Relay()), TextMessage("a"))
    world.settle()
    assert "echo@elsewhere:1 is on another node" in str(world.failures.pop().error)


def test_mail_for_nobody_and_mail_without_a_handler_is_counted(world: World, node: Runtime):
    class Deaf(Process):
        pass

    tell(node, PID("nobody", "h", 5050), "a", "b")
    tell(node, node.spawn(Deaf()), "c")
    world.settle()
    assert node.drops == {"no such actor": 2, "no handler": 1}


def test_mail_across_nodes_is_the_same_as_within_one(world: World, node: Runtime):
    asker, echo = Puppet(), world.node("other").spawn(Echo())
    node.send(node.spawn(asker), asker.will(lambda self: self.send(echo, TextMessage("a"))))
    world.settle()
    assert asker.heard == ["begin", "a"]
    assert asker.senders == [echo]


def test_terminate_drops_what_waits_and_ends_at_once(world: World, node: Runtime):
    listener = Listener()
    pid = node.spawn(listener)
    world.settle()
    tell(node, pid, "a", "b")
    node.terminate(pid)
    tell(node, pid, "c")
    world.settle()
    assert listener.heard == ["begin", "end"]
    assert sum(node.drops.values()) == 3
    assert pid not in node.processes


def test_terminate_with_drain_handles_what_waits_first(world: World, node: Runtime):
    listener = Listener()
    pid = node.spawn(listener)
    tell(node, pid, "a", "b")
    node.terminate(pid, drain=True)
    tell(node, pid, "too late")
    world.settle()
    assert listener.heard == ["begin", "a", "b", "end"]


def test_an_actor_that_is_terminated_before_its_first_turn_still_begins(world: World, node: Runtime):
    listener = Listener()
    node.terminate(node.spawn(listener))
    world.settle()
    assert listener.heard == ["begin", "end"]


def test_terminating_twice_or_nobody_is_fine(world: World, node: Runtime):
    listener = Listener()
    pid = node.spawn(listener)
    for _ in range(2):
        node.terminate(pid)
    world.settle()
    node.terminate(pid)
    world.settle()
    assert listener.finals == 1


def test_an_actor_can_end_itself_and_another(world: World, node: Runtime):
    other, actor = Listener(), Puppet()
    pid = node.spawn(other)

    def act(self: Puppet) -> None:
        self.terminate(pid)
        self.terminate()

    node.send(node.spawn(actor), actor.will(act))
    world.settle()
    assert (other.finals, actor.finals) == (1, 1)


def test_who_waits_for_an_end_is_told_why(world: World, node: Runtime):
    reasons: list[str] = []
    pid = node.spawn(Listener())
    node.when_exited(pid, reasons.append)
    node.terminate(pid)
    world.settle()
    node.when_exited(pid, reasons.append)
    assert reasons == ["terminated", "no such actor"]


def test_closing_a_node_ends_its_actors_youngest_first(world: World, node: Runtime):
    ended: list[str] = []

    class Testator(Process):
        def finalize(self) -> None:
            ended.append(self.pid.id)

    for _ in range(3):
        node.spawn(Testator())
    world.settle()
    world.close(node)
    assert ended == ["testator(3)", "testator(2)", "testator(1)"]


def test_a_mailbox_has_a_depth(world: World, node: Runtime):
    pid = node.spawn(Listener())
    world.settle()
    tell(node, pid, "a", "b", "c")
    assert node.mailbox_depths() == {pid: 3}
    world.settle()
    assert not node.mailbox_depths()


def test_the_depth_of_a_mailbox_does_not_count_what_was_handled_in_this_turn(world: World, node: Runtime):
    depths: list[int] = []
    puppet = Puppet()
    pid = node.spawn(puppet)
    look = puppet.will(lambda _: depths.append(node.mailbox_depths()[pid]))
    for _ in range(3):
        node.send(pid, look)
    world.settle()
    assert depths == [2, 1, 0]
