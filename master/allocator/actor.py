"""The Allocator actor: allocates once for all messages that came together, and answers with offers."""

from __future__ import annotations

from collections.abc import Iterable

from libprocess import PID, Message, Process, Timer
from master.allocator.agent import Agent
from master.allocator.client import Client
from master.allocator.cluster import Cluster
from master.allocator.cycle import Lots, allocate
from master.allocator.explain import explain
from master.allocator.messages import (
    AddAgentMessage,
    AddFrameworkMessage,
    Allotment,
    AvailableUpdatedMessage,
    Because,
    ChangeAgentMessage,
    ChangeFrameworkMessage,
    ExpectAgentsMessage,
    ExplainedMessage,
    ExplainMessage,
    Explanation,
    Lot,
    OfferResourcesMessage,
    RecoverResourcesMessage,
    RemoveAgentMessage,
    RemoveFrameworkMessage,
    ReviveRolesMessage,
    SetAgentActiveMessage,
    SetFrameworkActiveMessage,
    SetQuotasMessage,
    SetWeightsMessage,
    SetWhitelistMessage,
    SuppressRolesMessage,
    UpdateAllocationMessage,
    UpdateAvailableMessage,
    UseResourcesMessage,
    Why,
)
from master.allocator.options import Options
from master.allocator.quota import Allowance
from mesos.ids import AgentID, FrameworkID
from mesos.messages import RequestResourcesMessage
from mesos.resources import Resources

RECOVERY_TIMEOUT_SECONDS = 600.0
"""How long to wait for the agents of an earlier master before allocating without them."""


class AllocateMessage(Message, frozen=True):
    """Allocator → itself: allocate, after whatever else is in the mailbox."""


class RefusalsEndMessage(Message, frozen=True):
    """Allocator → itself, when the first of all refusals is over."""


class RecoveryTimeoutMessage(Message, frozen=True):
    """Allocator → itself, when it has waited for the expected agents for long enough."""


class Allocator(Process):
    """Decides who is offered what. It keeps the books in a `Cluster`, and has `cycle.allocate` decide."""

    def __init__(self, master: PID, options: Options | None = None) -> None:
        """ValueError if there is no sorter of a name in the options."""
        self._master = master
        self._options = options or Options()
        self._agents_added = self._quotas_set = 0
        self._expected = 0
        """How many agents must be there before anything is allocated."""
        self._is_due = False
        """Whether an AllocateMessage is on its way."""
        self._alarm: Timer | None = None
        self._alarm_at = float("inf")

    def initialize(self) -> None:
        """Nothing is there yet."""
        self._cluster = Cluster(self._options, self.chance)

    # Allocating.

    def allocate(self, message: AllocateMessage) -> None:
        """Hand out what can be."""
        self._is_due = False
        if self._expected:
            return
        draw = self._cluster.chance.random
        lots = allocate(self._cluster, self.now, lambda agent: draw())
        if lots:
            offers = allotments(lots, may_repeat=bool(self._cluster.quotas))
            self.send(self._master, OfferResourcesMessage(offers, self._agents_added, self._quotas_set))

    def _allocate_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            self.send(self.pid, AllocateMessage())

    def expect_agents(self, message: ExpectAgentsMessage) -> None:
        """See the message."""
        self._expected = message.agents
        self.delay(RECOVERY_TIMEOUT_SECONDS, RecoveryTimeoutMessage())

    def recovery_timeout(self, message: RecoveryTimeoutMessage) -> None:
        """Those who are not back by now may never come."""
        self._expected = 0
        self._allocate_soon()

    def explain(self, message: ExplainMessage) -> None:
        """See the message."""
        ids = [message.agent_id] if message.agent_id is not None else list(self._cluster.agents)
        found = [Explanation(id_, self._reasons(message.framework_id, message.role, id_)) for id_ in ids]
        self.reply(ExplainedMessage(message.framework_id, message.role, tuple(found)))

    def _reasons(self, framework_id: FrameworkID, role: str, agent_id: AgentID) -> tuple[Because, ...]:
        reasons = explain(self._cluster, framework_id, role, agent_id)
        if not self._expected:
            return reasons
        text = f"nothing is allocated before {self._expected} agents are back, {len(self._cluster.agents)} are"
        return (Because(Why.WAITING, text), *reasons)

    # Resources.

    def recover_resources(self, message: RecoverResourcesMessage) -> None:
        """See the message."""
        client = self._cluster.clients.find(message.framework_id, message.role)
        if client is None:
            return
        until = None
        if message.filters is not None:
            until = self.now + max(message.filters.refuse_seconds, self._options.allocation_interval_seconds)
        self._cluster.recover(client, self._held(client, message.lots), until)
        self._watch_refusals()
        self._allocate_soon()

    def use_resources(self, message: UseResourcesMessage) -> None:
        """See the message."""
        client = self._cluster.clients.find(message.framework_id, message.role)
        if client is not None:
            for agent, resources in self._held(client, message.lots):
                client.holdings[agent] = client.holdings[agent].using(resources, self._cluster.bundle)

    def _held(self, client: Client, lots: Iterable[Lot]) -> list[tuple[Agent, Resources]]:
        """The lots of agents where the client holds something; others crossed the news of the agent's end."""
        agents = self._cluster.agents
        found = ((agents.get(lot.agent_id), lot.resources) for lot in lots)
        return [(agent, resources) for agent, resources in found if agent is not None and agent in client.holdings]

    def update_allocation(self, message: UpdateAllocationMessage) -> None:
        """See the message."""
        client = self._cluster.clients.find(message.framework_id, message.role)
        if client is not None:
            for agent, before in self._held(client, [Lot(message.agent_id, message.before)]):
                self._cluster.convert(agent, client, before, message.after, self.now)

    def update_available(self, message: UpdateAvailableMessage) -> None:
        """See the message."""
        agent = self._cluster.agents.get(message.agent_id)
        error = f"there is no agent {message.agent_id}"
        if agent is not None:
            error = self._cluster.convert_free(agent, message.before, message.after) or ""
            self._allocate_soon()
        self.reply(AvailableUpdatedMessage(message.agent_id, message.before, message.after, error))

    def _watch_refusals(self) -> None:
        """Be told when the first refusal is over."""
        end = self._cluster.refusals.next_end
        if end is not None and end < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self.delay(max(end - self.now, 0.0), RefusalsEndMessage())
            self._alarm_at = end

    def refusals_end(self, message: RefusalsEndMessage) -> None:
        """What was refused until now may be offered again."""
        self._cluster.end_refusals(self.now)
        self._alarm_at = float("inf")
        self._watch_refusals()
        self._allocate_soon()

    # Agents.

    def add_agent(self, message: AddAgentMessage) -> None:
        """See the message."""
        self._agents_added += 1
        agent = self._cluster.add_agent(
            message.agent_id, message.agent, message.total, message.active, message.capabilities
        )
        for usage in message.used:
            client = self._cluster.clients.get(usage.framework_id, usage.role, self.now)
            self._cluster.bring(agent, client, usage.resources)
        if len(self._cluster.agents) >= self._expected:
            self._expected = 0
        self._allocate_soon()

    def change_agent(self, message: ChangeAgentMessage) -> None:
        """See the message."""
        self._cluster.change_agent(message.agent_id, message.agent, message.total, message.capabilities)
        self._allocate_soon()

    def set_agent_active(self, message: SetAgentActiveMessage) -> None:
        """See the message."""
        self._cluster.set_agent_active(message.agent_id, message.active)
        self._allocate_soon()

    def remove_agent(self, message: RemoveAgentMessage) -> None:
        """See the message. What its end leaves of quotas may be offered elsewhere."""
        self._cluster.remove_agent(message.agent_id)
        self._allocate_soon()

    def set_whitelist(self, message: SetWhitelistMessage) -> None:
        """See the message."""
        self._cluster.set_whitelist(message.hostnames)
        self._allocate_soon()

    # Frameworks.

    def add_framework(self, message: AddFrameworkMessage) -> None:
        """See the message."""
        self._cluster.clients.add(
            message.framework_id,
            message.framework,
            suppressed=message.suppressed_roles,
            constraints=message.constraints,
            is_active=message.active,
            now=self.now,
        )
        self._allocate_soon()

    def change_framework(self, message: ChangeFrameworkMessage) -> None:
        """See the message."""
        framework = self._cluster.clients.frameworks.get(message.framework_id)
        if framework is not None:
            self._cluster.clients.add(
                message.framework_id,
                message.framework,
                suppressed=message.suppressed_roles,
                constraints=message.constraints,
                is_active=framework.is_active,
                now=self.now,
            )
            self._allocate_soon()

    def set_framework_active(self, message: SetFrameworkActiveMessage) -> None:
        """See the message."""
        self._cluster.clients.set_active(message.framework_id, message.active)
        self._allocate_soon()

    def request_resources(self, message: RequestResourcesMessage) -> None:
        """See the message. Shares decide here, and what was refused; a plug-in may think otherwise."""

    def remove_framework(self, message: RemoveFrameworkMessage) -> None:
        """See the message."""
        self._cluster.remove_framework(message.framework_id)
        self._allocate_soon()

    def suppress_roles(self, message: SuppressRolesMessage) -> None:
        """See the message."""
        self._cluster.clients.suppress(message.framework_id, message.roles)

    def revive_roles(self, message: ReviveRolesMessage) -> None:
        """See the message."""
        self._cluster.clients.revive(message.framework_id, message.roles)
        self._allocate_soon()

    # Roles.

    def set_weights(self, message: SetWeightsMessage) -> None:
        """See the message."""
        for weight in message.weights:
            self._cluster.tree.weigh(weight.role, weight.weight)

    def set_quotas(self, message: SetQuotasMessage) -> None:
        """See the message."""
        self._quotas_set += 1
        self._cluster.set_quotas([Allowance(quota.role, quota.guarantees, quota.limits) for quota in message.quotas])
        self._allocate_soon()


def allotments(lots: Lots, may_repeat: bool) -> tuple[Allotment, ...]:
    """The same as the master wants it: at most one lot of each agent. With quotas, there may be more for a client."""
    join = _joined if may_repeat else tuple
    return tuple(Allotment(client.framework.id, client.role, join(each)) for client, each in lots.items())


def _joined(lots: list[Lot]) -> tuple[Lot, ...]:
    """What is guaranteed and what is left may go to the same client."""
    if len({lot.agent_id for lot in lots}) == len(lots):
        return tuple(lots)
    joined: dict[AgentID, Resources] = {}
    for lot in lots:
        joined[lot.agent_id] = joined.get(lot.agent_id, Resources()) + lot.resources
    return tuple(Lot(agent_id, resources) for agent_id, resources in joined.items())
