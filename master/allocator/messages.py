"""Between the master and its allocator: who wants resources, who has them, and what to offer to whom.

Resources in these messages are allocated to nobody (`Resources.unallocate`): the framework and its role stand beside
them. What the allocator hands out is the framework's until the master gives it back, offered or in use, with
`RecoverResourcesMessage`, or the agent or the framework is removed. A message about an agent or a framework that the
allocator does not know any more is ignored: it crossed another.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from libprocess.message import Message
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types import AgentCapability, AgentInfo, Filters, FrameworkInfo
from mesos.types.constraint import OfferConstraints

Quantities: TypeAlias = tuple[tuple[str, int], ...]
"""Scalars by name, in thousandths: `(("cpus", 4000), ("mem", 1024000))`."""


KNOWS_ROLES = (AgentCapability.MULTI_ROLE, AgentCapability.HIERARCHICAL_ROLE)
"""What an agent can do that may be offered to any framework, in any of its roles."""


class Lot(Struct, frozen=True):
    """Resources of one agent."""

    agent_id: AgentID
    resources: Resources


class Used(Struct, frozen=True):
    """Resources of an agent that a framework uses, in one of its roles."""

    framework_id: FrameworkID
    role: str
    resources: Resources


class Allotment(Struct, frozen=True):
    """What one framework gets for one of its roles in one allocation: at most one lot of each agent."""

    framework_id: FrameworkID
    role: str
    lots: tuple[Lot, ...]


# Offers.


class OfferResourcesMessage(Message, frozen=True):
    """Allocator → master, after each allocation that gave anything to anybody: make offers of these.

    `agents_added` says how many AddAgentMessages the allocator had handled by then. A lot of an agent that the master
    added later than that is of an earlier life of the agent: it must not be offered, nor recovered. `quotas_set` says
    the same of SetQuotasMessages: what was decided before the latest may be more than that allows.
    """

    allotments: tuple[Allotment, ...]
    agents_added: int
    quotas_set: int = 0


class RecoverResourcesMessage(Message, frozen=True):
    """Master → allocator: a framework no longer has these, since it declined or left them, or its tasks have ended.

    With filters, the framework is not offered them again in this role for that long, unless together with more. They go
    at once to whoever else wants them.
    """

    framework_id: FrameworkID
    role: str
    lots: tuple[Lot, ...]
    filters: Filters | None = None


class UseResourcesMessage(Message, frozen=True):
    """Master → allocator: these are not only offered any more, tasks and executors of the framework use them.

    It tells apart what a framework holds back and what it works with; nothing else follows from it.
    """

    framework_id: FrameworkID
    role: str
    lots: tuple[Lot, ...]


class UpdateAllocationMessage(Message, frozen=True):
    """Master → allocator: of what this framework has there, `before` became `after` by its operations.

    With nothing before, it has so many more copies of something shared.
    """

    framework_id: FrameworkID
    role: str
    agent_id: AgentID
    before: Resources
    after: Resources


class UpdateAvailableMessage(Message, frozen=True):
    """Master → allocator, for an operator's operation: turn `before`, which nobody has, into `after`.

    Answered with an AvailableUpdatedMessage.
    """

    agent_id: AgentID
    before: Resources
    after: Resources


class AvailableUpdatedMessage(Message, frozen=True):
    """Allocator → master, as answer: it is done, or it is not and this is why."""

    agent_id: AgentID
    before: Resources
    after: Resources
    error: str = ""


# Agents.


class AddAgentMessage(Message, frozen=True):
    """Master → allocator, when it admits an agent: this is all it has, and what frameworks already use there.

    `total` counts reservations and volumes that the agent keeps. Frameworks are added before the agents they run on;
    what others use counts as used by nobody that gets offers. Of an agent that is known already, and comes back, all
    is taken back that was handed out; what was refused of it still is, unless its attributes are others now.
    """

    agent_id: AgentID
    agent: AgentInfo
    total: Resources
    used: tuple[Used, ...] = ()
    capabilities: tuple[AgentCapability, ...] = KNOWS_ROLES
    active: bool = True


class ChangeAgentMessage(Message, frozen=True):
    """Master → allocator: an agent it knows says anew what it is and has. What is handed out stays handed out.

    Refusals of its resources are forgotten if its attributes changed.
    """

    agent_id: AgentID
    agent: AgentInfo
    total: Resources
    capabilities: tuple[AgentCapability, ...] = KNOWS_ROLES


class SetAgentActiveMessage(Message, frozen=True):
    """Master → allocator, when an agent is cut off, drains or comes back: nothing of an inactive one is offered."""

    agent_id: AgentID
    active: bool


class RemoveAgentMessage(Message, frozen=True):
    """Master → allocator, when an agent is gone or out of reach: forget it, and what frameworks have there."""

    agent_id: AgentID


class SetWhitelistMessage(Message, frozen=True):
    """Master → allocator: offer only agents of these hostnames; of all, if there is no list."""

    hostnames: tuple[str, ...] | None


# Frameworks.


class AddFrameworkMessage(Message, frozen=True):
    """Master → allocator, when it admits a framework, or learns of one from an agent (that one is not active)."""

    framework_id: FrameworkID
    framework: FrameworkInfo
    active: bool = True
    suppressed_roles: tuple[str, ...] = ()
    constraints: tuple[OfferConstraints, ...] = ()


class ChangeFrameworkMessage(Message, frozen=True):
    """Master → allocator, when a framework registers anew: roles, capabilities and constraints as they are now.

    What it refused is forgotten for roles that it left.
    """

    framework_id: FrameworkID
    framework: FrameworkInfo
    suppressed_roles: tuple[str, ...] = ()
    constraints: tuple[OfferConstraints, ...] = ()


class SetFrameworkActiveMessage(Message, frozen=True):
    """Master → allocator, when its scheduler is cut off or comes back.

    Nothing is offered to an inactive one, and what it refused is forgotten. What it has stays its own.
    """

    framework_id: FrameworkID
    active: bool


class RemoveFrameworkMessage(Message, frozen=True):
    """Master → allocator, when a framework is over: forget it; what it still has there is free again."""

    framework_id: FrameworkID


class SuppressRolesMessage(Message, frozen=True):
    """Master → allocator: no offers for these roles until they are revived; for all if none is named."""

    framework_id: FrameworkID
    roles: tuple[str, ...] = ()


class ReviveRolesMessage(Message, frozen=True):
    """Master → allocator: it takes back what it suppressed and refused for these roles; for all if none is named."""

    framework_id: FrameworkID
    roles: tuple[str, ...] = ()


# Roles.


class RoleWeight(Struct, frozen=True):
    """How much of the cluster a role is due, against its siblings of weight 1."""

    role: str
    weight: float


class SetWeightsMessage(Message, frozen=True):
    """Master → allocator: from now on these roles weigh that much; the others as before."""

    weights: tuple[RoleWeight, ...]


class Quota(Struct, frozen=True):
    """What is kept for a top-level role, and what it may have at most; what a limit does not name is unlimited."""

    role: str
    guarantees: Quantities = ()
    limits: Quantities = ()


class SetQuotasMessage(Message, frozen=True):
    """Master → allocator: from now on these roles have these quotas; an empty one removes it. The others as before."""

    quotas: tuple[Quota, ...]


class ExpectAgentsMessage(Message, frozen=True):
    """Master → allocator, when it leads anew and roles have quotas: allocate nothing before so many agents are back.

    Otherwise the first agents would go to those whom the quotas of others hold back. It waits for 10 minutes at most.
    """

    agents: int


# Explaining.


class Why(StrEnum):
    """Why there was an offer, or none."""

    OFFERED = "OFFERED"
    NOTHING = "NOTHING"
    """Nothing is in the way."""
    WAITING = "WAITING"
    """Nothing is allocated before enough agents of a former master are back."""
    NO_FRAMEWORK = "NO_FRAMEWORK"
    NO_ROLE = "NO_ROLE"
    NO_AGENT = "NO_AGENT"
    DISCONNECTED = "DISCONNECTED"
    SUPPRESSED = "SUPPRESSED"
    AGENT_INACTIVE = "AGENT_INACTIVE"
    NOT_LISTED = "NOT_LISTED"
    CAPABILITY = "CAPABILITY"
    CONSTRAINT = "CONSTRAINT"
    REFUSED = "REFUSED"
    LIMIT = "LIMIT"
    HEADROOM = "HEADROOM"
    ORDER = "ORDER"
    OUTSTANDING = "OUTSTANDING"
    MINIMUM = "MINIMUM"
    RESERVED = "RESERVED"
    IN_USE = "IN_USE"


class Because(Struct, frozen=True):
    """One reason, in words too; and since or until when, in seconds since 1970, where that says something."""

    why: Why
    text: str
    since: float | None = None
    until: float | None = None


class Explanation(Struct, frozen=True):
    """All reasons about one agent: the first counts now, the others would without it."""

    agent_id: AgentID
    reasons: tuple[Because, ...]


class ExplainMessage(Message, frozen=True):
    """Master → allocator: why is this framework offered this agent in this role, or why not?

    All agents are explained if none is named. Answered with an ExplainedMessage.
    """

    framework_id: FrameworkID
    role: str
    agent_id: AgentID | None = None


class ExplainedMessage(Message, frozen=True):
    """Allocator → master, as answer: this is why."""

    framework_id: FrameworkID
    role: str
    explanations: tuple[Explanation, ...]
