"""Quotas: what is kept for a role, what it may have at most, and how much headroom that leaves for all others.

A quota is that of a top-level role, and counts all roles below it: what is handed out to them, neither reserved nor
revocable, and what is reserved for them, handed out or not. All of it is kept up to date as things change hands, so
that an allocation need not count anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from master.allocator.agent import Agent
from master.allocator.bundle import Bundle
from master.allocator.client import Client
from master.allocator.quantities import Amounts, Items, Minimum, add


class Allowance:
    """The quota of a role: what it must get, what it may get, and how much of that is consumed."""

    __slots__ = ("consumed", "guarantees", "is_spent", "is_wanting", "limits", "mask", "role")

    def __init__(self, role: str, guarantees: Items, limits: Items) -> None:
        self.role = role
        self.guarantees: Amounts = dict(guarantees)
        self.limits: Amounts = dict(limits)
        self.consumed: Amounts = defaultdict(int)
        self.mask = 0
        """The clients that it is for."""
        self.is_wanting = False
        """Whether some of what is guaranteed is still due."""
        self.is_spent = False
        """Whether the limits leave nothing that is worth an offer, but for what is reserved or revocable."""

    def due(self) -> Amounts:
        """What of the guarantees is not consumed yet."""
        left = ((name, amount - self.consumed[name]) for name, amount in self.guarantees.items())
        return {name: amount for name, amount in left if amount > 0}

    def room(self) -> Amounts:
        """What the limits leave; what they do not name is unlimited."""
        return {name: max(amount - self.consumed[name], 0) for name, amount in self.limits.items()}


class Quotas:
    """All quotas, and the headroom of the cluster: what is free, against what is due to the roles with guarantees."""

    def __init__(self, minimum: Minimum) -> None:
        self._minimum = minimum
        self.by_role: dict[str, Allowance] = {}
        self.wanting = 0
        """The clients whose quotas are wanting."""
        self.spent = 0
        """The clients whose quotas are spent."""
        self.has_loosened = False
        """Whether, since somebody set this to False, quotas may have come to allow more than they did."""
        self._available: Amounts = defaultdict(int)
        self._required: Amounts = defaultdict(int)

    def __bool__(self) -> bool:
        return bool(self.by_role)

    def set(self, allowances: Iterable[Allowance], agents: Iterable[Agent], clients: Iterable[Client]) -> None:
        """Set the quotas of some roles, or remove those that say nothing; then count anew."""
        for allowance in allowances:
            self.by_role.pop(allowance.role, None)
            if allowance.guarantees or allowance.limits:
                self.by_role[allowance.role] = allowance
        self._restart()
        self.has_loosened = True
        for client in clients:
            self.add_client(client)
        for agent in agents:
            self.add_agent(agent)

    def _restart(self) -> None:
        self.wanting = self.spent = 0
        self._available.clear()
        self._required.clear()
        for allowance in self.by_role.values():
            allowance.consumed.clear()
            allowance.mask = 0
            add(self._required, allowance.guarantees.items())
            self._judge(allowance)

    def add_client(self, client: Client) -> None:
        """There is a client; it holds nothing yet, or nothing is counted yet."""
        client.allowance = allowance = self.by_role.get(_top_level(client.role))
        if allowance is not None:
            allowance.mask |= client.mask
            self.wanting |= client.mask * allowance.is_wanting
            self.spent |= client.mask * allowance.is_spent

    def remove_client(self, client: Client) -> None:
        """A client is gone that holds nothing."""
        if client.allowance is not None:
            client.allowance.mask &= ~client.mask
            self.wanting &= ~client.mask
            self.spent &= ~client.mask

    def add_agent(self, agent: Agent) -> None:
        """Count an agent: what is free, reserved and handed out there."""
        if self.by_role:
            self._count(agent, 1)
            self.has_loosened = True

    def remove_agent(self, agent: Agent) -> None:
        """Count an agent no more; whoever changes what it has does this before, and `add_agent` after."""
        if self.by_role:
            self._count(agent, -1)
            self.has_loosened = True

    def hand_out(self, client: Client, bundle: Bundle) -> None:
        """Something that was free is a client's."""
        if self.by_role:
            self._change(client.allowance, bundle.open, -1)

    def take_back(self, client: Client, bundle: Bundle) -> None:
        """Something that was a client's is free."""
        if self.by_role:
            self._change(client.allowance, bundle.open, 1)
            self.has_loosened = True

    def surplus(self) -> Amounts:
        """How much may be handed out to those to whom nothing is due, so that enough is left for the guarantees."""
        required = self._required
        return {name: max(amount - required.get(name, 0), 0) for name, amount in self._available.items()}

    def _change(self, allowance: Allowance | None, quantities: Items, freed: int) -> None:
        for name, amount in quantities:
            self._available[name] += freed * amount
        if allowance is not None:
            self._consume(allowance, quantities, -freed)

    def _consume(self, allowance: Allowance, quantities: Items, sign: int) -> None:
        for name, amount in quantities:
            before = allowance.consumed[name]
            after = allowance.consumed[name] = before + sign * amount
            guarantee = allowance.guarantees.get(name)
            if guarantee is not None:
                self._required[name] += max(guarantee - after, 0) - max(guarantee - before, 0)
        self._judge(allowance)

    def _judge(self, allowance: Allowance) -> None:
        """Keep up to date whether it is wanting, and whether it is spent."""
        is_wanting, is_spent = bool(allowance.due()), self._is_spent(allowance)
        if is_wanting is not allowance.is_wanting:
            allowance.is_wanting = is_wanting
            self.wanting ^= allowance.mask
        if is_spent is not allowance.is_spent:
            allowance.is_spent = is_spent
            self.spent ^= allowance.mask

    def _is_spent(self, allowance: Allowance) -> bool:
        room = allowance.room()
        alternatives = self._minimum.alternatives
        return bool(alternatives) and not any(
            all(room.get(name, amount) >= amount for name, amount in items) for items in alternatives
        )

    def _count(self, agent: Agent, sign: int) -> None:
        add(self._available, [(name, sign * amount) for name, amount in agent.free.open])
        for role in agent.total.roles:
            allowance = self.by_role.get(_top_level(role))
            if allowance is not None:
                reserved = agent.total.resources.reserved(role)
                self._consume(allowance, reserved.quantities().items(), sign)
        for client, holding in agent.holdings:
            if client.allowance is not None:
                for bundle in holding.bundles:
                    self._consume(client.allowance, bundle.open, sign)


def _top_level(role: str) -> str:
    return role.partition("/")[0]
