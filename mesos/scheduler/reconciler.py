"""What a driver knows of its framework's tasks, and which of them it has to ask the master about.

The state and the rules of reconciliation: the scheduler's actor sends the questions that it makes here. It asks for all
tasks at once first, then by name for those that nobody has spoken of, ever more rarely, until the master has answered
for each. A master that just took over is silent about tasks whose agents may still come back.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesos.ids import AgentID, TaskID
from mesos.states import terminal
from mesos.types import Reason, TaskInfo, TaskReference, TaskState, TaskStatus

INTERVAL_SECONDS = 15 * 60.0
"""So often a driver asks although nothing happened: no news may be lost for longer."""
BACKOFF_MIN_SECONDS = 5.0
BACKOFF_MAX_SECONDS = 60.0


class TaskReconciler:
    """The tasks of one framework that have not ended, as far as its driver launched them or heard of them."""

    def __init__(self, knows_all: bool = True) -> None:
        """Without `knows_all` there may be tasks of a scheduler before this one."""
        self._knows_all = knows_all
        self._states: dict[TaskID, TaskState | None] = {}  # what the scheduler was told last; None: nothing yet
        self._agents: dict[TaskID, AgentID | None] = {}
        self._remaining: set[TaskID] = set()
        self._named: set[TaskID] = set()  # asked about by name, and not answered yet
        self._over: set[TaskID] = set()  # those of which the end was told while an answer was under way
        self._backoff_seconds = BACKOFF_MIN_SECONDS
        self._began = 0.0

    # What the driver does and hears.

    def launched(self, tasks: Iterable[TaskInfo]) -> None:
        """The master was asked to launch these."""
        for task in tasks:
            self._states[task.task_id] = None
            self._agents[task.task_id] = task.agent_id

    def asked(self, tasks: Iterable[TaskReference]) -> None:
        """The scheduler asks by itself, for these or for all if there are none: it will hear all answers.

        But for the answers that are older than the end of a task: that is not told again as another one.
        """
        named = [task.task_id for task in tasks]
        self._named.update(named)
        self._over.difference_update(named)
        for task_id in named or list(self._states):
            if task_id in self._states:
                self._states[task_id] = None

    def killed(self, task_id: TaskID) -> None:
        """The scheduler has a task killed: where the master does not know that by then, it answers as if asked."""
        if task_id in self._states:
            self._named.add(task_id)

    def heard(self, status: TaskStatus) -> bool:
        """The state of a task came; returns whether that is news, and not only the answer that nothing has changed."""
        is_answer = not status.uuid and status.reason is Reason.REASON_RECONCILIATION
        if is_answer:
            self._named.discard(status.task_id)
            if status.task_id in self._over:
                return False
        self._remaining.discard(status.task_id)
        known = self._states.get(status.task_id)
        if terminal(status.state):
            self._states.pop(status.task_id, None)
            self._agents.pop(status.task_id, None)
            if status.task_id in self._named and not is_answer:
                self._over.add(status.task_id)
        else:
            self._states[status.task_id] = status.state
            self._agents[status.task_id] = status.agent_id
        return not is_answer or known is not status.state

    # The questions.

    def begin(self, now: float) -> tuple[TaskReference, ...] | None:
        """Begin to ask about all tasks, in place of whatever was asked before: the first question, if there is any."""
        self._began = now
        self._backoff_seconds = BACKOFF_MIN_SECONDS
        self._remaining = set(self._states)
        self._named.clear()  # who was asked before is gone, or has answered
        self._over.clear()
        if self._knows_all and not self._remaining:
            return None
        self._knows_all = True
        return ()  # for everything

    def next(self, now: float) -> tuple[TaskReference, ...] | None:
        """The next question, if there is any."""
        if self._remaining:
            self._named |= self._remaining
            return tuple(TaskReference(task_id, self._agents[task_id]) for task_id in sorted(self._remaining))
        return self.begin(now) if now >= self._began + INTERVAL_SECONDS else None

    def wait_seconds(self, now: float) -> float:
        """How long to wait for answers before the next question."""
        if not self._remaining:
            return max(self._began + INTERVAL_SECONDS - now, 0.0)
        wait_seconds = self._backoff_seconds
        self._backoff_seconds = min(2 * wait_seconds, BACKOFF_MAX_SECONDS)
        return wait_seconds
