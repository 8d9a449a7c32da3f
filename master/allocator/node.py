"""A place in the tree in which shares are compared: a role, or a client, which is a framework in one of its roles.

A node knows how much is handed out at and below it, and who is there: a client is a bit, and a node's mask has the bits
of all clients at and below it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from master.allocator.bundle import Bundle
from mesos.ids import AgentID


class Node:
    """A role, or a client."""

    __slots__ = (
        "children",
        "count",
        "has_clients",
        "held",
        "is_moved",
        "lineage",
        "mask",
        "moved",
        "parent",
        "path",
        "place",
        "ranking",
        "shared",
        "weight",
    )

    def __init__(self, path: str) -> None:
        self.path = path
        self.parent: Node | None = None
        self.lineage: tuple[Node, ...] = ()
        """This node and those above it but the root, from the uppermost down."""
        self.children: dict[str, Node] = {}
        self.has_clients = False
        """Whether its children are clients, and not roles."""
        self.mask = 0
        """Whoever stands at or below it, each as a bit."""
        self.weight = 1.0
        self.held: dict[str, int] = defaultdict(int)
        """The quantities that are handed out below it."""
        self.shared: dict[Any, int] = defaultdict(int)
        """How many below it hold each shared resource of an agent: it counts once."""
        self.count = 0
        """How many times something was handed out below it."""
        self.moved: list[Node] = []
        """Children whose share has changed since the sorter looked last."""
        self.is_moved = False
        self.ranking: Any = None
        """What the sorter keeps about the children."""
        self.place: Any = None
        """What the sorter keeps about this node among its siblings."""

    def adopt(self, parent: Node) -> None:
        """Become a child."""
        self.parent = parent
        parent.children[self.path] = self
        self._trace_back()

    def _trace_back(self) -> None:
        assert self.parent is not None
        self.lineage = (*self.parent.lineage, self)
        for child in self.children.values():
            child._trace_back()

    def touch(self) -> None:
        """Its share has changed."""
        if not self.is_moved:
            self.is_moved = True
            assert self.parent is not None
            self.parent.moved.append(self)

    def hand_out(self, bundle: Bundle, agent_id: AgentID, times: int = 1) -> None:
        """Book what a client gets, on it and on all above it; it counts as so many times."""
        self._add(bundle, 1, times)
        if bundle.shared:
            self._share(bundle, agent_id, 1)

    def hand_out_many(self, bundle: Bundle, times: int) -> None:
        """Book what a client gets so many times, each time on another agent; nothing of it is shared."""
        self._add(bundle, times, times)

    def take_back(self, bundle: Bundle, agent_id: AgentID) -> None:
        """Book what a client no longer has, on it and on all above it."""
        self._add(bundle, -1, 0)
        if bundle.shared:
            self._share(bundle, agent_id, -1)

    def _add(self, bundle: Bundle, copies: int, times: int) -> None:
        for node in self.lineage:
            held = node.held
            for name, amount in bundle.amounts:
                held[name] += copies * amount
            node.count += times
            if not node.is_moved:
                node.touch()

    def _share(self, bundle: Bundle, agent_id: AgentID, sign: int) -> None:
        for node in self.lineage:
            for kind, copies in bundle.shared:
                key = (agent_id, kind)
                before = node.shared.pop(key, 0)
                after = before + sign * copies
                node.held[kind.name] += ((after > 0) - (before > 0)) * kind.size
                if after:
                    node.shared[key] = after
