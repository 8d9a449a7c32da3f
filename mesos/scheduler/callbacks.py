"""Scheduler: what the author of a framework writes. Its methods are called back when the cluster has news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mesos.aliases import adopt_aliases
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID
from mesos.types import InverseOffer, MasterInfo, Offer, TaskStatus

if TYPE_CHECKING:
    from mesos.scheduler.calls import SchedulerCalls

_CALLBACKS: dict[str, tuple[str, ...]] = {
    "registered": (),
    "reregistered": (),
    "disconnected": (),
    "resource_offers": (),
    "offer_rescinded": (),
    "inverse_offers": (),
    "inverse_offer_rescinded": (),
    "status_update": (),
    "framework_message": (),
    "agent_lost": ("slave_lost",),
    "executor_lost": (),
    "error": (),
}


class Scheduler:
    """Base of every scheduler. Override what you care about; the rest does nothing.

    Callbacks come one at a time, and the next waits for the last to return. `driver` is how to answer. Under
    AsyncSchedulerDriver they may be coroutines. Mesos' spellings (`resourceOffers`, `slaveLost`) do as well.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        adopt_aliases(cls, _CALLBACKS)

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> Any:
        """The master admitted the framework, and gave it its id."""

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> Any:
        """The framework is known again: to a new master, or to the same one after the link was lost."""

    def disconnected(self, driver: SchedulerCalls) -> Any:
        """The master is gone. Offers are void; tasks run on; the driver looks for a master by itself."""

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> Any:
        """Resources are at the framework's disposal, until it accepts or declines them or they are rescinded."""

    def offer_rescinded(self, driver: SchedulerCalls, offer_id: OfferID) -> Any:
        """This offer no longer holds; what is launched on it is lost."""

    def inverse_offers(self, driver: SchedulerCalls, inverse_offers: Sequence[InverseOffer]) -> Any:
        """Agents where the framework runs something go away at that time, and what is left there is killed.

        To move it elsewhere before is better; `driver.accept_inverse_offers` tells operators that this will be so.
        """

    def inverse_offer_rescinded(self, driver: SchedulerCalls, inverse_offer_id: OfferID) -> Any:
        """That agent stays after all."""

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> Any:
        """The state of a task is this. The same news may come more than once.

        It is acknowledged when this returns, or by `driver.acknowledge_status_update` if the driver was told so.
        """

    def framework_message(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, data: bytes) -> Any:
        """An executor sent data. It was sent once, and may be lost."""

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> Any:
        """An agent was removed, or is out of reach; its tasks' states come as status updates."""

    def executor_lost(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, status: int) -> Any:
        """An executor ended; `status` is what wait(2) said, -1 if nobody knows."""

    def error(self, driver: SchedulerCalls, message: str) -> Any:
        """The framework cannot go on. The driver has aborted already."""
