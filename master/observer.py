"""The observer of one agent: pings it, and tells the master when it has not answered for too long."""

from __future__ import annotations

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import Process
from mesos.ids import AgentID
from mesos.messages import PingAgentMessage, PongAgentMessage


class PingDueMessage(Message, frozen=True):
    """Observer → itself, every ping interval."""


class ObserveMessage(Message, frozen=True):
    """Master → observer, when the agent's link breaks, and when it comes back: where it is, whether it is connected."""

    agent: PID
    connected: bool


class AgentUnresponsiveMessage(Message, frozen=True):
    """Observer → master: the agent did not answer any of so many pings. It goes on pinging until the master ends it."""

    agent_id: AgentID
    missed: int


class AgentResponsiveMessage(Message, frozen=True):
    """Observer → master: the agent that did not answer answers again, before it was given up."""

    agent_id: AgentID


class AgentObserver(Process):
    """One per registered agent, so that an agent's silence is noticed however busy the master is with the others."""

    def __init__(self, master: PID, agent_id: AgentID, agent: PID, interval_seconds: float, missed_max: int) -> None:
        self._master = master
        self._agent_id = agent_id
        self._agent = agent
        self._connected = True
        self._interval_seconds = interval_seconds
        self._missed_max = missed_max
        self._missed = 0
        self._answered = True

    def initialize(self) -> None:
        """The first turn: the agent has just been heard of, so the first ping has time."""
        self.delay(self._interval_seconds, PingDueMessage())

    def observe(self, message: ObserveMessage) -> None:
        """See the message."""
        is_back = message.connected and not self._connected
        self._agent = message.agent
        self._connected = message.connected
        if is_back:
            self._hear()

    def ping_due(self, message: PingDueMessage) -> None:
        """See the message."""
        self._missed = 0 if self._answered else self._missed + 1
        if self._missed >= self._missed_max:
            self.send(self._master, AgentUnresponsiveMessage(self._agent_id, self._missed))
        self._answered = False
        self.send(self._agent, PingAgentMessage(self._connected))
        self.delay(self._interval_seconds, PingDueMessage())

    def pong_agent(self, message: PongAgentMessage) -> None:
        """See the message."""
        if self.sender == self._agent:
            self._hear()

    def _hear(self) -> None:
        """The agent is there: pings that an earlier life of it missed do not count."""
        if self._missed >= self._missed_max:
            self.send(self._master, AgentResponsiveMessage(self._agent_id))
        self._answered = True
        self._missed = 0
