"""One task, from its launch until the last thing that happened to it is acknowledged."""

from __future__ import annotations

from msgspec.structs import replace

from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.states import terminal
from mesos.types import StatusUpdate, Task, TaskInfo, TaskState, TaskStatus
from mesos.types.history import EndedTask

# What a status carries for its framework only, and the history of a task does without.
_FORGOTTEN = {"data": b"", "uuid": b""}


class TaskRecord:
    """A task and how far it got. `state` is the newest that is known; the scheduler may be told later."""

    __slots__ = ("_launched", "launched_time", "state", "status_update_state", "status_update_uuid", "statuses")

    def __init__(self, task: Task, now: float) -> None:
        self._launched = task
        self.launched_time = now
        """When this master first knew of it."""
        self.state = task.state
        self.statuses = list(task.statuses)
        """The last status of each state it was in, in order."""
        self.status_update_state = task.status_update_state
        self.status_update_uuid = task.status_update_uuid

    # What it was launched as.

    @property
    def task_id(self) -> TaskID:
        """Its framework's name for it."""
        return self._launched.task_id

    @property
    def framework_id(self) -> FrameworkID:
        """Whose it is."""
        return self._launched.framework_id

    @property
    def agent_id(self) -> AgentID:
        """Where it is."""
        return self._launched.agent_id

    @property
    def executor_id(self) -> ExecutorID | None:
        """What runs it; None for a command."""
        return self._launched.executor_id

    @property
    def resources(self) -> Resources:
        """What it was given, allocated to its role."""
        return self._launched.resources

    @property
    def role(self) -> str:
        """The role it was launched in."""
        return next((resource.kind.allocated_to for resource in self.resources), "")

    @property
    def name(self) -> str:
        """What people call it."""
        return self._launched.name

    @property
    def user(self) -> str:
        """Whom it was to run as; empty if that was not said."""
        return self._launched.user

    # What became of it.

    @property
    def ended(self) -> bool:
        """Whether its newest state is a last one; its framework may not know yet."""
        return terminal(self.state)

    @property
    def told_state(self) -> TaskState:
        """The newest state that was sent to its framework. Whoever is told of a newer one hears of this after it."""
        return self.status_update_state or self.state

    @property
    def holds_resources(self) -> bool:
        """Whether what it was given is still its own."""
        return not self.ended and self.state is not TaskState.TASK_UNREACHABLE

    @property
    def healthy(self) -> bool | None:
        """What the last health check said; None without one."""
        return self.statuses[-1].healthy if self.statuses else None

    def update(self, update: StatusUpdate) -> None:
        """Take an update on its way to the scheduler. What has ended stays as it ended."""
        status = update.status
        self.status_update_state = status.state
        self.status_update_uuid = status.uuid
        if not self.ended:
            self.state = update.latest_state or status.state
        self._remember(status)

    def _remember(self, status: TaskStatus) -> None:
        """Keep the status, in place of one of the same state before it, so that probes do not fill the history."""
        if self.statuses and self.statuses[-1].state is status.state:
            self.statuses.pop()
        self.statuses.append(replace(status, **_FORGOTTEN))

    def is_settled_by(self, uuid: bytes) -> bool:
        """Whether the acknowledgement of this update is the last thing to happen to it."""
        known = self.status_update_state
        return self.status_update_uuid == uuid and known is not None and terminal(known)

    def report(self) -> Task:
        """What is known of it now, as a value."""
        return replace(
            self._launched,
            state=self.state,
            statuses=tuple(self.statuses),
            status_update_state=self.status_update_state,
            status_update_uuid=self.status_update_uuid,
        )


def recalled(task: EndedTask) -> TaskRecord:
    """A task that ended under a former master, as far as it is remembered."""
    status = TaskStatus(
        task.task_id,
        task.state,
        task.agent_id,
        task.executor_id,
        message=task.message,
        source=task.source,
        reason=task.reason,
        timestamp=task.ended,
    )
    what = Task(
        task_id=task.task_id,
        framework_id=task.framework_id,
        agent_id=task.agent_id,
        state=task.state,
        name=task.name,
        executor_id=task.executor_id,
        resources=task.resources,
        statuses=(status,),
        user=task.user,
    )
    return TaskRecord(what, task.ended)


def launched(info: TaskInfo, framework_id: FrameworkID) -> Task:
    """A task as it begins: staging."""
    command = info.command or (info.executor.command if info.executor else None)
    return Task(
        task_id=info.task_id,
        framework_id=framework_id,
        agent_id=info.agent_id,
        state=TaskState.TASK_STAGING,
        name=info.name,
        executor_id=info.executor.executor_id if info.executor else None,
        resources=info.resources,
        labels=info.labels,
        discovery=info.discovery,
        container=info.container,
        health_check=info.health_check,
        kill_policy=info.kill_policy,
        max_completion_time_seconds=info.max_completion_time_seconds,
        user=command.user if command else "",
        limits=info.limits,
    )
