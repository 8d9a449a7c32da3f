"""What master and agent both show as JSON, with the field names of Mesos ("slave" where its clients expect that)."""

from __future__ import annotations

from typing import Any, TypeAlias

from libprocess.pid import PID
from mesos.attributes import format_attributes
from mesos.labels import Labels
from mesos.resources import Resources
from mesos.resources.amounts import Ranges, Set
from mesos.types import Attributes, CommandInfo, ContainerStatus, Task, TaskStatus

Json: TypeAlias = dict[str, Any]

ALWAYS_SHOWN = ("disk", "mem", "gpus", "cpus")


def resources(these: Resources) -> Json:
    """Totals by name: numbers for scalars, text for ranges and sets."""
    totals = dict.fromkeys(ALWAYS_SHOWN, 0)
    revocable: dict[str, int] = {}
    others: dict[str, Ranges | Set] = {}
    for kind, amount in these.items:  # in one pass: a large state has a hundred thousand of them
        name = kind.name
        if isinstance(amount, int):
            counts = revocable if kind.revocable else totals
            counts[name] = counts.get(name, 0) + (kind.size if kind.shared else (kind.size or 1) * amount)
        elif not kind.revocable:
            have: Any = others.get(name)
            others[name] = amount if have is None else have + amount
    shown: Json = {name: thousandths / 1000 for name, thousandths in totals.items()}
    for name, amounts in others.items():
        shown[name] = str(amounts)
    for name, thousandths in revocable.items():
        shown[f"{name}_revocable"] = thousandths / 1000
    return shown


def resources_by_role(these: Resources) -> Json:
    """Totals of what is reserved, by role."""
    roles = sorted({kind.role for kind, _ in these.items if kind.reservations})
    return {role: resources(these.reserved(role)) for role in roles}


def web_pid(pid: PID, port: int) -> str:
    """An actor as clients of Mesos know it: they take the address of its HTTP API from what they hold for its PID."""
    return str(PID(pid.id, pid.host, port))


def attributes(these: Attributes) -> Json:
    """By name: numbers as such, everything else as text."""
    shown: Json = {}
    for attribute in these:
        _, _, text = format_attributes((attribute,)).partition(":")
        shown[attribute.name] = attribute.value if isinstance(attribute.value, float) else text
    return shown


def labels(these: Labels) -> list[Json]:
    """Labels in their order."""
    return [{"key": label.key, "value": label.value} for label in these]


def task(this: Task, role: str) -> Json:
    """A task: what it was launched as, and its latest statuses."""
    shown: Json = {
        "id": this.task_id,
        "name": this.name,
        "framework_id": this.framework_id,
        "executor_id": this.executor_id or "",
        "slave_id": this.agent_id,
        "state": this.state,
        "resources": resources(this.resources),
        "role": role,
        "statuses": [status(each) for each in this.statuses],
    }
    optional: Json = {"user": this.user, "labels": labels(this.labels)}
    return shown | {name: value for name, value in optional.items() if value}


def status(this: TaskStatus) -> Json:
    """One status, without its data."""
    shown: Json = {"state": this.state, "timestamp": this.timestamp}
    optional: Json = {
        "labels": labels(this.labels) or None,
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


def command(this: CommandInfo) -> Json:
    """A command; its environment may hold secrets and is not shown."""
    shown: Json = {
        "argv": list(this.arguments),
        "uris": [{"value": uri.value, "executable": uri.executable} for uri in this.uris],
    }
    return ({"shell": this.shell, "value": this.value} if this.value else {}) | shown
