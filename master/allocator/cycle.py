"""One allocation: what is free goes to those who come first. Pure: given a cluster, a time and an order of agents.

First what quotas guarantee, then all the rest: each agent in turn goes to the first in order that may have it, and
that one gets everything it may have there. What remains (reserved for others, or beyond a quota) goes to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from master.allocator.agent import Agent
from master.allocator.bundle import Bundle, is_plain, shrink
from master.allocator.client import Client
from master.allocator.cluster import Cluster
from master.allocator.holding import Grant, Holding
from master.allocator.messages import Lot

Lots: TypeAlias = dict[Client, list[Lot]]
"""What each client gets, in the order in which they got something first."""


def allocate(cluster: Cluster, now: float, rank: Callable[[Agent], float]) -> Lots:
    """Hand out what can be; agents in ascending rank, if that matters. Costs nothing if nothing has changed since."""
    cycle = Cycle(cluster, now)
    cycle.run(rank)
    return cycle.lots


class Cycle:
    """One allocation at work."""

    def __init__(self, cluster: Cluster, now: float) -> None:
        self.lots: Lots = {}
        self._cluster = cluster
        self._now = now
        self._has_quotas = bool(cluster.quotas)
        self._fresh = cluster.clients.fresh
        self._changed = cluster.changed
        self._latest: Holding | None = None
        self._alone = 0
        self._only: tuple[Client, ...] = ()
        """The latest client that was eligible alone, as a mask and as what comes in order."""
        self._unbooked: tuple[Client, Bundle] | None = None
        self._times = 0
        """What the only eligible client got, and how many times; the tree is told before shares are compared again."""
        self._shared: dict[Agent, None] = {}
        """The agents of which something shared was offered already."""

    def run(self, rank: Callable[[Agent], float]) -> None:
        """Everything, once."""
        cluster = self._cluster
        agents = self._candidates()
        if self._is_order_idle():
            self._share_out_to_one(agents)
        else:
            self._share_out_in_order(agents, rank)
        self._book()
        cluster.tidy()
        # What is shared can be offered again next time, and a lot that was refused without it may be welcome with it.
        cluster.changed |= dict.fromkeys(agent for agent in self._shared if agent.is_offerable)

    def _candidates(self) -> list[Agent]:
        """Where somebody might get something; from here on, the cluster counts as settled."""
        cluster = self._cluster
        cluster.changed = {}
        cluster.clients.fresh = 0
        if cluster.quotas.has_loosened:
            cluster.quotas.has_loosened = False
            self._changed |= cluster.kept_back
            cluster.kept_back = {}
        return [agent for agent in (cluster.offerable if self._fresh else self._changed) if agent.is_offerable]

    def _share_out_in_order(self, agents: list[Agent], rank: Callable[[Agent], float]) -> None:
        agents.sort(key=rank)
        if self._cluster.quotas.wanting & self._cluster.clients.active:
            for agent in agents:
                self._satisfy_guarantees(agent)
            agents.sort(key=rank)
        for agent in agents:
            self._share_out(agent)

    def _is_order_idle(self) -> bool:
        """Whether only one client may get anything, and that whatever is free: then no agent has to come first."""
        fresh = self._fresh
        return bool(fresh) and not fresh & (fresh - 1) and not self._changed and not self._has_quotas

    def _share_out_to_one(self, agents: list[Agent]) -> None:
        """The same as for all, in the order in which agents lie in memory: many have not been looked at for long."""
        begin = self._cluster.chance.randrange(len(agents)) if agents else 0
        for agent in [*agents[begin:], *agents[:begin]]:
            self._share_out(agent)

    def _eligible(self, agent: Agent) -> int:
        """The clients that may want what is free there."""
        cluster = self._cluster
        free = agent.free
        eligible = self._fresh if self._fresh and agent not in self._changed else cluster.clients.active
        if agent.unwanted or agent.demands:
            eligible &= ~cluster.matching.barred(agent)
        if eligible & cluster.refusals.clients and agent.refused:
            eligible &= ~agent.refusers(free)
        if not free.enough:
            eligible &= cluster.clients.choosy
        if free.only_for is not None and eligible:
            eligible &= cluster.clients.choosy | cluster.tree.mask(free.only_for)
        return eligible

    def _in_order(self, eligible: int) -> Iterable[Client]:
        if eligible == self._alone:
            return self._only
        self._book()
        only = self._cluster.clients.only(eligible)
        if only is None:
            return self._cluster.tree.in_order(eligible)
        self._alone, self._only = eligible, only.alone
        return self._only

    # First: guarantees.

    def _satisfy_guarantees(self, agent: Agent) -> None:
        cluster = self._cluster
        eligible = self._eligible(agent) & cluster.quotas.wanting
        if not eligible:
            return
        for client in self._in_order(eligible):
            lot = self._guaranteed(agent, client) if client.mask & cluster.quotas.wanting else None
            if lot is not None:
                self._grant(client, agent, lot, eligible)
                if not agent.is_offerable:
                    return

    def _guaranteed(self, agent: Agent, client: Client) -> Bundle | None:
        """What is due to the client's role, and what quotas do not count or allow to come with it."""
        part = self._part(agent, client)
        lot = guaranteed(self._cluster, client, part) if client.admits(part) else None
        return lot if lot is not None and client.admits(lot) and not self._refuses(client, agent, lot) else None

    # Then: all the rest.

    def _share_out(self, agent: Agent) -> None:
        eligible = self._eligible(agent)
        if self._has_quotas and eligible:
            eligible = self._within_quotas(agent, eligible)
        if not eligible:
            return
        free = agent.free
        for client in self._in_order(eligible):
            lot = agent.free if agent.free.plain else self._part(agent, client)
            if self._has_quotas:
                lot = self._allowed(agent, client, lot)
            if client.admits(lot) and (lot is free or not self._refuses(client, agent, lot)):
                self._grant(client, agent, lot, eligible)
                if not agent.is_offerable:
                    return

    def _within_quotas(self, agent: Agent, eligible: int) -> int:
        """Leave out those who would be allowed too little, where quotas count all that is free."""
        cluster = self._cluster
        if not agent.free.plain:
            return eligible
        surplus = cluster.quotas.surplus()
        if cluster.minimum.admits({name: min(amount, surplus.get(name, 0)) for name, amount in agent.free.amounts}):
            allowed = eligible & (~cluster.quotas.spent | cluster.clients.choosy)
        else:
            allowed = eligible & cluster.clients.choosy
        if allowed != eligible:
            cluster.kept_back[agent] = None
        return allowed

    def _allowed(self, agent: Agent, client: Client, part: Bundle) -> Bundle:
        """As much as quotas allow."""
        lot = allowed(self._cluster, client, part)
        if lot is not part:
            self._cluster.kept_back[agent] = None
        return lot

    # Either way.

    def _part(self, agent: Agent, client: Client) -> Bundle:
        """What of the free resources the client may have, quotas aside."""
        free = agent.free
        if free.plain:
            return free
        resources = client.part_of(free.resources, without_shared=agent in self._shared)
        return free if resources == free.resources else self._cluster.bundle(resources)

    def _refuses(self, client: Client, agent: Agent, lot: Bundle) -> bool:
        """Whether the client refused as much as this lot, or more."""
        return bool(agent.refused and agent.refusers(lot) & client.mask)

    def _grant(self, client: Client, agent: Agent, lot: Bundle, eligible: int) -> None:
        self._cluster.hand_out(agent, client, lot, self._recorded(lot, eligible))
        lots = self.lots.get(client)
        if lots is None:
            lots = self.lots[client] = []
        lots.append(Lot(agent.id, lot.resources))
        if lot.shared:
            self._shared[agent] = None
        if eligible != self._alone or lot.shared:
            client.hand_out(lot, agent.id)
        elif self._unbooked is not None and self._unbooked[1] is lot:
            self._times += 1
        else:
            self._book()
            self._unbooked, self._times = (client, lot), 1

    def _recorded(self, lot: Bundle, eligible: int) -> Holding:
        """The decision as `explain` will find it, with whoever gets it; one that is like the last is the very same."""
        if self._latest is not None:
            grant = self._latest.offers[0]
            if grant.bundle is lot and grant.eligible == eligible:
                return self._latest
        self._latest = Holding((Grant(lot, self._now, eligible),))
        return self._latest

    def _book(self) -> None:
        """Tell the tree what it was not told yet."""
        if self._unbooked is not None:
            client, lot = self._unbooked
            client.hand_out_many(lot, self._times)
            self._unbooked = None


# What quotas make of what is free. `explain` asks for it, too.


def guaranteed(cluster: Cluster, client: Client, part: Bundle) -> Bundle | None:
    """What is due to the client's role, and what quotas do not count or allow to come with it; None if nothing is."""
    allowance = client.allowance
    due = allowance.due() if allowance is not None else {}
    core = shrink(part.resources.filter(is_plain), {name: due.get(name, 0) for name, _ in part.open})
    counted = core.quantities()
    if allowance is None or not counted:
        return None
    caps = cluster.quotas.surplus()
    for name, amount in allowance.room().items():
        caps[name] = min(caps.get(name, 0), amount - counted.get(name, 0))
    rest = part.resources - core
    extra = shrink(rest, caps)
    return part if extra is rest else cluster.bundle(core + extra)


def allowed(cluster: Cluster, client: Client, part: Bundle) -> Bundle:
    """As much as the role's limits allow, and the guarantees of others."""
    caps = cluster.quotas.surplus()
    if client.allowance is not None:
        for name, amount in client.allowance.room().items():
            caps[name] = min(caps.get(name, 0), amount)
    resources = shrink(part.resources, caps)
    return part if resources is part.resources else cluster.bundle(resources)
