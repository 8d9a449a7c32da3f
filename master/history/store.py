"""The port to the history, and the history that lasts as long as the program."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol

from libprocess.http import HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.pid import PID
from libprocess.runtime import Runtime
from master.history.query import Query
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.types.history import EndedTask

TASKS_MAX = 1000


class TaskHistory(Protocol):
    """A master's port to what is remembered of tasks. Nothing of it blocks or raises."""

    def record(self, task: EndedTask) -> None:
        """Remember how a task ended, in place of what was known of it before."""

    def find(self, asker: PID, query: Query) -> None:
        """Send `asker`, who waits for an answer over HTTP, the tasks that are asked for."""

    def close(self) -> None:
        """Let go of it, once all is written."""


class MemoryTaskHistory:
    """Remembers the last tasks, and forgets them with the program."""

    def __init__(self, runtime: Runtime) -> None:
        self.tasks: dict[tuple[FrameworkID, TaskID, AgentID], EndedTask] = {}
        self._runtime = runtime

    def record(self, task: EndedTask) -> None:
        """See `TaskHistory`."""
        key = (task.framework_id, task.task_id, task.agent_id)
        self.tasks.pop(key, None)
        self.tasks[key] = task
        if len(self.tasks) > TASKS_MAX:
            del self.tasks[next(iter(self.tasks))]

    def find(self, asker: PID, query: Query) -> None:
        """See `TaskHistory`."""
        found = filter(query.matches, reversed(self.tasks.values()))
        self._runtime.send(asker, HttpResponseMessage(page(query, found)))

    def close(self) -> None:
        """See `TaskHistory`."""


def page(query: Query, found: Iterable[EndedTask]) -> HttpResponse:
    """One page of what was found, and where the next begins."""
    tasks = list(islice(found, query.offset, query.offset + query.limit + 1))
    more = len(tasks) > query.limit
    forms = [form(task) for task in tasks[: query.limit]]
    return HttpResponse.json({"tasks": forms, "next_offset": query.offset + query.limit if more else None})


def form(task: EndedTask) -> dict[str, Any]:
    """A task as it is shown."""
    shown: dict[str, Any] = {
        "framework_id": task.framework_id,
        "framework_name": task.framework_name,
        "id": task.task_id,
        "name": task.name,
        "agent_id": task.agent_id,
        "hostname": task.hostname,
        "role": task.role,
        "user": task.user,
        "executor_id": task.executor_id or "",
        "container_id": task.container_id,
        "state": task.state,
        "reason": task.reason,
        "source": task.source,
        "message": task.message,
        "ended": task.ended,
    }
    ending = task.ending
    if ending is None:
        return shown
    return shown | {
        "exit_status": ending.exit_status,
        "signal": ending.signal,
        "peak_memory_bytes": ending.peak_memory_bytes,
        "last_lines": ending.last_lines,
    }
