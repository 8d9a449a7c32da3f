"""What an executor may ask of its agent, the same wherever it runs: on a thread, on a loop, or inside an actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from libprocess.message import Message
from mesos.driver import DriverStatus
from mesos.executor.callbacks import Executor
from mesos.executor.process import News, StopExecutorMessage
from mesos.ids import AgentID, ExecutorID, FrameworkID
from mesos.messages import ExecutorToFrameworkMessage, StatusUpdateMessage
from mesos.types import StatusUpdate, TaskStatus

# Stand in a call for what the executor's actor knows itself.
_FRAMEWORK, _AGENT, _EXECUTOR = FrameworkID(""), AgentID(""), ExecutorID("")


class ExecutorCalls(ABC):
    """The calls of a driver. All return at once, with the driver's status, and do nothing unless it is RUNNING."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._status = DriverStatus.NOT_STARTED

    @property
    def status(self) -> DriverStatus:
        """How far the driver got."""
        return self._status

    @abstractmethod
    def _tell(self, message: Message) -> None:
        """Hand a message to the executor's actor."""

    def _reach(self, status: DriverStatus) -> DriverStatus:
        """Get that far."""
        self._status = status
        return status

    def _call(self, message: Message) -> DriverStatus:
        if self._status is DriverStatus.RUNNING:
            self._tell(message)
        return self._status

    def _call_back(self, news: News) -> Any:
        """Let the executor know; returns what its callback does."""
        if self._status is not DriverStatus.RUNNING:
            return None
        return getattr(self._executor, news.callback)(self, *news.arguments)

    def _name_of(self, news: News) -> str:
        """How people call the callback."""
        return f"{type(self._executor).__name__}.{news.callback}"

    def send_status_update(self, status: TaskStatus) -> DriverStatus:
        """Tell what became of a task; its agent sees to it that the scheduler learns it. Who says so is filled in."""
        return self._call(StatusUpdateMessage(StatusUpdate(_FRAMEWORK, status)))

    def send_framework_message(self, data: bytes) -> DriverStatus:
        """Send data to the scheduler, once; it may get lost. What is sent before a status update arrives before it."""
        return self._call(ExecutorToFrameworkMessage(_FRAMEWORK, _AGENT, _EXECUTOR, data))

    def stop(self) -> DriverStatus:
        """Leave the agent, which counts this executor's tasks as failed. The program is to end."""
        if self._status in (DriverStatus.RUNNING, DriverStatus.ABORTED):
            self._tell(StopExecutorMessage())
            self._reach(DriverStatus.STOPPED)
        return self._status

    def abort(self) -> DriverStatus:
        """No more callbacks and calls; `join` returns."""
        if self._status is DriverStatus.RUNNING:
            self._reach(DriverStatus.ABORTED)
        return self._status

    # The names that Mesos gives them.
    sendStatusUpdate = send_status_update
    sendFrameworkMessage = send_framework_message
