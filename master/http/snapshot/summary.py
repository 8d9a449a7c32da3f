"""The snapshot of the cluster in numbers: how many tasks came to each state is counted as they come to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from master.http.forms import agent, framework_summary
from master.http.snapshot.shapes import Shapes
from master.http.snapshot.snapshot import Snapshot, together
from master.http.summary import COUNTED
from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from mesos.forms import Json
from mesos.ids import AgentID, FrameworkID
from mesos.types import TaskState

TASKS = ("tasks", "unreachable_tasks", "completed_tasks")


class SummarySnapshot(Snapshot):
    """What `master.http.summary` says."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._counted: dict[TaskRecord, TaskState] = {}
        """All tasks, and the states that they are counted in."""
        self._on_agent: defaultdict[AgentID, Counter[TaskState]] = defaultdict(Counter)
        self._of_framework: defaultdict[FrameworkID, Counter[TaskState]] = defaultdict(Counter)
        self._pairs: Counter[tuple[AgentID, FrameworkID]] = Counter()
        self._frameworks_on: defaultdict[AgentID, set[FrameworkID]] = defaultdict(set)
        self._agents_of: defaultdict[FrameworkID, set[AgentID]] = defaultdict(set)
        super().__init__(Shapes(self._agent, self._framework, {}), cluster)

    def _list_all(self, framework: FrameworkRecord) -> None:
        for task in _all_tasks(framework):
            self._count(task)

    def _agent(self, record: AgentRecord) -> Json:
        framework_ids = sorted({*record.framework_ids(), *self._frameworks_on[record.id]})
        return agent(record) | _shown(self._on_agent[record.id]) | {"framework_ids": framework_ids}

    def _framework(self, record: FrameworkRecord) -> Json:
        agent_ids = sorted({*(agent_id for agent_id, _ in record.executors), *self._agents_of[record.id]})
        return framework_summary(record) | _shown(self._of_framework[record.id]) | {"slave_ids": agent_ids}

    # What it is told.

    def listed(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        if name in TASKS:
            self._discount(item)
            self._count(item)

    def unlisted(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        if name in TASKS:
            self._discount(item)

    def framework_forgotten(self, framework: FrameworkRecord) -> None:
        for task in _all_tasks(framework):
            self._discount(task)
        super().framework_forgotten(framework)
        self._of_framework.pop(framework.id, None)
        self._agents_of.pop(framework.id, None)

    def _count(self, task: TaskRecord) -> None:
        self._counted[task] = task.state
        self._add(task, task.state, 1)

    def _discount(self, task: TaskRecord) -> None:
        state = self._counted.pop(task, None)
        if state is not None:
            self._add(task, state, -1)

    def _add(self, task: TaskRecord, state: TaskState, number: int) -> None:
        agent_id, framework_id = task.agent_id, task.framework_id
        self._on_agent[agent_id][state] += number
        self._of_framework[framework_id][state] += number
        self._pairs[agent_id, framework_id] += number
        if self._pairs[agent_id, framework_id]:
            self._frameworks_on[agent_id].add(framework_id)
            self._agents_of[framework_id].add(agent_id)
        else:
            del self._pairs[agent_id, framework_id]
            self._frameworks_on[agent_id].discard(framework_id)
            self._agents_of[framework_id].discard(agent_id)
        record = self._cluster.agents.get(agent_id)
        if record is not None:
            self.agent_changed(record)
        shown = self.living.get(framework_id) or self.ended.get(framework_id)
        if shown is not None:
            shown.touch()
            self._is_due(shown)


def _all_tasks(framework: FrameworkRecord) -> list[TaskRecord]:
    return [*framework.tasks.values(), *framework.unreachable_tasks.values(), *framework.completed_tasks]


def _shown(counts: Counter[TaskState]) -> Json:
    return {state: counts[state] for state in COUNTED}


def lists(snapshot: Snapshot) -> dict[str, Iterable[bytes]]:
    """The lists that /state-summary ends with, encoded."""
    return {"slaves": snapshot.agents.parts(), "frameworks": together(snapshot.living.values())}
