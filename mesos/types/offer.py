"""Offers: resources of an agent put at a framework's disposal."""

from __future__ import annotations

from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.cluster import AGENT_PORT
from mesos.types.common import Attributes, DomainInfo, Unavailability

REFUSE_SECONDS = 5.0


class Offer(Struct, frozen=True):
    """Resources of one agent, set aside for one role of one framework until it accepts, declines, or loses them."""

    id: OfferID
    framework_id: FrameworkID
    agent_id: AgentID
    hostname: str
    role: str
    resources: Resources
    attributes: Attributes = ()
    executor_ids: tuple[ExecutorID, ...] = ()
    """The framework's executors that already run there."""
    domain: DomainInfo | None = None
    unavailability: Unavailability | None = None
    port: int = AGENT_PORT
    """Where the agent's web page is, at `hostname`."""


class InverseOffer(Struct, frozen=True):
    """An agent that will go away: who runs something there is asked to move it elsewhere before that."""

    id: OfferID
    framework_id: FrameworkID
    agent_id: AgentID
    unavailability: Unavailability


class ResourceRequest(Struct, frozen=True):
    """What a framework would like to be offered, of a certain agent or of any."""

    resources: Resources = Resources()
    agent_id: AgentID | None = None


class Filters(Struct, frozen=True):
    """How long not to offer again what was refused."""

    refuse_seconds: float = REFUSE_SECONDS
