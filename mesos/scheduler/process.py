"""The actor of a scheduler: keeps its framework registered with the master, and carries mail both ways.

It takes the calls of its driver as the very messages that the master understands, and hands them on. News from the
master it hands to `deliver`, which calls the scheduler back, on whatever thread or loop that lives.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from libprocess.timers import Timer
from mesos.access.authenticatee import Authenticatee
from mesos.access.credentials import Credential
from mesos.detector import MasterDetectedMessage
from mesos.driver import News
from mesos.ids import FrameworkID
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
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    InverseOffersMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
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
from mesos.states import told
from mesos.types import (
    FrameworkInfo,
    Launch,
    LaunchGroup,
    MasterInfo,
    Operation,
    Reason,
    Source,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)
from mesos.types.constraint import OfferConstraints

log = logging.getLogger("mesos.scheduler")

BACKOFF_MIN_SECONDS = 2.0
SPREAD_SECONDS = 0.5
"""Over so long frameworks spread that have lost their master at one moment, and found one again."""
BACKOFF_MAX_SECONDS = 60.0
BACKOFFS_WITHIN_FAILOVER = 10
"""A framework that may be gone for so long only, must have tried several times by then."""


Detect: TypeAlias = Callable[[PID], Process]
"""Makes the actor that will send MasterDetectedMessages to this PID."""


class StopSchedulerMessage(Message, frozen=True):
    """Driver → its actor: take leave of the master for good, unless another scheduler takes over, and end."""

    failover: bool


class RegisterAgainMessage(Message, frozen=True):
    """Scheduler → itself: there should have been an answer by now."""


class ReconcileAgainMessage(Message, frozen=True):
    """Scheduler → itself: there should have been answers by now, or it is time to ask again."""


class SchedulerProcess(Authenticatee):
    """See the module. A framework that has its id already is taken over from whichever scheduler it had before."""

    def __init__(
        self,
        framework: FrameworkInfo,
        detect: Detect,
        deliver: Callable[[News], None],
        suppressed_roles: tuple[str, ...] = (),
        offer_constraints: tuple[OfferConstraints, ...] = (),
        credential: Credential | None = None,
    ) -> None:
        """With a `credential` it proves to every master, before it registers, whose the framework is."""
        self.credential = credential
        if credential is not None and not framework.principal:
            framework = replace(framework, principal=credential.principal)
        self._framework = framework
        self._detect = detect
        self._deliver = deliver
        self._suppressed = set(suppressed_roles)
        self._constraints = offer_constraints
        self._takes_over = framework.id is not None
        self._registered_once = False
        self._master: MasterInfo | None = None
        self._connected = False
        self._aborted = False
        self._backoff_seconds = 0.0
        self._retry: Timer | None = None
        self._tasks = TaskReconciler(knows_all=not self._takes_over)
        self._reconciliation: Timer | None = None

    def initialize(self) -> None:
        self._detector = self.spawn(self._detect(self.pid))

    def finalize(self) -> None:
        self.terminate(self._detector)

    # Registering.

    def master_detected(self, message: MasterDetectedMessage) -> None:
        if self.sender != self._detector:
            return
        self._lose_master()
        self._master = message.master
        if self._master is None or self._aborted:
            return
        self.link(self._master.pid)
        self._backoff_seconds = self._backoff_limit(BACKOFF_MIN_SECONDS)
        if self._registered_once:  # every framework has lost its master just now: spread them
            spread_seconds = min(SPREAD_SECONDS, self._backoff_seconds)
            self._retry = self.delay(self.chance.uniform(0, spread_seconds), RegisterAgainMessage())
        else:
            self._register()

    def exited(self, message: ExitedMessage) -> None:
        if self._master is not None and message.pid == self._master.pid:
            self._lose_master()  # the detector will tell who comes next

    def register_again(self, message: RegisterAgainMessage) -> None:
        if self.sender == self.pid and self._master is not None and not self._connected:
            self._register()

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        if self._is_from_master() and not self._connected:
            self._connect(message.framework_id)
            self._tell("registered", message.framework_id, message.master_info)
            self._reconcile(self._tasks.begin(self.now))

    def framework_reregistered(self, message: FrameworkReregisteredMessage) -> None:
        if self._is_from_master() and not self._connected:
            self._connect(message.framework_id)
            self._tell("reregistered", message.master_info)
            self._reconcile(self._tasks.begin(self.now))

    def framework_error(self, message: FrameworkErrorMessage) -> None:
        if self._is_from_master():
            self._not_identified(message.message)
            self._framework = replace(self._framework, id=None)  # it may have another scheduler now: leave it alone

    def _not_identified(self, reason: str) -> None:
        self._tell("error", reason)
        self._aborted = True
        self._cancel_retry()

    def _register_identified(self) -> None:
        self._cancel_retry()
        if not self._connected and not self._aborted:
            self._register()

    def _register(self) -> None:
        assert self._master is not None
        suppressed = tuple(sorted(self._suppressed))
        if self._identify(self._master.pid):
            pass  # and register when that is done
        elif self._framework.id is None:
            self.send(self._master.pid, RegisterFrameworkMessage(self._framework, suppressed, self._constraints))
        else:
            takes_over = self._takes_over and not self._registered_once
            message = ReregisterFrameworkMessage(self._framework, takes_over, suppressed, self._constraints)
            self.send(self._master.pid, message)
        self._retry = self.delay(self._backoff_seconds * self.chance.uniform(0.5, 1.0), RegisterAgainMessage())
        self._backoff_seconds = self._backoff_limit(2 * self._backoff_seconds)

    def _backoff_limit(self, seconds: float) -> float:
        failover_seconds = self._framework.failover_timeout_seconds or BACKOFFS_WITHIN_FAILOVER * BACKOFF_MAX_SECONDS
        return min(seconds, BACKOFF_MAX_SECONDS, failover_seconds / BACKOFFS_WITHIN_FAILOVER)

    def _connect(self, framework_id: FrameworkID) -> None:
        self._framework = replace(self._framework, id=framework_id)
        self._connected = self._registered_once = True
        self._cancel_retry()

    def _lose_master(self) -> None:
        if self._master is not None:
            self.unlink(self._master.pid)
        self._master = None
        self._is_identified = False
        self._cancel_retry()
        self._stop_reconciling()
        if self._connected:
            self._connected = False
            self._tell("disconnected")

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    # Reconciling: one question at a time, again and again.

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

    def _is_from_master(self) -> bool:
        return self._master is not None and self.sender == self._master.pid

    def _hears_master(self) -> bool:
        return self._connected and self._is_from_master()

    def _tell(self, callback: str, *arguments: Any) -> None:
        if not self._aborted:
            self._deliver(News(callback, arguments))

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
        self._hand_on(message)

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
        if not message.failover and self._master is not None and self._framework.id is not None:
            self.send(self._master.pid, UnregisterFrameworkMessage(self._framework.id))
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
