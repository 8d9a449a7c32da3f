"""Executor: what the author of a framework writes to run its tasks. Its methods are called back when there is news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesos.aliases import adopt_aliases
from mesos.ids import TaskID
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo

if TYPE_CHECKING:
    from mesos.executor.calls import ExecutorCalls

_CALLBACKS: dict[str, tuple[str, ...]] = {
    "registered": (),
    "reregistered": (),
    "disconnected": (),
    "launch_task": (),
    "kill_task": (),
    "framework_message": (),
    "shutdown": (),
    "error": (),
}


class Executor:
    """Base of every executor. Override what you care about; the rest does nothing.

    Callbacks come one at a time, and the next waits for the last to return. `driver` is how to answer. Under
    AsyncExecutorDriver they may be coroutines. Mesos' spellings (`launchTask`) do as well.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        adopt_aliases(cls, _CALLBACKS)

    def registered(
        self, driver: ExecutorCalls, executor_info: ExecutorInfo, framework_info: FrameworkInfo, agent_info: AgentInfo
    ) -> Any:
        """The agent knows the executor; tasks follow."""

    def reregistered(self, driver: ExecutorCalls, agent_info: AgentInfo) -> Any:
        """The agent is back after a restart."""

    def disconnected(self, driver: ExecutorCalls) -> Any:
        """The agent is gone. Updates are kept and sent when it is back."""

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> Any:
        """Run a task, and tell by `driver.send_status_update` what becomes of it."""

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> Any:
        """Kill a task, and tell when it has ended."""

    def framework_message(self, driver: ExecutorCalls, data: bytes) -> Any:
        """The scheduler sent data. It was sent once, and may be lost."""

    def shutdown(self, driver: ExecutorCalls) -> Any:
        """End all tasks. The driver stops when each one's end has been told, or when the grace period is over."""

    def error(self, driver: ExecutorCalls, message: str) -> Any:
        """The executor cannot go on. The driver has aborted already."""
