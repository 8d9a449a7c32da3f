"""Supervisor: it starts again what fails, lets go what ends, and gives up on what keeps failing."""

from __future__ import annotations

import pytest

from libprocess import PID, Runtime
from libprocess.simulation import World
from libprocess.supervisor import Supervisor
from tests.libprocess.actors import Puppet


@pytest.fixture
def node(world: World) -> Runtime:
    yield world.node("h")
    world.failures.clear()


class Family:
    """A supervisor of two children, each of whose lives is kept."""

    def __init__(self, world: World, node: Runtime, **limits: float) -> None:
        self.lives: list[Puppet] = []
        self.world = world
        self.node = node
        self.supervisor = Supervisor([self.child, self.child], **limits)
        self.pid = node.spawn(self.supervisor)
        world.settle()

    def child(self) -> Puppet:
        self.lives.append(Puppet())
        return self.lives[-1]

    def fail(self, number: int) -> None:
        pid = PID(f"puppet({number})", "h", 5050)
        self.node.send(pid, self.living(pid).will(lambda _: 1 / 0))
        self.world.settle()

    def living(self, pid: PID) -> Puppet:
        return next(life for life in reversed(self.lives) if life.pid == pid)


def test_a_child_that_fails_is_started_again_under_its_pid(world: World, node: Runtime):
    family = Family(world, node)
    family.fail(1)
    assert [life.pid.id for life in family.lives] == ["puppet(1)", "puppet(2)", "puppet(1)"]
    assert node.processes[PID("puppet(1)", "h", 5050)] is family.lives[2]
    assert family.supervisor.restarts == 1


def test_a_child_that_ends_is_let_go(world: World, node: Runtime):
    family = Family(world, node)
    node.terminate(PID("puppet(1)", "h", 5050))
    world.settle()
    assert [pid.id for pid in family.supervisor.children] == ["puppet(2)"]
    assert len(family.lives) == 2


def test_a_supervisor_ends_its_children_with_itself(world: World, node: Runtime):
    family = Family(world, node)
    node.terminate(family.pid)
    world.settle()
    assert [life.finals for life in family.lives] == [1, 1]


def test_too_many_failures_in_too_short_a_time_are_the_supervisors_own(world: World, node: Runtime):
    family = Family(world, node, restarts_max=2, within_seconds=10)
    ends: list[str] = []
    node.when_exited(family.pid, ends.append)
    for _ in range(2):
        family.fail(1)
    assert not ends
    family.fail(2)
    assert "children failed 3 times within 10 s, at last puppet(2)@h:5050" in ends[0]
    assert "division by zero" in ends[0]
    assert [pid for pid in node.processes if pid.id != "node"] == []


def test_failures_that_are_far_apart_are_not_too_many(world: World, node: Runtime):
    family = Family(world, node, restarts_max=2, within_seconds=10)
    for _ in range(6):
        family.fail(1)
        world.advance(5.1)
    assert family.pid in node.processes
    assert family.supervisor.restarts == 6
