"""Records as JSON, with the field names of Mesos ("slave" where its clients expect that)."""

from __future__ import annotations

from typing import Any, TypeAlias

from master.records import AgentRecord, FrameworkRecord, FrameworkState, TaskRecord
from mesos.attributes import format_attributes
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.resources.kind import ValueType
from mesos.types import (
    Attributes,
    CommandInfo,
    ContainerStatus,
    ExecutorInfo,
    FrameworkCapability,
    Offer,
    TaskStatus,
)

Json: TypeAlias = dict[str, Any]

ALWAYS_SHOWN = ("disk", "mem", "gpus", "cpus")


def resources(these: Resources) -> Json:
    """Totals by name: numbers for scalars, text for ranges and sets."""
    regular = these.filter(lambda kind: not kind.revocable)
    shown: Json = dict.fromkeys(ALWAYS_SHOWN, 0.0)
    shown |= {name: thousandths / 1000 for name, thousandths in regular.quantities().items()}
    for name in {kind.name for kind, _ in regular.items if kind.type is ValueType.RANGES}:
        shown[name] = str(regular.ranges(name))
    for name in {kind.name for kind, _ in regular.items if kind.type is ValueType.SET}:
        shown[name] = str(regular.set(name))
    revocable = these.filter(lambda kind: kind.revocable).quantities()
    return shown | {f"{name}_revocable": thousandths / 1000 for name, thousandths in revocable.items()}


def attributes(these: Attributes) -> Json:
    """By name: numbers as such, everything else as text."""
    shown: Json = {}
    for attribute in these:
        _, _, text = format_attributes((attribute,)).partition(":")
        shown[attribute.name] = attribute.value if isinstance(attribute.value, float) else text
    return shown


# Tasks.


def task(record: TaskRecord) -> Json:
    """A task: what it was launched as, and the last status of each of its states."""
    known = record.report()
    shown: Json = {
        "id": known.task_id,
        "name": known.name,
        "framework_id": known.framework_id,
        "executor_id": known.executor_id or "",
        "slave_id": known.agent_id,
        "state": known.state,
        "resources": resources(known.resources),
        "role": record.role,
        "statuses": [status(each) for each in known.statuses],
    }
    optional: Json = {
        "user": known.user,
        "labels": known.labels and [{"key": label.key, "value": label.value} for label in known.labels],
    }
    return shown | {name: value for name, value in optional.items() if value}


def status(this: TaskStatus) -> Json:
    """One status, without its data."""
    shown: Json = {"state": this.state, "timestamp": this.timestamp}
    optional: Json = {
        "labels": [{"key": label.key, "value": label.value} for label in this.labels] or None,
        "container_status": this.container_status and container_status(this.container_status),
        "healthy": this.healthy,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def container_status(this: ContainerStatus) -> Json:
    """A task's container, and the networks it is in."""
    shown: Json = {"container_id": {"value": this.container_id}}
    networks = [
        {
            "ip_addresses": [
                {"protocol": address.protocol, "ip_address": address.ip_address} for address in network.ip_addresses
            ]
        }
        for network in this.network_infos
    ]
    return shown | ({"network_infos": networks} if networks else {})


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


def command(this: CommandInfo) -> Json:
    """A command; its environment may hold secrets and is not shown."""
    shown: Json = {
        "argv": list(this.arguments),
        "uris": [{"value": uri.value, "executable": uri.executable} for uri in this.uris],
    }
    return ({"shell": this.shell, "value": this.value} if this.value else {}) | shown


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
    roles = sorted({kind.role for kind, _ in total.items if kind.reservations})
    shown: Json = {
        "id": record.id,
        "hostname": record.info.hostname,
        "port": record.info.port,
        "attributes": attributes(record.info.attributes),
        "pid": str(record.pid),
        "registered_time": record.registered_time,
    }
    if record.reregistered_time is not None:
        shown["reregistered_time"] = record.reregistered_time
    return shown | {
        "resources": resources(total),
        "used_resources": resources(record.used.total()),
        "offered_resources": resources(record.offered),
        "reserved_resources": {role: resources(total.reserved(role)) for role in roles},
        "unreserved_resources": resources(total.unreserved()),
        "active": record.active,
        "deactivated": False,
        "version": record.version,
        "capabilities": list(record.capabilities),
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
        "recovered": record.state is FrameworkState.RECOVERED,
    }


def framework(record: FrameworkRecord) -> Json:
    """A framework with its tasks, those that ended too."""
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
        shown["labels"] = [{"key": label.key, "value": label.value} for label in info.labels]
    many = FrameworkCapability.MULTI_ROLE in info.capabilities
    return shown | {
        "resources": resources(record.used.total() + record.offered),
        **({"roles": list(info.roles)} if many else {"role": info.role}),
        "tasks": [task(each) for each in record.tasks.values()],
        "unreachable_tasks": [task(each) for each in record.unreachable_tasks.values()],
        "completed_tasks": [task(each) for each in record.completed_tasks],
        "offers": [offer(each) for each in record.offers.values()],
        "executors": [executor(info, record.id, agent_id) for (agent_id, _), info in record.executors.items()],
        "offer_constraints": {},
    }
