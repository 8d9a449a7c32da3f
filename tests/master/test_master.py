"""The master as a whole: what it is composed of, what ends with it, and what it ends with."""

from __future__ import annotations

from collections import Counter

from libprocess import Process
from master.master import Master
from tests.master.scene import Scene


def test_no_two_dialogues_handle_the_same_message():
    handled = Counter(message for part in Master.__mro__ for message in vars(part).get("_own", {}))
    common = set(Process._table)

    assert [message.__name__ for message, times in handled.items() if times > 1 and message not in common] == []


def test_what_it_spawned_ends_with_it(scene: Scene):
    scene.agent().register()
    ids = {pid.id for pid in scene.node.processes}
    assert {"master", "allocator", "agentobserver(1)"} <= ids

    scene.node.terminate(scene.master.pid)
    scene.world.settle()

    assert {pid.id for pid in scene.node.processes} == {"node"}


def test_without_its_allocator_it_fails(scene: Scene):
    scene.node.terminate(scene.master.allocator)
    scene.world.settle()

    assert scene.master.pid not in scene.node.processes
    assert "without it there is nothing to offer" in str(scene.world.failures[-1])


def test_no_two_masters_have_the_same_id(scene: Scene):
    first = scene.master.info.id
    scene.restart_master()

    assert scene.master.info.id != first
    assert [len(part) for part in first.split("-")] == [8, 4, 4, 4, 12]
