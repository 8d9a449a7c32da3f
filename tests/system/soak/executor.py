"""A framework's own executor: its tasks last a second, and it ends when there have been none for a while."""

from __future__ import annotations

import threading
import time

from mesos.executor import Executor, ExecutorCalls, ExecutorDriver
from mesos.ids import TaskID
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, TaskStatus

TASK_SECONDS = 1.0
IDLE_SECONDS = 3.0


class SoakExecutor(Executor):
    """Its tasks are when they end."""

    def __init__(self) -> None:
        self.tasks: dict[TaskID, float] = {}
        self.busy = time.monotonic()
        self.is_connected = False
        self._lock = threading.Lock()

    def registered(
        self, driver: ExecutorCalls, executor_info: ExecutorInfo, framework_info: FrameworkInfo, agent_info: AgentInfo
    ) -> None:
        self.is_connected, self.busy = True, time.monotonic()

    def disconnected(self, driver: ExecutorCalls) -> None:
        self.is_connected = False

    def reregistered(self, driver: ExecutorCalls, agent_info: AgentInfo) -> None:
        self.is_connected, self.busy = True, time.monotonic()

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_RUNNING))
        with self._lock:
            self.tasks[task.task_id] = time.monotonic() + TASK_SECONDS

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> None:
        self.end(driver, task_id, TaskState.TASK_KILLED)

    def end(self, driver: ExecutorCalls, task_id: TaskID, state: TaskState) -> None:
        with self._lock:
            if self.tasks.pop(task_id, None) is not None:
                driver.send_status_update(TaskStatus(task_id, state))
            self.busy = time.monotonic()

    @property
    def is_idle(self) -> bool:
        return self.is_connected and not self.tasks and time.monotonic() > self.busy + IDLE_SECONDS


def main() -> None:
    executor = SoakExecutor()
    driver = ExecutorDriver(executor)
    driver.start()
    while not executor.is_idle:
        time.sleep(0.1)
        now = time.monotonic()
        for task_id, when in list(executor.tasks.items()):
            if when <= now:
                executor.end(driver, task_id, TaskState.TASK_FINISHED)
    driver.stop()
    driver.join()


if __name__ == "__main__":
    main()
