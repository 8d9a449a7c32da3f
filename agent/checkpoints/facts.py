"""Facts: what a journal is made of. Each says one thing that came about, of a framework that wants it remembered."""

from __future__ import annotations

import msgspec

from libprocess.pid import PID
from mesos.ids import ContainerID, FrameworkID, TaskID
from mesos.types import ExecutorInfo, FrameworkInfo, Reason, StatusUpdate, TaskInfo


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of every fact. Fields are only ever appended, each with a default."""


class FrameworkFact(Fact, frozen=True, tag="framework"):
    """A framework has something here, or has changed."""

    info: FrameworkInfo
    pid: PID | None = None


class ExecutorFact(Fact, frozen=True, tag="executor"):
    """An executor is to be started, in a container of its own."""

    framework_id: FrameworkID
    info: ExecutorInfo
    container_id: ContainerID
    directory: str
    is_command: bool


class TaskFact(Fact, frozen=True, tag="task"):
    """An executor is given a task, or was, long ago: then `running_since` may say when it began to run."""

    container_id: ContainerID
    task: TaskInfo
    running_since: float | None = None


class WaitingFact(Fact, frozen=True, tag="waiting"):
    """An executor is not started before there is room for it, and given up at that time; None: it waits no more."""

    container_id: ContainerID
    until: float | None


class LaunchedFact(Fact, frozen=True, tag="launched"):
    """The first process of an executor runs."""

    container_id: ContainerID
    process_id: int


class RegisteredFact(Fact, frozen=True, tag="registered"):
    """An executor has registered; `pid` is where it can be reached after a restart of the agent, if it can be."""

    container_id: ContainerID
    pid: PID | None = None


class KillFact(Fact, frozen=True, tag="kill"):
    """The agent's own executor is killing its command: nicely until the deadline; `reason` if that is a failure."""

    container_id: ContainerID
    deadline: float
    reason: Reason | None = None


class UpdateFact(Fact, frozen=True, tag="update"):
    """There is an update for a scheduler."""

    update: StatusUpdate


class AcknowledgedFact(Fact, frozen=True, tag="acknowledged"):
    """A scheduler has taken care of an update."""

    framework_id: FrameworkID
    task_id: TaskID
    uuid: bytes


class EndingFact(Fact, frozen=True, tag="ending"):
    """An executor is told to end."""

    container_id: ContainerID


class EndedFact(Fact, frozen=True, tag="ended"):
    """Nothing of an executor runs any more."""

    container_id: ContainerID


class FrameworkEndedFact(Fact, frozen=True, tag="framework-ended"):
    """A framework is over: its executors are to end, and nobody is left to acknowledge."""

    framework_id: FrameworkID


AnyFact = (
    FrameworkFact
    | ExecutorFact
    | TaskFact
    | WaitingFact
    | LaunchedFact
    | RegisteredFact
    | KillFact
    | UpdateFact
    | AcknowledgedFact
    | EndingFact
    | EndedFact
    | FrameworkEndedFact
)
