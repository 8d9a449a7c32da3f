"""The carrier itself, `python -m frameworks.carrier.executor`: agents start it, for tasks that say what to run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from frameworks.carrier.command import Command
from frameworks.carrier.protocol import Chunk, Job, Outcome, Read, Stream, decode, decode_order, encode
from libprocess.edge import run
from libprocess.errors import told_to_the_operator
from mesos.executor import AsyncExecutorDriver, Executor, ExecutorCalls
from mesos.ids import TaskID
from mesos.types import TaskInfo, TaskState, TaskStatus

GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.05
"""How often a file is looked at that somebody waits for more of."""


@dataclass(slots=True)
class Work:
    """A task: its command, and what of its output was sent, or is waited for."""

    command: Command
    grace_seconds: float
    is_killed: bool = False
    sent: dict[Stream, int] = field(default_factory=lambda: dict.fromkeys(Stream, 0))
    wanted: dict[Stream, int] = field(default_factory=dict)
    """From which byte on, as soon as there are more."""

    def chunk(self, task_id: TaskID, stream: Stream, offset: int) -> Chunk:
        """What it has written from that byte on."""
        data = self.command.read(stream, offset)
        self.sent[stream] = offset + len(data)
        self.wanted.pop(stream, None)
        return Chunk(task_id, stream, offset, data)


class Carrier(Executor):
    """Runs the jobs in its tasks, side by side, and sends what they write.

    The first chunk of a task's output goes out with the news of its end, the rest as the scheduler asks for it.
    """

    def __init__(self, outputs: Path) -> None:
        self._outputs = outputs
        self._works: dict[TaskID, Work] = {}
        self._look: asyncio.TimerHandle | None = None

    # Tasks.

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        try:
            job = decode(task.data, Job)
        except msgspec.MsgspecError as error:
            text = f"expected a job in the task's data: {error}"
            driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_ERROR, message=text))
            return
        command = self._command(job, task.task_id, lambda outcome: self._ended(driver, task.task_id, outcome))
        grace_seconds = task.kill_policy.grace_period_seconds if task.kill_policy else None
        self._works[task.task_id] = Work(command, GRACE_SECONDS if grace_seconds is None else grace_seconds)
        command.start({**os.environ, "MESOS_TASK_ID": task.task_id})
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_RUNNING))

    def _command(self, job: Job, task_id: TaskID, ended: Callable[[Outcome], None]) -> Command:
        return Command(job, self._outputs, task_id, ended)

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> None:
        work = self._works.get(task_id)
        if work is not None and work.command.is_running:
            work.is_killed = True
            work.command.signal(signal.SIGTERM)
            asyncio.get_running_loop().call_later(work.grace_seconds, work.command.signal, signal.SIGKILL)

    def shutdown(self, driver: ExecutorCalls) -> None:
        for task_id in self._works:
            self.kill_task(driver, task_id)

    def _ended(self, driver: ExecutorCalls, task_id: TaskID, outcome: Outcome) -> None:
        work = self._works[task_id]
        for stream in Stream:
            if work.sent[stream] < outcome.written(stream):
                driver.send_framework_message(encode(work.chunk(task_id, stream, work.sent[stream])))
        if work.is_killed:
            state = TaskState.TASK_KILLED
        else:
            state = TaskState.TASK_FAILED if outcome.exit_status else TaskState.TASK_FINISHED
        text = f"exit status {outcome.exit_status}"
        driver.send_status_update(TaskStatus(task_id, state, message=text, data=encode(outcome)))

    # Output.

    def framework_message(self, driver: ExecutorCalls, data: bytes) -> None:
        with suppress(msgspec.MsgspecError):
            order = decode_order(data)
            work = self._works.get(order.task_id)
            if work is None:
                return
            if isinstance(order, Read):
                self._read(driver, order, work)
            elif not work.command.is_running:
                del self._works[order.task_id]
                work.command.forget()

    def _read(self, driver: ExecutorCalls, order: Read, work: Work) -> None:
        if order.offset < work.command.size(order.stream):
            driver.send_framework_message(encode(work.chunk(order.task_id, order.stream, order.offset)))
        elif work.command.is_running:
            work.wanted[order.stream] = order.offset
            self._look_later(driver)

    def _look_later(self, driver: ExecutorCalls) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_now, driver)

    def _look_now(self, driver: ExecutorCalls) -> None:
        """Send what is there by now of what is waited for."""
        self._look = None
        waiting = {task_id: work for task_id, work in self._works.items() if work.command.is_running and work.wanted}
        for task_id, work in waiting.items():
            for stream, offset in list(work.wanted.items()):
                if offset < work.command.size(stream):
                    driver.send_framework_message(encode(work.chunk(task_id, stream, offset)))
        if waiting:
            self._look_later(driver)


async def carry() -> None:
    """Be a carrier until the agent has no more use for one."""
    outputs = Path("outputs")
    outputs.mkdir(exist_ok=True)
    async with AsyncExecutorDriver(Carrier(outputs)) as driver:
        await driver.join()


def main() -> None:
    """What the agent starts, in the sandbox."""
    with told_to_the_operator("carrier"):
        run(carry())


if __name__ == "__main__":
    main()
