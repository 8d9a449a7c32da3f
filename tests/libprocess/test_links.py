"""Links: who is told of whose end, once, wherever the two live."""

from __future__ import annotations

import pytest

from libprocess import PID, Process, Runtime
from libprocess.simulation import World
from tests.libprocess.actors import Listener, Puppet


@pytest.fixture(params=["here", "elsewhere"])
def node(world: World, request: pytest.FixtureRequest) -> Runtime:
    """Where the linker lives: with its target, or on another node."""
    there = world.node("there")
    return there if request.param == "here" else world.node("h")


@pytest.fixture
def there(world: World, node: Runtime) -> Runtime:
    return next(node for address, node in world.nodes.items() if address.host == "there")


@pytest.fixture
def linker(world: World, node: Runtime) -> Puppet:
    puppet = Puppet()
    node.spawn(puppet)
    world.settle()
    return puppet


def do(world: World, linker: Puppet, *acts) -> None:
    node = world.nodes[linker.pid.address]
    for each in acts:
        node.send(linker.pid, linker.will(each))
    world.settle()


def test_a_linker_is_told_of_the_end(world: World, there: Runtime, linker: Puppet):
    target = there.spawn(Listener())
    do(world, linker, lambda self: self.link(target))
    assert linker.ends == []
    there.terminate(target)
    world.settle()
    assert linker.ends == [(target, "terminated")]


def test_a_linker_is_told_why_an_actor_failed(world: World, there: Runtime, linker: Puppet):
    target = Puppet()
    pid = there.spawn(target)
    do(world, linker, lambda self: self.link(pid))
    there.send(pid, target.will(lambda _: 1 / 0))
    world.settle()
    assert linker.ends == [(pid, "failed: ZeroDivisionError: division by zero")]
    world.failures.clear()


def test_who_links_to_nobody_is_told_at_once(world: World, there: Runtime, linker: Puppet):
    nobody = PID("nobody", *there.address)
    do(world, linker, lambda self: self.link(nobody))
    assert linker.ends == [(nobody, "no such actor")]


def test_linking_twice_tells_once(world: World, there: Runtime, linker: Puppet):
    target = there.spawn(Listener())
    do(world, linker, lambda self: self.link(target), lambda self: self.link(target))
    there.terminate(target)
    world.settle()
    assert len(linker.ends) == 1


def test_who_unlinked_is_not_told(world: World, there: Runtime, linker: Puppet):
    target = there.spawn(Listener())
    do(world, linker, lambda self: self.link(target), lambda self: self.unlink(target))
    there.terminate(target)
    world.settle()
    assert linker.ends == []


def test_who_unlinks_while_the_news_waits_in_its_mailbox_is_not_told(world: World, linker: Puppet):
    node = world.nodes[linker.pid.address]
    target = node.spawn(Listener())
    do(world, linker, lambda self: self.link(target))

    def end_and_unlink(self: Puppet) -> None:
        self.terminate(target)
        self.send(self.pid, self.will(lambda _: _.unlink(target)))

    do(world, linker, end_and_unlink)
    assert linker.ends == []


def test_a_link_ends_with_its_linker(world: World, there: Runtime, linker: Puppet):
    target = there.spawn(Listener())
    do(world, linker, lambda self: self.link(target), lambda self: self.terminate())
    assert there.links._watchers == {}
    assert there.links._foreign == {}


def test_a_target_started_again_is_another_one_until_it_is_linked_to(world: World, there: Runtime, linker: Puppet):
    target = there.spawn(Listener(), "target")
    do(world, linker, lambda self: self.link(target))
    there.terminate(target)
    world.settle()
    there.spawn(Listener(), "target")
    there.terminate(target)
    world.settle()
    assert len(linker.ends) == 1


def test_a_broken_connection_ends_the_links_over_it(world: World):
    linker, target = Puppet(), world.node("there").spawn(Listener())
    world.node("h").spawn(linker)
    do(world, linker, lambda self: self.link(target))
    world.crash(world.nodes[target.address])
    world.advance(60)
    assert [pid for pid, _ in linker.ends] == [target]


def test_linking_without_a_handler_for_the_news_is_an_error(world: World):
    class Careless(Process):
        def initialize(self) -> None:
            self.link(PID("x", "h", 1))

    world.node("h").spawn(Careless())
    world.settle()
    assert "it needs exited(self, message: ExitedMessage)" in str(world.failures[0].error)
    world.failures.clear()
