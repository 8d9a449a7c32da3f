"""The life of a task: which state may follow which, where it ends, and what a framework is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mesos.types import FrameworkCapability, TaskState

TERMINAL = frozenset(
    {
        TaskState.TASK_FINISHED,
        TaskState.TASK_FAILED,
        TaskState.TASK_KILLED,
        TaskState.TASK_ERROR,
        TaskState.TASK_LOST,
        TaskState.TASK_DROPPED,
        TaskState.TASK_GONE,
        TaskState.TASK_GONE_BY_OPERATOR,
    }
)

# States that only a framework with PARTITION_AWARE knows; any other is told TASK_LOST.
_PARTITION_AWARE_ONLY = frozenset(
    {
        TaskState.TASK_DROPPED,
        TaskState.TASK_UNREACHABLE,
        TaskState.TASK_GONE,
        TaskState.TASK_GONE_BY_OPERATOR,
        TaskState.TASK_UNKNOWN,
    }
)

# Every task may end, or get out of reach, at any time; and the same state may be reported again, with other news in it.
_ALWAYS = TERMINAL | {TaskState.TASK_UNREACHABLE}

TRANSITIONS: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.TASK_STAGING: _ALWAYS
    | {TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING},
    TaskState.TASK_STARTING: _ALWAYS | {TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING},
    TaskState.TASK_RUNNING: _ALWAYS | {TaskState.TASK_RUNNING, TaskState.TASK_KILLING},
    TaskState.TASK_KILLING: _ALWAYS | {TaskState.TASK_KILLING},
    # What was out of reach, or unknown, comes back in whatever state it is in.
    TaskState.TASK_UNREACHABLE: frozenset(TaskState) - {TaskState.TASK_UNKNOWN},
    TaskState.TASK_UNKNOWN: frozenset(TaskState),
    **{state: frozenset() for state in TERMINAL},
}


def terminal(state: TaskState) -> bool:
    """Whether a task in this state has ended for good and holds no resources."""
    return state in TERMINAL


def may_follow(state: TaskState, following: TaskState) -> bool:
    """Whether a task in the first state may be reported in the second one next."""
    return following in TRANSITIONS[state]


def told(state: TaskState, capabilities: Collection[FrameworkCapability]) -> TaskState:
    """The state that a framework with these capabilities is told for one that the cluster sees."""
    if state in _PARTITION_AWARE_ONLY and FrameworkCapability.PARTITION_AWARE not in capabilities:
        return TaskState.TASK_LOST
    return state
