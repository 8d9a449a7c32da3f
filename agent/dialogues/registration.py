"""The agent's dialogue with the master: finding it, registering, being pinged, being sent away."""

from __future__ import annotations

from msgspec.structs import replace

from agent.checkpoints.identity import remember_agent
from agent.dialogues.base import AgentBase, AgentState, log
from agent.dialogues.messages import MasterSilentMessage, RetryAgentRegistrationMessage
from libprocess.timers import Timer
from libprocess.version import VERSION
from mesos.access.authenticatee import Authenticatee
from mesos.detector import MasterDetectedMessage
from mesos.ids import AgentID, FrameworkID
from mesos.messages import (
    AgentRegisteredMessage,
    PingAgentMessage,
    PongAgentMessage,
    RegisterAgentMessage,
    ReregisterAgentMessage,
)
from mesos.types import AgentCapability

BACKOFF_SECONDS_MAX = 60.0
SPREAD_SECONDS = 0.5
"""Over so long agents spread that have lost their master at one moment, and found one again."""

CAPABILITIES = (
    AgentCapability.MULTI_ROLE,
    AgentCapability.HIERARCHICAL_ROLE,
    AgentCapability.RESERVATION_REFINEMENT,
    AgentCapability.RESIZE_VOLUME,
    AgentCapability.AGENT_OPERATION_FEEDBACK,
)


class Registration(AgentBase, Authenticatee):
    """Registers with whoever is the master, and notices when it no longer is."""

    _attempt: Timer | None = None
    _silence: Timer | None = None
    _ping_timeout_seconds: float = 0.0
    _ending_reported: tuple[FrameworkID, ...] = ()
    """What it said last was about to end. A master that could not hear more just then may have missed that it did."""
    _has_asked = False
    """It has asked to be registered since it lost its master. An answer before that is to what an earlier life here
    said, or said on a link that broke, and knows what ran then.
    """

    def master_detected(self, message: MasterDetectedMessage) -> None:
        if self.state is AgentState.TERMINATING:
            return
        self._disconnect()
        if self.master is not None:
            self.unlink(self.master.pid)
        self.master = message.master
        if message.master is not None:
            self.link(message.master.pid)
            self._register_soon()

    def _register_soon(self) -> None:
        """Not at once: the master may have been found by thousands of agents at the same moment."""
        if self.state is AgentState.RECOVERING:
            return
        backoff_seconds = self.flags.registration_backoff_factor_seconds
        # One that was never registered is started by hand, not by a master's end: it has no crowd around it.
        spread_seconds = min(SPREAD_SECONDS, backoff_seconds)
        wait_seconds = self.chance.uniform(0, spread_seconds) if self.info.id is not None else 0.0
        self._attempt = self.delay(wait_seconds, RetryAgentRegistrationMessage(backoff_seconds))

    def retry_agent_registration(self, message: RetryAgentRegistrationMessage) -> None:
        if self.master is not None and self._identify(self.master.pid):
            pass  # and register when that is done
        elif self.info.id is None:
            self._ask(RegisterAgentMessage(self.info, VERSION, CAPABILITIES, self.lasting.resources))
        else:
            self._ask(self._reregistration())
        wait_seconds = self.chance.uniform(message.backoff_seconds / 2, message.backoff_seconds)
        next_backoff_seconds = min(message.backoff_seconds * 2, BACKOFF_SECONDS_MAX)
        self._attempt = self.delay(wait_seconds, RetryAgentRegistrationMessage(next_backoff_seconds))

    def _ask(self, message: RegisterAgentMessage | ReregisterAgentMessage) -> None:
        self._has_asked = self.master is not None
        self._tell_master(message)

    def _is_from_master(self) -> bool:
        return self.master is not None and self.sender == self.master.pid

    def _register_identified(self) -> None:
        if self.state is AgentState.DISCONNECTED:
            self._cancel_attempt()
            backoff_seconds = self.flags.registration_backoff_factor_seconds
            self._attempt = self.delay(0.0, RetryAgentRegistrationMessage(backoff_seconds))

    def _not_identified(self, reason: str) -> None:
        """It goes on trying: what runs here is not to end because somebody forgot a flag."""
        log.error("%s says: %s (--credential)", self.sender, reason)

    def _reregistration(self) -> ReregisterAgentMessage:
        # What is left of a framework that was shut down does not count: its master gave that away already.
        frameworks = [framework for framework in self.frameworks if not framework.is_terminating]
        self._ending_reported = tuple(framework.id for framework in self.frameworks if framework.is_terminating)
        executors = [executor for framework in frameworks for executor in framework.executors.values()]
        return ReregisterAgentMessage(
            agent=self.info,
            version=VERSION,
            tasks=tuple(task.report() for framework in frameworks for task in framework.tasks.values()),
            executor_infos=tuple(executor.info for executor in executors if not executor.is_command),
            frameworks=tuple(framework.info for framework in frameworks),
            capabilities=CAPABILITIES,
            checkpointed_resources=self.lasting.resources,
            operations=tuple(self.lasting.operations.values()),
            ending_frameworks=self._ending_reported,
        )

    def _is_answered(self) -> bool:
        """Whether the message at hand is what the master answers this agent."""
        if not self._has_asked:
            log.info("ignoring what %s answers to an earlier registration", self.sender)
        return self._ordered_by_master() and self._has_asked

    def agent_registered(self, message: AgentRegisteredMessage) -> None:
        if self._is_answered():
            self._connect(message.agent_id, message.total_ping_timeout_seconds)

    def _connect(self, agent_id: AgentID, ping_timeout_seconds: float) -> None:
        """The master answered: it knows this agent, by this id."""
        if self.state is not AgentState.DISCONNECTED:
            return
        if self.info.id not in (None, agent_id):
            log.error("%s calls this agent %s, but it is %s", self.sender, agent_id, self.info.id)
            return
        log.info("registered with %s as %s", self.sender, agent_id)
        if self.info.id is None:
            self.info = replace(self.info, id=agent_id)
            self._open_journal().begin()  # before anybody looks for it
            remember_agent(self.storage, self.info)
        self.state = AgentState.REGISTERED
        self._cancel_attempt()
        self._ping_timeout_seconds = ping_timeout_seconds
        self._expect_ping()

    def _disconnect(self) -> None:
        """Nobody is known to listen: what is not acknowledged waits until the agent has registered again."""
        if self.state is AgentState.REGISTERED:
            self.state = AgentState.DISCONNECTED
        self._is_identified = self._has_asked = False
        self._cancel_attempt()
        if self._silence is not None:
            self._silence.cancel()
        for stream in self.streams.values():
            stream.rest()

    def _cancel_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    # Liveness.

    def ping_agent(self, message: PingAgentMessage) -> None:
        self.reply(PongAgentMessage())
        is_mine = self.master is not None and self.sender.address == self.master.pid.address
        if self.state is not AgentState.REGISTERED or not is_mine:
            return
        if message.connected:
            self._expect_ping()
        else:
            log.warning("the master lost its link to this agent; registering again")
            self._register_anew()

    def _expect_ping(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.delay(self._ping_timeout_seconds, MasterSilentMessage())

    def master_silent(self, message: MasterSilentMessage) -> None:
        if self.state is AgentState.REGISTERED:
            log.warning("no ping for %g s; registering again", self._ping_timeout_seconds)
            self._register_anew()

    def _register_anew(self) -> None:
        self._disconnect()
        if self.master is not None:
            self.link(self.master.pid)
            self._register_soon()

    def _master_exited(self, reason: str) -> None:
        """The link to the master broke. The detector has one of its own, and says who is the master next."""
        if self.state is AgentState.REGISTERED:
            log.warning("lost the master: %s", reason)
        self._disconnect()
