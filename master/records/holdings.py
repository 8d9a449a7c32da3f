"""Holdings: who holds how much. The books that agents and frameworks are charged in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from mesos.resources import Resources

Holder = TypeVar("Holder", bound=Hashable)

_NOTHING = Resources()


class Holdings(Generic[Holder]):
    """Resources by holder. Whoever holds nothing is not in it."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[Holder, Resources] = {}

    def add(self, holder: Holder, resources: Resources) -> None:
        """The holder has that much more."""
        if resources:
            self._held[holder] = self.of(holder) + resources

    def take(self, holder: Holder, resources: Resources) -> None:
        """The holder has that much less; ValueError if it has not that much."""
        left = self.of(holder) - resources
        if left:
            self._held[holder] = left
        else:
            self._held.pop(holder, None)

    def of(self, holder: Holder) -> Resources:
        """What one of them holds."""
        return self._held.get(holder, _NOTHING)

    def total(self) -> Resources:
        """What all of them hold."""
        return Resources.sum(self._held.values())
