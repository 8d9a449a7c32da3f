"""One resource: a kind and its amount, as an author reads and writes it."""

from __future__ import annotations

from msgspec.structs import replace

from mesos.resources.amounts import Amount, Ranges, Set, format_thousandths, thousandths
from mesos.resources.kind import Kind, ValueType
from mesos.struct import Struct


class Resource(Struct, frozen=True):
    """So much of such a kind: `Resource.of("cpus", 4)`, `Resource.of(Kind("disk", reservations=(…,)), 100)`."""

    kind: Kind
    amount: Amount

    @classmethod
    def of(cls, kind: Kind | str, value: float | Ranges | Set) -> Resource:
        """A resource with a value, scalars in units (cpus, megabytes); the kind's type and size follow from the value.

        ValueError for a scalar that is negative, not finite or too large.
        """
        kind = Kind(kind) if isinstance(kind, str) else kind
        if isinstance(value, Ranges):
            return cls(replace(kind, type=ValueType.RANGES), value)
        if isinstance(value, Set):
            return cls(replace(kind, type=ValueType.SET), value)
        amount = thousandths(value)
        if kind.indivisible:
            return cls(replace(kind, type=ValueType.SCALAR, size=amount), 1)
        return cls(replace(kind, type=ValueType.SCALAR), amount)

    @property
    def name(self) -> str:
        """`cpus`, `mem`, `disk`, `ports`, …"""
        return self.kind.name

    @property
    def value(self) -> float | Ranges | Set:
        """A scalar in units (cpus, megabytes); ranges and sets as they are."""
        if isinstance(self.amount, int):
            return (self.kind.size or self.amount) / 1000
        return self.amount

    def __str__(self) -> str:
        if isinstance(self.amount, int):
            return f"{self.kind}:{format_thousandths(self.kind.size or self.amount)}"
        return f"{self.kind}:{self.amount}"
