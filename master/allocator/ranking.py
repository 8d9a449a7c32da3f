"""A ranking: siblings sorted by their places, to be read by those who are eligible, skipping many others at a time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from master.allocator.node import Node

Place: TypeAlias = tuple[float, int, str, Node]
"""Share, count, path: unique among siblings; then the node itself."""

CHUNK = 64
"""About the square root of as many siblings as a big cluster has: to find somebody takes about as many steps twice."""


class Chunk:
    """Some places in a row, and whoever stands at or below them."""

    __slots__ = ("mask", "places")

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.mask = 0
        """May have bits of clients that have gone since."""
        for place in places:
            self.mask |= place[3].mask


class Ranking:
    """Places in ascending order, in chunks. A node whose mask gets more bits has to be put in anew."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        ordered = sorted(places)
        self._chunks = [Chunk(ordered[begin : begin + CHUNK]) for begin in range(0, len(ordered), CHUNK)]
        self._ends = [chunk.places[-1] for chunk in self._chunks]
        """The last place of each chunk."""

    def add(self, place: Place) -> None:
        """Put a place in."""
        if not self._chunks:
            self._chunks, self._ends = [Chunk([place])], [place]
            return
        index = min(bisect_left(self._ends, place), len(self._ends) - 1)
        chunk = self._chunks[index]
        insort(chunk.places, place)
        chunk.mask |= place[3].mask
        self._ends[index] = chunk.places[-1]
        if len(chunk.places) > 2 * CHUNK:
            self._split(index)

    def _split(self, index: int) -> None:
        places = self._chunks[index].places
        halves = [Chunk(places[:CHUNK]), Chunk(places[CHUNK:])]
        self._chunks[index : index + 1] = halves
        self._ends[index : index + 1] = [half.places[-1] for half in halves]

    def remove(self, place: Place) -> None:
        """Take a place out that is in."""
        index = bisect_left(self._ends, place)
        chunk = self._chunks[index]
        del chunk.places[bisect_left(chunk.places, place)]
        chunk.mask &= ~place[3].mask
        if chunk.places:
            self._ends[index] = chunk.places[-1]
        else:
            del self._chunks[index], self._ends[index]

    def read(self, eligible: int) -> Iterator[Place]:
        """The places of nodes with somebody eligible at or below them."""
        for chunk in self._chunks:
            if chunk.mask & eligible:
                for place in chunk.places:
                    if place[3].mask & eligible:
                        yield place
