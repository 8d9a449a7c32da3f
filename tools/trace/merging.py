"""Merging: the recordings of several nodes as one story. What led to what comes first, clocks come second."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from heapq import heapify, heappop, heapreplace

from tools.trace.scanning import Ids, Node, Rows, Scan


def skews(scans: list[Scan], nodes: list[Node]) -> dict[tuple[object, int], float]:
    """How far each node's clock is ahead of the first's, in seconds, as far as their mail tells.

    Mail cannot arrive before it left, and the quickest of each way takes about as long as that of the other: so the
    difference of the two least delays is twice the skew.
    """
    least = _least_delays(scans)
    offsets: dict[tuple[object, int], float] = {}
    for first in nodes:
        if first.key in offsets:
            continue
        offsets[first.key] = 0.0
        todo = deque([first.incarnation])
        while todo:
            here = todo.popleft()
            for node in nodes:
                skew = _skew(least, here, node.incarnation)
                if node.key not in offsets and skew is not None:
                    at = next(offsets[known.key] for known in nodes if known.incarnation == here)
                    offsets[node.key] = at + skew
                    todo.append(node.incarnation)
    return offsets


def _least_delays(scans: list[Scan]) -> dict[tuple[int, int], float]:
    """The least time between leaving and arriving by the two clocks, by the incarnations of sender and receiver."""
    left: dict[int, float] = {}
    for scan in scans:
        left |= scan.left
    least: dict[tuple[int, int], float] = {}
    for scan in scans:
        for place, id_, time in scan.came:
            if id_ in left:
                pair = id_ >> 32, scan.nodes[place].incarnation
                least[pair] = min(least.get(pair, 1e18), time - left[id_])
    return least


def _skew(least: dict[tuple[int, int], float], here: int, there: int) -> float | None:
    forth, back = least.get((here, there)), least.get((there, here))
    if forth is not None and back is not None:
        return (forth - back) / 2
    if forth is not None:
        return min(0.0, forth)  # one way only: at least, nothing arrives before it left
    return None if back is None else max(0.0, -back)


class Stream:
    """One recording's rows, in their order, as they are taken into the story."""

    def __init__(self, scan: Scan, places: list[int], skew: list[float]) -> None:
        self.scan = scan
        self.next = 0
        self.taken_as = array("L")
        """Which rows of the story its rows became."""
        self.given: dict[int, int] = defaultdict(int)
        self.is_waiting = False
        self._places = places
        self._skew = skew

    @property
    def is_over(self) -> bool:
        """Whether all was taken."""
        return self.next >= len(self.scan.rows)

    @property
    def time(self) -> float:
        """When the next row begins, by the first node's clock."""
        rows = self.scan.rows
        return rows.begin[self.next] - self._skew[rows.node[self.next]]

    def take(self, rows: Rows) -> None:
        """Put the next row into the story."""
        own, at = self.scan.rows, self.next
        self.taken_as.append(len(rows))
        rows.source.append(own.source[at])
        rows.node.append(self._places[own.node[at]])
        rows.kind.append(own.kind[at])
        rows.offset.append(own.offset[at])
        rows.size.append(own.size[at])
        rows.begin.append(own.begin[at])
        rows.end.append(own.end[at])
        gives = self.scan.gives.get(at)
        if gives is not None:
            self.given[gives[0]] = gives[1]
        self.next = at + 1


def merge(scans: list[Scan], nodes: list[Node]) -> tuple[Rows, Ids]:
    """All rows in one order, in which nothing comes before what it was sent by. Sets the nodes' skews."""
    places = {node.key: place for place, node in enumerate(nodes)}
    if len(nodes) > 1 and not any(scan.knows_skews for scan in scans):
        offsets = skews(scans, nodes)
        for node in nodes:
            node.skew = offsets[node.key]
    streams = [
        Stream(scan, [places[node.key] for node in scan.nodes], [nodes[places[node.key]].skew for node in scan.nodes])
        for scan in scans
    ]
    givers = {node.incarnation: stream for stream in streams for node in stream.scan.nodes}
    rows = Rows()
    heads = [(stream.time, number) for number, stream in enumerate(streams) if not stream.is_over]
    heapify(heads)
    while heads:
        number = heads[0][1]
        stream = streams[number]
        if not stream.is_over:
            _take(stream, givers, rows)
        if stream.is_over:
            heappop(heads)
        else:
            heapreplace(heads, (stream.time, number))
    ids = Ids()
    for stream in streams:
        ids.extend(stream.scan.ids, stream.taken_as)
    ids.sort()
    return rows, ids


def _take(stream: Stream, givers: dict[int, Stream], rows: Rows) -> None:
    """Take the next row of a stream, after those of others that it needs."""
    needs = stream.scan.needs.get(stream.next)
    if needs is not None:
        stream.is_waiting = True
        for incarnation, id_ in needs.items():
            giver = givers.get(incarnation)
            while giver and not giver.is_waiting and not giver.is_over and giver.given[incarnation] < id_:
                _take(giver, givers, rows)
        stream.is_waiting = False
    stream.take(rows)


def all_nodes(scans: list[Scan]) -> list[Node]:
    """The nodes of all recordings, each once."""
    nodes: dict[tuple[object, int], Node] = {}
    for scan in scans:
        for node in scan.nodes:
            nodes.setdefault(node.key, node)
    return list(nodes.values())
