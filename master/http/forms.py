"""Records as JSON, with the field names of Mesos ("slave" where its clients expect that)."""

from __future__ import annotations

from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from master.registrar.drains import drain_form
from mesos.forms import Json, attributes, command, labels, resources, resources_by_role, web_pid
from mesos.forms import task as task_form
from mesos.ids import AgentID, FrameworkID
from mesos.types import CommandInfo, ExecutorInfo, FrameworkCapability, Offer

# Tasks.


def task(record: TaskRecord) -> Json:
    """A task: what it was launched as, and the last status of each of its states."""
    return task_form(record.report(), record.role)


def executor(this: ExecutorInfo, framework_id: FrameworkID, agent_id: AgentID) -> Json:
    """An executor on an agent."""
    return {
        "executor_id": this.executor_id,
        "name": this.name,
        "framework_id": framework_id,
        "command": command(this.command or CommandInfo()),
        "resources": resources(this.resources),
        "role": next((each.kind.allocated_to for each in this.resources), ""),
        "type": this.type,
        "slave_id": agent_id,
    }


def offer(this: Offer) -> Json:
    """An offer that stands."""
    return {
        "id": this.id,
        "framework_id": this.framework_id,
        "allocation_info": {"role": this.role},
        "slave_id": this.agent_id,
        "resources": resources(this.resources),
    }


# Agents.


def agent(record: AgentRecord) -> Json:
    """An agent, without what runs there."""
    total = record.total
    shown: Json = {
        "id": record.id,
        "hostname": record.info.hostname,
        "port": record.info.port,
        "attributes": attributes(record.info.attributes),
        "pid": web_pid(record.pid, record.info.port),
        "actor_pid": str(record.pid),
        "registered_time": record.registered_time,
    }
    if record.reregistered_time is not None:
        shown["reregistered_time"] = record.reregistered_time
    return (
        shown
        | drain(record)
        | {
            "resources": resources(total),
            "used_resources": resources(record.used.total()),
            "offered_resources": resources(record.offered),
            "reserved_resources": resources_by_role(total),
            "unreserved_resources": resources(total.unreserved()),
            "active": record.active,
            "deactivated": record.is_deactivated,
            "version": record.version,
            "capabilities": list(record.capabilities),
        }
    )


def recovered(cluster: Cluster) -> list[Json]:
    """Agents of former masters that are not back yet."""
    return [
        {
            "id": entry.id,
            "hostname": entry.info.hostname,
            "port": entry.info.port,
            "attributes": attributes(entry.info.attributes),
            "deactivated": entry.is_deactivated,
        }
        for entry in cluster.recovered.values()
        if entry.info is not None
    ]


def drain(record: AgentRecord) -> Json:
    """How far an agent is drained; nothing of one that is not to be."""
    if record.drain is None:
        return {}
    left = {"tasks": len(record.tasks), "operations": len(record.operations), "deadline": record.drain.deadline}
    return {
        "drain_info": drain_form(record.drain),
        "estimated_drain_start_time_seconds": record.drain.began,
        "drain_progress": left,
    }


# Frameworks.


def framework_summary(record: FrameworkRecord) -> Json:
    """A framework, without what it runs."""
    return {
        "id": record.id,
        "name": record.info.name,
        **({"pid": str(record.pid)} if record.pid else {}),
        "used_resources": resources(record.used.total()),
        "offered_resources": resources(record.offered),
        "capabilities": list(record.info.capabilities),
        "hostname": record.info.hostname,
        "webui_url": record.info.webui_url,
        "active": record.active,
        "connected": record.connected,
        "recovered": record.is_orphan,
    }


def framework(record: FrameworkRecord) -> Json:
    """A framework with its tasks, those that ended too."""
    return framework_head(record) | {
        "tasks": [task(each) for each in record.tasks.values()],
        "unreachable_tasks": [task(each) for each in record.unreachable_tasks.values()],
        "completed_tasks": [task(each) for each in record.completed_tasks],
        "offers": [offer(each) for each in record.offers.values()],
        "executors": [executor(info, record.id, agent_id) for (agent_id, _), info in record.executors.items()],
    }


def framework_head(record: FrameworkRecord) -> Json:
    """A framework without the lists of what it has."""
    info = record.info
    shown = framework_summary(record) | {
        "user": info.user,
        "failover_timeout": info.failover_timeout_seconds,
        "checkpoint": info.checkpoint,
        "registered_time": record.registered_time,
        "unregistered_time": record.unregistered_time or 0.0,
    }
    if record.reregistered_time is not None:
        shown["reregistered_time"] = record.reregistered_time
    if info.principal:
        shown["principal"] = info.principal
    if info.labels:
        shown["labels"] = labels(info.labels)
    many = FrameworkCapability.MULTI_ROLE in info.capabilities
    return shown | {
        "resources": resources(record.used.total() + record.offered),
        **({"roles": list(info.roles)} if many else {"role": info.role}),
        "offer_constraints": {},
    }
