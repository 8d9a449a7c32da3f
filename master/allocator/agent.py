"""Those who have resources: agents, what is free there, who holds the rest, and who refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from master.allocator.bundle import Bundle
from master.allocator.messages import KNOWS_ROLES
from mesos.ids import AgentID
from mesos.types import AgentCapability, AgentInfo, FrameworkCapability

if TYPE_CHECKING:
    from master.allocator.client import Client
    from master.allocator.holding import Holding
    from master.allocator.refusals import Refused


class Agent:
    """An agent."""

    __slots__ = (
        "capabilities",
        "demands",
        "free",
        "holders",
        "id",
        "info",
        "is_active",
        "is_listed",
        "is_offerable",
        "is_overcommitted",
        "refused",
        "total",
        "unwanted",
    )

    def __init__(
        self, id: AgentID, info: AgentInfo, total: Bundle, capabilities: tuple[AgentCapability, ...] = KNOWS_ROLES
    ) -> None:
        self.id = id
        self.info = info
        self.capabilities = capabilities
        self.total = total
        self.free = total
        self.holders: tuple[Client, ...] = ()
        """Those who hold something of it, the first come first."""
        self.is_active = True
        self.is_listed = True
        """Whether the whitelist has it."""
        self.is_offerable = False
        """Whether something of it is free that is worth an offer."""
        self.is_overcommitted = False
        """Whether more is held than there is, since it has shrunk."""
        self.demands: tuple[FrameworkCapability | AgentCapability, ...] = ()
        """What a framework must be able to do to be offered it, or must do without since the agent cannot do it."""
        self.unwanted = 0
        """The clients whose constraints it does not meet."""
        self.refused: list[Refused] = []

    @property
    def holdings(self) -> list[tuple[Client, Holding]]:
        """Who holds what of it."""
        return [(client, client.holdings[self]) for client in self.holders]

    def refusers(self, lot: Bundle) -> int:
        """The clients that refused as much of it as this, or more."""
        mask = 0
        for refused in self.refused:
            if refused.bundle is lot or refused.bundle.resources.contains(lot.resources):
                mask |= refused.mask
        return mask
