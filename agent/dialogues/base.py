"""What all of the agent's dialogues share: what it was started with, its master, its records."""

from __future__ import annotations

import logging
from enum import StrEnum

from agent.checkpoints.facts import AnyFact, UpdateFact
from agent.checkpoints.identity import journal_path
from agent.checkpoints.journal import Journal
from agent.checkpoints.replay import facts_of
from agent.dialogues.messages import SyncJournalMessage, WriteJournalMessage
from agent.flags import AgentFlags
from agent.guests import EVERYBODY, Guests
from agent.metrics import AgentMetrics
from agent.ports import Containerizer, Volumes
from agent.records.framework import Frameworks
from agent.records.lasting import Lasting
from agent.records.updates import Streams
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.ports import Envelope
from libprocess.timers import Timer
from mesos.access.credentials import Credential
from mesos.access.rights import Rights
from mesos.ids import AgentID, ContainerID
from mesos.types import AgentInfo, Environment, MasterInfo

log = logging.getLogger("agent")

SYNC_LATER_SECONDS = 0.05
"""So long something may be in the machine's hands that is of use only as long as that runs."""


class AgentState(StrEnum):
    """How an agent stands to its master."""

    RECOVERING = "RECOVERING"
    """It takes up what runs since an earlier life, and is not there for a master yet."""
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
        boot_id: str = "",
        credential: Credential | None = None,
        guests: Guests = EVERYBODY,
    ) -> None:
        """`info` says what the operator has the agent give; `environment` is what every container gets.

        The `janitor` is told of each sandbox that is not needed any more; without one they stay. `boot_id` is another
        one each time that the machine is started. With a `credential` it proves to masters who it is.
        """
        self.flags = flags
        self.info = info
        self.containerizer = containerizer
        self.environment = environment
        self.volumes = volumes
        self.janitor = janitor
        self.credential = credential
        self.guests = guests
        self.files: PID | None = None
        """The actor that shows sandboxes over HTTP."""
        self.boot_id = boot_id
        self.state = AgentState.RECOVERING
        self.master: MasterInfo | None = None
        self.frameworks = Frameworks(flags.max_completed_executors_per_framework)
        self.streams = Streams()
        """Updates that are not acknowledged, also of tasks that never were."""
        self._journal: Journal | None = None
        self._must_sync = False
        self._sync_later: Timer | None = None
        self._unsaid: list[Envelope] = []
        self._over: list[ContainerID] = []

    def initialize(self) -> None:
        self._post_now, self._post = self._post, self._post_when_written
        self.counts = AgentMetrics(self.metrics, self.frameworks, lambda: self.lasting.total, lambda: self.now)
        self.metrics.gauge("slave/registered", lambda: int(self.state is AgentState.REGISTERED))

    @property
    def id(self) -> AgentID:
        """What the master calls this agent; asked for only once it has registered."""
        assert self.info.id is not None
        return self.info.id

    # What must not be forgotten. While something of it is not written yet, nothing is said to anybody: whoever hears of
    # it can rely on it. Updates are on disk by then; all else is of use only as long as the machine runs, and may take
    # a moment.

    def _open_journal(self) -> Journal:
        """Begin to write down what this agent must not forget."""
        self._journal = Journal(self.storage, journal_path(self.id))
        return self._journal

    def _note(self, fact: AnyFact) -> None:
        """Write something down, together with all else that comes about in this turn."""
        assert self._journal is not None
        if not self._journal.is_behind:
            self.send(self.pid, WriteJournalMessage())
        self._journal.add(fact)
        self._must_sync = self._must_sync or isinstance(fact, UpdateFact)

    def write_journal(self, message: WriteJournalMessage) -> None:
        if self.sender == self.pid:
            self._write(self._must_sync)

    def sync_journal(self, message: SyncJournalMessage) -> None:
        if self.sender == self.pid:
            self._sync_later = None
            self._write(and_sync=True)

    def _write(self, and_sync: bool) -> None:
        """Write what was noted, and say what was held back for that."""
        if self._journal is not None:
            self._write_journal(self._journal, and_sync)
        unsaid, self._unsaid = self._unsaid, []
        for envelope in unsaid:
            self._post_now(envelope)
        over, self._over = self._over, []
        for container_id in over:
            self.containerizer.forget(container_id)

    def _write_journal(self, journal: Journal, and_sync: bool) -> None:
        journal.write()
        if journal.is_overgrown:
            journal.rewrite(facts_of(self.frameworks, self.streams))
        elif and_sync:
            journal.sync()
        elif not journal.is_synced and self._sync_later is None:
            self._sync_later = self.delay(SYNC_LATER_SECONDS, SyncJournalMessage())
        self._must_sync = False

    def finalize(self) -> None:
        self._write(and_sync=True)

    def _post_when_written(self, envelope: Envelope) -> None:
        """What this actor sends goes through here."""
        if self._journal is not None and self._journal.is_behind:
            self._unsaid.append(envelope)
        else:
            self._post_now(envelope)

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
