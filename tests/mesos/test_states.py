"""The life of a task."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mesos.states import TRANSITIONS, may_follow, terminal, told
from mesos.types import FrameworkCapability, TaskState

AWARE = (FrameworkCapability.PARTITION_AWARE,)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(TaskState)


@pytest.mark.parametrize("state", TaskState)
def test_a_state_is_terminal_just_when_nothing_follows(state: TaskState) -> None:
    assert terminal(state) == (not TRANSITIONS[state])


@pytest.mark.parametrize(
    "path",
    [
        "STAGING STARTING RUNNING RUNNING FINISHED",
        "STAGING RUNNING KILLING KILLED",
        "STAGING DROPPED",
        "STAGING ERROR",
        "RUNNING UNREACHABLE RUNNING FAILED",
        "KILLING UNREACHABLE KILLING KILLED",
        "UNREACHABLE GONE_BY_OPERATOR",
    ],
)
def test_lives_that_happen(path: str) -> None:
    states = [TaskState(f"TASK_{name}") for name in path.split()]
    assert all(may_follow(*pair) for pair in pairwise(states))


@pytest.mark.parametrize(
    "pair",
    [
        "RUNNING STAGING",
        "RUNNING STARTING",
        "KILLING RUNNING",
        "FINISHED RUNNING",
        "KILLED FINISHED",
        "LOST LOST",
        "RUNNING UNKNOWN",
    ],
)
def test_lives_that_cannot_be(pair: str) -> None:
    state, following = (TaskState(f"TASK_{name}") for name in pair.split())
    assert not may_follow(state, following)


@pytest.mark.parametrize("name", ["DROPPED", "UNREACHABLE", "GONE", "GONE_BY_OPERATOR", "UNKNOWN"])
def test_who_knows_no_partitions_is_told_lost(name: str) -> None:
    state = TaskState(f"TASK_{name}")
    assert told(state, ()) is TaskState.TASK_LOST
    assert told(state, AWARE) is state


@pytest.mark.parametrize("name", ["RUNNING", "FINISHED", "LOST", "ERROR", "KILLING"])
def test_all_other_states_are_told_to_everybody(name: str) -> None:
    state = TaskState(f"TASK_{name}")
    assert told(state, ()) is told(state, AWARE) is state
