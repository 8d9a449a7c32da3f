"""Between a scheduler and the master: registering, offers, and the end."""

from __future__ import annotations

from libprocess.message import Message
from libprocess.pid import PID
from mesos.ids import AgentID, FrameworkID, OfferID
from mesos.types import Filters, FrameworkInfo, InverseOffer, MasterInfo, Offer, Operation, ResourceRequest
from mesos.types.constraint import OfferConstraints

# Registering.


class RegisterFrameworkMessage(Message, frozen=True):
    """Scheduler → master, with back-off until it is answered: admit this framework, which has no id yet.

    Nothing is offered for the suppressed roles until they are revived, and only what meets its constraints.
    """

    framework: FrameworkInfo
    suppressed_roles: tuple[str, ...] = ()
    offer_constraints: tuple[OfferConstraints, ...] = ()


class ReregisterFrameworkMessage(Message, frozen=True):
    """Scheduler → master: I am the scheduler of this framework, which has its id already.

    Sent to a new master, after a lost link, or with `force` by another scheduler that takes over from the one before.
    """

    framework: FrameworkInfo
    force: bool = False
    suppressed_roles: tuple[str, ...] = ()
    offer_constraints: tuple[OfferConstraints, ...] = ()


class FrameworkRegisteredMessage(Message, frozen=True):
    """Master → scheduler, as answer to its registration: this is your id."""

    framework_id: FrameworkID
    master_info: MasterInfo


class FrameworkReregisteredMessage(Message, frozen=True):
    """Master → scheduler, as answer when it comes back: you are known again."""

    framework_id: FrameworkID
    master_info: MasterInfo


class FrameworkErrorMessage(Message, frozen=True):
    """Master → scheduler: what you ask for cannot be, and neither can you go on. Its driver aborts."""

    message: str


class DeactivateFrameworkMessage(Message, frozen=True):
    """Scheduler → master, when its driver aborts: no more offers; the tasks stay until the failover timeout is over."""

    framework_id: FrameworkID


class ReviseFrameworkMessage(Message, frozen=True):
    """Scheduler → master, while it is registered: the framework is this from now on."""

    framework: FrameworkInfo
    suppressed_roles: tuple[str, ...] = ()
    offer_constraints: tuple[OfferConstraints, ...] = ()


class UnregisterFrameworkMessage(Message, frozen=True):
    """Scheduler → master, when its driver stops for good: kill what runs and forget the framework."""

    framework_id: FrameworkID


class FrameworkUnregisteredMessage(Message, frozen=True):
    """Master → scheduler that unregistered its framework, when it is written down that the framework is over."""

    framework_id: FrameworkID


# Offers.


class ResourceOffersMessage(Message, frozen=True):
    """Master → scheduler, after each allocation that gave it something. `pids[i]` is the agent of `offers[i]`."""

    offers: tuple[Offer, ...]
    pids: tuple[PID, ...]


class RescindResourceOfferMessage(Message, frozen=True):
    """Master → scheduler: this offer no longer holds."""

    offer_id: OfferID


class AcceptOffersMessage(Message, frozen=True):
    """Scheduler → master: do this with these offers of one agent and one role, in this order. Takes all of them.

    What the operations leave over is refused with the filters.
    """

    framework_id: FrameworkID
    offer_ids: tuple[OfferID, ...]
    operations: tuple[Operation, ...]
    filters: Filters = Filters()


class DeclineOffersMessage(Message, frozen=True):
    """Scheduler → master: these offers are of no use, do not offer the same again for so long."""

    framework_id: FrameworkID
    offer_ids: tuple[OfferID, ...]
    filters: Filters = Filters()


class ReviveOffersMessage(Message, frozen=True):
    """Scheduler → master: forget what I refused and suppressed for these roles, for all when there are none."""

    framework_id: FrameworkID
    roles: tuple[str, ...] = ()


class SuppressOffersMessage(Message, frozen=True):
    """Scheduler → master: no offers for these roles, for all when there are none, until I revive them."""

    framework_id: FrameworkID
    roles: tuple[str, ...] = ()


# Agents that will go away.


class InverseOffersMessage(Message, frozen=True):
    """Master → scheduler, when operators drain or plan maintenance of agents where it runs something.

    `pids[i]` is the agent of `inverse_offers[i]`.
    """

    inverse_offers: tuple[InverseOffer, ...]
    pids: tuple[PID, ...]


class RescindInverseOfferMessage(Message, frozen=True):
    """Master → scheduler: that agent stays after all."""

    inverse_offer_id: OfferID


class AcceptInverseOffersMessage(Message, frozen=True):
    """Scheduler → master: I will be gone from there in time. Operators see it; nothing else follows from it."""

    framework_id: FrameworkID
    inverse_offer_ids: tuple[OfferID, ...]
    filters: Filters = Filters()


class DeclineInverseOffersMessage(Message, frozen=True):
    """Scheduler → master: I cannot promise that. Operators see it; nothing else follows from it."""

    framework_id: FrameworkID
    inverse_offer_ids: tuple[OfferID, ...]
    filters: Filters = Filters()


# News.


class AgentLostMessage(Message, frozen=True):
    """Master → every scheduler: this agent was removed, or is out of reach."""

    agent_id: AgentID


class RequestResourcesMessage(Message, frozen=True):
    """Scheduler → master → allocator: this is what would be welcome. Nothing follows from it, unless from a plug-in."""

    framework_id: FrameworkID
    requests: tuple[ResourceRequest, ...] = ()
