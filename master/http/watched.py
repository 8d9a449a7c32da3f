"""The cluster's records with somebody who is told when they change: the source of the events for operators."""

from __future__ import annotations

from collections.abc import Callable

from libprocess.pid import PID
from master.http import trees
from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from mesos.ids import FrameworkID
from mesos.resources import Resources
from mesos.types import FrameworkInfo, StatusUpdate, TaskStatus
from mesos.v1.faces import FACES
from mesos.v1.tree import Tree


class WatchedCluster(Cluster):
    """A cluster whose changes are told to `watch`, as events of the v1 operator API; to nobody while that is None."""

    watch: Callable[[Tree], None] | None = None

    def _tell(self, type_: str, body: Callable[[], Tree]) -> None:
        if self.watch is not None:
            self.watch({"type": type_, type_.lower(): body()})

    def add_agent(self, agent: AgentRecord) -> None:
        """See Cluster."""
        super().add_agent(agent)
        self._tell("AGENT_ADDED", lambda: {"agent": trees.agent(agent)})

    def remove_agent(self, agent: AgentRecord) -> None:
        """See Cluster."""
        super().remove_agent(agent)
        self._tell("AGENT_REMOVED", lambda: {"agent_id": {"value": agent.id}})

    def add_framework(self, id: FrameworkID, info: FrameworkInfo, pid: PID | None, now: float) -> FrameworkRecord:
        """See Cluster."""
        framework = super().add_framework(id, info, pid, now)
        self._tell("FRAMEWORK_ADDED", lambda: {"framework": trees.framework(framework)})
        return framework

    def move_framework(self, framework: FrameworkRecord, pid: PID) -> None:
        """See Cluster."""
        super().move_framework(framework, pid)
        self._tell("FRAMEWORK_UPDATED", lambda: {"framework": trees.framework(framework)})

    def complete_framework(self, framework: FrameworkRecord, now: float) -> None:
        """See Cluster."""
        super().complete_framework(framework, now)
        info = FACES[FrameworkInfo]
        self._tell(
            "FRAMEWORK_REMOVED",
            lambda: {"framework_info": info.write(framework.info) | {"id": {"value": framework.id}}},
        )

    def add_task(self, task: TaskRecord) -> None:
        """See Cluster."""
        super().add_task(task)
        self._tell("TASK_ADDED", lambda: {"task": trees.task(task)})

    def update_task(self, task: TaskRecord, update: StatusUpdate) -> Resources:
        """See Cluster."""
        freed = super().update_task(task, update)
        self._tell("TASK_UPDATED", lambda: _updated(task, update))
        return freed


def _updated(task: TaskRecord, update: StatusUpdate) -> Tree:
    return {
        "framework_id": {"value": task.framework_id},
        "status": FACES[TaskStatus].write(update.status),
        "state": task.state,
    }
