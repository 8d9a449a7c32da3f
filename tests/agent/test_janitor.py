"""When sandboxes are removed."""

from __future__ import annotations

import pytest

from agent.janitor import DiscardSandboxMessage, Janitor, SandboxRemovedMessage
from libprocess import PID
from libprocess.simulation import EPOCH, World

WEEK = 7 * 86400.0
DAY = 86400.0


class Shelf:
    """A disk that is as full as the test says, and notes what is removed."""

    def __init__(self, world: World) -> None:
        self.node = world.node("agent")
        self.used = 0.0
        self.removed: list[str] = []
        self.error = ""

    def usage(self) -> float:
        return self.used

    def remove(self, asker: PID, path: str) -> None:
        self.removed.append(path)
        self.node.send(asker, SandboxRemovedMessage(path, self.error))


class Stage:
    def __init__(self, *found: tuple[str, float]) -> None:
        self.world = World()
        self.shelf = Shelf(self.world)
        self.node = self.shelf.node
        self.pid = self.node.spawn(Janitor(self.shelf, WEEK, 0.1, 60.0, found))

    def discard(self, path: str) -> None:
        self.node.send(self.pid, DiscardSandboxMessage(path))
        self.world.settle()


def test_a_sandbox_stays_for_its_time():
    stage = Stage()
    stage.discard("/a")
    stage.world.advance(seconds=0.9 * WEEK - 120)
    assert stage.shelf.removed == []

    stage.world.advance(seconds=240)
    assert stage.shelf.removed == ["/a"]


@pytest.mark.parametrize(("used", "days"), [(0.4, 3.5), (0.8, 0.7), (0.9, 0.0), (0.99, 0.0)])
def test_the_fuller_the_disk_the_sooner_it_goes(used: float, days: float):
    stage = Stage()
    stage.shelf.used = used
    stage.discard("/a")
    stage.world.advance(seconds=max(days * DAY - 120, 0))
    assert stage.shelf.removed == []

    stage.world.advance(seconds=240)
    assert stage.shelf.removed == ["/a"]


def test_the_oldest_go_first():
    stage = Stage()
    for path in ("/a", "/b"):
        stage.discard(path)
        stage.world.advance(seconds=DAY)
    stage.shelf.used = 0.9 - 1.5 / 7
    stage.world.advance(seconds=120)

    assert stage.shelf.removed == ["/a"]


def test_what_earlier_runs_left_behind_has_its_time_too():
    stage = Stage(("/old", EPOCH - 2 * WEEK), ("/new", EPOCH - 60))
    stage.world.advance(seconds=120)

    assert stage.shelf.removed == ["/old"]


def test_removals_are_counted():
    stage = Stage(("/a", 0.0), ("/b", EPOCH))
    stage.shelf.error = "read-only"
    stage.world.advance(seconds=120)

    shown = stage.node.metrics.snapshot()
    assert shown["gc/path_removals_failed"] == 1
    assert shown["gc/path_removals_pending"] == 1
    assert shown["gc/path_removals_succeeded"] == 0
