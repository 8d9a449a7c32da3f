"""The pytest plugin of libprocess, as the author of some actors meets it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

FRAGILE_ACTOR = """
from __future__ import annotations
from libprocess import Message, Process

class FallMessage(Message, frozen=True):
    '''From a test to a Vase.'''

class Vase(Process):
    def fall(self, message: FallMessage) -> None:
        raise ZeroDivisionError("shards")

def drop_a_vase(world):
    node = world.node("h")
    node.send(node.spawn(Vase(), "vase"), FallMessage())
    world.settle()
"""


def run(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    pytester.makepyfile(FRAGILE_ACTOR + test)
    return pytester.runpytest_subprocess("-p", "libprocess.testing", "-p", "no:cacheprovider")


def test_a_world_is_there_and_time_passes_in_it(pytester: pytest.Pytester):
    result = run(pytester, "def test_time(world):\n    world.advance(3)\n    assert world.elapsed == 3\n")
    result.assert_outcomes(passed=1)


def test_an_actor_that_fails_fails_the_test(pytester: pytest.Pytester):
    result = run(pytester, "def test_vase(world):\n    drop_a_vase(world)\n")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*seed 0: an actor failed by its own fault", "*vase@h:5050 failed*", "*shards*"])


def test_a_test_may_expect_the_failure(pytester: pytest.Pytester):
    result = run(
        pytester,
        "def test_vase(world):\n"
        "    drop_a_vase(world)\n"
        "    assert len(world.failures) == 1\n"
        "    world.failures.clear()\n",
    )
    result.assert_outcomes(passed=1)


def test_a_failed_test_shows_what_happened_last(pytester: pytest.Pytester):
    result = run(pytester, "def test_vase(world):\n    drop_a_vase(world)\n    assert False\n")
    result.stdout.fnmatch_lines(
        ["*what happened last in the world*", "seed 0, 0 s", "*handled FallMessage*", "*exited vase@h*"]
    )


def test_seeds_are_a_parameter(pytester: pytest.Pytester):
    result = run(
        pytester,
        "import pytest\n"
        '@pytest.mark.parametrize("world", range(3), indirect=True)\n'
        "def test_seed(world, request):\n    assert world.seed in range(3)\n",
    )
    result.assert_outcomes(passed=3)
