"""An executor on this agent: the program, its container, and the tasks it was given or will be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.records.task import TaskRecord
from libprocess.pid import PID
from libprocess.timers import Timer
from mesos.ids import ContainerID, ExecutorID, TaskID
from mesos.messages import RunTaskMessage
from mesos.resources import Resources
from mesos.types import ContainerStatus, ExecutorInfo, Reason, ResourceLimit, TaskEnding, TaskState, TaskStatus

if TYPE_CHECKING:
    from agent.records.framework import FrameworkRecord

COMPLETED_TASKS_KEPT = 200


class ExecutorState(StrEnum):
    """How far an executor got."""

    REGISTERING = "REGISTERING"
    """It is being started; tasks wait for it."""
    RUNNING = "RUNNING"
    TERMINATING = "TERMINATING"
    """It was told to end."""
    TERMINATED = "TERMINATED"
    """Nothing of it runs; updates of its tasks may still be on their way."""


class ExecutorRecord:
    """One run of an executor, in one container."""

    def __init__(
        self,
        framework: FrameworkRecord,
        info: ExecutorInfo,
        container_id: ContainerID,
        directory: str,
        is_command: bool,
    ) -> None:
        self.framework = framework
        self.info = info
        self.container_id = container_id
        self.directory = directory
        """The sandbox, an absolute path."""
        self.is_command = is_command
        """It is the agent's own, for one task that is a command; the master does not know of it."""
        self.state = ExecutorState.REGISTERING
        self.pid: PID | None = None
        """Where it registered from."""
        self.was_registered = False
        """It has registered, with this agent or with the one before its restart."""
        self.former_pid: PID | None = None
        """Where it can be reached after a restart of the agent; None for one that comes by itself."""
        self.is_lost = False
        """Its connection broke, and it is to come back."""
        self.kill: tuple[float, Reason | None] | None = None
        """The agent's own executor is killing its command: until when nicely, and why if that is a failure."""
        self.is_told_to_end = False
        self.waits_until: float | None = None
        """When it is given up, should there be no room for it before; None for one that is started, or was."""
        self.process_id: int | None = None
        self.tasks: dict[TaskID, TaskRecord] = {}
        """Those that are not completed, in the order of their launch."""
        self.completed_tasks: deque[TaskRecord] = deque(maxlen=COMPLETED_TASKS_KEPT)
        self.resources: Resources = info.resources
        """What it and those of its tasks that have not ended may use."""
        self.active_tasks = 0
        """How many of its tasks have not ended."""
        self._beyond: dict[str, list[float]] = {}
        """By the name of a resource: how far those of its tasks that have a limit may go beyond what they asked for."""
        self.alarm: Timer | None = None
        """Limits how long it may take to register, and to shut down."""
        self.ending: TaskEnding | None = None
        """How its processes ended."""
        self.end_reason: tuple[Reason, str] | None = None
        """Why this agent ended it, told with its tasks' last updates."""

    @property
    def id(self) -> ExecutorID:
        """The id its framework gave it; for a command, its task's."""
        return self.info.executor_id

    @property
    def user(self) -> str:
        """Whom it runs as."""
        command = self.info.command
        return (command.user if command is not None else "") or self.framework.info.user

    @property
    def is_alive(self) -> bool:
        """Whether it takes tasks, now or once it has registered."""
        return self.state in (ExecutorState.REGISTERING, ExecutorState.RUNNING)

    @property
    def container_status(self) -> ContainerStatus:
        """What its tasks' updates say of their container."""
        return ContainerStatus(self.container_id, executor_pid=self.process_id)

    @property
    def limits(self) -> tuple[ResourceLimit, ...]:
        """How much its container may use of what some task has a limit of; the others get what they asked for."""
        given = ((name, beyond) for name, beyond in sorted(self._beyond.items()) if beyond)
        return tuple(ResourceLimit(name, self.resources.scalar(name) + sum(beyond)) for name, beyond in given)

    def add_task(self, order: RunTaskMessage) -> TaskRecord:
        """Note a task that it is to run."""
        task = TaskRecord(order, self)
        self.tasks[task.id] = self.framework.tasks[task.id] = task
        self.resources += task.info.resources
        self.active_tasks += 1
        for name, beyond in _beyond(task):
            self._beyond.setdefault(name, []).append(beyond)
        return task

    def advance(self, task: TaskRecord, status: TaskStatus) -> bool:
        """Note a task's new status; False if it cannot follow the last one."""
        if not task.advance(status):
            return False
        if task.is_terminal:
            self.resources -= task.info.resources
            self.active_tasks -= 1
            for name, beyond in _beyond(task):
                self._beyond[name].remove(beyond)
        return True

    def complete(self, task: TaskRecord) -> None:
        """Move a task whose last update is acknowledged to the completed ones."""
        del self.tasks[task.id]
        del self.framework.tasks[task.id]
        self.completed_tasks.append(task)

    def queued(self) -> Iterator[TaskRecord]:
        """The tasks that it has not been told of."""
        return (task for task in self.tasks.values() if task.is_queued)

    def register(self, pid: PID) -> None:
        """It has said where it is."""
        self.pid = pid
        self.was_registered, self.is_lost = True, False
        self.state = ExecutorState.RUNNING
        self.silence()

    def lose(self) -> None:
        """Its connection broke: nothing can be said to it, and what it was told last it may not have heard."""
        self.pid = None
        self.is_lost = True
        self.state = ExecutorState.REGISTERING
        framework = self.framework
        for task in self.tasks.values():
            if task.state is TaskState.TASK_STAGING:
                task.order = RunTaskMessage(framework.info, task.info, framework.pid)

    def silence(self) -> None:
        """Stop its alarm."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    def terminate(self) -> None:
        """Nothing of it runs any more."""
        self.state = ExecutorState.TERMINATED
        self.silence()

    def let_go(self) -> None:
        """Nobody remembers it any more: do not hold its tasks, which hold it; the garbage collector looks rarely."""
        self.completed_tasks.clear()


def _beyond(task: TaskRecord) -> Iterator[tuple[str, float]]:
    """By how much a task's limits are above what it asks for."""
    return ((limit.name, limit.value - task.info.resources.scalar(limit.name)) for limit in task.info.limits)
