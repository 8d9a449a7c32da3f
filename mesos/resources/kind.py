"""Kinds: everything about a resource but its amount.

Two lots of cpus reserved for different roles are different kinds, and never add up to one. Kinds are the keys of the
algebra: hashable, ordered, cheap to compare.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from mesos.ids import ResourceProviderID
from mesos.labels import Labels
from mesos.roles import ANY_ROLE, is_above
from mesos.struct import Struct


class ValueType(StrEnum):
    """What an amount is."""

    SCALAR = "SCALAR"
    RANGES = "RANGES"
    SET = "SET"


class ReservationType(StrEnum):
    """Whether a reservation came from the agent's flags, or from a framework or an operator while it ran."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class Reservation(Struct, frozen=True, order=True):
    """One level of a stack of reservations; principal and labels keep reservations of one role apart."""

    role: str
    type: ReservationType = ReservationType.STATIC
    principal: str = ""
    labels: Labels = ()

    def __str__(self) -> str:
        dynamic = " dynamic" if self.type is ReservationType.DYNAMIC else ""
        principal = f" by {self.principal}" if self.principal else ""
        labels = "".join(f" {label.key}={label.value}" for label in self.labels)
        return f"{self.role}{dynamic}{principal}{labels}"


class DiskSourceType(StrEnum):
    """Where a disk's space comes from: a directory to carve from, a whole mount, or a storage plug-in."""

    PATH = "PATH"
    MOUNT = "MOUNT"
    BLOCK = "BLOCK"
    RAW = "RAW"


class DiskSource(Struct, frozen=True, order=True):
    """A disk other than the agent's own work_dir; `root` is where it is mounted."""

    type: DiskSourceType
    root: str = ""
    id: str = ""
    profile: str = ""
    vendor: str = ""


class VolumeMode(StrEnum):
    """Whether a container may write to a volume."""

    RW = "RW"
    RO = "RO"


class Mount(Struct, frozen=True):
    """Where a persistent volume appears in the container that uses it."""

    container_path: str
    mode: VolumeMode = VolumeMode.RW


class DiskInfo(Struct, frozen=True, eq=False):
    """What makes a disk resource special: its source, and the persistent volume that lives on it.

    Who made the volume and where a task mounts it do not make it another one: they are left out of comparisons.
    """

    source: DiskSource | None = None
    persistence_id: str = ""
    principal: str = ""
    volume: Mount | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells disks apart; sortable."""
        return (self.persistence_id, *(() if self.source is None else (self.source,)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DiskInfo) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __str__(self) -> str:
        source = f"{self.source.type.lower()} {self.source.root or self.source.id}".strip() if self.source else ""
        volume = f"volume {self.persistence_id}" if self.persistence_id else ""
        return ", ".join(filter(None, (source, volume)))


class Kind(Struct, frozen=True, cache_hash=True):
    """Everything about a resource but its amount.

    What cannot be cut (a persistent volume, a whole mount, whatever is shared) has its size, in thousandths, in its
    kind, and its amount counts copies: 1, or for a shared one how many hold it.
    """

    name: str
    type: ValueType = ValueType.SCALAR
    reservations: tuple[Reservation, ...] = ()
    allocated_to: str = ""
    disk: DiskInfo | None = None
    revocable: bool = False
    shared: bool = False
    provider_id: ResourceProviderID | None = None
    size: int = 0

    @property
    def role(self) -> str:
        """The role it is reserved for, the most refined one of a stack; `*` when it is not reserved."""
        return self.reservations[-1].role if self.reservations else ANY_ROLE

    @property
    def indivisible(self) -> bool:
        """Whether it can only be handed out whole."""
        return self.shared or (self.disk is not None and _is_whole(self.disk))

    def allocatable_to(self, role: str) -> bool:
        """Whether a framework of this role may have it: not reserved, or reserved for the role or one above it."""
        return not self.reservations or role == self.role or is_above(self.role, role)

    def allocate(self, role: str) -> Kind:
        """The same, allocated to a role; to none if that is empty."""
        return replace(self, allocated_to=role)

    def push_reservation(self, reservation: Reservation) -> Kind:
        """The same, with one more reservation on the stack."""
        return replace(self, reservations=(*self.reservations, reservation))

    def pop_reservation(self) -> Kind:
        """The same, without the uppermost reservation; ValueError if it has none."""
        if not self.reservations:
            raise ValueError(f"expected {self.name} to be reserved, found it unreserved")
        return replace(self, reservations=self.reservations[:-1])

    def flatten(self) -> Kind:
        """The same, neither reserved nor allocated."""
        return replace(self, reservations=(), allocated_to="")

    def __str__(self) -> str:
        """As people read it: `cpus`, `disk(eng dynamic by ops, volume v1)`; allocation to `*` goes unsaid."""
        words = [*map(str, self.reservations)]
        words += [f"allocated to {self.allocated_to}"] if self.allocated_to not in ("", ANY_ROLE) else []
        words += [str(self.disk)] if self.disk is not None else []
        words += [word for word, holds in (("revocable", self.revocable), ("shared", self.shared)) if holds]
        return f"{self.name}({', '.join(words)})" if words else self.name

    def __lt__(self, other: Kind) -> bool:
        if self.name != other.name:
            return self.name < other.name
        return self._order < other._order

    @property
    def _order(self) -> tuple[Any, ...]:
        disk = () if self.disk is None else self.disk.identity
        provider = self.provider_id or ""
        return (self.type, self.reservations, self.allocated_to, disk, self.revocable, self.shared, provider, self.size)


def _is_whole(disk: DiskInfo) -> bool:
    return bool(disk.persistence_id) or (disk.source is not None and disk.source.type is not DiskSourceType.PATH)
