"""Sight: the part of the cluster that a principal may see.

Whoever may see everything, as everybody may unless access control lists say otherwise, is shown the records themselves;
anybody else a copy without what is not theirs to see.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from copy import copy
from typing import TypeVar

from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from master.records.holdings import Holdings
from master.records.roles import Roles
from master.validation.rights import user_of
from mesos.access.acls import Acls, Need
from mesos.ids import FrameworkID
from mesos.resources import Kind, Resources
from mesos.types import FrameworkInfo
from mesos.v1.tree import Tree

R = TypeVar("R", AgentRecord, FrameworkRecord)

VIEWS = ("view_frameworks", "view_tasks", "view_executors", "view_roles", "get_quotas")


class Sight:
    """What one principal may see."""

    def __init__(self, rights: Acls, principal: str | None) -> None:
        self._rights = rights
        self._principal = principal

    def of(self, cluster: Cluster) -> Cluster:
        """The cluster as that principal is shown it."""
        if not self._rights.restrict(*VIEWS):
            return cluster
        seen = copy(cluster)
        seen.frameworks = self._frameworks(cluster.frameworks)
        seen.completed = OrderedDict(self._frameworks(cluster.completed))
        seen.agents = {id_: self._agent(agent, seen.frameworks) for id_, agent in cluster.agents.items()}
        seen.offers = {offer.id: offer for each in seen.frameworks.values() for offer in each.offers.values()}
        seen.roles = Roles((role, weight) for role, weight in cluster.roles.weights.items() if self.role(role))
        seen.roles.quotas = {role: quota for role, quota in cluster.roles.quotas.items() if self.quota(role)}
        return seen

    def role(self, role: str) -> bool:
        """Whether a role may be seen."""
        return self._may("view_roles", role)

    def quota(self, role: str) -> bool:
        """Whether a role's quota may be seen."""
        return self._may("get_quotas", role)

    def all_of(self, needs: tuple[Need, ...]) -> bool:
        """Whether what needs all of these may be seen."""
        return all(self._may(*need) for need in needs)

    def _may(self, action: str, asked: str | None) -> bool:
        return self._rights.allow(self._principal, action, asked)

    def _frameworks(self, frameworks: Mapping[FrameworkID, FrameworkRecord]) -> dict[FrameworkID, FrameworkRecord]:
        return {
            id_: self._framework(each)
            for id_, each in frameworks.items()
            if self._may("view_frameworks", each.info.user)
        }

    def _framework(self, record: FrameworkRecord) -> FrameworkRecord:
        info, seen = record.info, _unwatched(record)
        seen.tasks = {id_: task for id_, task in record.tasks.items() if self._task(task, info)}
        unreachable = {id_: task for id_, task in record.unreachable_tasks.items() if self._task(task, info)}
        seen.unreachable_tasks = OrderedDict(unreachable)
        seen.completed_tasks = deque(task for task in record.completed_tasks if self._task(task, info))
        seen.executors = {
            name: executor
            for name, executor in record.executors.items()
            if self._may("view_executors", user_of(executor, info))
        }
        return seen

    def _task(self, task: TaskRecord, framework: FrameworkInfo) -> bool:
        return self._may("view_tasks", task.user or framework.user)

    def _agent(self, record: AgentRecord, frameworks: Mapping[FrameworkID, FrameworkRecord]) -> AgentRecord:
        """An agent without what is reserved for roles that may not be seen, or what runs unseen."""
        seen = _unwatched(record)
        seen.total = self._of_roles(record.total)
        seen.used = Holdings()
        for id_ in record.framework_ids():
            seen.used.add(id_, self._of_roles(record.used.of(id_)))
        seen.offers = {id_: offer for id_, offer in record.offers.items() if offer.framework_id in frameworks}
        seen.operations = {
            uuid: each
            for uuid, each in record.operations.items()
            if each.framework_id is None or each.framework_id in frameworks
        }
        seen.tasks = {
            (id_, name): task
            for (id_, name), task in record.tasks.items()
            if id_ in frameworks and name in frameworks[id_].tasks
        }
        seen.executors = {
            (id_, name): executor
            for (id_, name), executor in record.executors.items()
            if id_ in frameworks and (record.id, name) in frameworks[id_].executors
        }
        return seen

    def _of_roles(self, resources: Resources) -> Resources:
        def is_seen(kind: Kind) -> bool:
            return not kind.reservations or self.role(kind.role)

        return resources.filter(is_seen)


def _unwatched(record: R) -> R:
    """A copy that nobody is told the changes of."""
    seen = copy(record)
    seen.changed = None
    return seen


def needs_of(event: Tree, cluster: Cluster) -> tuple[Need, ...]:
    """What somebody must be allowed to see who is told of an event."""
    (body,) = (value for value in event.values() if isinstance(value, dict))
    if "framework" in body or "framework_info" in body:
        info = body.get("framework", body)["framework_info"]
        return (("view_frameworks", info.get("user", "")),)
    task = body.get("task", body)
    framework_id = task.get("framework_id", {}).get("value")
    if framework_id is None:
        return ()
    framework = cluster.frameworks.get(framework_id) or cluster.completed.get(framework_id)
    user = framework.info.user if framework is not None else ""
    return (("view_frameworks", user), ("view_tasks", _task_user(task, framework) or user))


def _task_user(task: Tree, framework: FrameworkRecord | None) -> str:
    if "status" in task and framework is not None:
        record = framework.tasks.get(task["status"]["task_id"]["value"])
        return record.user if record is not None else ""
    return str(task.get("user", ""))
