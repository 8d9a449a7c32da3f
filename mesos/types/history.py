"""What is remembered of a task that ended, when nobody works with it any more."""

from __future__ import annotations

from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.status import Reason, Source, TaskEnding, TaskState


class EndedTask(Struct, frozen=True):
    """A task of the past. One on an agent out of reach may be among them, until it is back or known to be gone."""

    framework_id: FrameworkID
    task_id: TaskID
    agent_id: AgentID
    state: TaskState
    ended: float
    """Unix time in seconds."""
    name: str = ""
    framework_name: str = ""
    hostname: str = ""
    role: str = ""
    user: str = ""
    executor_id: ExecutorID | None = None
    container_id: str = ""
    reason: Reason | None = None
    source: Source | None = None
    message: str = ""
    ending: TaskEnding | None = None
    resources: Resources = Resources()
    """What it was given, allocated to its role."""
