"""An executor that speaks HTTP, as an actor: to the agent it is an executor like any other.

It lives as long as its subscription. What the agent sends it goes out as events; the calls of the client come in by the
agent's door, which has read and checked them, and go on to the agent as messages of this actor.
"""

from __future__ import annotations

from libprocess.http.stream import HttpChunkMessage, HttpStreamEndMessage
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from mesos.ids import ContainerID
from mesos.messages import (
    ExecutorRegisteredMessage,
    ExecutorReregisteredMessage,
    ExecutorToFrameworkMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    RegisterExecutorMessage,
    ReregisterExecutorMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo
from mesos.v1.executor import EVENT, HEARTBEAT, HEARTBEAT_SECONDS, subscribed, write_event
from mesos.v1.media import Media
from mesos.v1.recordio import encode_record
from mesos.v1.tree import Tree


class ExecutorHeartbeatMessage(Message, frozen=True):
    """An executor's subscription to itself, every 30 minutes: tell the client that it still stands."""


class HttpExecutor(Process):
    """One subscription: `stream` carries its events to the client, written as `media`."""

    def __init__(
        self,
        agent: PID,
        stream: PID,
        media: Media,
        subscribe: RegisterExecutorMessage | ReregisterExecutorMessage,
        executor: ExecutorInfo,
        framework: FrameworkInfo,
        container_id: ContainerID,
    ) -> None:
        self.agent = agent
        self.stream = stream
        self.media = media
        self.subscribe = subscribe
        self.executor = executor
        self.framework = framework
        self.container_id = container_id

    def initialize(self) -> None:
        """The first turn: the agent decides whether to take it."""
        self.link(self.stream)
        self.link(self.agent)
        self.send(self.agent, self.subscribe)

    def exited(self, message: ExitedMessage) -> None:
        """The client left, or the agent ended; the other one learns it by its link to this actor.

        A client that is to outlive its agent subscribes again when the next one is there.
        """
        if message.pid == self.agent and not self.framework.checkpoint:
            self._write({"type": "SHUTDOWN"})
        self.terminate()

    def finalize(self) -> None:
        """Also called when the client has another subscription by now."""
        self.send(self.stream, HttpStreamEndMessage())

    # From the agent: events.

    def executor_registered(self, message: ExecutorRegisteredMessage) -> None:
        self._welcome(message.agent_info)

    def executor_reregistered(self, message: ExecutorReregisteredMessage) -> None:
        self._welcome(message.agent_info)

    def _welcome(self, agent: AgentInfo) -> None:
        if self.sender == self.agent:
            self._write(subscribed(self.executor, self.framework, agent, self.container_id))
            self._beat()

    def executor_heartbeat(self, message: ExecutorHeartbeatMessage) -> None:
        if self.sender == self.pid:
            self._beat()

    def _beat(self) -> None:
        self._write(HEARTBEAT)
        self.delay(HEARTBEAT_SECONDS, ExecutorHeartbeatMessage())

    def run_task(self, message: RunTaskMessage) -> None:
        self._tell(message)

    def kill_task(self, message: KillTaskMessage) -> None:
        self._tell(message)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self._tell(message)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self._tell(message)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        self._tell(message)

    def _tell(self, message: Message) -> None:
        event = write_event(message, self.framework.capabilities)
        if event is not None and self.sender == self.agent:
            self._write(event)

    def _write(self, event: Tree) -> None:
        self.send(self.stream, HttpChunkMessage(encode_record(self.media.write(event, EVENT))))

    # From the door: calls.

    def status_update(self, message: StatusUpdateMessage) -> None:
        self._call(message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        self._call(message)

    def _call(self, message: Message) -> None:
        """Pass on a call, which only the agent's door may make for the client."""
        if self.sender == self.agent:
            self.send(self.agent, message)
