"""What operations make of resources: each one turns some of an agent's into others.

Master and agent work it out alike, so that an operation alone tells both what has changed.
"""

from __future__ import annotations

from msgspec.structs import replace

from mesos.resources import DiskInfo, Kind, Resource, Resources
from mesos.resources.kind import ReservationType
from mesos.types import Create, Destroy, GrowVolume, Operation, Reserve, ShrinkVolume, Unreserve


def conversion(operation: Operation) -> tuple[Resources, Resources]:
    """What an operation takes and what it makes of that, allocated to nobody. Both are empty for a launch.

    ValueError if it makes no sense by itself.
    """
    match operation:
        case Reserve():
            made = operation.resources.unallocate()
            return operation.source.unallocate() or made.pop_reservation(), made
        case Unreserve():
            taken = operation.resources.unallocate()
            return taken, taken.pop_reservation()
        case Create():
            made = operation.volumes.unallocate()
            return without_volumes(made), made
        case Destroy():
            taken = operation.volumes.unallocate()
            return taken, without_volumes(taken)
        case GrowVolume():
            return _grown(operation)
        case ShrinkVolume():
            return _shrunk(operation)
        case _:
            return Resources(), Resources()


def without_volumes(resources: Resources) -> Resources:
    """The disks that volumes are on, without the volumes."""
    return Resources.of(*map(_bare, resources))


def base(resources: Resources) -> Resources:
    """The same as the agent's operator gave them: nothing reserved later on, and no volumes."""
    return without_volumes(resources).map_kinds(_static)


def must_last(resources: Resources) -> Resources:
    """Those that the agent has to remember: reserved while it ran, or with a volume."""
    return resources.filter(lambda kind: is_volume(kind) or _static(kind) != kind)


def with_lasting(given: Resources, lasting: Resources) -> Resources:
    """What an agent has in all: what its operator gives it, of which this was reserved and made volumes of.

    ValueError if the operator gives less than that now.
    """
    needed = base(lasting)
    if not given.contains(needed):
        raise ValueError(f"expected at least {needed}, of which reservations and volumes were made, found {given}")
    return given - needed + lasting


def is_volume(kind: Kind) -> bool:
    """Whether it is a persistent volume."""
    return kind.disk is not None and bool(kind.disk.persistence_id)


def _static(kind: Kind) -> Kind:
    """The kind with its static reservations only; those are lowest in the stack."""
    kept = tuple(each for each in kind.reservations if each.type is ReservationType.STATIC)
    return replace(kind, reservations=kept) if len(kept) < len(kind.reservations) else kind


def _bare(resource: Resource) -> Resource:
    """The disk below a volume, all of it; anything else as it is."""
    kind, amount = resource.kind, resource.amount
    if not is_volume(kind) or not isinstance(amount, int):
        return resource
    source = kind.disk.source if kind.disk else None
    disk = DiskInfo(source) if source else None
    return _sized(replace(kind, disk=disk, shared=False, size=0), kind.size)


def _sized(kind: Kind, thousandths: int) -> Resource:
    """So much of a kind, which may be one that has its size in itself."""
    if kind.indivisible:
        return Resource(replace(kind, size=thousandths), 1)
    return Resource(kind, thousandths)


def _thousandths(resource: Resource) -> int:
    amount = resource.kind.size or resource.amount
    if not isinstance(amount, int):
        raise ValueError(f"expected a number of {resource.name}, found {resource.amount}")
    return amount


def _grown(operation: GrowVolume) -> tuple[Resources, Resources]:
    volume, addition = _unallocated(operation.volume), _unallocated(operation.addition)
    size = _thousandths(volume) + _thousandths(addition)
    return Resources.of(volume, addition), Resources.of(_sized(volume.kind, size))


def _shrunk(operation: ShrinkVolume) -> tuple[Resources, Resources]:
    volume = _unallocated(operation.volume)
    size = _thousandths(volume) - operation.subtract_thousandths
    if operation.subtract_thousandths <= 0 or size <= 0:
        raise ValueError(f"expected to take away more than nothing and less than all of {volume}")
    freed = _bare(volume)
    return Resources.of(volume), Resources.of(
        _sized(volume.kind, size), Resource(freed.kind, operation.subtract_thousandths)
    )


def _unallocated(resource: Resource) -> Resource:
    return replace(resource, kind=resource.kind.allocate(""))
