"""The registry as JSON, as Mesos shows it at /registrar(1)/registry."""

from __future__ import annotations

from collections.abc import Iterable

from master.http.quota_forms import write_config
from master.registrar.drains import drain_form
from master.registrar.entries import (
    AgentEntry,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    MaintenanceEntry,
    QuotasEntry,
    Standing,
    WeightsEntry,
)
from mesos.types import AgentInfo, FrameworkInfo, MachineID, MasterInfo, Schedule, Unavailability
from mesos.v1.faces import CODECS, FACES
from mesos.v1.resources import both_notations
from mesos.v1.tree import Tree


def registry_form(entries: Iterable[Entry], info: MasterInfo | None = None) -> Tree:
    """All entries, by what they are about, and the master that has them; what there is nothing of is not there."""
    shown: Tree = {} if info is None else {"master": {"info": CODECS[MasterInfo].write(info)}}
    agents: dict[Standing, list[Tree]] = {standing: [] for standing in Standing}
    frameworks: list[Tree] = []
    ended: list[Tree] = []
    for entry in entries:
        match entry:
            case AgentEntry():
                agents[entry.standing].append(_agent(entry))
            case FrameworkEntry():
                frameworks.append(_framework(entry))
            case EndedFrameworkEntry():
                ended.append(_ended_framework(entry))
            case WeightsEntry():
                shown["weights"] = [{"info": {"role": each.role, "weight": each.weight}} for each in entry.weights]
            case QuotasEntry():
                shown["quota_configs"] = list(map(write_config, entry.quotas))
                shown["minimum_capabilities"] = [{"capability": "QUOTA_V2"}]
            case MaintenanceEntry():
                shown["machines"] = {"machines": _machines(entry)}
                shown["schedules"] = [FACES[Schedule].write(Schedule(entry.schedule))]
    shown["slaves"] = {"slaves": agents[Standing.ADMITTED]}
    shown["unreachable"] = {"slaves": agents[Standing.UNREACHABLE]}
    shown["gone"] = {"slaves": agents[Standing.GONE]}
    shown["disconnected_frameworks"] = frameworks
    shown["completed_frameworks"] = ended
    return {name: tree for name, tree in shown.items() if tree and tree != {"slaves": []}}


def _machines(entry: MaintenanceEntry) -> list[Tree]:
    return [
        {
            "info": {
                "id": FACES[MachineID].write(machine),
                "mode": "DOWN" if machine in entry.down else "DRAINING",
                "unavailability": FACES[Unavailability].write(window.unavailability),
            }
        }
        for window in entry.schedule
        for machine in window.machine_ids
    ]


def _agent(entry: AgentEntry) -> Tree:
    if entry.standing is Standing.GONE:
        return {"id": {"value": entry.id}, "timestamp": {"nanoseconds": _nanoseconds(entry.since)}}
    shown: Tree = {"deactivated": entry.is_deactivated}
    if entry.drain is not None:
        shown["drain_info"] = drain_form(entry.drain)
    if entry.info is not None:
        info = FACES[AgentInfo].write(entry.info) | {"checkpoint": entry.info.checkpoint}
        resources = [both_notations(each) for each in info.get("resources", [])]
        return shown | {"info": info | {"resources": resources}}
    return shown | {"id": {"value": entry.id}, "timestamp": {"nanoseconds": _nanoseconds(entry.since)}}


def _framework(entry: FrameworkEntry) -> Tree:
    since = {"nanoseconds": _nanoseconds(entry.since)}
    return {"id": {"value": entry.id}, "since": since, "failover_timeout": entry.failover_timeout_seconds}


def _ended_framework(entry: EndedFrameworkEntry) -> Tree:
    info = FACES[FrameworkInfo].write(entry.info) | {"id": {"value": entry.id}}
    return {"framework_info": info, "unregistered_time": {"nanoseconds": _nanoseconds(entry.since)}}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000
