"""The cluster as the allocator sees it: agents, frameworks, and who holds what.

After an allocation the cluster is settled: nobody can be given anything more. So the next one has to look only at
agents where something has become free since (`changed`), at all agents for the clients that have come since
(`Clients.fresh`), and at those whose resources a quota kept from somebody (`kept_back`), when quotas may have come to
allow more. Nothing here costs more than what it is about.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable

from master.allocator.agent import Agent
from master.allocator.bundle import Bundle, Bundles, clip, private
from master.allocator.client import Client
from master.allocator.clients import Clients
from master.allocator.holding import NOTHING, Grant, Holding
from master.allocator.matching import Matching
from master.allocator.messages import KNOWS_ROLES
from master.allocator.options import Options
from master.allocator.quantities import Minimum, Totals
from master.allocator.quota import Allowance, Quotas
from master.allocator.refusals import Refusals
from master.allocator.sorter import find_sorter
from master.allocator.tree import Tree
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.types import AgentCapability, AgentInfo


class Cluster:
    """All state of an allocator. An agent or a framework that is not there is left alone."""

    def __init__(self, options: Options, chance: random.Random) -> None:
        by_index: list[Client | None] = []
        self.chance = random.Random(chance.getrandbits(64))
        """For what is drawn often: the system's own randomness is slow."""
        self.agents: dict[AgentID, Agent] = {}
        self.totals = Totals(options.fair_sharing_excluded_resource_names)
        sorters = (find_sorter(name) for name in (options.role_sorter, options.framework_sorter))
        self.tree = Tree(*(sorter(self.totals, self.chance) for sorter in sorters))
        self.minimum = Minimum(least.quantities().items() for least in options.min_allocatable)
        self.bundle = Bundles(self.minimum)
        self.quotas = Quotas(self.minimum)
        self.refusals = Refusals()
        self.matching = Matching(options)
        self.clients = Clients(by_index, self.agents, self.tree, self.quotas, self.refusals, self.matching)
        self.changed: dict[Agent, None] = {}
        """The agents of which more may be offered, since somebody emptied this."""
        self.kept_back: dict[Agent, None] = {}
        """The agents of which somebody wanted more than quotas allowed."""
        self.offerable: dict[Agent, None] = {}
        """All agents that are offerable, and such as were: `tidy` leaves them out."""
        self._handed_out = 0
        """How many times an agent was no longer offerable since then."""
        self._whitelist: frozenset[str] | None = None
        self._nothing = self.bundle(Resources())

    # Agents.

    def add_agent(
        self,
        id: AgentID,
        info: AgentInfo,
        total: Resources,
        is_active: bool = True,
        capabilities: tuple[AgentCapability, ...] = KNOWS_ROLES,
    ) -> Agent:
        """There is a new agent, and all of it is free. One of the same id is over; what was refused of it still is."""
        agent, before = Agent(id, info, self.bundle(total), capabilities), self.agents.get(id)
        if before is not None and before.info.attributes == info.attributes:
            self.refusals.move(before, agent)
        self.remove_agent(id)
        self.agents[id] = agent
        agent.is_active = is_active
        agent.is_listed = self._lists(agent)
        self.totals.change((), agent.total.quantities.items())
        self.matching.update_agent(agent)
        self.quotas.add_agent(agent)
        self.offer_more(agent)
        return agent

    def change_agent(
        self,
        id: AgentID,
        info: AgentInfo,
        total: Resources,
        capabilities: tuple[AgentCapability, ...] = KNOWS_ROLES,
    ) -> None:
        """An agent is and has something else; what is held there is held on."""
        agent = self.agents.get(id)
        if agent is None:
            return
        if agent.info.attributes != info.attributes:
            self.refusals.forget_agent(agent)
        agent.info, agent.capabilities = info, capabilities
        agent.is_listed = self._lists(agent)
        self.quotas.remove_agent(agent)
        self._refit(agent, total)
        self.quotas.add_agent(agent)
        self.matching.update_agent(agent)
        self.offer_more(agent)

    def _refit(self, agent: Agent, total: Resources) -> None:
        """Work out anew what is free of an agent, which may have shrunk below what is held."""
        before, agent.total = agent.total, self.bundle(total)
        self.totals.change(before.quantities.items(), agent.total.quantities.items())
        held = Resources.sum(bundle.resources for _, holding in agent.holdings for bundle in holding.bundles)
        agent.is_overcommitted = not total.contains(private(held))
        agent.free = self.bundle(clip(total, held))

    def set_agent_active(self, id: AgentID, is_active: bool) -> None:
        """Nothing of an inactive agent is offered."""
        agent = self.agents.get(id)
        if agent is not None:
            agent.is_active = is_active
            self.offer_more(agent)

    def remove_agent(self, id: AgentID) -> None:
        """An agent is over, and nobody holds anything there any more."""
        agent = self.agents.pop(id, None)
        if agent is None:
            return
        self.quotas.remove_agent(agent)
        for client, holding in agent.holdings:
            for bundle in holding.bundles:
                client.take_back(bundle, agent.id)
            del client.holdings[agent]
            self.clients.prune(client)
        agent.holders = ()
        self.totals.change(agent.total.quantities.items(), ())
        self.refusals.forget_agent(agent)
        for agents in (self.offerable, self.changed, self.kept_back):
            agents.pop(agent, None)

    def set_whitelist(self, hostnames: Iterable[str] | None) -> None:
        """Only agents of these hostnames are offered; all, if there is no list."""
        self._whitelist = None if hostnames is None else frozenset(hostnames)
        for agent in self.agents.values():
            is_listed = self._lists(agent)
            if agent.is_listed is not is_listed:
                agent.is_listed = is_listed
                self.offer_more(agent)

    def _lists(self, agent: Agent) -> bool:
        return self._whitelist is None or agent.info.hostname in self._whitelist

    def offer_more(self, agent: Agent) -> None:
        """More of an agent may be offered than before, or less."""
        if self._is_offerable(agent):
            agent.is_offerable = True
            self.offerable[agent] = self.changed[agent] = None
        else:
            self._offer_no_more(agent)

    def _offer_no_more(self, agent: Agent) -> None:
        self._handed_out += agent.is_offerable
        agent.is_offerable = False

    def tidy(self) -> None:
        """Leave out the agents that are no longer offerable, if they are many.

        That takes 25 ns for each of 10,000 and 32 for each of 50,000. To remove each when it is handed out, in whatever
        order, takes 71 and 260: a large dict does not fit into the processor's caches.
        """
        if 2 * self._handed_out > len(self.offerable):
            self.offerable = {agent: None for agent in self.offerable if agent.is_offerable}
            self._handed_out = 0

    def _is_offerable(self, agent: Agent) -> bool:
        is_worth_it = agent.free.enough or (self.clients.choosy and agent.free)
        return bool(is_worth_it and agent.is_active and agent.is_listed)

    # Resources change hands.

    def hand_out(self, agent: Agent, client: Client, bundle: Bundle, offer: Holding) -> None:
        """A bundle that is free on an agent is offered to a client; whoever decides that books it in the tree.

        `offer` is what a client holds that held nothing there before.
        """
        holding = client.holdings.get(agent)
        if holding is None:
            client.holdings[agent] = offer
            agent.holders = (*agent.holders, client) if agent.holders else client.alone
        else:
            client.holdings[agent] = holding.with_offers(*offer.offers)
        if self.quotas.by_role:
            self.quotas.hand_out(client, bundle)
        if bundle is agent.free and not bundle.shared:
            agent.free = self._nothing
            self._offer_no_more(agent)
        else:
            agent.free = self.bundle(agent.free.resources - private(bundle.resources))
            if not self._is_offerable(agent):
                self._offer_no_more(agent)

    def take_back(self, agent: Agent, client: Client, resources: Resources) -> Bundle:
        """Something that a client holds on an agent is free. ValueError if it holds less."""
        if agent.is_overcommitted:
            return self._take_back_uncertain(agent, client, resources)
        bundle = self._take(agent, client, resources)
        self.quotas.take_back(client, bundle)
        if agent.free or bundle.shared:
            agent.free = self.bundle(agent.free.resources + private(bundle.resources))
        else:
            agent.free = bundle
        self.offer_more(agent)
        return bundle

    def _take_back_uncertain(self, agent: Agent, client: Client, resources: Resources) -> Bundle:
        """The same, of an agent that has less than is held there: how much of it is free has to be worked out."""
        self.quotas.remove_agent(agent)
        bundle = self._take(agent, client, resources)
        self._refit(agent, agent.total.resources)
        self.quotas.add_agent(agent)
        self.offer_more(agent)
        return bundle

    def _take(self, agent: Agent, client: Client, resources: Resources) -> Bundle:
        bundle, left = client.holdings[agent].without(resources, self.bundle)
        client.take_back(bundle, agent.id)
        self._hold(agent, client, left)
        return bundle

    def _hold(self, agent: Agent, client: Client, holding: Holding) -> None:
        """A client that held something on an agent holds this now, if anything."""
        if holding:
            client.holdings[agent] = holding
        else:
            del client.holdings[agent]
            agent.holders = tuple(holder for holder in agent.holders if holder is not client)
            self.clients.prune(client)

    def recover(self, client: Client, lots: Iterable[tuple[Agent, Resources]], until: float | None) -> None:
        """A client gives lots back; and refuses them until then, if it says so."""
        bundles = [(agent, self.take_back(agent, client, resources)) for agent, resources in lots]
        if until is not None and client.is_subscribed and client.framework.is_active:
            self.refusals.add(client, bundles, until)

    def bring(self, agent: Agent, client: Client, resources: Resources) -> None:
        """A client's tasks use something on an agent that comes with them."""
        self.quotas.remove_agent(agent)
        client.holdings[agent] = client.holdings.get(agent, NOTHING).with_used(resources, self.bundle)
        if client not in agent.holders:
            agent.holders += (client,)
        client.hand_out(self.bundle(resources), agent.id)
        self._refit(agent, agent.total.resources)
        self.quotas.add_agent(agent)
        self.offer_more(agent)

    def convert(self, agent: Agent, client: Client, before: Resources, after: Resources, now: float) -> None:
        """What was offered to a client on an agent becomes something else. ValueError if it holds less.

        What becomes of nothing are copies of what is shared, and the agent has no more of it for that.
        """
        self.quotas.remove_agent(agent)
        bundle, left = client.holdings[agent].without(before, self.bundle)
        client.take_back(bundle, agent.id)
        if after:
            left = left.with_offers(Grant(self.bundle(after), now))
            client.hand_out(self.bundle(after), agent.id, times=0)
        self._hold(agent, client, left)
        self._refit(agent, agent.total.resources - before + after if before else agent.total.resources)
        self.quotas.add_agent(agent)
        self.offer_more(agent)

    def convert_free(self, agent: Agent, before: Resources, after: Resources) -> str | None:
        """What is free on an agent becomes something else; or it does not, and this is why."""
        if not agent.free.resources.contains(before):
            return f"expected {before} to be free on agent {agent.id}, found {agent.free.resources or 'nothing'}"
        self.quotas.remove_agent(agent)
        self._refit(agent, agent.total.resources - before + after)
        self.quotas.add_agent(agent)
        self.offer_more(agent)
        return None

    def remove_framework(self, id: FrameworkID) -> None:
        """A framework is over; what it held is free."""
        framework = self.clients.frameworks.get(id)
        for client in list(framework.clients.values()) if framework is not None else ():
            for agent, holding in list(client.holdings.items()):
                for bundle in holding.bundles:
                    self.take_back(agent, client, bundle.resources)
        self.clients.remove(id)

    def end_refusals(self, now: float) -> None:
        """What was refused until now may be offered again."""
        for agent in self.refusals.end(now):
            if self.agents.get(agent.id) is agent:
                self.offer_more(agent)

    def set_quotas(self, quotas: Collection[Allowance]) -> None:
        """Some roles have other quotas."""
        self.quotas.set(quotas, self.agents.values(), self.clients)
