"""The executor of the launch bench: says of each task at once that it runs, and that it is done."""

from __future__ import annotations

from libprocess.edge import run
from mesos.executor import AsyncExecutorDriver, Executor, ExecutorCalls
from mesos.types import TaskInfo, TaskState, TaskStatus


class Answering(Executor):
    """Does nothing, quickly."""

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_RUNNING))
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_FINISHED))


async def answer() -> None:
    """Be that executor, as an agent starts it."""
    async with AsyncExecutorDriver(Answering()) as driver:
        await driver.join()


if __name__ == "__main__":
    run(answer())
