"""Checks of operations on an agent's resources, a framework's or an operator's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from master.records import AgentRecord, FrameworkRecord
from master.validation.common import check_unique, first
from master.validation.task import Stake
from mesos.conversions import conversion, is_volume
from mesos.ids import check_id
from mesos.resources import DiskSourceType, Kind, Reservation, ReservationType, Resource, Resources, VolumeMode
from mesos.roles import ANY_ROLE, check_role, is_above
from mesos.types import (
    AgentCapability,
    Create,
    Destroy,
    FrameworkCapability,
    GrowVolume,
    Operation,
    Reserve,
    ShrinkVolume,
    Unreserve,
)

PLUGGED = (DiskSourceType.RAW, DiskSourceType.BLOCK)
"""Disks of storage plug-ins, of which there are none yet."""


def check_operation(operation: Operation, agent: AgentRecord, principal: str) -> str | None:
    """Whether an operation makes sense on that agent, whether or not the resources for it are free."""
    return first(_complaints(operation, agent, principal))


def check_framework_operation(
    operation: Operation, framework: FrameworkRecord, agent: AgentRecord, stake: Stake
) -> str | None:
    """Whether a framework can have it applied to what is left of its offers."""
    wrong = check_operation(operation, agent, framework.info.principal)
    return wrong or first(_framework_complaints(operation, framework, agent, stake))


def _framework_complaints(
    operation: Operation, framework: FrameworkRecord, agent: AgentRecord, stake: Stake
) -> Iterator[str | None]:
    yield _check_feedback(operation, framework, agent)
    if isinstance(operation, Reserve):
        yield from (_check_own_role(kind, framework, stake) for kind in _kinds(operation.resources))
    if isinstance(operation, Create) and any(kind.shared for kind in _kinds(operation.volumes)):
        able = FrameworkCapability.SHARED_RESOURCES in framework.info.capabilities
        yield None if able else "expected the capability SHARED_RESOURCES for a shared volume, found none"
    before, _ = conversion(operation)
    if not stake.left.contains(before):
        ids = ", ".join(stake.offer_ids)
        yield f"expected {before} in what is left of offer{'s' * (len(stake.offer_ids) > 1)} {ids}, found {stake.left}"


def _check_feedback(operation: Operation, framework: FrameworkRecord, agent: AgentRecord) -> str | None:
    if operation.id is None:
        return None
    if AgentCapability.AGENT_OPERATION_FEEDBACK not in agent.capabilities:
        return f"expected no id of an operation on agent {agent.id}, which gives no feedback, found {operation.id}"
    if operation.id in framework.operations:
        return f"expected an id that no other operation has, found {operation.id} again"
    return check_id(operation.id)


def _check_own_role(kind: Kind, framework: FrameworkRecord, stake: Stake) -> str | None:
    if kind.role != stake.role:
        return f"expected a reservation for role {stake.role}, which the offers are for, found {kind}"
    refines = len(kind.reservations) > 1
    if refines and FrameworkCapability.RESERVATION_REFINEMENT not in framework.info.capabilities:
        return f"expected the capability RESERVATION_REFINEMENT for a reservation of reserved resources, found {kind}"
    return None


def _complaints(operation: Operation, agent: AgentRecord, principal: str) -> Iterator[str | None]:
    match operation:
        case Reserve():
            yield from _check_reserve(operation, agent, principal)
        case Unreserve():
            yield _check_some("resources", operation.resources)
            yield from map(_check_unreserved, _kinds(operation.resources))
        case Create():
            yield from _check_create(operation.volumes, agent, principal)
        case Destroy():
            yield from _check_destroy(operation.volumes, agent)
        case GrowVolume():
            yield from _check_resized(operation.volume, agent)
            yield _check_addition(operation)
        case ShrinkVolume():
            yield from _check_resized(operation.volume, agent)
            yield _check_subtracted(operation)


def _kinds(resources: Resources) -> list[Kind]:
    return [kind for kind, _ in resources.items]


def _check_some(what: str, resources: Resources) -> str | None:
    return None if resources else f"expected at least one of {what}, found none"


# Reservations.


def _check_reserve(operation: Reserve, agent: AgentRecord, principal: str) -> Iterator[str | None]:
    yield _check_some("resources", operation.resources)
    for kind in _kinds(operation.resources):
        yield _check_dynamic(kind)
        yield from _check_stack(kind, agent)
        yield _check_plain(kind)
        yield _check_principal("reservation", kind.reservations[-1].principal, principal)
    yield from map(_check_plain, _kinds(operation.source))
    source, target = operation.source.flatten(), operation.resources.flatten()
    if operation.source and source != target:
        yield f"expected a source of {target}, as much as is to be reserved, found {source}"


def _check_dynamic(kind: Kind) -> str | None:
    if not kind.reservations:
        return f"expected a reservation, found {kind} reserved for nobody"
    if kind.reservations[-1].type is not ReservationType.DYNAMIC:
        return f"expected a dynamic reservation, found {kind}: a static one belongs to the agent's --resources"
    return None


def _check_stack(kind: Kind, agent: AgentRecord) -> Iterator[str | None]:
    roles = [reservation.role for reservation in kind.reservations]
    yield from map(check_role, roles)
    yield f"expected a role to reserve for, found {ANY_ROLE} in {kind}" if ANY_ROLE in roles else None
    lower: Reservation | None = None
    for reservation in kind.reservations:
        if lower is not None and not is_above(lower.role, reservation.role):
            yield f"expected a role below {lower.role} to refine its reservation, found {reservation.role}"
        lower = reservation
    if any("/" in role for role in roles) and AgentCapability.HIERARCHICAL_ROLE not in agent.capabilities:
        yield f"expected a role without roles above it on agent {agent.id}, which knows no such, found {kind}"
    if len(roles) > 1 and AgentCapability.RESERVATION_REFINEMENT not in agent.capabilities:
        yield f"expected no refined reservation on agent {agent.id}, which knows none, found {kind}"


def _check_plain(kind: Kind) -> str | None:
    if kind.revocable:
        return f"expected resources that are not revocable, found {kind}"
    if is_volume(kind):
        return f"expected no persistent volume, found {kind}; destroy it first"
    return None


def _check_principal(what: str, found: str, expected: str) -> str | None:
    if expected and found != expected:
        return f"expected the {what} to have the principal {expected!r} of who asks for it, found {found!r}"
    return None


def _check_unreserved(kind: Kind) -> str | None:
    return _check_dynamic(kind) or _check_plain(kind)


# Volumes.


def _check_create(volumes: Resources, agent: AgentRecord, principal: str) -> Iterator[str | None]:
    kinds = _kinds(volumes)
    yield _check_some("volumes", volumes)
    yield from map(_check_volume, kinds)
    for resource in volumes:
        yield _check_created(resource, principal)
    yield check_unique("persistent volume", map(_name, kinds))
    existing = {_name(kind) for kind in _kinds(agent.total) if is_volume(kind)}
    twice = [name for name in map(_name, kinds) if name in existing]
    yield f"expected an id that no volume on agent {agent.id} has, found {twice[0][1]}" if twice else None


def _name(kind: Kind) -> tuple[str, str]:
    """What tells volumes of one agent apart: ids are for those of one role."""
    return kind.role, kind.disk.persistence_id if kind.disk else ""


def _check_volume(kind: Kind) -> str | None:
    if kind.name != "disk" or not is_volume(kind) or kind.disk is None:
        return f"expected a disk with a persistence id, found {kind}"
    if not kind.reservations:
        return f"expected a volume on disk that is reserved, found {kind}"
    if kind.revocable:
        return f"expected a volume on disk that is not revocable, found {kind}"
    if kind.disk.source is not None and kind.disk.source.type in PLUGGED:
        return f"expected a disk of the agent's own, of a path or of a mount, found {kind}"
    return check_id(kind.disk.persistence_id)


def _check_created(resource: Resource, principal: str) -> str | None:
    disk = resource.kind.disk
    if disk is None or disk.volume is None or not disk.volume.container_path:
        return f"expected the container_path of every volume, found none of {resource.kind}"
    if disk.volume.mode is not VolumeMode.RW:
        return f"expected a volume that can be written to, found {resource.kind} with mode {disk.volume.mode}"
    if resource.amount != 1:
        return f"expected one volume of each id, found {resource.amount} of {resource.kind}"
    return _check_principal("volume", disk.principal, principal)


def _check_destroy(volumes: Resources, agent: AgentRecord) -> Iterator[str | None]:
    yield _check_some("volumes", volumes)
    yield from map(_check_volume, _kinds(volumes))
    known = {kind.allocate("") for kind in _kinds(agent.total)}
    missing = [kind for kind in _kinds(volumes) if kind.allocate("") not in known]
    yield f"expected a volume that agent {agent.id} has, found {missing[0]}" if missing else None
    yield _check_unused(_kinds(volumes), agent)


def _check_unused(kinds: Iterable[Kind], agent: AgentRecord) -> str | None:
    used = {kind.allocate("") for kind in _kinds(agent.used.total())}
    busy = [kind for kind in kinds if kind.allocate("") in used]
    return f"expected volumes that no task uses, found {busy[0]} in use" if busy else None


def _check_resized(volume: Resource, agent: AgentRecord) -> Iterator[str | None]:
    yield from _check_destroy(Resources.of(volume), agent)
    kind = volume.kind
    yield f"expected a volume that is not shared, found {kind}" if kind.shared else None
    source = kind.disk.source if kind.disk else None
    if source is not None and source.type is DiskSourceType.MOUNT:
        yield f"expected a volume that can be resized, found {kind}, which has a mount to itself"
    if AgentCapability.RESIZE_VOLUME not in agent.capabilities:
        yield f"expected no change of a volume's size on agent {agent.id}, which cannot do that"


def _check_addition(operation: GrowVolume) -> str | None:
    _, freed = conversion(Destroy(Resources.of(operation.volume)))
    kinds = [kind.allocate("") for kind in _kinds(Resources.of(operation.addition))]
    expected = _kinds(freed)
    if kinds != expected:
        return f"expected an addition of {expected[0]} as the volume is made of, found {operation.addition}"
    return None


def _check_subtracted(operation: ShrinkVolume) -> str | None:
    try:
        conversion(operation)
    except ValueError as error:
        return str(error)
    return None
