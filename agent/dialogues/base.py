"""What all of the agent's dialogues share: what it was started with, its master, its records."""

from __future__ import annotations

import logging
from enum import StrEnum

from agent.flags import AgentFlags
from agent.metrics import AgentMetrics
from agent.ports import Containerizer, Volumes
from agent.records.framework import Frameworks
from agent.records.lasting import Lasting
from agent.records.updates import UpdateStream
from libprocess.message import Message
from libprocess.pid import PID
from mesos.access.rights import Rights
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.types import AgentInfo, Environment, MasterInfo

log = logging.getLogger("agent")


class AgentState(StrEnum):
    """How an agent stands to its master."""

    DISCONNECTED = "DISCONNECTED"
    """There is none, or it has not answered the registration yet."""
    REGISTERED = "REGISTERED"
    TERMINATING = "TERMINATING"
    """It ends: nothing is launched any more."""


class AgentBase(Rights):
    """The attributes of the agent, and what several of its dialogues do with them.

    The dialogues are classes on top of each other, each one using only those below it: with the master, about updates,
    with executors, about tasks. `agent.agent.Agent` is the uppermost.
    """

    flags: AgentFlags
    lasting: Lasting
    """What it has in all, and what it must remember of that."""

    def __init__(
        self,
        flags: AgentFlags,
        info: AgentInfo,
        containerizer: Containerizer,
        environment: Environment,
        volumes: Volumes,
        janitor: PID | None = None,
        token_key: bytes = b"",
    ) -> None:
        """`info` says what the operator has the agent give; `environment` is what every container gets.

        With a `token_key` every executor gets a token, by which it proves over HTTP that it is that executor.

        The `janitor` is told of each sandbox that is not needed any more; without one they stay.
        """
        self.flags = flags
        self.info = info
        self.containerizer = containerizer
        self.environment = environment
        self.volumes = volumes
        self.janitor = janitor
        self.token_key = token_key
        self.files: PID | None = None
        """The actor that shows sandboxes over HTTP."""
        self.state = AgentState.DISCONNECTED
        self.master: MasterInfo | None = None
        self.frameworks = Frameworks(flags.max_completed_executors_per_framework)
        self.streams: dict[tuple[FrameworkID, TaskID], UpdateStream] = {}
        """Updates that are not acknowledged, also of tasks that never were."""

    def initialize(self) -> None:
        self.counts = AgentMetrics(self.metrics, self.frameworks, lambda: self.lasting.total, lambda: self.now)
        self.metrics.gauge("slave/registered", lambda: self.state is AgentState.REGISTERED)

    @property
    def id(self) -> AgentID:
        """What the master calls this agent; asked for only once it has registered."""
        assert self.info.id is not None
        return self.info.id

    def _tell_master(self, message: Message) -> None:
        """Send to the master; without one the message is lost."""
        if self.master is not None:
            self.send(self.master.pid, message)

    def _ordered_by_master(self) -> bool:
        """Whether the message at hand is from the master that counts; what anybody else says is not obeyed."""
        if self.master is not None and self.sender == self.master.pid:
            return True
        log.warning("ignoring an order of %s: the master is %s", self.sender, self.master and self.master.pid)
        return False
