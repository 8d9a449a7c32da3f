"""Tasks and executors: what a framework asks to run. Durations are in seconds."""

from __future__ import annotations

from enum import StrEnum

from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.labels import Labels
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.check import CheckInfo, HealthCheck
from mesos.types.command import CommandInfo
from mesos.types.common import DiscoveryInfo
from mesos.types.container import ContainerInfo


class ExecutorType(StrEnum):
    """Whether an executor is the built-in one for groups of tasks, or the framework's own program."""

    UNKNOWN = "UNKNOWN"
    DEFAULT = "DEFAULT"
    CUSTOM = "CUSTOM"


class ExecutorInfo(Struct, frozen=True):
    """The program that runs a framework's tasks on an agent; all tasks with the same executor share it."""

    executor_id: ExecutorID
    command: CommandInfo | None = None
    resources: Resources = Resources()
    type: ExecutorType = ExecutorType.CUSTOM
    framework_id: FrameworkID | None = None
    name: str = ""
    data: bytes = b""
    container: ContainerInfo | None = None
    discovery: DiscoveryInfo | None = None
    shutdown_grace_period_seconds: float | None = None
    labels: Labels = ()


class KillPolicy(Struct, frozen=True):
    """How gently a task is killed: so long after SIGTERM comes SIGKILL; without it the executor's default holds."""

    grace_period_seconds: float | None = None


class ResourceLimit(Struct, frozen=True):
    """How far a task may go beyond what it asked for: of cpus or mem, in units; infinity is no limit."""

    name: str
    value: float


class TaskInfo(Struct, frozen=True):
    """A task to launch on an agent, as a `command` or by an `executor`: exactly one of the two."""

    name: str
    task_id: TaskID
    agent_id: AgentID
    resources: Resources = Resources()
    command: CommandInfo | None = None
    executor: ExecutorInfo | None = None
    data: bytes = b""
    container: ContainerInfo | None = None
    health_check: HealthCheck | None = None
    check: CheckInfo | None = None
    kill_policy: KillPolicy | None = None
    labels: Labels = ()
    discovery: DiscoveryInfo | None = None
    max_completion_time_seconds: float | None = None
    limits: tuple[ResourceLimit, ...] = ()


class TaskGroupInfo(Struct, frozen=True):
    """Tasks that one executor launches together, all or none."""

    tasks: tuple[TaskInfo, ...]
