"""An allocator in a world of its own, and a master that only notes what it is told to offer."""

from __future__ import annotations

from collections.abc import Iterable

from libprocess import Process
from libprocess.message import Message
from libprocess.simulation import World
from master.allocator import Allocator, Options
from master.allocator.messages import (
    AddAgentMessage,
    AddFrameworkMessage,
    Allotment,
    AvailableUpdatedMessage,
    ExplainedMessage,
    Lot,
    OfferResourcesMessage,
    RecoverResourcesMessage,
    UseResourcesMessage,
)
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.types import AgentInfo, Filters, FrameworkCapability, FrameworkInfo

Offered = tuple[str, str, str]
"""Framework, agent, resources as text."""


class NotingMaster(Process):
    """Notes everything."""

    def __init__(self) -> None:
        self.offers: list[OfferResourcesMessage] = []
        self.updates: list[AvailableUpdatedMessage] = []
        self.answers: list[ExplainedMessage] = []

    def offer_resources(self, message: OfferResourcesMessage) -> None:
        self.offers.append(message)

    def available_updated(self, message: AvailableUpdatedMessage) -> None:
        self.updates.append(message)

    def explained(self, message: ExplainedMessage) -> None:
        self.answers.append(message)


class Scene:
    """What a test needs of both."""

    def __init__(self, options: Options | None = None) -> None:
        self.world = World()
        self.node = self.world.node("master")
        self.master = NotingMaster()
        self.node.spawn(self.master)
        self.allocator = self.node.spawn(Allocator(self.master.pid, options))

    def say(self, *messages: Message) -> list[Offered]:
        """Send the allocator messages, all at once; returns what it offers then."""
        self.master.offers.clear()
        for message in messages:
            self.node.send(self.allocator, message, sender=self.master.pid)
        self.world.settle()
        assert not self.node.failures, str(self.node.failures[0])
        return self.offered

    def wait(self, seconds: float) -> list[Offered]:
        """Let time pass; returns what the allocator offers meanwhile."""
        self.master.offers.clear()
        self.world.advance(seconds)
        return self.offered

    @property
    def allotments(self) -> list[Allotment]:
        return [allotment for offers in self.master.offers for allotment in offers.allotments]

    @property
    def offered(self) -> list[Offered]:
        return [
            (allotment.framework_id, lot.agent_id, str(lot.resources))
            for allotment in self.allotments
            for lot in allotment.lots
        ]


def agent(id: str, resources: str = "cpus:4;mem:1024", hostname: str = "") -> AddAgentMessage:
    return AddAgentMessage(AgentID(id), AgentInfo(hostname or id), Resources.parse(resources))


def framework(id: str, *roles: str, can: Iterable[FrameworkCapability] = ()) -> AddFrameworkMessage:
    capabilities = (FrameworkCapability.MULTI_ROLE, *can)
    info = FrameworkInfo("user", id, roles=roles or ("*",), capabilities=capabilities)
    return AddFrameworkMessage(FrameworkID(id), info)


def lot(agent_id: str, resources: str) -> Lot:
    return Lot(AgentID(agent_id), Resources.parse(resources))


def recover(framework: str, *lots: Lot, role: str = "*") -> RecoverResourcesMessage:
    """A task has ended, or an offer was rescinded."""
    return RecoverResourcesMessage(FrameworkID(framework), role, lots)


def decline(framework: str, *lots: Lot, role: str = "*", seconds: float = 5.0) -> RecoverResourcesMessage:
    return RecoverResourcesMessage(FrameworkID(framework), role, lots, Filters(seconds))


def use(framework: str, *lots: Lot, role: str = "*") -> UseResourcesMessage:
    return UseResourcesMessage(FrameworkID(framework), role, lots)
