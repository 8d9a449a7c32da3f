"""The Allocator actor: allocates once for all messages that came together, and answers with offers."""

from __future__ import annotations

from dataclasses import dataclass, field

from libprocess import PID, Message, Process
from master.allocator.messages import (
    AddAgentMessage,
    AddFrameworkMessage,
    Allotment,
    ChangeAgentMessage,
    ChangeFrameworkMessage,
    Lot,
    OfferResourcesMessage,
    RecoverResourcesMessage,
    RemoveAgentMessage,
    RemoveFrameworkMessage,
    ReviveRolesMessage,
    SetAgentActiveMessage,
    SetFrameworkActiveMessage,
    SuppressRolesMessage,
    UseResourcesMessage,
)
from master.allocator.options import Options
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources

Client = tuple[FrameworkID, str]
"""A framework in one of its roles."""


class AllocateMessage(Message, frozen=True):
    """Allocator → itself: allocate, after whatever else is in the mailbox."""


class TickMessage(Message, frozen=True):
    """Allocator → itself, every allocation interval: forget refusals whose time is over."""


@dataclass(slots=True)
class _Agent:
    total: Resources
    free: Resources
    active: bool = True
    holdings: dict[Client, Resources] = field(default_factory=dict)
    refusals: dict[Client, list[tuple[float, Resources]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Framework:
    active: bool
    roles: set[str]
    suppressed: set[str]


class Allocator(Process):
    """Offers what is free to whoever has least of what it has most of (dominant resource fairness)."""

    def __init__(self, master: PID, options: Options | None = None) -> None:
        self._master = master
        self._options = options or Options()
        self._agents: dict[AgentID, _Agent] = {}
        self._frameworks: dict[FrameworkID, _Framework] = {}
        self._held: dict[Client, Resources] = {}
        self._counts: dict[Client, int] = {}
        self._agents_added = 0
        self._pending = False

    def initialize(self) -> None:
        """Begin to tick."""
        self.delay(self._options.allocation_interval_seconds, TickMessage())

    def tick(self, message: TickMessage) -> None:
        """Forget refusals that are over; what they held back is offered."""
        for agent in self._agents.values():
            for client, refusals in list(agent.refusals.items()):
                agent.refusals[client] = [refusal for refusal in refusals if refusal[0] > self.now]
        self._allocate_soon()
        self.delay(self._options.allocation_interval_seconds, TickMessage())

    # Agents.

    def add_agent(self, message: AddAgentMessage) -> None:
        """See the message."""
        self._agents_added += 1
        agent = self._agents[message.agent_id] = _Agent(message.total, message.total, message.active)
        for usage in message.used:
            self._give(agent, (usage.framework_id, usage.role), usage.resources)
        self._allocate_soon()

    def change_agent(self, message: ChangeAgentMessage) -> None:
        """See the message."""
        agent = self._agents.get(message.agent_id)
        if agent is not None:
            held = Resources.sum(agent.holdings.values())
            agent.total = message.total
            agent.free = agent.total - held if agent.total.contains(held) else Resources()
            self._allocate_soon()

    def set_agent_active(self, message: SetAgentActiveMessage) -> None:
        """See the message."""
        if message.agent_id in self._agents:
            self._agents[message.agent_id].active = message.active
            self._allocate_soon()

    def remove_agent(self, message: RemoveAgentMessage) -> None:
        """See the message."""
        agent = self._agents.pop(message.agent_id, None)
        if agent is not None:
            for client, resources in list(agent.holdings.items()):
                self._take(agent, client, resources)

    # Frameworks.

    def add_framework(self, message: AddFrameworkMessage) -> None:
        """See the message."""
        roles, suppressed = set(message.framework.all_roles), set(message.suppressed_roles)
        self._frameworks[message.framework_id] = _Framework(message.active, roles, suppressed)
        self._allocate_soon()

    def change_framework(self, message: ChangeFrameworkMessage) -> None:
        """See the message."""
        framework = self._frameworks.get(message.framework_id)
        if framework is not None:
            framework.roles = set(message.framework.all_roles)
            framework.suppressed = set(message.suppressed_roles)
            self._allocate_soon()

    def set_framework_active(self, message: SetFrameworkActiveMessage) -> None:
        """See the message."""
        framework = self._frameworks.get(message.framework_id)
        if framework is not None:
            framework.active = message.active
            self._forget_refusals(message.framework_id, framework.roles)
            self._allocate_soon()

    def remove_framework(self, message: RemoveFrameworkMessage) -> None:
        """See the message."""
        if self._frameworks.pop(message.framework_id, None) is None:
            return
        for agent in self._agents.values():
            for client, resources in list(agent.holdings.items()):
                if client[0] == message.framework_id:
                    self._take(agent, client, resources)
        self._allocate_soon()

    def suppress_roles(self, message: SuppressRolesMessage) -> None:
        """See the message."""
        framework = self._frameworks.get(message.framework_id)
        if framework is not None:
            framework.suppressed |= set(message.roles) or framework.roles

    def revive_roles(self, message: ReviveRolesMessage) -> None:
        """See the message."""
        framework = self._frameworks.get(message.framework_id)
        if framework is not None:
            roles = set(message.roles) or framework.roles
            framework.suppressed -= roles
            self._forget_refusals(message.framework_id, roles)
            self._allocate_soon()

    def _forget_refusals(self, framework_id: FrameworkID, roles: set[str]) -> None:
        for agent in self._agents.values():
            for role in roles:
                agent.refusals.pop((framework_id, role), None)

    # Resources.

    def recover_resources(self, message: RecoverResourcesMessage) -> None:
        """See the message."""
        client = (message.framework_id, message.role)
        for lot in message.lots:
            agent = self._agents.get(lot.agent_id)
            if agent is None or client not in agent.holdings:
                continue
            self._take(agent, client, lot.resources)
            if message.filters is not None:
                seconds = max(message.filters.refuse_seconds, self._options.allocation_interval_seconds)
                agent.refusals.setdefault(client, []).append((self.now + seconds, lot.resources))
        self._allocate_soon()

    def use_resources(self, message: UseResourcesMessage) -> None:
        """See the message."""

    def _give(self, agent: _Agent, client: Client, resources: Resources) -> None:
        agent.free -= resources
        agent.holdings[client] = agent.holdings.get(client, Resources()) + resources
        self._held[client] = self._held.get(client, Resources()) + resources
        self._counts[client] = self._counts.get(client, 0) + 1

    def _take(self, agent: _Agent, client: Client, resources: Resources) -> None:
        agent.free += resources
        agent.holdings[client] -= resources
        self._held[client] -= resources
        if not agent.holdings[client]:
            del agent.holdings[client]

    # Allocating.

    def _allocate_soon(self) -> None:
        if not self._pending:
            self._pending = True
            self.send(self.pid, AllocateMessage())

    def allocate(self, message: AllocateMessage) -> None:
        """Give what is free on each agent to the first in order that may have it."""
        self._pending = False
        given: dict[Client, list[Lot]] = {}
        agents = [item for item in self._agents.items() if item[1].active and item[1].free]
        self.chance.shuffle(agents)
        for agent_id, agent in agents:
            for client in self._in_order():
                offered = agent.free.allocatable_to(client[1])
                if self._is_enough(offered) and not self._is_refused(agent, client, offered):
                    self._give(agent, client, offered)
                    given.setdefault(client, []).append(Lot(agent_id, offered))
        if given:
            allotments = tuple(Allotment(*client, tuple(lots)) for client, lots in given.items())
            self.send(self._master, OfferResourcesMessage(allotments, self._agents_added))

    def _in_order(self) -> list[Client]:
        total = Resources.sum(agent.total for agent in self._agents.values()).quantities()
        by_role: dict[str, dict[str, int]] = {}
        for (_, role), held in self._held.items():
            shares = by_role.setdefault(role, {})
            for name, quantity in held.quantities().items():
                shares[name] = shares.get(name, 0) + quantity

        def share(quantities: dict[str, int]) -> float:
            return max((quantity / total[name] for name, quantity in quantities.items() if name in total), default=0.0)

        def order(client: Client) -> tuple[float, str, float, int, str]:
            held = self._held.get(client, Resources()).quantities()
            return share(by_role.get(client[1], {})), client[1], share(held), self._counts.get(client, 0), client[0]

        clients = (
            (framework_id, role)
            for framework_id, framework in self._frameworks.items()
            if framework.active
            for role in framework.roles - framework.suppressed
        )
        return sorted(clients, key=order)

    def _is_enough(self, resources: Resources) -> bool:
        least = self._options.min_allocatable
        return bool(resources) and (not least or any(_has_quantities(resources, wanted) for wanted in least))

    def _is_refused(self, agent: _Agent, client: Client, resources: Resources) -> bool:
        refusals = agent.refusals.get(client, ())
        return any(until > self.now and refused.contains(resources) for until, refused in refusals)


def _has_quantities(resources: Resources, wanted: Resources) -> bool:
    have = resources.quantities()
    return all(have.get(name, 0) >= quantity for name, quantity in wanted.quantities().items())
