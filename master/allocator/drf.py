"""Dominant resource fairness: who has the smallest share of what it has most of comes first.

A share is the largest part of the cluster's total, over all scalars, divided by the weight. Equal shares: who was given
something fewer times comes first, then whose path sorts first.

Siblings stay sorted while shares change one by one. When the cluster's totals change, every share does, but hardly ever
the order: so siblings stay sorted by the totals of the last time that all were compared, and who reads the order then
compares only those whose shares of now could be the next. What that costs is counted, and when it has cost as much as
sorting all anew, that is done.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from master.allocator.node import Node
from master.allocator.quantities import Totals
from master.allocator.ranking import Place, Ranking

MOVED_MAX = 8
"""If more have moved, and more than an eighth of all, it is cheaper to sort all anew than to move each."""

ROUNDING = 1 - 1e-12
"""A lower bound on a share is made of floats; so much lower, it is one for sure."""


class Siblings:
    """Children of one node in order, by the totals that were the cluster's when all of them were compared."""

    __slots__ = ("basis", "effort", "ranking", "shrinkage", "version")

    def __init__(self, totals: Totals) -> None:
        self.ranking = Ranking()
        self.basis: Mapping[str, int] = totals.amounts
        self.version = totals.version
        self.shrinkage: float | None = None
        """No share is less than so many times what it was by the basis; None if the order is the same for sure."""
        self.effort = 0
        """How many shares were computed again for who read since then."""


class DrfSorter:
    """Orders siblings by their shares."""

    def __init__(self, totals: Totals, chance: random.Random) -> None:
        self._totals = totals

    def added(self, node: Node) -> None:
        """See `Sorter`."""
        parent = _parent(node)
        if parent.ranking is None:
            parent.ranking = Siblings(self._totals)
        node.place = _place(node, parent.ranking.basis)
        parent.ranking.ranking.add(node.place)

    def removed(self, node: Node) -> None:
        """See `Sorter`."""
        _parent(node).ranking.ranking.remove(node.place)

    def changed(self, node: Node) -> None:
        """See `Sorter`."""
        node.touch()

    def in_order(self, parent: Node, eligible: int) -> Iterator[Node]:
        """See `Sorter`."""
        if len(parent.children) == 1:
            return iter(parent.children.values())
        siblings = self._settled(parent)
        if siblings.shrinkage is None:
            return (place[3] for place in siblings.ranking.read(eligible))
        return self._compared(siblings, eligible, siblings.shrinkage)

    def _settled(self, parent: Node) -> Siblings:
        """The children, with those in their places whose shares have changed."""
        siblings: Siblings = parent.ranking
        if siblings.version != self._totals.version:
            self._follow(siblings, len(parent.children))
        count = len(parent.children)
        if siblings.effort > count or len(parent.moved) > MOVED_MAX + count // 8:
            self._sort(parent)
        elif parent.moved:
            _move(parent)
        return siblings

    def _follow(self, siblings: Siblings, count: int) -> None:
        """The totals have changed since somebody read: find out how far the order may be another one."""
        now, basis = self._totals.amounts, siblings.basis
        siblings.version = self._totals.version
        if now.keys() != basis.keys():
            siblings.effort = count + 1
        elif _are_proportional(now, basis):
            siblings.shrinkage = None
        else:
            siblings.shrinkage = min(basis[name] / now[name] for name in now) * ROUNDING

    def _sort(self, parent: Node) -> None:
        """Compare all by the totals of now."""
        siblings: Siblings = parent.ranking
        siblings.basis, siblings.shrinkage, siblings.effort = self._totals.amounts, None, 0
        for node in parent.children.values():
            node.place = _place(node, siblings.basis)
        siblings.ranking = Ranking(node.place for node in parent.children.values())
        for node in parent.moved:
            node.is_moved = False
        parent.moved.clear()

    def _compared(self, siblings: Siblings, eligible: int, shrinkage: float) -> Iterator[Node]:
        """In the order of now. A place says how small the share of now may be: who is smaller than that is the next."""
        ahead: list[Place] = []
        for place in siblings.ranking.read(eligible):
            bound = place if not place[0] else (place[0] * shrinkage,)
            while ahead and ahead[0] < bound:
                yield heappop(ahead)[3]
            heappush(ahead, _place(place[3], self._totals.amounts))
            siblings.effort += 1
        while ahead:
            yield heappop(ahead)[3]


def _parent(node: Node) -> Node:
    assert node.parent is not None
    return node.parent


def share(node: Node, totals: Mapping[str, int]) -> float:
    """The part that a node has of what it has most of, for its weight."""
    weight = node.weight
    most = 0.0
    for name, amount in node.held.items():
        total = totals.get(name)
        if total:
            part = amount / (total * weight)
            if part > most:
                most = part
    return most


def _place(node: Node, totals: Mapping[str, int]) -> Place:
    return share(node, totals), node.count, node.path, node


def _move(parent: Node) -> None:
    """Put those whose shares have changed into their places."""
    siblings: Siblings = parent.ranking
    for node in parent.moved:
        siblings.ranking.remove(node.place)
        node.place = _place(node, siblings.basis)
        siblings.ranking.add(node.place)
        node.is_moved = False
    parent.moved.clear()


def _are_proportional(now: Mapping[str, int], before: Mapping[str, int]) -> bool:
    """Whether all totals have grown or shrunk by the same factor, so that no order has changed."""
    pairs = [(now[name], before[name]) for name in now]
    return all(amount * pairs[0][1] == old * pairs[0][0] for amount, old in pairs)
