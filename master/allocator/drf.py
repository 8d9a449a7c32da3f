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
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

from master.allocator.node import Node
from master.allocator.quantities import Totals

Place: TypeAlias = tuple[float, int, str, Node]
"""Share, count, path: unique among siblings; then the node itself."""

FEW = 16
"""To find the next of n takes n/k steps if k are eligible; to compare these takes k, each of them so much longer."""

MOVED_MAX = 8
"""If more have moved, and more than an eighth of all, it is cheaper to sort all anew than to move each."""

ROUNDING = 1 - 1e-12
"""A lower bound on a share is made of floats; so much lower, it is one for sure."""


class Ranking:
    """Siblings in order, by the totals that were the cluster's when all of them were compared."""

    __slots__ = ("basis", "effort", "places", "shrinkage", "version")

    def __init__(self, totals: Totals) -> None:
        self.places: list[Place] = []
        self.basis: Mapping[str, int] = totals.amounts
        self.version = totals.version
        self.shrinkage: float | None = None
        """No share is less than so many times what it was by the basis; None if the order is the same for sure."""
        self.effort = 0
        """How many shares were computed again for who read since then."""


class DrfSorter:
    """Orders siblings by their shares."""

    def __init__(self, totals: Totals, clients: Sequence[Node | None], chance: random.Random) -> None:
        self._totals = totals
        self._clients = clients

    def added(self, node: Node) -> None:
        """See `Sorter`."""
        parent = _parent(node)
        if parent.ranking is None:
            parent.ranking = Ranking(self._totals)
        node.place = _place(node, parent.ranking.basis)
        insort(parent.ranking.places, node.place)

    def removed(self, node: Node) -> None:
        """See `Sorter`."""
        places = _parent(node).ranking.places
        del places[bisect_left(places, node.place)]

    def weighed(self, node: Node) -> None:
        """See `Sorter`."""
        node.touch()

    def in_order(self, parent: Node, eligible: int) -> Iterator[Node]:
        """See `Sorter`."""
        count = len(parent.children)
        if count == 1:
            return iter(parent.children.values())
        eligible &= parent.mask
        if FEW * eligible.bit_count() ** 2 <= count:
            return self._few(parent, eligible)
        ranking = self._settled(parent)
        if ranking.shrinkage is None:
            return (place[3] for place in ranking.places if place[3].mask & eligible)
        return self._compared(ranking, eligible, ranking.shrinkage)

    def _few(self, parent: Node, eligible: int) -> Iterator[Node]:
        """Compare those that are eligible, and no others."""
        depth = len(parent.lineage)
        found = set()
        while eligible:
            client = self._clients[eligible.bit_length() - 1]
            assert client is not None
            found.add(client.lineage[depth])
            eligible ^= client.mask
        if len(found) == 1:
            return iter(found)
        return iter([place[3] for place in sorted(_place(node, self._totals.amounts) for node in found)])

    def _settled(self, parent: Node) -> Ranking:
        """The ranking, with those in their places whose shares have changed."""
        ranking: Ranking = parent.ranking
        if ranking.version != self._totals.version:
            self._follow(ranking)
        count = len(ranking.places)
        if ranking.effort > count or len(parent.moved) > MOVED_MAX + count // 8:
            self._sort(parent)
        elif parent.moved:
            _move(parent)
        return ranking

    def _follow(self, ranking: Ranking) -> None:
        """The totals have changed since somebody read: find out how far the order may be another one."""
        now, basis = self._totals.amounts, ranking.basis
        ranking.version = self._totals.version
        if now.keys() != basis.keys():
            ranking.effort = len(ranking.places) + 1
        elif _are_proportional(now, basis):
            ranking.shrinkage = None
        else:
            ranking.shrinkage = min(basis[name] / now[name] for name in now) * ROUNDING

    def _sort(self, parent: Node) -> None:
        """Compare all by the totals of now."""
        ranking: Ranking = parent.ranking
        ranking.basis, ranking.shrinkage, ranking.effort = self._totals.amounts, None, 0
        for node in parent.children.values():
            node.place = _place(node, ranking.basis)
        ranking.places = sorted(node.place for node in parent.children.values())
        for node in parent.moved:
            node.is_moved = False
        parent.moved.clear()

    def _compared(self, ranking: Ranking, eligible: int, shrinkage: float) -> Iterator[Node]:
        """In the order of now. A place says how small the share of now may be: who is smaller than that is the next."""
        ahead: list[Place] = []
        for place in ranking.places:
            bound = place if not place[0] else (place[0] * shrinkage,)
            while ahead and ahead[0] < bound:
                yield heappop(ahead)[3]
            if place[3].mask & eligible:
                heappush(ahead, _place(place[3], self._totals.amounts))
                ranking.effort += 1
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
    places, basis = parent.ranking.places, parent.ranking.basis
    for node in parent.moved:
        del places[bisect_left(places, node.place)]
        node.place = _place(node, basis)
        insort(places, node.place)
        node.is_moved = False
    parent.moved.clear()


def _are_proportional(now: Mapping[str, int], before: Mapping[str, int]) -> bool:
    """Whether all totals have grown or shrunk by the same factor, so that no order has changed."""
    pairs = [(now[name], before[name]) for name in now]
    return all(amount * pairs[0][1] == old * pairs[0][0] for amount, old in pairs)
