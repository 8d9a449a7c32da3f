"""The JSON form of resources, an array of objects with Mesos' own field names.

It is what `--resources` takes beside the text form, and what HTTP clients send and read. Both notations of reservations
are read, the stack (`reservations`) and the older `role` with `reservation`; the stack is what is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from mesos.ids import ResourceProviderID
from mesos.labels import Label
from mesos.resources.amounts import Ranges, Set
from mesos.resources.kind import (
    DiskInfo,
    DiskSource,
    DiskSourceType,
    Kind,
    Mount,
    Reservation,
    ReservationType,
    ValueType,
    VolumeMode,
)
from mesos.resources.resource import Resource
from mesos.roles import ANY_ROLE, check_role


class _Json(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the shapes below, which are Mesos' own."""


class _Scalar(_Json, frozen=True):
    value: float


class _Span(_Json, frozen=True):
    begin: int
    end: int


class _Ranges(_Json, frozen=True):
    range: tuple[_Span, ...] = ()


class _Set(_Json, frozen=True):
    item: tuple[str, ...] = ()


class _Label(_Json, frozen=True):
    key: str
    value: str = ""


class _Labels(_Json, frozen=True):
    labels: tuple[_Label, ...] = ()


class _OldReservation(_Json, frozen=True):
    principal: str = ""
    labels: _Labels | None = None


class _Reservation(_Json, frozen=True):
    role: str
    type: ReservationType
    principal: str = ""
    labels: _Labels | None = None


class _Role(_Json, frozen=True):
    role: str


class _Id(_Json, frozen=True):
    value: str


class _Persistence(_Json, frozen=True):
    id: str
    principal: str = ""


class _Volume(_Json, frozen=True):
    container_path: str
    mode: VolumeMode


class _Root(_Json, frozen=True):
    root: str = ""


class _Source(_Json, frozen=True):
    type: DiskSourceType
    path: _Root | None = None
    mount: _Root | None = None
    id: str = ""
    profile: str = ""
    vendor: str = ""


class _Disk(_Json, frozen=True):
    persistence: _Persistence | None = None
    volume: _Volume | None = None
    source: _Source | None = None


class _Nothing(_Json, frozen=True):
    pass


class _Resource(_Json, frozen=True):
    name: str
    type: ValueType
    scalar: _Scalar | None = None
    ranges: _Ranges | None = None
    set: _Set | None = None
    role: str | None = None
    reservation: _OldReservation | None = None
    reservations: tuple[_Reservation, ...] = ()
    allocation_info: _Role | None = None
    disk: _Disk | None = None
    revocable: _Nothing | None = None
    shared: _Nothing | None = None
    provider_id: _Id | None = None


_decoder = msgspec.json.Decoder(tuple[_Resource, ...])


def resources_from_json(text: str | bytes, default_role: str = ANY_ROLE) -> tuple[Resource, ...]:
    """Read a JSON array of resources, in its order; what names no role is reserved for `default_role`.

    ValueError in one line, with the path to what is wrong.
    """
    try:
        shapes = _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(f"expected a JSON array of resources: {error}") from None
    return tuple(_resource(shape, default_role) for shape in shapes)


def resources_to_json(resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """The array that `resources_from_json` reads as these, ready for any JSON encoder."""
    return [msgspec.to_builtins(_shape(each)) for each in resources for _ in range(_copies(each))]


def _resource(shape: _Resource, default_role: str) -> Resource:
    kind = Kind(
        shape.name,
        reservations=_reservations(shape, default_role),
        allocated_to=shape.allocation_info.role if shape.allocation_info else "",
        disk=_disk(shape.disk) if shape.disk else None,
        revocable=shape.revocable is not None,
        shared=shape.shared is not None,
        provider_id=ResourceProviderID(shape.provider_id.value) if shape.provider_id else None,
    )
    try:
        _check_roles(kind)
        return Resource.of(kind, _value(shape))
    except ValueError as error:
        raise ValueError(f"{shape.name}: {error}") from None


def _value(shape: _Resource) -> float | Ranges | Set:
    if shape.type is ValueType.SCALAR and shape.scalar is not None:
        return shape.scalar.value
    if shape.type is ValueType.RANGES and shape.ranges is not None:
        return Ranges(tuple((span.begin, span.end) for span in shape.ranges.range))
    if shape.type is ValueType.SET and shape.set is not None:
        return Set(shape.set.item)
    raise ValueError(f"expected the field {shape.type.lower()!r} beside type {shape.type}, found none")


def _reservations(shape: _Resource, default_role: str) -> tuple[Reservation, ...]:
    if shape.reservations:
        return tuple(Reservation(each.role, each.type, each.principal, _labels(each)) for each in shape.reservations)
    role = shape.role or default_role
    if role == ANY_ROLE:
        return ()
    old = shape.reservation
    if old is None:
        return (Reservation(role),)
    return (Reservation(role, ReservationType.DYNAMIC, old.principal, _labels(old)),)


def _check_roles(kind: Kind) -> None:
    for reservation in kind.reservations:
        wrong = check_role(reservation.role)
        if wrong is not None:
            raise ValueError(wrong)


def _labels(shape: _Reservation | _OldReservation) -> tuple[Label, ...]:
    return tuple(Label(label.key, label.value) for label in (shape.labels or _Labels()).labels)


def _disk(shape: _Disk) -> DiskInfo:
    source = shape.source
    root = (source.path or source.mount or _Root()).root if source else ""
    return DiskInfo(
        source=DiskSource(source.type, root, source.id, source.profile, source.vendor) if source else None,
        persistence_id=shape.persistence.id if shape.persistence else "",
        principal=shape.persistence.principal if shape.persistence else "",
        volume=Mount(shape.volume.container_path, shape.volume.mode) if shape.volume else None,
    )


def _copies(resource: Resource) -> int:
    """How often it is written: once, but a shared one for each that holds it."""
    return resource.amount if resource.kind.shared and isinstance(resource.amount, int) else 1


def _shape(resource: Resource) -> _Resource:
    kind, value = resource.kind, resource.value
    return _Resource(
        name=kind.name,
        type=kind.type,
        scalar=None if isinstance(value, (Ranges, Set)) else _Scalar(value),
        ranges=_Ranges(tuple(_Span(*span) for span in value.spans)) if isinstance(value, Ranges) else None,
        set=_Set(value.items) if isinstance(value, Set) else None,
        reservations=tuple(_reservation_shape(each) for each in kind.reservations),
        allocation_info=_Role(kind.allocated_to) if kind.allocated_to else None,
        disk=_disk_shape(kind.disk) if kind.disk else None,
        revocable=_Nothing() if kind.revocable else None,
        shared=_Nothing() if kind.shared else None,
        provider_id=_Id(kind.provider_id) if kind.provider_id else None,
    )


def _reservation_shape(reservation: Reservation) -> _Reservation:
    labels = tuple(_Label(label.key, label.value) for label in reservation.labels)
    return _Reservation(reservation.role, reservation.type, reservation.principal, _Labels(labels) if labels else None)


def _disk_shape(disk: DiskInfo) -> _Disk:
    return _Disk(
        persistence=_Persistence(disk.persistence_id, disk.principal) if disk.persistence_id else None,
        volume=_Volume(disk.volume.container_path, disk.volume.mode) if disk.volume else None,
        source=_source_shape(disk.source) if disk.source else None,
    )


def _source_shape(source: DiskSource) -> _Source:
    root = _Root(source.root) if source.root else None
    on_path = source.type is DiskSourceType.PATH
    return _Source(
        type=source.type,
        path=root if on_path else None,
        mount=None if on_path else root,
        id=source.id,
        profile=source.profile,
        vendor=source.vendor,
    )
