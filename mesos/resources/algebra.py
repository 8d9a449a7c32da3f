"""Resources: what an agent has, an offer holds, a task asks for; adding, taking away, comparing, choosing.

An immutable value in canonical form: one amount per kind, none of them empty, sorted by kind. So equal resources are
equal bytes, and every operation is a pass over a handful of kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

import msgspec

from mesos.resources.amounts import Amount, Canonical, Ranges, Set
from mesos.resources.kind import Kind, Reservation, ValueType
from mesos.resources.resource import Resource
from mesos.resources.text import parse_resources
from mesos.struct import Struct

_AMOUNT_TYPES = {ValueType.SCALAR: int, ValueType.RANGES: Ranges, ValueType.SET: Set}
_kind_of = itemgetter(0)


class Resources(Struct, frozen=True):
    """Any number of resources, as one value.

    `items` are pairs of kind and amount. Pairs in any form are brought into the canonical one; ValueError for what
    cannot be a resource, such as a negative amount.
    """

    items: tuple[tuple[Kind, Amount], ...] = ()

    def __post_init__(self) -> None:
        if type(self.items) is not Canonical:
            msgspec.structs.force_setattr(self, "items", _canonical(self.items))

    @classmethod
    def of(cls, *resources: Resource, **scalars: float) -> Resources:
        """From single ones, and from scalars by name in units: `Resources.of(cpus=0.5, mem=64)`."""
        by_name = (Resource.of(name, value) for name, value in scalars.items())
        return cls(tuple((resource.kind, resource.amount) for resource in (*resources, *by_name)))

    @classmethod
    def parse(cls, text: str, default_role: str = "*") -> Resources:
        """Read `cpus:4;mem:4096;ports:[31000-32000];disk(role):100`, or the JSON form; see `parse_resources`."""
        return cls.of(*parse_resources(text, default_role))

    @classmethod
    def sum(cls, many: Iterable[Resources]) -> Resources:
        """All of them together."""
        total: dict[Kind, Any] = {}
        for resources in many:
            _add_to(total, resources)
        return cls(Canonical(sorted(total.items(), key=_kind_of)))

    def __add__(self, other: Resources) -> Resources:
        amounts = dict(self.items)
        _add_to(amounts, other)
        if len(amounts) > len(self.items):  # new kinds: they go to their places
            return Resources(Canonical(sorted(amounts.items(), key=_kind_of)))
        return Resources(Canonical(amounts.items()))

    def __sub__(self, other: Resources) -> Resources:
        """What is left; ValueError unless this `contains` all of the other."""
        amounts: dict[Kind, Any] = dict(self.items)
        for kind, amount in other.items:
            have = amounts.get(kind)
            if have is None or not have >= amount:
                raise ValueError(f"{other} cannot be taken from {self or 'nothing'}")
            left = have - amount
            if left:
                amounts[kind] = left
            else:
                del amounts[kind]
        return Resources(Canonical(amounts.items()))

    def contains(self, other: Resources) -> bool:
        """Whether all of the other is here: the same kinds, at least as much of each."""
        amounts: dict[Kind, Any] = dict(self.items)
        for kind, amount in other.items:
            have = amounts.get(kind)
            if have is None or not have >= amount:
                return False
        return True

    def __bool__(self) -> bool:
        return bool(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Resource]:
        return (Resource(kind, amount) for kind, amount in self.items)

    def __str__(self) -> str:
        """As people read it, `cpus:4;mem:4096`; empty when there is nothing."""
        return ";".join(map(str, self))

    def __repr__(self) -> str:
        return f"Resources({str(self)!r})"

    # Asking.

    def scalar(self, name: str) -> float:
        """The total of a scalar over all its kinds, in units; 0.0 if there is none."""
        return self.thousandths(name) / 1000

    def thousandths(self, name: str) -> int:
        """The total of a scalar over all its kinds, exact."""
        return self.quantities().get(name, 0)

    def quantities(self) -> dict[str, int]:
        """The total of each scalar by name, in thousandths; what is shared counts once, however many hold it."""
        totals: dict[str, int] = {}
        for kind, amount in self.items:
            if isinstance(amount, int):
                counted = kind.size if kind.shared else (kind.size or 1) * amount
                totals[kind.name] = totals.get(kind.name, 0) + counted
        return totals

    def ranges(self, name: str) -> Ranges:
        """All ranges of this name together."""
        found = (amount for kind, amount in self.items if kind.name == name and isinstance(amount, Ranges))
        return sum(found, start=Ranges())

    def set(self, name: str) -> Set:
        """All sets of this name together."""
        found = (amount for kind, amount in self.items if kind.name == name and isinstance(amount, Set))
        return sum(found, start=Set())

    # Choosing.

    def filter(self, chosen: Callable[[Kind], bool]) -> Resources:
        """Those whose kind is chosen."""
        return Resources(Canonical(item for item in self.items if chosen(item[0])))

    def unreserved(self) -> Resources:
        """Those that are reserved for nobody."""
        return self.filter(lambda kind: not kind.reservations)

    def reserved(self, role: str | None = None) -> Resources:
        """Those that are reserved, for any role or exactly for this one."""
        return self.filter(lambda kind: bool(kind.reservations) and role in (None, kind.role))

    def allocatable_to(self, role: str) -> Resources:
        """Those that a framework of this role may have: unreserved, or reserved for it or for a role above it."""
        return self.filter(lambda kind: kind.allocatable_to(role))

    def find(self, wanted: Resources) -> Resources | None:
        """As much as is wanted, out of these as they are here, reserved ones first; None unless all of it is here.

        Turns `Resources.of(cpus=1)` into the part of an offer that a task can be launched with: whom the wanted are
        reserved for or allocated to plays no part.
        """
        left: dict[Kind, Any] = dict(self.items)
        found: dict[Kind, Any] = {}
        for kind, amount in wanted.flatten().items:
            missing: Any = amount
            for candidate in sorted(
                (own for own in left if own.flatten() == kind), key=lambda own: not own.reservations
            ):
                taken = _common(left[candidate], missing)
                missing, left[candidate] = missing - taken, left[candidate] - taken
                if taken:
                    _add(found, candidate, taken)
            if missing:
                return None
        return Resources(Canonical(sorted(found.items(), key=_kind_of)))

    def allocations(self) -> dict[str, Resources]:
        """Split by the role they are allocated to; those allocated to none are under ''."""
        split: dict[str, list[tuple[Kind, Amount]]] = {}
        for item in self.items:
            split.setdefault(item[0].allocated_to, []).append(item)
        return {role: Resources(Canonical(items)) for role, items in sorted(split.items())}

    # Changing what they are.

    def map_kinds(self, change: Callable[[Kind], Kind]) -> Resources:
        """The same amounts as other kinds; kinds that become equal are added up."""
        changed: dict[Kind, Any] = {}
        for kind, amount in self.items:
            _add(changed, change(kind), amount)
        return Resources(Canonical(sorted(changed.items(), key=_kind_of)))

    def allocate(self, role: str) -> Resources:
        """All of them allocated to a role."""
        return self.map_kinds(lambda kind: kind.allocate(role))

    def unallocate(self) -> Resources:
        """None of them allocated."""
        return self.map_kinds(lambda kind: kind.allocate(""))

    def push_reservation(self, reservation: Reservation) -> Resources:
        """All of them with one more reservation on the stack."""
        return self.map_kinds(lambda kind: kind.push_reservation(reservation))

    def pop_reservation(self) -> Resources:
        """All of them without the uppermost reservation; ValueError if one has none."""
        return self.map_kinds(Kind.pop_reservation)

    def flatten(self) -> Resources:
        """Neither reserved nor allocated: what they are, whoever they are for."""
        return self.map_kinds(Kind.flatten)


def _add(amounts: dict[Kind, Any], kind: Kind, amount: Any) -> None:
    have = amounts.get(kind)
    amounts[kind] = amount if have is None else have + amount


def _add_to(amounts: dict[Kind, Any], resources: Resources) -> None:
    for kind, amount in resources.items:
        _add(amounts, kind, amount)


def _common(one: Any, other: Any) -> Any:
    """What two amounts of the same type have in common."""
    return min(one, other) if type(one) is int else one - (one - other)


def _canonical(items: Iterable[tuple[Kind, Amount]]) -> Canonical:
    """Pairs from outside, checked, added up, sorted."""
    amounts: dict[Kind, Any] = {}
    for kind, amount in items:
        _check(kind, amount)
        if amount:
            _add(amounts, kind, amount)
    return Canonical(sorted(amounts.items(), key=_kind_of))


def _check(kind: Kind, amount: Amount) -> None:
    if not kind.name:
        raise ValueError("expected the name of a resource, found ''")
    if type(amount) is not _AMOUNT_TYPES[kind.type]:
        raise ValueError(f"expected {kind.name} to be a {kind.type.lower()}, found {amount}")
    if type(amount) is int and amount < 0:
        raise ValueError(f"expected at least 0 of {kind.name}, found {amount} thousandths")
    if (kind.size > 0) is not kind.indivisible:
        raise ValueError(f"expected a size of {kind.name} just when it cannot be cut, found {kind.size} thousandths")
