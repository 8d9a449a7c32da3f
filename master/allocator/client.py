"""Those who want offers: frameworks, and the clients that they are, one in each of their roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from master.allocator.bundle import Bundle, is_plain
from master.allocator.node import Node
from master.allocator.quantities import Minimum
from mesos.ids import FrameworkID
from mesos.resources import Kind, Resources
from mesos.types import FrameworkCapability
from mesos.types.constraint import ConstraintGroup

if TYPE_CHECKING:
    from master.allocator.agent import Agent
    from master.allocator.holding import Holding
    from master.allocator.quota import Allowance
    from master.allocator.refusals import Refusal


class Framework:
    """A framework, in whatever roles it has or holds something."""

    __slots__ = ("capabilities", "clients", "id", "is_active", "is_admitted")

    def __init__(self, id: FrameworkID) -> None:
        self.id = id
        self.is_admitted = False
        """Whether the master has added it; it may be known only from what it uses."""
        self.is_active = False
        self.clients: dict[str, Client] = {}
        self.capabilities: frozenset[FrameworkCapability] = frozenset()


class Client(Node):
    """A framework in one of its roles."""

    __slots__ = (
        "allowance",
        "alone",
        "constraints",
        "framework",
        "holdings",
        "index",
        "is_subscribed",
        "is_suppressed",
        "minimum",
        "refusals",
        "role",
        "since",
    )

    def __init__(self, framework: Framework, role: str, index: int, now: float) -> None:
        super().__init__(framework.id)
        self.framework = framework
        self.role = role
        self.index = index
        self.mask = 1 << index
        self.alone = (self,)
        """What all agents have as their holders of which only this one holds something."""
        self.since = now
        """When it came, in seconds since 1970."""
        self.is_subscribed = False
        """Whether the framework has the role; it may have left it and still hold something."""
        self.is_suppressed = False
        self.minimum: Minimum | None = None
        """What it wants an offer to hold at least; None is what everybody wants."""
        self.constraints: tuple[ConstraintGroup, ...] = ()
        """What it demands of an agent: all that one of these groups says; with none, nothing."""
        self.allowance: Allowance | None = None
        """What the quota of its top-level role allows it, if there is one."""
        self.holdings: dict[Agent, Holding] = {}
        """What it holds, by where: dicts of clients are few and lie close together in memory, an agent's do not."""
        self.refusals: list[Refusal] = []

    @property
    def wants_offers(self) -> bool:
        """Whether there may be offers for it."""
        return self.framework.is_active and self.is_subscribed and not self.is_suppressed

    def admits(self, bundle: Bundle) -> bool:
        """Whether this is worth an offer to it."""
        return bundle.enough if self.minimum is None else bool(bundle) and self.minimum.admits(bundle.quantities)

    def part_of(self, resources: Resources, without_shared: bool = False) -> Resources:
        """What of an agent's resources it may have, being in its role and able to do what it can."""
        capabilities = self.framework.capabilities

        def may_have(kind: Kind) -> bool:
            return is_plain(kind) or (
                kind.allocatable_to(self.role)
                and not (kind.shared and without_shared)
                and all(each in capabilities for each in demanded(kind))
            )

        return resources.filter(may_have)


def demanded(kind: Kind) -> Iterator[FrameworkCapability]:
    """What a framework must be able to do to have it."""
    if kind.revocable:
        yield FrameworkCapability.REVOCABLE_RESOURCES
    if kind.shared:
        yield FrameworkCapability.SHARED_RESOURCES
    if len(kind.reservations) > 1:
        yield FrameworkCapability.RESERVATION_REFINEMENT
