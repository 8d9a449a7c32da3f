"""Between an agent and the master: registering, pings, and orders about whole frameworks."""

from __future__ import annotations

from libprocess.message import Message
from libprocess.pid import PID
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types import (
    AgentCapability,
    AgentInfo,
    ExecutorInfo,
    FrameworkCapability,
    FrameworkInfo,
    OperationReport,
    Task,
    TaskReference,
)
from mesos.types.history import EndedTask

# Registering.


class RegisterAgentMessage(Message, frozen=True):
    """Agent → master, with back-off until it is answered: admit this agent, which has no id yet.

    `checkpointed_resources` are the reservations and volumes it keeps.
    """

    agent: AgentInfo
    version: str
    capabilities: tuple[AgentCapability, ...] = ()
    checkpointed_resources: Resources = Resources()


class ReregisterAgentMessage(Message, frozen=True):
    """Agent → master, to a new one or after a lost link: this is what I am, and everything that runs here.

    `operations` are those whose end nobody acknowledged yet. What they made is part of `checkpointed_resources`. What
    runs of `ending_frameworks`, which were shut down, is not counted among the rest: it is about to end.
    """

    agent: AgentInfo
    version: str
    tasks: tuple[Task, ...] = ()
    executor_infos: tuple[ExecutorInfo, ...] = ()
    frameworks: tuple[FrameworkInfo, ...] = ()
    capabilities: tuple[AgentCapability, ...] = ()
    checkpointed_resources: Resources = Resources()
    operations: tuple[OperationReport, ...] = ()
    ending_frameworks: tuple[FrameworkID, ...] = ()


class AgentRegisteredMessage(Message, frozen=True):
    """Master → agent, as answer to its registration: this is your id.

    An agent that hears no ping for `total_ping_timeout_seconds` looks for the master anew.
    """

    agent_id: AgentID
    total_ping_timeout_seconds: float


class Reconciliation(Struct, frozen=True):
    """Tasks of a framework that the master counts on an agent and the agent did not report."""

    framework_id: FrameworkID
    tasks: tuple[TaskReference, ...]
    capabilities: tuple[FrameworkCapability, ...] = ()
    """Of the framework, which the agent may have forgotten."""


class AgentReregisteredMessage(Message, frozen=True):
    """Master → agent, as answer when it comes back: you are known again; say what became of the tasks you left out."""

    agent_id: AgentID
    total_ping_timeout_seconds: float
    reconciliations: tuple[Reconciliation, ...] = ()
    master_id: str = ""


class UnregisterAgentMessage(Message, frozen=True):
    """Agent → master, when it shuts down on purpose: forget me and what runs here."""

    agent_id: AgentID


class ShutdownMessage(Message, frozen=True):
    """Master → agent: kill everything and end; this is why. An agent that starts there again gets a new id."""

    message: str = ""


class ReportEndedTasksMessage(Message, frozen=True):
    """Agent → master, when it came back to another one than before: what ended here, for the history."""

    tasks: tuple[EndedTask, ...]


# Liveness.


class PingAgentMessage(Message, frozen=True):
    """Master → agent, every ping interval. An agent that is told it is not connected registers again."""

    connected: bool


class PongAgentMessage(Message, frozen=True):
    """Agent → whoever pinged it: I am here."""


# Frameworks.


class ShutdownFrameworkMessage(Message, frozen=True):
    """Master → every agent where it runs: shut down all executors of this framework."""

    framework_id: FrameworkID


class EndedFrameworkMessage(Message, frozen=True):
    """Agent → master, when it was told to shut a framework down: nothing of it runs here any more."""

    agent_id: AgentID
    framework_id: FrameworkID


class UpdateFrameworkMessage(Message, frozen=True):
    """Master → every agent where it runs: this framework has changed, or has its scheduler elsewhere."""

    framework_id: FrameworkID
    framework_info: FrameworkInfo
    pid: PID | None = None
