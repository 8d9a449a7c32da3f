"""The actor of a scheduler: registered with the master, it carries mail both ways.

It takes the calls of its driver as the very messages that the master understands, and hands them on. News from the
master it hands to `deliver`, which calls the scheduler back, on whatever thread or loop that lives.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from libprocess.message import Message
from libprocess.timers import Timer
from mesos.messages import (
    AcceptInverseOffersMessage,
    AcceptOffersMessage,
    AgentLostMessage,
    DeactivateFrameworkMessage,
    DeclineInverseOffersMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkToExecutorMessage,
    FrameworkUnregisteredMessage,
    InverseOffersMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RequestResourcesMessage,
    RescindInverseOfferMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
)
from mesos.scheduler.reconciler import TaskReconciler
from mesos.scheduler.registration import Registration
from mesos.states import told
from mesos.types import (
    Launch,
    LaunchGroup,
    Operation,
    Reason,
    Source,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)

LEAVE_SECONDS = 15.0
"""So long a scheduler waits for an answer to its leave: by then another master may be there to take it."""


class StopSchedulerMessage(Message, frozen=True):
    """Driver → its actor: take leave of the master for good, unless another scheduler takes over, and end."""

    failover: bool


class LeaveOverdueMessage(Message, frozen=True):
    """Scheduler → itself: nobody has answered its leave."""


class ReconcileAgainMessage(Message, frozen=True):
    """Scheduler → itself: there should have been answers by now, or it is time to ask again."""


class SchedulerProcess(Registration):
    """See the module; Registration says how it registers."""

    def initialize(self) -> None:
        super().initialize()
        self._tasks = TaskReconciler(knows_all=not self._takes_over)
        self._reconciliation: Timer | None = None

    # Reconciling: one question at a time, again and again.

    def _has_connected(self) -> None:
        if self._is_leaving:
            self._take_leave()
        else:
            self._reconcile(self._tasks.begin(self.now))

    def _has_lost_master(self) -> None:
        self._stop_reconciling()

    def _reconcile(self, question: tuple[TaskReference, ...] | None) -> None:
        assert self._master is not None
        assert self._framework.id is not None
        if question is not None:
            self.send(self._master.pid, ReconcileTasksMessage(self._framework.id, question))
        self._stop_reconciling()
        self._reconciliation = self.delay(self._tasks.wait_seconds(self.now), ReconcileAgainMessage())

    def reconcile_again(self, message: ReconcileAgainMessage) -> None:
        if self.sender == self.pid and self._connected and not self._aborted:
            self._reconcile(self._tasks.next(self.now))

    def _stop_reconciling(self) -> None:
        if self._reconciliation is not None:
            self._reconciliation.cancel()
            self._reconciliation = None

    # News from the master.

    def resource_offers(self, message: ResourceOffersMessage) -> None:
        if self._hears_master():
            self._tell("resource_offers", message.offers)

    def rescind_resource_offer(self, message: RescindResourceOfferMessage) -> None:
        if self._hears_master():
            self._tell("offer_rescinded", message.offer_id)

    def inverse_offers(self, message: InverseOffersMessage) -> None:
        if self._hears_master():
            self._tell("inverse_offers", message.inverse_offers)

    def rescind_inverse_offer(self, message: RescindInverseOfferMessage) -> None:
        if self._hears_master():
            self._tell("inverse_offer_rescinded", message.inverse_offer_id)

    def status_update(self, message: StatusUpdateMessage) -> None:
        if self._hears_master():
            status = message.update.status
            if self._tasks.heard(status):
                self._tell("status_update", status)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        if self._hears_master():
            self._tell("framework_message", message.executor_id, message.agent_id, message.data)

    def exited_executor(self, message: ExitedExecutorMessage) -> None:
        if self._hears_master():
            self._tell("executor_lost", message.executor_id, message.agent_id, message.status)

    def agent_lost(self, message: AgentLostMessage) -> None:
        if self._hears_master():
            self._tell("agent_lost", message.agent_id)

    def _hears_master(self) -> bool:
        return self._connected and self._is_from_master()

    # Calls from the driver.

    def accept_offers(self, message: AcceptOffersMessage) -> None:
        if not self._is_from_driver():
            return
        tasks = launched(message.operations)
        if self._hand_on(message):
            self._tasks.launched(tasks)
            return
        for task in tasks:
            self._tell("status_update", self._lost(task))

    def decline_offers(self, message: DeclineOffersMessage) -> None:
        self._hand_on(message)

    def accept_inverse_offers(self, message: AcceptInverseOffersMessage) -> None:
        self._hand_on(message)

    def decline_inverse_offers(self, message: DeclineInverseOffersMessage) -> None:
        self._hand_on(message)

    def suppress_offers(self, message: SuppressOffersMessage) -> None:
        if self._is_from_driver():
            self._suppressed |= set(message.roles or self._framework.all_roles)
            self._hand_on(message)

    def revive_offers(self, message: ReviveOffersMessage) -> None:
        if self._is_from_driver():
            self._suppressed -= set(message.roles or self._suppressed)
            self._hand_on(message)

    def kill_task(self, message: KillTaskMessage) -> None:
        if self._hand_on(message):
            self._tasks.killed(message.task_id)

    def reconcile_tasks(self, message: ReconcileTasksMessage) -> None:
        if self._hand_on(message):
            self._tasks.asked(message.tasks)

    def request_resources(self, message: RequestResourcesMessage) -> None:
        self._hand_on(message)

    def revise_framework(self, message: ReviseFrameworkMessage) -> None:
        """Without a master it is told when one is there, as all that is told then."""
        if not self._is_from_driver():
            return
        old = self._framework
        principal = message.framework.principal or old.principal
        self._framework = replace(
            message.framework,
            id=old.id,
            principal=principal,
            user=message.framework.user or old.user,
            hostname=message.framework.hostname or old.hostname,
        )
        self._suppressed = set(message.suppressed_roles)
        self._constraints = message.offer_constraints
        if self._connected and not self._aborted and self._master is not None:
            self.send(self._master.pid, replace(message, framework=self._framework))

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self._hand_on(message)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self._hand_on(message)

    def deactivate_framework(self, message: DeactivateFrameworkMessage) -> None:
        if self._is_from_driver():
            self._hand_on(message)
            self._aborted = True
            self._cancel_retry()

    def stop_scheduler(self, message: StopSchedulerMessage) -> None:
        if not self._is_from_driver():
            return
        can_register = self._connected or not self._aborted
        if message.failover or self._master is None or self._framework.id is None or not can_register:
            self.terminate()
            return
        self._is_leaving = True
        self._stop_reconciling()
        self.delay(LEAVE_SECONDS, LeaveOverdueMessage())
        if self._connected:
            self._take_leave()

    # Leaving: a master that ends before it has written that down, does not pass it on to the next one.

    _is_leaving = False

    def _take_leave(self) -> None:
        assert self._master is not None
        assert self._framework.id is not None
        self.send(self._master.pid, UnregisterFrameworkMessage(self._framework.id))

    def framework_unregistered(self, message: FrameworkUnregisteredMessage) -> None:
        if self._is_from_master() and self._is_leaving:
            self.terminate()

    def framework_error(self, message: FrameworkErrorMessage) -> None:
        super().framework_error(message)
        if self._is_leaving and self._aborted:  # it is over already, or another's
            self.terminate()

    def leave_overdue(self, message: LeaveOverdueMessage) -> None:
        if self.sender == self.pid:
            self.terminate()

    def _is_from_driver(self) -> bool:
        return self.sender.address == self.pid.address

    def _hand_on(self, message: Any) -> bool:
        """Send a call of the driver to the master, in the framework's name; False if it came to nothing."""
        if not (self._is_from_driver() and self._connected) or self._aborted or self._master is None:
            return False
        self.send(self._master.pid, replace(message, framework_id=self._framework.id))
        return True

    def _lost(self, task: TaskInfo) -> TaskStatus:
        return TaskStatus(
            task_id=task.task_id,
            state=told(TaskState.TASK_DROPPED, self._framework.capabilities),
            agent_id=task.agent_id,
            message="launched while there was no master",
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_MASTER_DISCONNECTED,
            timestamp=self.now,
        )


def launched(operations: tuple[Operation, ...]) -> list[TaskInfo]:
    """The tasks that these operations launch."""
    tasks: list[TaskInfo] = []
    for operation in operations:
        if isinstance(operation, Launch):
            tasks += operation.task_infos
        elif isinstance(operation, LaunchGroup):
            tasks += operation.task_group.tasks
    return tasks
