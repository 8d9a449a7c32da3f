"""What the agent sends to itself, later."""

from __future__ import annotations

from libprocess.message import Message
from mesos.ids import ContainerID, FrameworkID, TaskID


class RetryAgentRegistrationMessage(Message, frozen=True):
    """Agent → itself, when its back-off is over: register (again). The next time it waits at most so long."""

    backoff_seconds: float


class MasterSilentMessage(Message, frozen=True):
    """Agent → itself, when no ping came for too long."""


class RetryUpdateMessage(Message, frozen=True):
    """Agent → itself, when an update was not acknowledged in time: send it again."""

    framework_id: FrameworkID
    task_id: TaskID


class RetryOperationMessage(Message, frozen=True):
    """Agent → itself, when the end of an operation was not acknowledged in time: tell it again."""

    uuid: bytes


class WriteJournalMessage(Message, frozen=True):
    """Agent → itself, when it has noted something that it must not forget: write it down, with all that came since."""


class SyncJournalMessage(Message, frozen=True):
    """Agent → itself, a moment after it wrote something down: see to it that it is on disk by now."""


class TellHistoryMessage(Message, frozen=True):
    """Agent → itself, some time after it came back to another master than before: tell it what ended here."""


class ExecutorLateMessage(Message, frozen=True):
    """Agent → itself, when an executor took too long, to register or to shut down."""

    container_id: ContainerID


class RecallExecutorMessage(Message, frozen=True):
    """Agent → itself, while an executor is to come back: ask it once more."""

    container_id: ContainerID


class LaunchWaitingMessage(Message, frozen=True):
    """Agent → itself, when something has ended and executors wait for room: start those that fit now."""


class StopAgentMessage(Message, frozen=True):
    """From whoever runs the agent, to end it: it takes leave of the master, ends its containers, and then itself."""
