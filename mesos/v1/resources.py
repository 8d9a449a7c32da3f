"""Resources and attributes as the v1 APIs have them.

Both notations of reservations are read: the stack (`reservations`), and the older `role` with `reservation`. The stack
is what is written; `older_notation` rewrites it for who knows the other one only.
"""

from __future__ import annotations

from typing import Any

from mesos.ids import ResourceProviderID
from mesos.labels import Label, Labels
from mesos.resources import (
    DiskInfo,
    DiskSource,
    DiskSourceType,
    Kind,
    Mount,
    Ranges,
    Reservation,
    ReservationType,
    Resource,
    Resources,
    Set,
    ValueType,
    VolumeMode,
)
from mesos.roles import ANY_ROLE, check_role
from mesos.types import Attribute
from mesos.v1.face import CODECS, Codec, list_of
from mesos.v1.tree import Misfit, Tree


def older_notation(tree: Any) -> Any:
    """The same tree with `role`, and `reservation` for a dynamic one, in place of the stack of each resource."""
    if type(tree) is list:
        return [older_notation(item) for item in tree]
    if type(tree) is not dict:
        return tree
    return {
        name: [_older(item) for item in value] if name in _RESOURCE_LISTS else older_notation(value)
        for name, value in tree.items()
    }


_RESOURCE_LISTS = ("resources",)


def both_notations(resource: Tree) -> Tree:
    """A resource as operators see it: with its stack of reservations, and with what older clients read instead."""
    stack = resource.get("reservations")
    return {**_older(resource), **({"reservations": stack} if stack else {})}


def full_resources(these: Resources) -> list[Tree]:
    """Resources one by one, as operators see them."""
    return [both_notations(resource) for resource in CODECS[Resources].write(these)]


def _older(resource: Tree) -> Tree:
    rest = dict(resource)
    stack = rest.pop("reservations", ())
    if not stack:
        return {**rest, "role": ANY_ROLE}
    uppermost = dict(stack[-1])
    role, type_ = uppermost.pop("role"), uppermost.pop("type")
    dynamic = {"reservation": uppermost} if type_ == ReservationType.DYNAMIC else {}
    return {**rest, "role": role, **dynamic}


def _read_resource(tree: Tree) -> Resource:
    kind = Kind(
        tree["name"],
        reservations=_read_reservations(tree),
        allocated_to=tree.get("allocation_info", {}).get("role", ""),
        disk=_read_disk(tree["disk"]) if "disk" in tree else None,
        revocable="revocable" in tree,
        shared="shared" in tree,
        provider_id=ResourceProviderID(tree["provider_id"]["value"]) if "provider_id" in tree else None,
    )
    try:
        value = _read_value(tree)
        if isinstance(value, str):
            raise ValueError("expected SCALAR, RANGES or SET, found TEXT")
        return Resource.of(kind, value)
    except ValueError as error:
        raise Misfit(str(error), tree["name"]) from None


def _write_resource(resource: Resource) -> Tree:
    kind = resource.kind
    tree: Tree = {"name": kind.name, **_write_value(resource.value)}
    if kind.provider_id:
        tree["provider_id"] = {"value": kind.provider_id}
    if kind.reservations:
        tree["reservations"] = [_write_reservation(each) for each in kind.reservations]
    if kind.allocated_to:
        tree["allocation_info"] = {"role": kind.allocated_to}
    if kind.disk:
        tree["disk"] = _write_disk(kind.disk)
    if kind.revocable:
        tree["revocable"] = {}
    if kind.shared:
        tree["shared"] = {}
    return tree


def _read_value(tree: Tree) -> float | Ranges | Set | str:
    """The value that `type` says is there."""
    name = tree["type"].lower()
    if name not in tree:
        raise ValueError(f"expected the field {name!r} beside type {tree['type']}, found none")
    value = tree[name]
    if name == "ranges":
        return Ranges(tuple((span["begin"], span["end"]) for span in value.get("range", ())))
    if name == "set":
        return Set(tuple(value.get("item", ())))
    found: float | str = value["value"]
    return found


def _write_value(value: float | Ranges | Set | str) -> Tree:
    if isinstance(value, Ranges):
        spans = [{"begin": begin, "end": end} for begin, end in value.spans]
        return {"type": "RANGES", "ranges": {"range": spans}}
    if isinstance(value, Set):
        return {"type": "SET", "set": {"item": list(value.items)}}
    if isinstance(value, str):
        return {"type": "TEXT", "text": {"value": value}}
    return {"type": ValueType.SCALAR, "scalar": {"value": value}}


def _read_reservations(tree: Tree) -> tuple[Reservation, ...]:
    stack = tree.get("reservations")
    role = tree.get("role", ANY_ROLE)
    if not stack:
        old = tree.get("reservation")
        if role == ANY_ROLE:
            return ()
        stack = [{"role": role, "type": "STATIC" if old is None else "DYNAMIC", **(old or {})}]
    return tuple(map(_read_reservation, stack))


def _read_reservation(tree: Tree) -> Reservation:
    role = tree.get("role", "")
    wrong = check_role(role)
    if wrong is not None:
        raise Misfit(wrong, "role")
    type_ = ReservationType(tree.get("type", ReservationType.STATIC))
    return Reservation(role, type_, tree.get("principal", ""), _read_labels(tree.get("labels", {})))


def _write_reservation(reservation: Reservation) -> Tree:
    tree: Tree = {"type": reservation.type, "role": reservation.role}
    if reservation.principal:
        tree["principal"] = reservation.principal
    if reservation.labels:
        tree["labels"] = {"labels": [{"key": label.key, "value": label.value} for label in reservation.labels]}
    return tree


def _read_labels(tree: Tree) -> Labels:
    return tuple(Label(label["key"], label.get("value", "")) for label in tree.get("labels", ()))


def _read_disk(tree: Tree) -> DiskInfo:
    persistence, volume = tree.get("persistence", {}), tree.get("volume")
    return DiskInfo(
        source=_read_source(tree["source"]) if "source" in tree else None,
        persistence_id=persistence.get("id", ""),
        principal=persistence.get("principal", ""),
        volume=Mount(volume["container_path"], VolumeMode(volume["mode"])) if volume else None,
    )


def _write_disk(disk: DiskInfo) -> Tree:
    tree: Tree = {}
    if disk.persistence_id:
        principal = {"principal": disk.principal} if disk.principal else {}
        tree["persistence"] = {"id": disk.persistence_id, **principal}
    if disk.volume:
        tree["volume"] = {"mode": disk.volume.mode, "container_path": disk.volume.container_path}
    if disk.source:
        tree["source"] = _write_source(disk.source)
    return tree


def _read_source(tree: Tree) -> DiskSource:
    if tree["type"] not in set(DiskSourceType):
        raise Misfit(f"expected one of {', '.join(DiskSourceType)}, found {tree['type']}", "disk.source.type")
    root = (tree.get("path") or tree.get("mount") or {}).get("root", "")
    rest = (tree.get(name, "") for name in ("id", "profile", "vendor"))
    return DiskSource(DiskSourceType(tree["type"]), root, *rest)


def _write_source(source: DiskSource) -> Tree:
    tree: Tree = {"type": source.type}
    if source.root:
        tree["path" if source.type is DiskSourceType.PATH else "mount"] = {"root": source.root}
    return tree | {
        name: value
        for name, value in (("id", source.id), ("profile", source.profile), ("vendor", source.vendor))
        if value
    }


def _read_attribute(tree: Tree) -> Attribute:
    try:
        return Attribute(tree["name"], _read_value(tree))
    except ValueError as error:
        raise Misfit(str(error), tree["name"]) from None


def _write_attribute(attribute: Attribute) -> Tree:
    return {"name": attribute.name, **_write_value(attribute.value)}


def _write_resources(resources: Resources) -> list[Tree]:
    # What is shared is written once for each that holds it.
    return [
        _write_resource(each)
        for each in resources
        for _ in range(each.amount if each.kind.shared and isinstance(each.amount, int) else 1)
    ]


_resource = Codec(_read_resource, _write_resource)
_resource_list = list_of(_resource)

CODECS[Resource] = _resource
CODECS[Resources] = Codec(lambda items: Resources.of(*_resource_list.read(items)), _write_resources)
CODECS[Attribute] = Codec(_read_attribute, _write_attribute)
