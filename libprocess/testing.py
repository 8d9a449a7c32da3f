"""The pytest plugin for who tests actors: a fixture `world`, and what happened last in it where a test fails.

    def test_a_counter_counts(world):
        counter = world.node("h1").spawn(Counter(), "counter")
        assert world.ask(counter, AddMessage(2)) == TotalMessage(2)

    @pytest.mark.parametrize("world", range(20), indirect=True)     # the same under twenty seeds
    def test_a_counter_counts_whatever_the_network_does(world):
        world.faults = Faults(breaks=0.01)
        …

A test fails too when an actor failed in its world; one that wants that looks at `world.failures` and clears it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from libprocess.simulation import World

# Nothing of the runtime is imported before a test asks for it: pytest loads this file wherever mesolite is installed.

TAIL_EVENTS = 40


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world of its own for the test: no nodes yet, no faults, seed 0 unless parametrized."""
    from libprocess.simulation import World

    world = World(seed=getattr(request, "param", 0))
    yield world
    check_failures(world)


def check_failures(world: World) -> None:
    """Fail the test if an actor failed in its world."""
    failures = "\n".join(map(str, world.failures))
    assert not world.failures, f"seed {world.seed}: an actor failed by its own fault\n{failures}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a failed test, the seed and the last events of its world."""
    report = yield
    if report.failed:
        from libprocess.simulation import World

        for world in getattr(item, "funcargs", {}).values():
            if isinstance(world, World):
                lines = [f"seed {world.seed}, {world.elapsed:g} s", *world.journal.tail(TAIL_EVENTS)]
                report.sections.append(("what happened last in the world", "\n".join(lines)))
    return report
