"""Offers: made of what the allocator hands out, declined, taken back, suppressed and revived."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from libprocess.message import Message
from libprocess.pid import PID
from master.allocator.messages import (
    Allotment,
    Lot,
    OfferResourcesMessage,
    RecoverResourcesMessage,
    ReviveRolesMessage,
    SuppressRolesMessage,
)
from master.dialogues.base import Dialogue
from master.records import AgentRecord, FrameworkRecord
from master.validation import check_refuse_seconds
from mesos.ids import FrameworkID, OfferID
from mesos.messages import (
    DeclineOffersMessage,
    RequestResourcesMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviveOffersMessage,
    SuppressOffersMessage,
)
from mesos.types import Filters, Offer


class OfferTimeoutMessage(Message, frozen=True):
    """Master → itself, when an offer has been outstanding for too long."""

    offer_id: OfferID


class Offers(Dialogue):
    """What is between the allocator and the schedulers."""

    _quotas_told = 0
    """How many SetQuotasMessages the allocator was sent."""

    # From the allocator.

    def offer_resources(self, message: OfferResourcesMessage) -> None:
        """See the message."""
        if self.sender != self.allocator:
            self.ignore("only the allocator makes offers")
            return
        for allotment in message.allotments:
            framework = self.cluster.frameworks.get(allotment.framework_id)
            if framework is not None:  # when it was removed, the allocator took back all it had
                self._offer(framework, allotment, message)

    def _offer(self, framework: FrameworkRecord, allotment: Allotment, message: OfferResourcesMessage) -> None:
        offers: list[Offer] = []
        pids: list[PID] = []
        back: list[Lot] = []
        for lot in allotment.lots:
            agent = self.cluster.agents.get(lot.agent_id)
            if agent is None or agent.serial > message.agents_added:
                continue  # it was removed meanwhile, and the allocator took back all that was handed out of it
            if not (agent.active and framework.active) or message.quotas_set < self._quotas_told:
                back.append(lot)
                continue
            offers.append(self._make_offer(framework, allotment.role, agent, lot))
            pids.append(agent.pid)
        if back:
            self.send(self.allocator, RecoverResourcesMessage(framework.id, allotment.role, tuple(back)))
        if offers:
            self.tell(framework, ResourceOffersMessage(tuple(offers), tuple(pids)))

    def _make_offer(self, framework: FrameworkRecord, role: str, agent: AgentRecord, lot: Lot) -> Offer:
        offer = Offer(
            id=self.cluster.new_offer_id(),
            framework_id=framework.id,
            agent_id=agent.id,
            hostname=agent.info.hostname,
            role=role,
            resources=lot.resources,
            attributes=agent.info.attributes,
            executor_ids=tuple(sorted(executor for owner, executor in agent.executors if owner == framework.id)),
            domain=agent.info.domain,
            unavailability=self.cluster.unavailability(agent),
            port=agent.info.port,
        )
        self.cluster.add_offer(offer)
        if self.flags.offer_timeout_seconds is not None:
            self.delay(self.flags.offer_timeout_seconds, OfferTimeoutMessage(offer.id))
        return offer

    # From schedulers.

    def decline_offers(self, message: DeclineOffersMessage) -> None:
        """See the message. Of offers that no longer stand, the news may still be on its way to the scheduler."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            offers = [framework.offers[each] for each in dict.fromkeys(message.offer_ids) if each in framework.offers]
            self.give_back(offers, Filters(check_refuse_seconds(message.filters)))

    def revive_offers(self, message: ReviveOffersMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        roles = self._own_roles(framework, message.roles)
        if framework is not None and roles:
            framework.suppressed_roles -= roles
            self.send(self.allocator, ReviveRolesMessage(framework.id, tuple(sorted(roles))))

    def suppress_offers(self, message: SuppressOffersMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        roles = self._own_roles(framework, message.roles)
        if framework is not None and roles:
            framework.suppressed_roles |= roles
            self.send(self.allocator, SuppressRolesMessage(framework.id, tuple(sorted(roles))))

    def request_resources(self, message: RequestResourcesMessage) -> None:
        """See the message."""
        if self.caller(message.framework_id) is not None:
            self.send(self.allocator, message)

    @staticmethod
    def _own_roles(framework: FrameworkRecord | None, roles: tuple[str, ...]) -> frozenset[str]:
        """Those of the roles that are the framework's; all of its own if none is named."""
        own = frozenset(framework.info.all_roles if framework else ())
        return own & frozenset(roles) if roles else own

    # The end of an offer.

    def offer_timeout(self, message: OfferTimeoutMessage) -> None:
        """See the message."""
        offer = self.cluster.offers.get(message.offer_id)
        if self.is_own() and offer is not None:
            self.rescind([offer])

    def rescind(self, offers: Iterable[Offer]) -> None:
        """Take offers back, and tell those who have them."""
        offers = list(offers)
        for offer in offers:
            self.tell(self.cluster.frameworks[offer.framework_id], RescindResourceOfferMessage(offer.id))
        self.give_back(offers)

    def give_back(self, offers: Iterable[Offer], filters: Filters | None = None) -> None:
        """Let the allocator have again what was offered."""
        offers = sorted(offers, key=_client)
        for offer in offers:
            self.cluster.remove_offer(offer)
        for (framework_id, role), group in groupby(offers, _client):
            lots = tuple(Lot(offer.agent_id, offer.resources) for offer in group)
            self.send(self.allocator, RecoverResourcesMessage(framework_id, role, lots, filters))


def _client(offer: Offer) -> tuple[FrameworkID, str]:
    """Whom it was made to."""
    return offer.framework_id, offer.role
