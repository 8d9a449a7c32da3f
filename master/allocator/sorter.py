"""Sorters: the policy of who comes first among siblings, be they roles or the frameworks of a role.

`drf` and `random` are built in. Others come from the entry points of installed packages: the group is
`mesolite.sorters`, an entry's name is what the operator says, and its object makes a Sorter as `SorterFactory` says.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Protocol

from master.allocator.node import Node
from master.allocator.quantities import Totals

GROUP = "mesolite.sorters"


class Sorter(Protocol):
    """A policy. One sorter serves all roles, another one all frameworks."""

    def added(self, node: Node) -> None:
        """A node has become the child of its parent."""

    def removed(self, node: Node) -> None:
        """A node is about to leave its parent."""

    def changed(self, node: Node) -> None:
        """A node has another weight, or others stand below it."""

    def in_order(self, parent: Node, eligible: int) -> Iterator[Node]:
        """The children with somebody eligible at or below them, first come first.

        What is handed out while somebody reads on does not change the order that they read.
        """


class SorterFactory(Protocol):
    """Makes a sorter."""

    def __call__(self, totals: Totals, chance: random.Random) -> Sorter:
        """For a cluster with these totals, with the randomness to use."""


def find_sorter(name: str) -> SorterFactory:
    """The policy of that name; ValueError in one line if there is none."""
    from master.allocator.drf import DrfSorter
    from master.allocator.lottery import RandomSorter

    known: dict[str, SorterFactory] = {"drf": DrfSorter, "random": RandomSorter}
    if name in known:
        return known[name]
    installed = entry_points(group=GROUP)
    if name not in installed.names:
        names = ", ".join(sorted({*known, *installed.names}))
        raise ValueError(f"found no sorter {name!r}, expected one of: {names}; install the package that brings it")
    factory: SorterFactory = installed[name].load()
    return factory
