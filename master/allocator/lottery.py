"""The random policy: who comes first is drawn by lot, and who weighs more has more lots.

At each level of the tree the chance to come first is the weight against those of the eligible siblings, so that a role
is drawn with the product of its relative weights along its path.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

from master.allocator.node import Node
from master.allocator.quantities import Totals

BLANKS_MAX = 8
"""After so many draws of somebody who is not eligible, lots are made for the eligible ones alone."""


class RandomSorter:
    """Orders siblings by lot."""

    def __init__(self, totals: Totals, chance: random.Random) -> None:
        self._chance = chance

    def added(self, node: Node) -> None:
        """See `Sorter`."""
        self.changed(node)

    def removed(self, node: Node) -> None:
        """See `Sorter`."""
        self.changed(node)

    def changed(self, node: Node) -> None:
        """See `Sorter`."""
        assert node.parent is not None
        node.parent.ranking = None

    def in_order(self, parent: Node, eligible: int) -> Iterator[Node]:
        """See `Sorter`."""
        if parent.ranking is None:
            nodes = list(parent.children.values())
            parent.ranking = nodes, list(accumulate(node.weight for node in nodes))
        nodes, lots = parent.ranking
        drawn: set[Node] = set()
        blanks = 0
        while blanks < BLANKS_MAX:
            node = nodes[bisect(lots, self._chance.random() * lots[-1], hi=len(lots) - 1)]
            if node.mask & eligible and node not in drawn:
                drawn.add(node)
                yield node
            else:
                blanks += 1
        yield from self._draw([node for node in nodes if node.mask & eligible and node not in drawn])

    def _draw(self, nodes: list[Node]) -> list[Node]:
        """All of them: the first by weight, the second by weight among the others, and so on."""
        lots = [(self._chance.random() ** (1 / node.weight), node.path, node) for node in nodes]
        return [node for _, _, node in sorted(lots, reverse=True)]
