"""The cluster's records with somebody who is told when they change: events for operators, and snapshots for readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from libprocess.pid import PID
from master.http import trees
from master.records import AgentRecord, Cluster, FrameworkRecord, FrameworkState, TaskRecord
from master.records.cluster import History
from mesos.ids import AgentID, ExecutorID, FrameworkID
from mesos.resources import Resources
from mesos.types import ExecutorInfo, FrameworkInfo, Offer, StatusUpdate, TaskStatus
from mesos.types.history import EndedTask
from mesos.v1.faces import FACES
from mesos.v1.tree import Tree


class Watcher(Protocol):
    """Is told what has changed, as it changes; what it shows of that it looks up later."""

    def agent_changed(self, agent: AgentRecord) -> None:
        """An agent is registered, or something of it has changed."""

    def agent_removed(self, agent: AgentRecord) -> None:
        """It is registered no more."""

    def framework_changed(self, framework: FrameworkRecord) -> None:
        """A framework is known, or something of it has changed that is in none of its lists."""

    def framework_completed(self, framework: FrameworkRecord) -> None:
        """It ended."""

    def framework_forgotten(self, framework: FrameworkRecord) -> None:
        """It ended long ago, and gave way to younger ones."""

    def listed(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        """A task, an offer's id, or an executor's name is in that list of a framework, or has changed there."""

    def unlisted(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        """It is not there any more."""


class WatchedCluster(Cluster):
    """A cluster that tells of its changes.

    Those that operators subscribe to are told to `watch`, as events of the v1 operator API; to nobody while that is
    None. All are told to the `watchers`.
    """

    watch: Callable[[Tree], None] | None = None
    watchers: tuple[Watcher, ...] = ()

    def __init__(self, master_id: str, history: History) -> None:
        super().__init__(master_id, history)
        self._inactive: set[AgentID] = set()

    def _tell(self, type_: str, body: Callable[[], Tree]) -> None:
        if self.watch is not None:
            self.watch({"type": type_, type_.lower(): body()})

    def _agent_changed(self, agent: AgentRecord) -> None:
        if agent.active:
            self._inactive.discard(agent.id)
        else:
            self._inactive.add(agent.id)
        for watcher in self.watchers:
            watcher.agent_changed(agent)

    def _framework_changed(self, framework: FrameworkRecord) -> None:
        if self.watchers and self.frameworks.get(framework.id) is framework:
            for watcher in self.watchers:
                watcher.framework_changed(framework)

    def _listed(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        for watcher in self.watchers:
            watcher.listed(framework_id, name, item)

    def _unlisted(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        for watcher in self.watchers:
            watcher.unlisted(framework_id, name, item)

    # Agents.

    def add_agent(self, agent: AgentRecord) -> None:
        """See Cluster."""
        super().add_agent(agent)
        agent.changed = partial(self._agent_changed, agent)
        self._tell("AGENT_ADDED", lambda: {"agent": trees.agent(agent)})

    def remove_agent(self, agent: AgentRecord) -> None:
        """See Cluster."""
        super().remove_agent(agent)
        agent.changed = None
        self._inactive.discard(agent.id)
        for watcher in self.watchers:
            watcher.agent_removed(agent)
        self._tell("AGENT_REMOVED", lambda: {"agent_id": {"value": agent.id}})

    def inactive_agents(self) -> int:
        """See Cluster; it is asked often, and of many."""
        return len(self._inactive)

    # Frameworks.

    def add_framework(self, id: FrameworkID, info: FrameworkInfo, pid: PID | None, now: float) -> FrameworkRecord:
        """See Cluster."""
        framework = super().add_framework(id, info, pid, now)
        framework.changed = partial(self._framework_changed, framework)
        self._tell("FRAMEWORK_ADDED", lambda: {"framework": trees.framework(framework)})
        return framework

    def subscribe_framework(self, framework: FrameworkRecord, info: FrameworkInfo, now: float) -> None:
        """See Cluster."""
        super().subscribe_framework(framework, info, now)
        self._tell("FRAMEWORK_UPDATED", lambda: {"framework": trees.framework(framework)})

    def leave_framework(self, framework: FrameworkRecord, state: FrameworkState) -> None:
        """See Cluster."""
        super().leave_framework(framework, state)
        self._tell("FRAMEWORK_UPDATED", lambda: {"framework": trees.framework(framework)})

    def revise_framework(self, framework: FrameworkRecord, info: FrameworkInfo) -> None:
        """See Cluster."""
        super().revise_framework(framework, info)
        self._tell("FRAMEWORK_UPDATED", lambda: {"framework": trees.framework(framework)})

    def complete_framework(self, framework: FrameworkRecord, now: float) -> None:
        """See Cluster."""
        forgotten = list(self.completed.values())
        super().complete_framework(framework, now)
        framework.changed = None
        for watcher in self.watchers:
            watcher.framework_completed(framework)
            for each in (*forgotten, framework):
                if self.completed.get(each.id) is not each:
                    watcher.framework_forgotten(each)
        info = FACES[FrameworkInfo]
        self._tell(
            "FRAMEWORK_REMOVED",
            lambda: {"framework_info": info.write(framework.info) | {"id": {"value": framework.id}}},
        )

    def forget_framework(self, framework_id: FrameworkID) -> None:
        """See Cluster."""
        framework = self.completed.get(framework_id)
        super().forget_framework(framework_id)
        if framework is not None:
            for watcher in self.watchers:
                watcher.framework_forgotten(framework)

    # Offers.

    def add_offer(self, offer: Offer) -> None:
        """See Cluster."""
        super().add_offer(offer)
        self._offer_changed(offer)
        self._listed(offer.framework_id, "offers", offer.id)

    def remove_offer(self, offer: Offer) -> None:
        """See Cluster."""
        super().remove_offer(offer)
        self._offer_changed(offer)
        self._unlisted(offer.framework_id, "offers", offer.id)

    def _offer_changed(self, offer: Offer) -> None:
        if self.watchers:
            self._agent_changed(self.agents[offer.agent_id])
            self._framework_changed(self.frameworks[offer.framework_id])

    # Tasks.

    def add_task(self, task: TaskRecord) -> None:
        """See Cluster."""
        known = self.frameworks[task.framework_id].unreachable_tasks.get(task.task_id)
        super().add_task(task)
        if known is not None:
            self._unlisted(task.framework_id, "unreachable_tasks", known)
        self._listed(task.framework_id, "tasks", task)
        self._tell("TASK_ADDED", lambda: {"task": trees.task(task)})

    def update_task(self, task: TaskRecord, update: StatusUpdate) -> Resources:
        """See Cluster."""
        freed = super().update_task(task, update)
        self._listed(task.framework_id, "tasks", task)
        self._tell("TASK_UPDATED", lambda: _updated(task, update))
        return freed

    def remove_task(self, task: TaskRecord) -> Resources:
        """See Cluster."""
        completed = self.frameworks[task.framework_id].completed_tasks
        oldest = completed[0] if len(completed) == completed.maxlen else None
        freed = super().remove_task(task)
        self._unlisted(task.framework_id, "tasks", task)
        if oldest is not None:
            self._unlisted(task.framework_id, "completed_tasks", oldest)
        if completed and completed[-1] is task:
            self._listed(task.framework_id, "completed_tasks", task)
        return freed

    def lose_task(self, task: TaskRecord, update: StatusUpdate) -> None:
        """See Cluster."""
        unreachable = self.frameworks[task.framework_id].unreachable_tasks
        known = (unreachable.get(task.task_id), next(iter(unreachable.values()), None))
        super().lose_task(task, update)
        self._unlisted(task.framework_id, "tasks", task)
        for each in known:
            if each is not None and unreachable.get(each.task_id) is not each:
                self._unlisted(task.framework_id, "unreachable_tasks", each)
        if unreachable.get(task.task_id) is task:
            self._listed(task.framework_id, "unreachable_tasks", task)

    def recall_tasks(self, framework_id: FrameworkID, tasks: Iterable[EndedTask]) -> list[TaskRecord]:
        """See Cluster."""
        shown = super().recall_tasks(framework_id, tasks)
        for task in shown:
            self._listed(framework_id, "completed_tasks", task)
        return shown

    # Executors.

    def add_executor(self, framework_id: FrameworkID, agent_id: AgentID, executor: ExecutorInfo) -> None:
        """See Cluster."""
        super().add_executor(framework_id, agent_id, executor)
        self._listed(framework_id, "executors", (agent_id, executor.executor_id))

    def remove_executor(self, framework_id: FrameworkID, agent_id: AgentID, executor_id: ExecutorID) -> Resources:
        """See Cluster."""
        freed = super().remove_executor(framework_id, agent_id, executor_id)
        self._unlisted(framework_id, "executors", (agent_id, executor_id))
        return freed

    # The books.

    def _charge(self, framework_id: FrameworkID, agent_id: AgentID, resources: Resources) -> None:
        super()._charge(framework_id, agent_id, resources)
        self._books_changed(framework_id, agent_id)

    def _refund(self, framework_id: FrameworkID, agent_id: AgentID, resources: Resources) -> Resources:
        freed = super()._refund(framework_id, agent_id, resources)
        self._books_changed(framework_id, agent_id)
        return freed

    def _books_changed(self, framework_id: FrameworkID, agent_id: AgentID) -> None:
        if self.watchers:
            self._agent_changed(self.agents[agent_id])
            self._framework_changed(self.frameworks[framework_id])


def _updated(task: TaskRecord, update: StatusUpdate) -> Tree:
    return {
        "framework_id": {"value": task.framework_id},
        "status": FACES[TaskStatus].write(update.status),
        "state": task.state,
    }
