"""The record of one run of the command: its task, and how that ended."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from frameworks.carrier.receiver import Receiver
from mesos.ids import AgentID, ExecutorID, TaskID
from mesos.types import TaskState, TaskStatus

FAILURE = 1
_EXITED = re.compile(r"exited with status (\d+)")
_KILLED = re.compile(r"terminated with signal (.+)")


@dataclass(slots=True)
class Instance:
    """A task. `receiver` and `executor_id` are of a carrier, if its output is followed."""

    task_id: TaskID
    agent_id: AgentID
    hostname: str
    executor_id: ExecutorID | None = None
    receiver: Receiver | None = None
    state: TaskState = TaskState.TASK_STAGING
    last_status: TaskStatus | None = None
    exit_status: int | None = None
    """Once it is over."""


def exit_status(status: TaskStatus) -> int:
    """The exit status of a task that was a command, as a shell tells it; 1 if it failed otherwise."""
    if status.state is TaskState.TASK_FINISHED:
        return 0
    if exited := _EXITED.search(status.message):
        return int(exited[1])
    if killed := _KILLED.search(status.message):
        return next((128 + number for number in signal.Signals if signal.strsignal(number) == killed[1]), FAILURE)
    return FAILURE
