"""Everybody who wants offers or holds something: who comes, goes, suppresses, revives. Kept as masks of clients."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from master.allocator.agent import Agent
from master.allocator.client import Client, Framework
from master.allocator.matching import Matching
from master.allocator.quantities import Minimum
from master.allocator.quota import Quotas
from master.allocator.refusals import Refusals
from master.allocator.tree import Tree
from mesos.ids import AgentID, FrameworkID
from mesos.types import FrameworkInfo
from mesos.types.constraint import OfferConstraints


class Clients:
    """All frameworks and their clients. A framework that is not there is left alone."""

    def __init__(
        self,
        by_index: list[Client | None],
        agents: dict[AgentID, Agent],
        tree: Tree,
        quotas: Quotas,
        refusals: Refusals,
        matching: Matching,
    ) -> None:
        self.frameworks: dict[FrameworkID, Framework] = {}
        self.active = 0
        """The clients that want offers."""
        self.choosy = 0
        """The clients that set a minimum of their own."""
        self.fresh = 0
        """The clients that want offers, or more of them, since somebody set this to 0."""
        self._by_index = by_index
        self._vacant: list[int] = []
        self._agents = agents
        self._tree = tree
        self._quotas = quotas
        self._refusals = refusals
        self._matching = matching

    def __iter__(self) -> Iterator[Client]:
        return (client for framework in self.frameworks.values() for client in framework.clients.values())

    def find(self, id: FrameworkID, role: str) -> Client | None:
        """A framework in one role, if there is such a client."""
        framework = self.frameworks.get(id)
        return None if framework is None else framework.clients.get(role)

    def get(self, id: FrameworkID, role: str, now: float) -> Client:
        """The same; one that is not known yet wants nothing until its framework is added, and may hold something."""
        framework = self.frameworks.get(id)
        if framework is None:
            framework = self.frameworks[id] = Framework(id)
        return framework.clients.get(role) or self._new(framework, role, now)

    def only(self, mask: int) -> Client | None:
        """The client of a mask with one bit; None if it has more."""
        if mask & (mask - 1):
            return None
        return self._by_index[mask.bit_length() - 1]

    # Frameworks.

    def add(
        self,
        id: FrameworkID,
        info: FrameworkInfo,
        suppressed: Collection[str],
        constraints: Collection[OfferConstraints],
        is_active: bool,
        now: float,
    ) -> None:
        """A framework has come, or one that is known is and wants something else."""
        framework = self.frameworks.setdefault(id, Framework(id))
        framework.is_admitted, framework.is_active = True, is_active
        framework.capabilities = frozenset(info.capabilities)
        roles = info.all_roles
        for role in roles:
            client = framework.clients.get(role) or self._new(framework, role, now)
            if client.is_suppressed and role not in suppressed:
                self._refusals.forget_client(client)
            client.is_suppressed = role in suppressed
            client.minimum = _own_minimum(info, role)
            client.constraints = tuple(group for each in constraints if each.role == role for group in each.groups)
        for client in list(framework.clients.values()):
            client.is_subscribed = client.role in roles
            self._matching.update_client(client, self._agents.values())
            self._update(client)
            if not client.is_subscribed:
                self._refusals.forget_client(client)
                self.prune(client)

    def set_active(self, id: FrameworkID, is_active: bool) -> None:
        """Nothing is offered to an inactive framework; and what it refused before is forgotten."""
        framework = self.frameworks.get(id)
        if framework is not None:
            framework.is_active = is_active
            for client in framework.clients.values():
                if not is_active:
                    self._refusals.forget_client(client)
                self._update(client)

    def suppress(self, id: FrameworkID, roles: Collection[str]) -> None:
        """It wants no offers for these roles, or for any if none is named."""
        for client in self._of(id, roles):
            client.is_suppressed = True
            self._update(client)

    def revive(self, id: FrameworkID, roles: Collection[str]) -> None:
        """It wants offers for these roles, or for all if none is named, whatever it refused."""
        for client in self._of(id, roles):
            client.is_suppressed = False
            self._refusals.forget_client(client)
            self._update(client)

    def _of(self, id: FrameworkID, roles: Collection[str]) -> list[Client]:
        framework = self.frameworks.get(id)
        clients = framework.clients.values() if framework is not None else ()
        return [client for client in clients if client.role in roles or not roles]

    def remove(self, id: FrameworkID) -> None:
        """A framework that holds nothing is over."""
        framework = self.frameworks.pop(id, None)
        if framework is not None:
            for client in list(framework.clients.values()):
                self._remove(client)

    # Clients.

    def _new(self, framework: Framework, role: str, now: float) -> Client:
        if self._vacant:
            index = self._vacant.pop()
        else:
            index = len(self._by_index)
            self._by_index.append(None)
        client = framework.clients[role] = Client(framework, role, index, now)
        self._by_index[index] = client
        self._tree.add(client, role)
        self._quotas.add_client(client)
        return client

    def _update(self, client: Client) -> None:
        """What a client wants may have changed."""
        if client.wants_offers:
            self.active |= client.mask
            self.fresh |= client.mask
        else:
            self.active &= ~client.mask
            self.fresh &= ~client.mask
        if client.minimum is not None:
            self.choosy |= client.mask
        else:
            self.choosy &= ~client.mask

    def prune(self, client: Client) -> None:
        """Forget a client that neither holds anything nor may ever want to."""
        if client.is_subscribed or client.holdings:
            return
        self._remove(client)
        framework = client.framework
        if not framework.clients and not framework.is_admitted:
            self.frameworks.pop(framework.id, None)

    def _remove(self, client: Client) -> None:
        del client.framework.clients[client.role]
        self._refusals.forget_client(client)
        self._matching.remove_client(client, self._agents.values())
        self._quotas.remove_client(client)
        self._tree.remove(client)
        self.active &= ~client.mask
        self.fresh &= ~client.mask
        self.choosy &= ~client.mask
        self._by_index[client.index] = None
        self._vacant.append(client.index)


def _own_minimum(info: FrameworkInfo, role: str) -> Minimum | None:
    """What a framework wants an offer for a role to hold at least, if it says so."""
    for own in info.offer_filters:
        if own.role == role:
            return Minimum(least.quantities().items() for least in own.min_allocatable_resources)
    return None
