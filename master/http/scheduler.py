"""A scheduler that speaks HTTP, as an actor: to the master it is a scheduler like any other.

It lives as long as its subscription. What the master sends it goes out as events; the calls of the client come in by
the master's door, which has read and checked them, and go on to the master as messages of this actor.
"""

from __future__ import annotations

from libprocess.http.stream import HttpChunkMessage, HttpStreamEndMessage
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from mesos.messages import (
    AcceptInverseOffersMessage,
    AcceptOffersMessage,
    AcknowledgeOperationStatusMessage,
    AgentLostMessage,
    DeclineInverseOffersMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    FrameworkUnregisteredMessage,
    InverseOffersMessage,
    KillTaskMessage,
    ReconcileOperationsMessage,
    ReconcileTasksMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    RescindInverseOfferMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
    UpdateOperationStatusMessage,
)
from mesos.v1.media import Media
from mesos.v1.recordio import encode_record
from mesos.v1.scheduler import EVENT, HEARTBEAT, HEARTBEAT_SECONDS, event_for, write_event
from mesos.v1.tree import Tree


class SchedulerHeartbeatMessage(Message, frozen=True):
    """A subscription to itself, every 15 seconds: tell the client that it still stands."""


class HttpScheduler(Process):
    """One subscription: `stream` carries its events to the client, written as `media`."""

    def __init__(
        self,
        master: PID,
        stream: PID,
        media: Media,
        subscribe: RegisterFrameworkMessage | ReregisterFrameworkMessage,
    ) -> None:
        self.master = master
        self.stream = stream
        self.media = media
        self.subscribe = subscribe
        self.capabilities = subscribe.framework.capabilities

    def initialize(self) -> None:
        """The first turn: the master decides whether to admit it."""
        self.link(self.stream)
        self.link(self.master)
        self.send(self.master, self.subscribe)

    def exited(self, message: ExitedMessage) -> None:
        """The client left, or the master ended; the other one learns it by its link to this actor."""
        if message.pid == self.master:
            self._end()
        self.terminate()

    def _end(self) -> None:
        self.send(self.stream, HttpStreamEndMessage())
        self.terminate()

    # From the master: events.

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        self._welcome(message)

    def framework_reregistered(self, message: FrameworkReregisteredMessage) -> None:
        self._welcome(message)

    def _welcome(self, message: Message) -> None:
        if self._tell(message):
            self._beat()

    def scheduler_heartbeat(self, message: SchedulerHeartbeatMessage) -> None:
        if self.sender == self.pid:
            self._beat()

    def _beat(self) -> None:
        self._write(HEARTBEAT)
        self.delay(HEARTBEAT_SECONDS, SchedulerHeartbeatMessage())

    def resource_offers(self, message: ResourceOffersMessage) -> None:
        self._tell(message)

    def rescind_resource_offer(self, message: RescindResourceOfferMessage) -> None:
        self._tell(message)

    def inverse_offers(self, message: InverseOffersMessage) -> None:
        self._tell(message)

    def rescind_inverse_offer(self, message: RescindInverseOfferMessage) -> None:
        self._tell(message)

    def status_update(self, message: StatusUpdateMessage) -> None:
        self._tell(message)

    def update_operation_status(self, message: UpdateOperationStatusMessage) -> None:
        self._tell(message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        """It may come from the agent directly."""
        self._write_event(message)

    def agent_lost(self, message: AgentLostMessage) -> None:
        self._tell(message)

    def exited_executor(self, message: ExitedExecutorMessage) -> None:
        self._tell(message)

    def framework_error(self, message: FrameworkErrorMessage) -> None:
        if self._tell(message):
            self._end()

    def framework_unregistered(self, message: FrameworkUnregisteredMessage) -> None:
        """Its stream ends in good order when that is safe."""
        if self.sender == self.master:
            self._end()

    def _tell(self, message: Message) -> bool:
        """Pass on news, which only the master may send."""
        if self.sender != self.master:
            return False
        self._write_event(message)
        return True

    def _write_event(self, message: Message) -> None:
        event = write_event(message)
        if event is not None:
            self._write(event_for(self.capabilities, event))

    def _write(self, event: Tree) -> None:
        self.send(self.stream, HttpChunkMessage(encode_record(self.media.write(event, EVENT))))

    # From the door: calls.

    def accept_offers(self, message: AcceptOffersMessage) -> None:
        self._call(message)

    def decline_offers(self, message: DeclineOffersMessage) -> None:
        self._call(message)

    def accept_inverse_offers(self, message: AcceptInverseOffersMessage) -> None:
        self._call(message)

    def decline_inverse_offers(self, message: DeclineInverseOffersMessage) -> None:
        self._call(message)

    def revive_offers(self, message: ReviveOffersMessage) -> None:
        self._call(message)

    def suppress_offers(self, message: SuppressOffersMessage) -> None:
        self._call(message)

    def kill_task(self, message: KillTaskMessage) -> None:
        self._call(message)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        self._call(message)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self._call(message)

    def reconcile_tasks(self, message: ReconcileTasksMessage) -> None:
        self._call(message)

    def acknowledge_operation_status(self, message: AcknowledgeOperationStatusMessage) -> None:
        self._call(message)

    def reconcile_operations(self, message: ReconcileOperationsMessage) -> None:
        self._call(message)

    def request_resources(self, message: RequestResourcesMessage) -> None:
        self._call(message)

    def revise_framework(self, message: ReviseFrameworkMessage) -> None:
        if self._call(message):
            self.capabilities = message.framework.capabilities

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self._call(message)

    def unregister_framework(self, message: UnregisterFrameworkMessage) -> None:
        self._call(message)

    def _call(self, message: Message) -> bool:
        """Pass on a call, which only the master's door may make for the client."""
        if self.sender != self.master:
            return False
        self.send(self.master, message)
        return True
