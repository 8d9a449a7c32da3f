"""What an executor may ask of its agent, the same wherever it runs: on a thread, on a loop, or inside an actor."""

from __future__ import annotations

from mesos.driver import DriverCalls, DriverStatus
from mesos.executor.callbacks import Executor
from mesos.executor.process import StopExecutorMessage
from mesos.ids import AgentID, ExecutorID, FrameworkID
from mesos.messages import ExecutorToFrameworkMessage, StatusUpdateMessage
from mesos.types import StatusUpdate, TaskStatus

# Stand in a call for what the executor's actor knows itself.
_FRAMEWORK, _AGENT, _EXECUTOR = FrameworkID(""), AgentID(""), ExecutorID("")


class ExecutorCalls(DriverCalls):
    """What an executor may call. All return at once, with the driver's status, and do nothing unless it is RUNNING."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor)

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
