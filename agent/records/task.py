"""A task on this agent: what it is, how far it got, and which of its updates are still on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from agent.records.updates import UpdateStream
from mesos.ids import TaskID
from mesos.messages import KillTaskMessage, RunTaskMessage
from mesos.states import may_follow, terminal
from mesos.types import StatusUpdate, Task, TaskInfo, TaskState, TaskStatus

if TYPE_CHECKING:
    from agent.records.executor import ExecutorRecord

STATUSES_KEPT = 16
"""A task that reports its health for years has as many statuses as it likes; the newest are shown."""


class TaskRecord:
    """One task, from its launch until its last update is acknowledged; then it is shown as completed for a while."""

    __slots__ = ("executor", "info", "is_drained", "kill", "order", "running_since", "state", "statuses", "updates")

    def __init__(self, order: RunTaskMessage, executor: ExecutorRecord) -> None:
        self.info: TaskInfo = order.task
        self.executor = executor
        self.order: RunTaskMessage | None = order
        """What is to be sent to the executor; None once it was."""
        self.kill: KillTaskMessage | None = None
        """An order to kill it that came while its executor was away."""
        self.state = TaskState.TASK_STAGING
        self.statuses: list[TaskStatus] = []
        self.updates = UpdateStream(executor.framework.is_kept)
        self.running_since: float | None = None
        """When it began to run, in Unix time."""
        self.is_drained = False
        """Whether it was to be killed because the agent is emptied."""

    @property
    def id(self) -> TaskID:
        """The id its framework gave it."""
        return self.info.task_id

    @property
    def is_queued(self) -> bool:
        """Whether its executor has not been told of it."""
        return self.order is not None

    @property
    def is_terminal(self) -> bool:
        """Whether it has ended."""
        return terminal(self.state)

    @property
    def is_completed(self) -> bool:
        """Whether it has ended, and the scheduler knows."""
        return terminal(self.state) and not self.updates

    def advance(self, status: TaskStatus) -> bool:
        """Note a new status; False if it cannot follow the last one: a task that has ended stays ended."""
        if not may_follow(self.state, status.state):
            return False
        self.state = status.state
        if status.state is TaskState.TASK_RUNNING and self.running_since is None:
            self.running_since = status.timestamp
        self.statuses.append(status)
        del self.statuses[:-STATUSES_KEPT]
        return True

    def _placed(self, status: TaskStatus) -> TaskStatus:
        """A status that says where it comes from, whether or not its executor did."""
        executor_id = None if self.executor.is_command else self.executor.id
        return replace(
            status, agent_id=status.agent_id or self.info.agent_id, executor_id=status.executor_id or executor_id
        )

    def report(self) -> Task:
        """The task as the master is told of it."""
        executor, info = self.executor, self.info
        under_way: StatusUpdate | None = self.updates.first
        forwarded = under_way.status if under_way else self.statuses[-1] if self.statuses else None
        return Task(
            task_id=info.task_id,
            framework_id=executor.framework.id,
            agent_id=info.agent_id,
            state=self.state,
            name=info.name,
            executor_id=None if executor.is_command else executor.id,
            resources=info.resources,
            statuses=tuple(self._placed(status) for status in self.statuses),
            status_update_state=forwarded.state if forwarded else None,
            status_update_uuid=forwarded.uuid if forwarded else b"",
            labels=info.labels,
            discovery=info.discovery,
            container=info.container,
            health_check=info.health_check,
            kill_policy=info.kill_policy,
            max_completion_time_seconds=info.max_completion_time_seconds,
            user=executor.framework.info.user,
            limits=info.limits,
        )
