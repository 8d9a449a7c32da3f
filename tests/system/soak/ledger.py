"""What the schedulers of a soak wrote down, one after the other: what they launched and killed, and what they heard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, Self

from mesos.states import terminal
from mesos.types import TaskState, TaskStatus

LEDGER = "ledger"
WANTED = "wanted"
"""How many tasks are to run at once."""


class Launch(NamedTuple):
    """A task that was launched."""

    task: str
    kind: str
    agent: str
    kill_after: float | None
    """When it is to be killed, in seconds."""


class Ledger:
    """The file, as far as it was read."""

    def __init__(self, place: Path) -> None:
        self._path = place / LEDGER
        self._read = 0
        self.framework_id = ""
        self.launches: dict[str, Launch] = {}
        self.states: dict[str, list[TaskState]] = {}
        """By task: what was told of it, in order."""
        self.open: dict[str, Launch] = {}
        """The tasks of which no end was told yet."""
        self.to_kill: set[str] = set()
        """The tasks that a scheduler wanted to be killed."""

    def refresh(self) -> Self:
        """Read what is new."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                for line in file:
                    if line.endswith(b"\n"):
                        self._read += len(line)
                        self._take(json.loads(line))
        return self

    def _take(self, line: dict[str, Any]) -> None:
        if "launch" in line:
            launch = Launch(*line["launch"])
            self.launches[launch.task] = self.open[launch.task] = launch
            self.states[launch.task] = []
        elif "kill" in line:
            self.to_kill.add(line["kill"])
        elif "registered" in line:
            self.framework_id = line["registered"]
        else:
            state = TaskState(line["state"])
            self.states[line["task"]].append(state)
            if terminal(state):
                self.open.pop(line["task"], None)

    def end(self, task: str) -> TaskState | None:
        """The state that a task was told to have ended in, None while it has not."""
        return next((state for state in self.states[task] if terminal(state)), None)


# The lines.


def launch_line(launch: Launch) -> dict[str, Any]:
    return {"launch": launch}


def kill_line(task: str) -> dict[str, Any]:
    return {"kill": task}


def registered_line(framework_id: str) -> dict[str, Any]:
    return {"registered": framework_id}


def update_line(status: TaskStatus) -> dict[str, Any]:
    return {"task": status.task_id, "state": status.state, "reason": status.reason, "message": status.message}
