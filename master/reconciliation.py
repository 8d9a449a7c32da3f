"""Reconciliation: what a scheduler is told when it asks for the state of its tasks.

To be silent is an answer, too: while a task's agent may still come back after a change of masters, nobody can know.
"""

from __future__ import annotations

from dataclasses import dataclass

from master.records import Cluster, FrameworkRecord, TaskRecord
from master.updates import Verdict, update_of, update_of_told
from mesos.states import terminal
from mesos.types import Reason, StatusUpdate, TaskReference, TaskState


@dataclass(frozen=True)
class Reconciler:
    """Answers for one framework, at one moment."""

    cluster: Cluster
    framework: FrameworkRecord
    now: float

    def all(self) -> list[StatusUpdate]:
        """The state of every task that is known and has not ended, as far as its framework was told."""
        tasks = sorted(self.framework.tasks.items())
        return [self._known(task) for _, task in tasks if not terminal(task.told_state)]

    def one(self, asked: TaskReference) -> StatusUpdate | None:
        """The state of one task; None if that cannot be known yet."""
        if asked.task_id in self.framework.tasks:
            return self._known(self.framework.tasks[asked.task_id])
        if asked.task_id in self.framework.unreachable_tasks:
            agent_id = self.framework.unreachable_tasks[asked.task_id].agent_id
            return self._unknown(TaskReference(asked.task_id, agent_id))
        ended = self._ended(asked)
        if ended is not None:
            return self._known(ended)
        return None if self._may_come_back(asked) else self._unknown(asked)

    def _ended(self, asked: TaskReference) -> TaskRecord | None:
        """A task that is over, as far as that is remembered, and its framework was told how it ended."""
        for task in reversed(self.framework.completed_tasks):
            if task.task_id == asked.task_id and asked.agent_id in (None, task.agent_id):
                return task if terminal(task.told_state) else None
        return None

    def _known(self, task: TaskRecord) -> StatusUpdate:
        verdict = Verdict(task.told_state, Reason.REASON_RECONCILIATION, "the task's newest state")
        return update_of_told(self.framework, task, verdict, self.now)

    def _may_come_back(self, asked: TaskReference) -> bool:
        """Whether this master has not been told of it yet, but may be.

        An agent may not have heard that a framework ended, which was let in again since, or not be done with that.
        """
        if asked.agent_id is None:
            return bool(self.cluster.recovered) and not self.cluster.gave(self.framework.id)
        agent = self.cluster.agents.get(asked.agent_id)
        if agent is None:
            return asked.agent_id in self.cluster.recovered
        return not agent.connected or self.framework.id in agent.ending

    def _unknown(self, asked: TaskReference) -> StatusUpdate:
        return update_of(self.framework, asked, self._verdict(asked), self.now)

    def _verdict(self, asked: TaskReference) -> Verdict:
        reason = Reason.REASON_RECONCILIATION
        if asked.agent_id in self.cluster.agents:
            return Verdict(TaskState.TASK_GONE, reason, "its agent is registered and does not have it")
        if asked.agent_id in self.cluster.gone:
            return Verdict(TaskState.TASK_GONE_BY_OPERATOR, reason, "an operator said that its agent is gone")
        since = self.cluster.unreachable.get(asked.agent_id) if asked.agent_id else None
        if since is not None:
            return Verdict(TaskState.TASK_UNREACHABLE, reason, "its agent is out of reach", since)
        return Verdict(TaskState.TASK_UNKNOWN, reason, "nothing is known of it")
