"""Those who have resources: agents, what is free there, who holds the rest, and who refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from master.allocator.bundle import Bundle
from mesos.ids import AgentID
from mesos.types import AgentInfo, FrameworkCapability

if TYPE_CHECKING:
    from master.allocator.client import Client
    from master.allocator.holding import Holding
    from master.allocator.refusals import Refused


class Grant(msgspec.Struct, frozen=True, eq=False):
    """Something of an agent is offered to a client: the decision, and the record of it."""

    client: Client
    agent: Agent
    bundle: Bundle
    time: float
    """When it was decided, in seconds since 1970."""
    eligible: int = 0
    """Who might have got it, and came later: the clients as bits of a mask."""


class Agent:
    """An agent."""

    __slots__ = (
        "demands",
        "free",
        "grant",
        "holdings",
        "id",
        "info",
        "is_active",
        "is_listed",
        "is_overcommitted",
        "refused",
        "total",
        "unwanted",
    )

    def __init__(self, id: AgentID, info: AgentInfo, total: Bundle) -> None:
        self.id = id
        self.info = info
        self.total = total
        self.free = total
        self.holdings: dict[Client, Holding] = {}
        self.is_active = True
        self.is_listed = True
        """Whether the whitelist has it."""
        self.is_overcommitted = False
        """Whether more is held than there is, since it has shrunk."""
        self.demands: tuple[FrameworkCapability, ...] = ()
        """What a framework must be able to do to be offered it."""
        self.unwanted = 0
        """The clients whose constraints it does not meet."""
        self.refused: list[Refused] = []
        self.grant: Grant | None = None
        """The last one of something of it."""

    def refusers(self, lot: Bundle) -> int:
        """The clients that refused as much of it as this, or more."""
        mask = 0
        for refused in self.refused:
            if refused.bundle is lot or refused.bundle.resources.contains(lot.resources):
                mask |= refused.mask
        return mask
