"""The master's records as the v1 operator API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from master.registrar.drains import drain_form
from master.registrar.entries import AgentEntry
from mesos.forms import web_pid
from mesos.ids import AgentID, ExecutorID
from mesos.resources import Resources
from mesos.secrets import without_secrets
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, Offer, OperationReport, Task
from mesos.v1.faces import CODECS, FACES
from mesos.v1.resources import full_resources
from mesos.v1.tree import Tree


def state(cluster: Cluster) -> Tree:
    """What GET_STATE says, and what a subscription to events begins with."""
    return {
        "get_tasks": tasks(cluster),
        "get_executors": executors(cluster),
        "get_frameworks": frameworks(cluster),
        "get_agents": agents(cluster),
    }


def agents(cluster: Cluster) -> Tree:
    """What GET_AGENTS says."""
    return _some(
        agents=[agent(each) for each in cluster.agents.values()],
        recovered_agents=list(recovered_agents(cluster.recovered.values())),
    )


def recovered_agents(entries: Iterable[AgentEntry]) -> Iterator[Tree]:
    """Agents of former masters that are not back yet, as they described themselves when they were admitted."""
    return (FACES[AgentInfo].write(entry.info) for entry in entries if entry.info is not None)


def agent(record: AgentRecord) -> Tree:
    """An agent; its PID is where its HTTP API is."""
    shown: Tree = {
        "agent_info": FACES[AgentInfo].write(record.info),
        "active": record.active,
        "deactivated": record.is_deactivated,
        "version": record.version,
        "pid": web_pid(record.pid, record.info.port),
        "registered_time": _time(record.registered_time),
        **_some(
            total_resources=full_resources(record.total),
            allocated_resources=full_resources(record.used.total()),
            offered_resources=full_resources(record.offered),
        ),
        "capabilities": [{"type": capability} for capability in record.capabilities],
    }
    if record.reregistered_time is not None:
        shown["reregistered_time"] = _time(record.reregistered_time)
    if record.drain is not None:
        shown["drain_info"] = drain_form(record.drain)
        shown["estimated_drain_start_time"] = _time(record.drain.began)
    return shown


def frameworks(cluster: Cluster) -> Tree:
    """What GET_FRAMEWORKS says."""
    return _some(
        frameworks=[framework(each) for each in cluster.frameworks.values()],
        completed_frameworks=[framework(each) for each in cluster.completed.values()],
    )


def framework(record: FrameworkRecord) -> Tree:
    """A framework with its offers, without its tasks."""
    times = {
        "registered_time": record.registered_time,
        "reregistered_time": record.reregistered_time or record.registered_time,
        "unregistered_time": record.unregistered_time,
    }
    return {
        "framework_info": FACES[FrameworkInfo].write(record.info) | {"id": {"value": record.id}},
        "active": record.active,
        "connected": record.connected,
        "recovered": record.is_orphan,
        **{name: _time(time) for name, time in times.items() if time is not None},
        **_some(
            offers=[FACES[Offer].write(offer) for offer in record.offers.values()],
            allocated_resources=full_resources(record.used.total()),
            offered_resources=full_resources(record.offered),
        ),
        "offer_constraints": {},
    }


def executors(cluster: Cluster) -> Tree:
    """What GET_EXECUTORS says."""
    return _some(
        executors=[
            executor(framework, *name) for framework in cluster.frameworks.values() for name in framework.executors
        ]
    )


def executor(framework: FrameworkRecord, agent_id: AgentID, executor_id: ExecutorID) -> Tree:
    """A framework's executor on an agent."""
    info = FACES[ExecutorInfo].write(without_secrets(framework.executors[agent_id, executor_id]))
    return {"executor_info": info | {"framework_id": {"value": framework.id}}, "agent_id": {"value": agent_id}}


def operations(cluster: Cluster) -> Tree:
    """What GET_OPERATIONS says: those whose end nobody has acknowledged."""
    return _some(
        operations=[
            FACES[OperationReport].write(each.report()) | {"agent_id": {"value": agent.id}}
            for agent in cluster.agents.values()
            for each in agent.operations.values()
        ]
    )


def tasks(cluster: Cluster) -> Tree:
    """What GET_TASKS says."""
    living, ended = cluster.frameworks.values(), cluster.completed.values()
    return _some(
        tasks=_tasks(task for each in living for task in each.tasks.values()),
        unreachable_tasks=_tasks(task for each in (*living, *ended) for task in each.unreachable_tasks.values()),
        completed_tasks=_tasks(task for each in (*living, *ended) for task in each.completed_tasks),
    )


def task(record: TaskRecord) -> Tree:
    """A task, with the last status of each of its states."""
    return FACES[Task].write(without_secrets(record.report()))


def roles(cluster: Cluster, is_seen: Callable[[str], bool]) -> Tree:
    """What GET_ROLES says: every role that somebody has, or that has a weight."""
    weights = cluster.roles.weights
    members: dict[str, list[FrameworkRecord]] = {role: [] for role in weights}
    for record in cluster.frameworks.values():
        for role in record.info.all_roles:
            members.setdefault(role, []).append(record)
    return _some(
        roles=[_role(role, weights.get(role, 1.0), members[role]) for role in sorted(members) if is_seen(role)]
    )


def _role(role: str, weight: float, members: list[FrameworkRecord]) -> Tree:
    used = Resources.sum(each.used.total() for each in members).filter(lambda kind: kind.allocated_to == role)
    return {
        "name": role,
        "weight": weight,
        **_some(
            frameworks=[{"value": each.id} for each in members],
            resources=CODECS[Resources].write(used.flatten()),
        ),
    }


def _tasks(records: Iterable[TaskRecord]) -> list[Tree]:
    return [task(record) for record in records]


def _time(seconds: float) -> Tree:
    return {"nanoseconds": round(seconds * 1_000_000) * 1000}


def _some(**lists: list[Any]) -> Tree:
    """Those that are not empty: outside, an empty list is not there."""
    return {name: items for name, items in lists.items() if items}
