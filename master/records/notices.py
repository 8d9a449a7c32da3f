"""Notices: the inverse offers that stand, and what frameworks said to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mesos.ids import AgentID, FrameworkID, OfferID
from mesos.types import InverseOffer


class Response(StrEnum):
    """What a framework said; UNKNOWN before it did."""

    UNKNOWN = "UNKNOWN"
    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"


@dataclass
class Notice:
    """One framework was told that one agent will go away."""

    offer: InverseOffer
    response: Response
    time: float
    """When it was told, or when it said something."""


class Notices:
    """At most one for each framework on each agent."""

    def __init__(self) -> None:
        self._by_id: dict[OfferID, Notice] = {}
        self._by_pair: dict[tuple[AgentID, FrameworkID], OfferID] = {}

    def add(self, offer: InverseOffer, now: float) -> None:
        """It stands."""
        self._by_id[offer.id] = Notice(offer, Response.UNKNOWN, now)
        self._by_pair[offer.agent_id, offer.framework_id] = offer.id

    def find(self, agent_id: AgentID, framework_id: FrameworkID) -> Notice | None:
        """What that framework was told of that agent."""
        id_ = self._by_pair.get((agent_id, framework_id))
        return None if id_ is None else self._by_id[id_]

    def answer(self, id_: OfferID, framework_id: FrameworkID, response: Response, now: float) -> bool:
        """A framework says something; False if that stands no more, or is another's."""
        notice = self._by_id.get(id_)
        if notice is None or notice.offer.framework_id != framework_id:
            return False
        notice.response, notice.time = response, now
        return True

    def all(self) -> list[Notice]:
        """All that stand."""
        return list(self._by_id.values())

    def of(self, owner: AgentID | FrameworkID) -> list[Notice]:
        """All about one agent, or for one framework."""
        return [self._by_id[id_] for pair, id_ in sorted(self._by_pair.items()) if owner in pair]

    def remove(self, notice: Notice) -> None:
        """It stands no more."""
        del self._by_id[notice.offer.id]
        del self._by_pair[notice.offer.agent_id, notice.offer.framework_id]

    def forget(self, owner: AgentID | FrameworkID) -> None:
        """An agent is gone, or a framework's scheduler knows nothing any more of what it was told."""
        for notice in self.of(owner):
            self.remove(notice)
