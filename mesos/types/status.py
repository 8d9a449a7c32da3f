"""What became of a task: its state, why, and who says so."""

from __future__ import annotations

import os
from enum import StrEnum

from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.labels import Labels
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.check import CheckStatusInfo, HealthCheck
from mesos.types.common import DiscoveryInfo
from mesos.types.container import ContainerInfo, ContainerStatus
from mesos.types.task import KillPolicy, ResourceLimit


class TaskState(StrEnum):
    """The state of a task; `mesos.states` says which leads to which."""

    TASK_STAGING = "TASK_STAGING"
    TASK_STARTING = "TASK_STARTING"
    TASK_RUNNING = "TASK_RUNNING"
    TASK_KILLING = "TASK_KILLING"
    TASK_FINISHED = "TASK_FINISHED"
    TASK_FAILED = "TASK_FAILED"
    TASK_KILLED = "TASK_KILLED"
    TASK_ERROR = "TASK_ERROR"
    TASK_LOST = "TASK_LOST"
    TASK_DROPPED = "TASK_DROPPED"
    TASK_UNREACHABLE = "TASK_UNREACHABLE"
    TASK_GONE = "TASK_GONE"
    TASK_GONE_BY_OPERATOR = "TASK_GONE_BY_OPERATOR"
    TASK_UNKNOWN = "TASK_UNKNOWN"


class Source(StrEnum):
    """Who made a status."""

    SOURCE_MASTER = "SOURCE_MASTER"
    SOURCE_AGENT = "SOURCE_AGENT"
    SOURCE_EXECUTOR = "SOURCE_EXECUTOR"


class Reason(StrEnum):
    """Why a task is in its state."""

    REASON_COMMAND_EXECUTOR_FAILED = "REASON_COMMAND_EXECUTOR_FAILED"
    REASON_CONTAINER_LAUNCH_FAILED = "REASON_CONTAINER_LAUNCH_FAILED"
    REASON_CONTAINER_LIMITATION = "REASON_CONTAINER_LIMITATION"
    REASON_CONTAINER_LIMITATION_DISK = "REASON_CONTAINER_LIMITATION_DISK"
    REASON_CONTAINER_LIMITATION_MEMORY = "REASON_CONTAINER_LIMITATION_MEMORY"
    REASON_CONTAINER_PREEMPTED = "REASON_CONTAINER_PREEMPTED"
    REASON_CONTAINER_UPDATE_FAILED = "REASON_CONTAINER_UPDATE_FAILED"
    REASON_MAX_COMPLETION_TIME_REACHED = "REASON_MAX_COMPLETION_TIME_REACHED"
    REASON_EXECUTOR_REGISTRATION_TIMEOUT = "REASON_EXECUTOR_REGISTRATION_TIMEOUT"
    REASON_EXECUTOR_REREGISTRATION_TIMEOUT = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
    REASON_EXECUTOR_TERMINATED = "REASON_EXECUTOR_TERMINATED"
    REASON_EXECUTOR_UNREGISTERED = "REASON_EXECUTOR_UNREGISTERED"
    REASON_FRAMEWORK_REMOVED = "REASON_FRAMEWORK_REMOVED"
    REASON_GC_ERROR = "REASON_GC_ERROR"
    REASON_INVALID_FRAMEWORKID = "REASON_INVALID_FRAMEWORKID"
    REASON_INVALID_OFFERS = "REASON_INVALID_OFFERS"
    REASON_IO_SWITCHBOARD_EXITED = "REASON_IO_SWITCHBOARD_EXITED"
    REASON_MASTER_DISCONNECTED = "REASON_MASTER_DISCONNECTED"
    REASON_RECONCILIATION = "REASON_RECONCILIATION"
    REASON_RESOURCES_UNKNOWN = "REASON_RESOURCES_UNKNOWN"
    REASON_AGENT_DISCONNECTED = "REASON_AGENT_DISCONNECTED"
    REASON_AGENT_DRAINING = "REASON_AGENT_DRAINING"
    REASON_AGENT_REMOVED = "REASON_AGENT_REMOVED"
    REASON_AGENT_REMOVED_BY_OPERATOR = "REASON_AGENT_REMOVED_BY_OPERATOR"
    REASON_AGENT_REREGISTERED = "REASON_AGENT_REREGISTERED"
    REASON_AGENT_RESTARTED = "REASON_AGENT_RESTARTED"
    REASON_AGENT_UNKNOWN = "REASON_AGENT_UNKNOWN"
    REASON_TASK_KILLED_DURING_LAUNCH = "REASON_TASK_KILLED_DURING_LAUNCH"
    REASON_TASK_CHECK_STATUS_UPDATED = "REASON_TASK_CHECK_STATUS_UPDATED"
    REASON_TASK_HEALTH_CHECK_STATUS_UPDATED = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
    REASON_TASK_GROUP_INVALID = "REASON_TASK_GROUP_INVALID"
    REASON_TASK_GROUP_UNAUTHORIZED = "REASON_TASK_GROUP_UNAUTHORIZED"
    REASON_TASK_INVALID = "REASON_TASK_INVALID"
    REASON_TASK_UNAUTHORIZED = "REASON_TASK_UNAUTHORIZED"
    REASON_TASK_UNKNOWN = "REASON_TASK_UNKNOWN"


class TaskResourceLimitation(Struct, frozen=True):
    """The resources whose limit a task hit."""

    resources: Resources


class TaskStatus(Struct, frozen=True):
    """What is known of a task at one moment. One with a `uuid` is sent until it is acknowledged, any other once."""

    task_id: TaskID
    state: TaskState
    agent_id: AgentID | None = None
    executor_id: ExecutorID | None = None
    message: str = ""
    source: Source | None = None
    reason: Reason | None = None
    data: bytes = b""
    timestamp: float = 0.0
    """Unix time in seconds."""
    uuid: bytes = b""
    healthy: bool | None = None
    check_status: CheckStatusInfo | None = None
    labels: Labels = ()
    container_status: ContainerStatus | None = None
    unreachable_time: float | None = None
    """Since when its agent is out of reach, in Unix time."""
    limitation: TaskResourceLimitation | None = None


class TaskEnding(Struct, frozen=True):
    """How a task's processes ended, as far as its agent saw it."""

    wait_status: int | None = None
    """As by waitpid(2)."""
    peak_memory_bytes: int | None = None
    """Of its control group; without one, of its largest process."""
    last_lines: str = ""
    """What it wrote last on stderr, or on stdout if there was nothing."""

    @property
    def exit_status(self) -> int | None:
        """What it exited with, unless a signal ended it."""
        exits = self.wait_status is not None and os.WIFEXITED(self.wait_status)
        return os.WEXITSTATUS(self.wait_status or 0) if exits else None

    @property
    def signal(self) -> int | None:
        """The signal that ended it."""
        is_killed = self.wait_status is not None and os.WIFSIGNALED(self.wait_status)
        return os.WTERMSIG(self.wait_status or 0) if is_killed else None


class TaskReference(Struct, frozen=True):
    """A task that somebody asks about, and the agent it is thought to be on."""

    task_id: TaskID
    agent_id: AgentID | None = None


class StatusUpdate(Struct, frozen=True):
    """A status on its way to the scheduler.

    The master alone is told `latest_state`, the newest one its agent knows, and with a last state the `ending`.
    """

    framework_id: FrameworkID
    status: TaskStatus
    agent_id: AgentID | None = None
    executor_id: ExecutorID | None = None
    latest_state: TaskState | None = None
    ending: TaskEnding | None = None


class Task(Struct, frozen=True):
    """A task that was launched, as agents report it to the master: what it holds, and how far it got.

    `status_update_state` and `status_update_uuid` belong to the update that was last forwarded; `state` may be newer.
    """

    task_id: TaskID
    framework_id: FrameworkID
    agent_id: AgentID
    state: TaskState
    name: str = ""
    executor_id: ExecutorID | None = None
    resources: Resources = Resources()
    statuses: tuple[TaskStatus, ...] = ()
    status_update_state: TaskState | None = None
    status_update_uuid: bytes = b""
    labels: Labels = ()
    discovery: DiscoveryInfo | None = None
    container: ContainerInfo | None = None
    health_check: HealthCheck | None = None
    kill_policy: KillPolicy | None = None
    max_completion_time_seconds: float | None = None
    user: str = ""
    limits: tuple[ResourceLimit, ...] = ()
