"""Quantities: how much of each scalar there is, by name, in thousandths. What is not named is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from mesos.resources import format_thousandths

Amounts: TypeAlias = dict[str, int]
"""A tally that is added to and taken from."""

Items: TypeAlias = Iterable[tuple[str, int]]


def add(tally: Amounts, items: Items) -> None:
    """Add to a tally."""
    for name, amount in items:
        tally[name] = tally.get(name, 0) + amount


def take(tally: Amounts, items: Items) -> None:
    """Take from a tally that has at least as much."""
    for name, amount in items:
        tally[name] -= amount


def holds(have: Mapping[str, int], wanted: Items) -> bool:
    """Whether there is at least so much of each."""
    return all(have.get(name, 0) >= amount for name, amount in wanted)


def show(items: Items) -> str:
    """As people read it: `cpus:4;mem:1024`."""
    return ";".join(f"{name}:{format_thousandths(amount)}" for name, amount in sorted(items)) or "nothing"


class Minimum:
    """The least that is worth an offer: all quantities of one of several alternatives; with none, anything is."""

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: Iterable[Items]) -> None:
        self.alternatives = tuple(tuple(items) for items in alternatives)

    def __str__(self) -> str:
        """As people read it: `cpus:0.01 or mem:32`."""
        return " or ".join(map(show, self.alternatives)) or "anything"

    def admits(self, have: Mapping[str, int]) -> bool:
        """Whether quantities are worth an offer."""
        return not self.alternatives or any(holds(have, items) for items in self.alternatives)


class Totals:
    """What all agents have together, of the scalars that shares are made of."""

    __slots__ = ("_excluded", "amounts", "version")

    def __init__(self, excluded: Iterable[str] = ()) -> None:
        self._excluded = frozenset(excluded)
        self.amounts: Amounts = {}
        self.version = 0
        """Changes whenever the amounts do."""

    def change(self, before: Items, after: Items) -> None:
        """One agent had `before` and now has `after`."""
        amounts = dict(self.amounts)
        add(amounts, after)
        take(amounts, before)
        self.amounts = {name: amount for name, amount in amounts.items() if amount and name not in self._excluded}
        self.version += 1
