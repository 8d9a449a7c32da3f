"""The outside face of every type of Mesos: what differs between ours and the v1 APIs', and nothing else.

In the order of use: a type comes after those it is made of.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from math import isinf
from typing import Any

import mesos.v1.resources  # noqa: F401  the codecs of resources and attributes
from libprocess.pid import PID
from mesos import types
from mesos.labels import Label
from mesos.resources import Resources, thousandths
from mesos.types.framework import OfferFilter
from mesos.v1.face import CODECS, FACES, Codec, Face
from mesos.v1.proto import message
from mesos.v1.tree import Misfit, Tree

__all__ = ["CODECS", "FACES"]

CODECS[PID] = Codec(PID.parse, str)

# Where things are.

Face(Label, message("Label"))
Face(types.FaultDomain, message("DomainInfo.FaultDomain"))
Face(types.DomainInfo, message("DomainInfo"))
Face(types.Unavailability, message("Unavailability"))
Face(types.MachineID, message("MachineID"))
Face(types.Window, message("maintenance.Window"))
Face(types.Schedule, message("maintenance.Schedule"))
Face(types.Port, message("Port"))
Face(types.DiscoveryInfo, message("DiscoveryInfo"))

# Commands.

Face(types.URI, message("CommandInfo.URI"))
Face(types.SecretReference, message("Secret.Reference"))
Face(types.Secret, message("Secret"))
Face(types.Variable, message("Environment.Variable"))
Face(types.Environment, message("Environment"))
Face(types.CommandInfo, message("CommandInfo"))

# Containers.

Face(
    types.Image,
    message("Image"),
    paths={"name": "docker.name", "credential": "docker.config"},
    constants={"type": "DOCKER"},
)

_VOLUME_PLACES = {
    types.VolumeSourceType.DOCKER_VOLUME: "docker_volume",
    types.VolumeSourceType.HOST_PATH: "host_path",
    types.VolumeSourceType.SANDBOX_PATH: "sandbox_path",
    types.VolumeSourceType.SECRET: "secret",
}


def _read_volume_source(tree: Tree) -> types.VolumeSource:
    type_ = tree.get("type", "UNKNOWN")
    if type_ not in _VOLUME_PLACES:
        raise Misfit(f"expected one of {', '.join(_VOLUME_PLACES)}, found {type_}", "type")
    kind = types.VolumeSourceType(type_)
    place = tree.get(_VOLUME_PLACES[kind])
    if place is None:
        raise Misfit(f"expected the field {_VOLUME_PLACES[kind]!r} beside type {kind}, found none")
    if kind is types.VolumeSourceType.SECRET:
        return types.VolumeSource(kind, secret=FACES[types.Secret].read(place))
    options = place.get("driver_options", {}).get("parameter", ())
    return types.VolumeSource(
        kind,
        path=place.get("path", ""),
        sandbox=types.SandboxOwner(place.get("type", "SELF")),
        driver=place.get("driver", ""),
        name=place.get("name", ""),
        driver_options=tuple(Label(option["key"], option["value"]) for option in options),
    )


def _write_volume_source(source: types.VolumeSource) -> Tree:
    place: Tree = {}
    if source.type is types.VolumeSourceType.SECRET and source.secret is not None:
        place = FACES[types.Secret].write(source.secret)
    elif source.type is types.VolumeSourceType.SANDBOX_PATH:
        place = {"type": source.sandbox, "path": source.path}
    elif source.type is types.VolumeSourceType.HOST_PATH:
        place = {"path": source.path}
    else:
        options = [{"key": option.key, "value": option.value} for option in source.driver_options]
        rest = {"driver": source.driver, "driver_options": options and {"parameter": options}}
        place = {"name": source.name} | {name: value for name, value in rest.items() if value}
    return {"type": source.type, _VOLUME_PLACES[source.type]: place}


CODECS[types.VolumeSource] = Codec(_read_volume_source, _write_volume_source)
Face(types.Volume, message("Volume"))
Face(types.PortMapping, message("ContainerInfo.DockerInfo.PortMapping"))
Face(types.Parameter, message("Parameter"))
Face(types.DockerInfo, message("ContainerInfo.DockerInfo"))
Face(types.MesosInfo, message("ContainerInfo.MesosInfo"))
Face(types.IPAddress, message("NetworkInfo.IPAddress"))
Face(types.NetworkInfo, message("NetworkInfo"))
Face(
    types.LinuxInfo,
    message("LinuxInfo"),
    paths={
        "shm_size_mb": "shm_size",
        "seccomp_profile": "seccomp.profile_name",
        "seccomp_unconfined": "seccomp.unconfined",
    },
)
Face(types.RLimit, message("RLimitInfo.RLimit"))
Face(types.TTYInfo, message("TTYInfo"), paths={"rows": "window_size.rows", "columns": "window_size.columns"})
Face(types.ContainerInfo, message("ContainerInfo"), paths={"rlimits": "rlimit_info"})
Face(types.ContainerStatus, message("ContainerStatus"))

# Checks.

Face(types.HTTPCheckInfo, message("HealthCheck.HTTPCheckInfo"))
Face(types.TCPCheckInfo, message("HealthCheck.TCPCheckInfo"))
Face(types.HealthCheck, message("HealthCheck"))
Face(
    types.CheckInfo,
    message("CheckInfo"),
    paths={"command": "command.command"},
    codecs={"http": Face(types.HTTPCheckInfo, message("CheckInfo.Http"), inside=["scheme"]).codec},
)
Face(
    types.CheckStatusInfo,
    message("CheckStatusInfo"),
    paths={"exit_code": "command.exit_code", "status_code": "http.status_code", "succeeded": "tcp.succeeded"},
)

# Tasks and their states.


def _read_limits(tree: Tree) -> tuple[types.ResourceLimit, ...]:
    return tuple(types.ResourceLimit(name, tree[name]["value"]) for name in sorted(tree))


def _write_limits(limits: tuple[types.ResourceLimit, ...]) -> Tree:
    return {limit.name: {"value": "Infinity" if isinf(limit.value) else limit.value} for limit in limits}


_limits = Codec(_read_limits, _write_limits)

Face(types.KillPolicy, message("KillPolicy"))
Face(types.ExecutorInfo, message("ExecutorInfo"))
Face(types.TaskInfo, message("TaskInfo"), codecs={"limits": _limits})
Face(types.TaskGroupInfo, message("TaskGroupInfo"))
Face(types.TaskResourceLimitation, message("TaskResourceLimitation"))
Face(types.TaskStatus, message("TaskStatus"))
Face(types.Task, message("Task"), codecs={"limits": _limits}, inside=["max_completion_time_seconds"])

# Frameworks, masters, agents.


_LEAST = "min_allocatable_resources"


def _read_offer_filters(tree: Tree) -> tuple[OfferFilter, ...]:
    """Who sets no minimum is content with everybody's; an empty one lets everything through."""
    return tuple(OfferFilter(role, _read_least(tree[role])) for role in sorted(tree) if _LEAST in tree[role])


def _read_least(tree: Tree) -> tuple[Resources, ...]:
    sets = tree[_LEAST].get("quantities", ())
    return tuple(
        Resources.of(**{name: scalar["value"] for name, scalar in each.get("quantities", {}).items()}) for each in sets
    )


def _write_offer_filters(filters: tuple[OfferFilter, ...]) -> Tree:
    return {
        each.role: {_LEAST: {"quantities": [*map(_write_quantities, each.min_allocatable_resources)]}}
        for each in filters
    }


def _write_quantities(resources: Resources) -> Tree:
    return {"quantities": {name: {"value": amount / 1000} for name, amount in resources.quantities().items()}}


def _write_ip(ip: str) -> int:
    """An address as a number: its four bytes in the order of the network, read as if the lowest came first."""
    try:
        return int.from_bytes(IPv4Address(ip).packed, "little")
    except ValueError:
        return 0


def _read_ip(number: int) -> str:
    return str(IPv4Address(number.to_bytes(4, "little"))) if number else ""


Face(
    types.FrameworkInfo,
    message("FrameworkInfo"),
    codecs={"offer_filters": Codec(_read_offer_filters, _write_offer_filters)},
)
_master = Face(types.MasterInfo, message("MasterInfo"), codecs={"ip": Codec(_read_ip, _write_ip)})


def _write_master(info: types.MasterInfo) -> Tree:
    """Outside, a master's PID is where its HTTP API is: clients take the address from it."""
    web = PID("master", info.ip or info.hostname, info.port)
    address = {"hostname": info.hostname, "ip": info.ip, "port": info.port}
    return {
        **_master.write(info),
        "pid": str(web),
        "address": {name: value for name, value in address.items() if value},
    }


CODECS[types.MasterInfo] = Codec(_master.read, _write_master)
Face(types.AgentInfo, message("AgentInfo"), inside=["checkpoint"])

# Offers, what is done with them, and how far that got.

Face(types.Filters, message("Filters"))
Face(types.Offer, message("Offer"), paths={"role": "allocation_info.role"}, inside=["port"])

Face(types.InverseOffer, message("InverseOffer"))

_scalar = Codec(lambda tree: thousandths(tree["value"]), lambda amount: {"value": amount / 1000})
_OPERATIONS: dict[str, Face[Any]] = {
    "LAUNCH": Face(types.Launch, message("Offer.Operation.Launch"), inside=["id"]),
    "LAUNCH_GROUP": Face(types.LaunchGroup, message("Offer.Operation.LaunchGroup"), inside=["id"]),
    "RESERVE": Face(types.Reserve, message("Offer.Operation.Reserve"), inside=["id"]),
    "UNRESERVE": Face(types.Unreserve, message("Offer.Operation.Unreserve"), inside=["id"]),
    "CREATE": Face(types.Create, message("Offer.Operation.Create"), inside=["id"]),
    "DESTROY": Face(types.Destroy, message("Offer.Operation.Destroy"), inside=["id"]),
    "GROW_VOLUME": Face(types.GrowVolume, message("Offer.Operation.GrowVolume"), inside=["id"]),
    "SHRINK_VOLUME": Face(
        types.ShrinkVolume,
        message("Offer.Operation.ShrinkVolume"),
        paths={"subtract_thousandths": "subtract"},
        codecs={"subtract_thousandths": _scalar},
        inside=["id"],
    ),
}


def _read_operation(tree: Tree) -> types.Operation:
    type_ = tree.get("type", "UNKNOWN")
    if type_ not in _OPERATIONS:
        raise Misfit(f"expected one of {', '.join(_OPERATIONS)}, found {type_}", "type")
    place = type_.lower()
    if place not in tree:
        raise Misfit(f"expected the field {place!r} beside type {type_}, found none")
    id_ = tree["id"]["value"] if "id" in tree else None
    try:
        operation: types.Operation = _OPERATIONS[type_].read(tree[place], id=id_)
    except Misfit as misfit:
        raise misfit.within(place) from None
    return operation


def _write_operation(operation: types.Operation) -> Tree:
    type_ = operation.__struct_config__.tag
    id_ = {"id": {"value": operation.id}} if operation.id else {}
    return {"type": type_, **id_, str(type_).lower(): _OPERATIONS[str(type_)].write(operation)}


CODECS[types.Operation] = Codec(_read_operation, _write_operation)
Face(types.OperationStatus, message("OperationStatus"))
Face(types.OperationReference, message("scheduler.Call.ReconcileOperations.Operation"))
Face(
    types.OperationReport,
    message("Operation"),
    paths={"operation": "info", "status": "latest_status"},
)
