"""Why a client is offered an agent or is not: found in the books and in the record of decisions. Pure, changes nothing.

The reasons stand in the order in which an allocation meets them. The first is why there is no offer now; those after it
would be in the way even without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from master.allocator.agent import Agent
from master.allocator.bundle import Bundle, shrink
from master.allocator.client import Client, demanded
from master.allocator.cluster import Cluster
from master.allocator.cycle import allowed, guaranteed
from master.allocator.holding import Grant
from master.allocator.matching import bars
from master.allocator.messages import Because, Why
from master.allocator.quantities import show
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Kind, Resources
from mesos.types import AgentCapability, FrameworkCapability

NOTHING = Resources()


def explain(cluster: Cluster, framework_id: FrameworkID, role: str, agent_id: AgentID) -> tuple[Because, ...]:
    """All reasons. There is always one."""
    framework, agent = cluster.clients.frameworks.get(framework_id), cluster.agents.get(agent_id)
    if framework is None:
        return (Because(Why.NO_FRAMEWORK, f"the allocator knows no framework {framework_id}"),)
    client = framework.clients.get(role)
    if client is None or not client.is_subscribed:
        roles = ", ".join(sorted(each.role for each in framework.clients.values() if each.is_subscribed))
        return (Because(Why.NO_ROLE, f"the framework is not subscribed to role {role}, only to {roles or 'none'}"),)
    if agent is None:
        return (Because(Why.NO_AGENT, f"the allocator knows no agent {agent_id}"),)
    found = tuple(_reasons(cluster, client, agent))
    if found:
        return found
    lots = _lots(cluster, client, cluster.bundle(client.part_of(agent.free.resources)))
    text = f"nothing is in the way: the next allocation offers {_welcome(client, agent, lots)[0].resources}"
    return (Because(Why.NOTHING, text),)


def _reasons(cluster: Cluster, client: Client, agent: Agent) -> Iterator[Because]:
    yield from _own_offers(client, agent)
    yield from _about_framework(client)
    yield from _about_agent(client, agent)
    part = cluster.bundle(client.part_of(agent.free.resources))
    if client.admits(part):
        lots = _lots(cluster, client, part)
        if not _welcome(client, agent, lots):
            yield from _about_refusals(client, agent, lots[0] if lots else part)
        if not lots:
            yield from _about_quotas(cluster, client, part)
    else:
        yield from _about_others(client, agent)
        yield from _about_amounts(cluster, client, agent, part)


def _lots(cluster: Cluster, client: Client, part: Bundle) -> list[Bundle]:
    """What quotas leave of what is free, if it is enough: with what is due to the client's role, and without."""
    if not cluster.quotas:
        return [part]
    lots = (guaranteed(cluster, client, part), allowed(cluster, client, part))
    return [lot for lot in lots if lot is not None and client.admits(lot)]


def _welcome(client: Client, agent: Agent, lots: list[Bundle]) -> list[Bundle]:
    """Those that the client has not refused."""
    return [lot for lot in lots if not agent.refusers(lot) & client.mask]


# Offers.


def _own_offers(client: Client, agent: Agent) -> Iterator[Because]:
    holding = client.holdings.get(agent)
    for grant in holding.offers if holding is not None else ():
        text = f"the framework has an offer of {grant.bundle.resources} there since {moment(grant.time)}"
        yield Because(Why.OFFERED, text, since=grant.time)


def _about_others(client: Client, agent: Agent) -> Iterator[Because]:
    """Who else has what the client could have had."""
    for other, holding in agent.holdings:
        for grant in holding.offers if other is not client else ():
            yield _taken(client, other, grant)


def _taken(client: Client, other: Client, grant: Grant) -> Because:
    name = f"framework {other.framework.id} in role {other.role}"
    offer = f"{grant.bundle.resources} offered there since {moment(grant.time)}"
    if grant.eligible & client.mask and client.since <= grant.time:
        return Because(Why.ORDER, f"{name} came first in the order of shares, and has {offer}", since=grant.time)
    return Because(Why.OUTSTANDING, f"{name} has {offer}", since=grant.time)


# The framework, and the agent.


def _about_framework(client: Client) -> Iterator[Because]:
    if not client.framework.is_active:
        yield Because(Why.DISCONNECTED, "the framework's scheduler is not connected")
    if client.is_suppressed:
        yield Because(Why.SUPPRESSED, f"the framework suppressed offers for role {client.role}")


def _about_agent(client: Client, agent: Agent) -> Iterator[Because]:
    if not agent.is_active:
        yield Because(Why.AGENT_INACTIVE, "the agent is not connected, or is not to be offered")
    if not agent.is_listed:
        yield Because(Why.NOT_LISTED, f"the whitelist has no {agent.info.hostname}")
    for demand in agent.demands:
        if bars(demand, client):
            yield Because(Why.CAPABILITY, _DEMANDS[demand])
    if agent.unwanted & client.mask:
        yield Because(Why.CONSTRAINT, f"the agent does not meet the framework's constraints for role {client.role}")


_DEMANDS: dict[FrameworkCapability | AgentCapability, str] = {
    FrameworkCapability.GPU_RESOURCES: "the agent has GPUs, and is only for frameworks with GPU_RESOURCES",
    FrameworkCapability.REGION_AWARE: "the agent is in another region, and only for frameworks with REGION_AWARE",
    AgentCapability.MULTI_ROLE: "the agent has not MULTI_ROLE, as the framework has",
    AgentCapability.HIERARCHICAL_ROLE: "the agent has not HIERARCHICAL_ROLE, and knows no roles below others",
}


# What is free.


def _about_refusals(client: Client, agent: Agent, part: Bundle) -> Iterator[Because]:
    ends = [
        (refusal.until, refused.bundle.resources)
        for refusal in client.refusals
        for refused in refusal.refused
        if refused.agent is agent and refused.bundle.resources.contains(part.resources)
    ]
    if ends:
        until, resources = max(ends, key=lambda end: end[0])
        text = f"the framework refused {resources} of it until {moment(until)}, and no more than that is free"
        yield Because(Why.REFUSED, text, until=until)


def _about_quotas(cluster: Cluster, client: Client, part: Bundle) -> Iterator[Because]:
    """What leaves too little; or both, where each by itself would leave enough."""
    allowance, beyond = client.allowance, cluster.quotas.surplus()
    room = allowance.room() if allowance is not None else {}
    in_limits, in_headroom = (client.admits(cluster.bundle(shrink(part.resources, caps))) for caps in (room, beyond))
    if allowance is not None and (not in_limits or in_headroom):
        yield Because(Why.LIMIT, f"the limits of role {allowance.role} leave {show(room.items())}")
    if not in_headroom or in_limits:
        text = f"what is free is kept for the guarantees of roles; beyond those there is {show(beyond.items())}"
        yield Because(Why.HEADROOM, text)


def _about_amounts(cluster: Cluster, client: Client, agent: Agent, part: Bundle) -> Iterator[Because]:
    free = agent.free.resources
    reserved = free.filter(lambda kind: not kind.allocatable_to(client.role))
    special = free.filter(lambda kind: kind.allocatable_to(client.role) and bool(_lacks(client, kind)))
    if part.resources:
        least = f"an offer has to hold: {cluster.minimum}"
        if client.minimum is not None:
            least = f"the framework wants to be offered: {client.minimum}"
        yield Because(Why.MINIMUM, f"only {part.resources} is free there, less than {least}")
    if special:
        lacks = sorted({each for kind, _ in special.items for each in _lacks(client, kind)})
        yield Because(Why.CAPABILITY, f"{special} is free there, and only for frameworks with {', '.join(lacks)}")
    if reserved and not part.resources:
        yield Because(Why.RESERVED, f"only {reserved} is free there, reserved for others")
    used = Resources.sum(holding.used.resources for _, holding in agent.holdings if holding.used is not None)
    if used:
        yield Because(Why.IN_USE, f"tasks and executors use {used} of the {agent.total.resources} there")
    if not agent.total.resources:
        yield Because(Why.MINIMUM, "the agent has nothing to give")


def _lacks(client: Client, kind: Kind) -> list[FrameworkCapability]:
    """What the framework would have to be able to do to have this."""
    return [each for each in demanded(kind) if each not in client.framework.capabilities]


def moment(seconds: float) -> str:
    """Unix time as people read it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
