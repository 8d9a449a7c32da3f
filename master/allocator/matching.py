"""Which clients an agent may be offered to at all, by what it is and what they can do and demand: as masks.

Agents with GPUs go only to frameworks that know of them (others would fill the agent and leave its GPUs idle), agents
of another region than the master's only to frameworks that know of regions. Agents that do not know of frameworks with
several roles, or of roles below roles, do not go to those.
"""

from __future__ import annotations

from collections.abc import Iterable

from master.allocator.agent import Agent
from master.allocator.client import Client
from master.allocator.constraints import meets
from master.allocator.messages import KNOWS_ROLES
from master.allocator.options import Options
from mesos.types import AgentCapability, FrameworkCapability


class Matching:
    """Keeps, for each thing that an agent may demand of frameworks, the clients that it does not suit."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._barred: dict[FrameworkCapability | AgentCapability, int] = {
            FrameworkCapability.GPU_RESOURCES: 0,
            FrameworkCapability.REGION_AWARE: 0,
            AgentCapability.MULTI_ROLE: 0,
            AgentCapability.HIERARCHICAL_ROLE: 0,
        }
        self._constrained: dict[Client, None] = {}

    def update_agent(self, agent: Agent) -> None:
        """An agent has come, or is or has something else."""
        agent.demands = tuple(self._demands(agent))
        agent.unwanted = 0
        for client in self._constrained:
            _judge(client, agent)

    def _demands(self, agent: Agent) -> Iterable[FrameworkCapability | AgentCapability]:
        if self._options.filter_gpu_resources and agent.total.quantities.get("gpus"):
            yield FrameworkCapability.GPU_RESOURCES
        if self._options.region is not None and region(agent) not in (None, self._options.region):
            yield FrameworkCapability.REGION_AWARE
        yield from (each for each in KNOWS_ROLES if each not in agent.capabilities)

    def update_client(self, client: Client, agents: Iterable[Agent]) -> None:
        """A client has come, can do something else, or has other constraints."""
        for demand, mask in self._barred.items():
            self._barred[demand] = mask | client.mask if bars(demand, client) else mask & ~client.mask
        if client.constraints or client in self._constrained:
            self._constrained[client] = None
            for agent in agents:
                _judge(client, agent)
        if not client.constraints:
            self._constrained.pop(client, None)

    def remove_client(self, client: Client, agents: Iterable[Agent]) -> None:
        """A client is gone."""
        client.constraints = ()
        self.update_client(client, agents)
        for demand, mask in self._barred.items():
            self._barred[demand] = mask & ~client.mask

    def barred(self, agent: Agent) -> int:
        """The clients that cannot do what the agent demands, or whose constraints it does not meet."""
        mask = agent.unwanted
        for demand in agent.demands:
            mask |= self._barred[demand]
        return mask


def bars(demand: FrameworkCapability | AgentCapability, client: Client) -> bool:
    """Whether a client is not offered an agent that demands this."""
    match demand:
        case AgentCapability.MULTI_ROLE:
            return FrameworkCapability.MULTI_ROLE in client.framework.capabilities
        case AgentCapability.HIERARCHICAL_ROLE:
            return "/" in client.role
        case _:
            return demand not in client.framework.capabilities


def _judge(client: Client, agent: Agent) -> None:
    """Note whether the agent meets the client's constraints."""
    if meets(agent.info, client.constraints):
        agent.unwanted &= ~client.mask
    else:
        agent.unwanted |= client.mask


def region(agent: Agent) -> str | None:
    """Where an agent stands, if it says so."""
    domain = agent.info.domain
    return None if domain is None or domain.fault_domain is None else domain.fault_domain.region
