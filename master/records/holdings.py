"""Holdings: who holds how much. The books that agents and frameworks are charged in.

They are written more often than read. So what all of them hold is brought up to date when it is asked for, from what
has changed since; or counted anew, when that is less work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from mesos.resources import Kind, Resources

Holder = TypeVar("Holder", bound=Hashable)

_NOTHING = Resources()


class Holdings(Generic[Holder]):
    """Resources by holder. Whoever holds nothing is not in it."""

    __slots__ = ("_changes", "_held", "_scalars", "_total", "_various")

    def __init__(self) -> None:
        self._held: dict[Holder, Resources] = {}
        self._changes: list[tuple[Resources, Resources]] = []
        """What holders had before and after, for all that happened since the total was asked for."""
        self._total = _NOTHING
        self._scalars: Counter[Kind] = Counter()
        self._various: dict[Kind, Counter[Any]] = {}
        """Ranges and sets: how many holders have exactly this one. Together they are all there is, not a sum."""

    def add(self, holder: Holder, resources: Resources) -> None:
        """The holder has that much more."""
        if resources:
            before = self.of(holder)
            after = self._held[holder] = before + resources
            self._changes.append((before, after))

    def take(self, holder: Holder, resources: Resources) -> None:
        """The holder has that much less; ValueError if it has not that much."""
        before = self.of(holder)
        after = before - resources
        if after:
            self._held[holder] = after
        else:
            self._held.pop(holder, None)
        self._changes.append((before, after))
        if len(self._changes) > 2 * len(self._held) + 1000:  # nobody asks
            del self._changes[len(self._held) + 1 :]

    def of(self, holder: Holder) -> Resources:
        """What one of them holds."""
        return self._held.get(holder, _NOTHING)

    def total(self) -> Resources:
        """What all of them hold."""
        if not self._changes:
            return self._total
        if len(self._changes) > len(self._held):
            self._scalars.clear()
            self._various.clear()
            self._changes = [(_NOTHING, held) for held in self._held.values()]
        for before, after in self._changes:
            self._count(before, -1)
            self._count(after, 1)
        self._changes.clear()
        various = [(kind, amount) for kind, amounts in self._various.items() for amount in amounts]
        self._total = Resources((*self._scalars.items(), *various))
        return self._total

    def _count(self, resources: Resources, sign: int) -> None:
        for kind, amount in resources.items:
            if isinstance(amount, int):
                self._scalars[kind] += sign * amount
                continue
            amounts = self._various.setdefault(kind, Counter())
            amounts[amount] += sign
            if not amounts[amount]:
                del amounts[amount]
