"""What a scheduler may ask of the cluster, the same wherever it runs: on a thread, on a loop, or inside an actor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesos.driver import DriverCalls, DriverStatus, News
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.messages import (
    AcceptInverseOffersMessage,
    AcceptOffersMessage,
    DeactivateFrameworkMessage,
    DeclineInverseOffersMessage,
    DeclineOffersMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RequestResourcesMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    SuppressOffersMessage,
)
from mesos.scheduler.callbacks import Scheduler
from mesos.scheduler.process import StopSchedulerMessage
from mesos.types import (
    Filters,
    FrameworkInfo,
    KillPolicy,
    Launch,
    Operation,
    ResourceRequest,
    TaskInfo,
    TaskReference,
    TaskStatus,
)
from mesos.types.constraint import OfferConstraints

_DEFAULT_FILTERS = Filters()
_MINE = FrameworkID("")
"""Stands in a call for the framework's own id, which the scheduler's actor knows."""


class SchedulerCalls(DriverCalls):
    """What a scheduler may call. All return at once, with the driver's status, and do nothing unless it is RUNNING.

    While there is no master, calls have no effect; a task that is launched then is reported lost (as TASK_DROPPED to a
    framework that is PARTITION_AWARE).
    """

    def __init__(self, scheduler: Scheduler, implicit_acknowledgements: bool = True) -> None:
        super().__init__(scheduler)
        self._implicit_acknowledgements = implicit_acknowledgements

    def _call_back(self, news: News) -> Any:
        """See DriverCalls. `_called_back` comes after it."""
        if self._status is DriverStatus.RUNNING and news.callback == "error":
            self._reach(DriverStatus.ABORTED)
            return getattr(self._callbacks, news.callback)(self, *news.arguments)
        return super()._call_back(news)

    def _called_back(self, news: News) -> None:
        if self._implicit_acknowledgements and news.callback == "status_update":
            self._acknowledge(*news.arguments)

    # The end.

    def stop(self, failover: bool = False) -> DriverStatus:
        """End the framework and everything that it runs; with `failover`, leave it to a scheduler that takes over.

        The actor ends when a master has written that down, or none has within 15 s; at once while there is no master.
        """
        if self._status in (DriverStatus.RUNNING, DriverStatus.ABORTED):
            self._reach(DriverStatus.STOPPED)  # before its actor may have ended: that is then no fault
            self._tell(StopSchedulerMessage(failover))
        return self._status

    def abort(self) -> DriverStatus:
        """No more callbacks, calls and offers. What runs goes on until the failover timeout is over, or `stop`."""
        if self._call(DeactivateFrameworkMessage(_MINE)) is DriverStatus.RUNNING:
            self._reach(DriverStatus.ABORTED)
        return self._status

    # Offers and tasks.

    def accept_offers(
        self, offer_ids: Iterable[OfferID], operations: Iterable[Operation], filters: Filters = _DEFAULT_FILTERS
    ) -> DriverStatus:
        """Do this, in order, with offers of one agent and one role; what is left over is declined."""
        return self._call(AcceptOffersMessage(_MINE, tuple(offer_ids), tuple(operations), filters))

    def launch_tasks(
        self, offer_ids: OfferID | Iterable[OfferID], tasks: Iterable[TaskInfo], filters: Filters = _DEFAULT_FILTERS
    ) -> DriverStatus:
        """Launch tasks on offers of one agent and one role; launching none of them is to decline."""
        ids = (OfferID(offer_ids),) if isinstance(offer_ids, str) else offer_ids
        return self.accept_offers(ids, (Launch(tuple(tasks)),), filters)

    def decline_offer(self, offer_id: OfferID, filters: Filters = _DEFAULT_FILTERS) -> DriverStatus:
        """Give an offer back, and do not be offered the same again for `filters.refuse_seconds`."""
        return self._call(DeclineOffersMessage(_MINE, (offer_id,), filters))

    def accept_inverse_offers(
        self, inverse_offer_ids: Iterable[OfferID], filters: Filters = _DEFAULT_FILTERS
    ) -> DriverStatus:
        """Promise to be gone from these agents in time."""
        return self._call(AcceptInverseOffersMessage(_MINE, tuple(inverse_offer_ids), filters))

    def decline_inverse_offers(
        self, inverse_offer_ids: Iterable[OfferID], filters: Filters = _DEFAULT_FILTERS
    ) -> DriverStatus:
        """Say that what runs on these agents cannot be elsewhere in time; it is killed then all the same."""
        return self._call(DeclineInverseOffersMessage(_MINE, tuple(inverse_offer_ids), filters))

    def revive_offers(self, roles: Iterable[str] = ()) -> DriverStatus:
        """Be offered again whatever was refused or suppressed for these roles; for all of them if none is named."""
        return self._call(ReviveOffersMessage(_MINE, tuple(roles)))

    def suppress_offers(self, roles: Iterable[str] = ()) -> DriverStatus:
        """Be offered nothing for these roles, or for all of them if none is named, until they are revived."""
        return self._call(SuppressOffersMessage(_MINE, tuple(roles)))

    def request_resources(self, requests: Iterable[ResourceRequest]) -> DriverStatus:
        """Say what would be welcome. The allocator that comes with the master pays no heed to it."""
        return self._call(RequestResourcesMessage(_MINE, tuple(requests)))

    def update_framework(
        self,
        framework: FrameworkInfo,
        suppressed_roles: Iterable[str] = (),
        offer_constraints: Iterable[OfferConstraints] = (),
    ) -> DriverStatus:
        """The framework is this from now on: its name, roles, capabilities, how long it may be away, and so on."""
        return self._call(ReviseFrameworkMessage(framework, tuple(suppressed_roles), tuple(offer_constraints)))

    def kill_task(self, task_id: TaskID, kill_policy: KillPolicy | None = None) -> DriverStatus:
        """Kill a task. The call may get lost with a master; repeat it until the task has ended."""
        return self._call(KillTaskMessage(_MINE, task_id, kill_policy=kill_policy))

    def acknowledge_status_update(self, status: TaskStatus) -> DriverStatus:
        """Have an update not sent again, for drivers that were made with `implicit_acknowledgements=False`."""
        if self._implicit_acknowledgements:
            raise RuntimeError("this driver acknowledges by itself: make it with implicit_acknowledgements=False")
        return self._acknowledge(status)

    def _acknowledge(self, status: TaskStatus) -> DriverStatus:
        if not status.uuid or status.agent_id is None:  # it was sent once, nobody waits
            return self._status
        return self._call(StatusUpdateAcknowledgementMessage(_MINE, status.agent_id, status.task_id, status.uuid))

    def reconcile_tasks(self, statuses: Iterable[TaskStatus | TaskReference] = ()) -> DriverStatus:
        """Be told the state of these tasks, or of all that have not ended, by status updates that need no answer.

        The driver asks by itself after each registration and every 15 minutes, and tells what is new.
        """
        tasks = (TaskReference(status.task_id, status.agent_id) for status in statuses)
        return self._call(ReconcileTasksMessage(_MINE, tuple(tasks)))

    def send_framework_message(self, executor_id: ExecutorID, agent_id: AgentID, data: bytes) -> DriverStatus:
        """Send data to an executor, once; it may get lost."""
        return self._call(FrameworkToExecutorMessage(_MINE, agent_id, executor_id, data))

    # The names that Mesos gives them.
    acceptOffers = accept_offers
    launchTasks = launch_tasks
    declineOffer = decline_offer
    acceptInverseOffers = accept_inverse_offers
    declineInverseOffers = decline_inverse_offers
    reviveOffers = revive_offers
    suppressOffers = suppress_offers
    killTask = kill_task
    requestResources = request_resources
    updateFramework = update_framework
    acknowledgeStatusUpdate = acknowledge_status_update
    reconcileTasks = reconcile_tasks
    sendFrameworkMessage = send_framework_message
