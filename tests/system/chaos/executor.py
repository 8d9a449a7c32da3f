"""An executor of a framework's own, to be killed: each of its tasks is a program that it starts.

Its argument says which one it is, so that it can be found among all processes.
"""

from __future__ import annotations

import shlex
import subprocess

from mesos.executor import Executor, ExecutorCalls, ExecutorDriver
from mesos.ids import TaskID
from mesos.types import TaskInfo, TaskState, TaskStatus


class Starting(Executor):
    """A task's data is its command line."""

    def __init__(self) -> None:
        self.programs: dict[TaskID, subprocess.Popen[bytes]] = {}

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        self.programs[task.task_id] = subprocess.Popen(shlex.split(task.data.decode()))
        for state in (TaskState.TASK_STARTING, TaskState.TASK_RUNNING):
            driver.send_status_update(TaskStatus(task.task_id, state))

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> None:
        self.programs[task_id].kill()
        self.programs.pop(task_id).wait()
        driver.send_status_update(TaskStatus(task_id, TaskState.TASK_KILLED))

    def shutdown(self, driver: ExecutorCalls) -> None:
        for task_id in list(self.programs):
            self.kill_task(driver, task_id)


if __name__ == "__main__":
    ExecutorDriver(Starting()).run()
