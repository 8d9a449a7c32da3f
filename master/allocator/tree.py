"""The tree in which shares are compared: roles below roles, and frameworks below the roles they want offers for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from master.allocator.client import Client
from master.allocator.node import Node
from master.allocator.sorter import Sorter

VIRTUAL = "."
"""The child that stands for a role's own frameworks, beside the roles below it. No role can be called so."""


class Tree:
    """Roles and clients, with one sorter for siblings that are roles and one for siblings that are clients."""

    def __init__(self, role_sorter: Sorter, framework_sorter: Sorter) -> None:
        self._role_sorter = role_sorter
        self._framework_sorter = framework_sorter
        self._root = Node("")
        self._root.mask = -1
        self._weights: dict[str, float] = {}

    def mask(self, roles: Iterable[str]) -> int:
        """All clients at or below these roles."""
        mask = 0
        for role in roles:
            node = self.role(role)
            mask |= node.mask if node is not None else 0
        return mask

    def role(self, role: str) -> Node | None:
        """The node of a role, if there are clients at or below it."""
        node: Node | None = self._root
        path = ""
        for part in role.split("/"):
            path = f"{path}/{part}" if path else part
            node = node.children.get(path) if node is not None else None
        return node

    def add(self, client: Node, role: str) -> None:
        """Put a client below its role."""
        parent = self._leaf(role)
        parent.has_clients = True
        client.adopt(parent)
        for node in client.lineage[:-1]:
            node.mask |= client.mask
            self._role_sorter.changed(node)
        self._framework_sorter.added(client)

    def remove(self, client: Node) -> None:
        """Take a client away that has nothing any more, and roles that have no others."""
        self._framework_sorter.removed(client)
        for node in client.lineage[:-1]:
            node.mask &= ~client.mask
        self._detach(client)
        for node in reversed(client.lineage[:-1]):
            if not node.children:
                self._role_sorter.removed(node)
                self._detach(node)

    def weigh(self, role: str, weight: float) -> None:
        """Give a role another weight, now or as soon as there is such a role."""
        self._weights[role] = weight
        node = self.role(role)
        if node is not None:
            node.weight = weight
            self._role_sorter.changed(node)

    def in_order(self, eligible: int) -> Iterator[Client]:
        """All eligible clients, first come first."""
        return self._walk(self._root, eligible)

    def _walk(self, parent: Node, eligible: int) -> Iterator[Client]:
        for node in self._role_sorter.in_order(parent, eligible):
            if node.has_clients:
                yield from cast(Iterator[Client], self._framework_sorter.in_order(node, eligible))
            else:
                yield from self._walk(node, eligible)

    def _leaf(self, role: str) -> Node:
        """The node whose children are the clients of a role."""
        node = self._root
        path = ""
        for part in role.split("/"):
            if node is not self._root:
                self._make_room(node)
            path = f"{path}/{part}" if path else part
            node = node.children.get(path) or self._new_role(path, node)
        return self._virtual(node) if node.children and not node.has_clients else node

    def _new_role(self, path: str, parent: Node) -> Node:
        node = Node(path)
        node.weight = self._weights.get(path, 1.0)
        node.adopt(parent)
        self._role_sorter.added(node)
        return node

    def _virtual(self, role: Node) -> Node:
        path = f"{role.path}/{VIRTUAL}"
        return role.children.get(path) or self._new_role(path, role)

    def _make_room(self, role: Node) -> None:
        """Before a role gets roles below it: its clients move to its virtual child, with all they have."""
        if not role.has_clients:
            return
        clients = list(role.children.values())
        for client in clients:
            self._framework_sorter.removed(client)
            self._detach(client)
        role.ranking, role.has_clients = None, False
        virtual = self._virtual(role)
        virtual.mask, virtual.count, virtual.has_clients = role.mask, role.count, True
        virtual.held, virtual.shared = role.held.copy(), role.shared.copy()
        self._role_sorter.changed(virtual)
        for client in clients:
            client.adopt(virtual)
            self._framework_sorter.added(client)

    def _detach(self, node: Node) -> None:
        assert node.parent is not None
        del node.parent.children[node.path]
        if node.is_moved:
            node.parent.moved.remove(node)
            node.is_moved = False
