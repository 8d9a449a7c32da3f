"""Audit: looks at the mail of a cluster as it is handled, and says when a promise is broken.

What it may know beyond the mail are the books of the master, and the containers that really are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.agent import AGENT_ID, Agent
from agent.records.updates import RETRY_SECONDS, RETRY_SECONDS_MAX
from libprocess import PID, Message, Runtime
from libprocess.process import ExitedMessage
from libprocess.recording import Record
from master.master import Master
from master.registrar.entries import Standing
from mesos.ids import AgentID, FrameworkID, OfferID, TaskID
from mesos.messages import (
    AcceptOffersMessage,
    AgentLostMessage,
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    DeclineOffersMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.types import Offer, StatusUpdate
from tools.simulate.cluster import Cluster
from tools.simulate.containers import VirtualContainers

GRACE_SECONDS = 1.0
"""What is due may be so late."""


class BrokenPromiseError(AssertionError):
    """A cluster did what it must never do. The text says what."""


class Home(NamedTuple):
    """Where an update is kept."""

    node: Runtime
    """Of the agent that has it."""
    disk: int
    """How many disks that machine had had before this one."""


@dataclass
class Owed:
    """An update that an agent sent, and that was not acknowledged yet."""

    node: Runtime
    uuid: bytes
    times: int
    """How often it was sent."""
    due: float
    """When it must have been sent again, in seconds since the cluster began."""
    is_kept: bool = False
    """The agent was paused, or not registered, when it was last looked at: it needs a moment."""


class Audit:
    """Listens to a cluster from its beginning. Its steps raise BrokenPromiseError as soon as something is wrong."""

    def __init__(self, cluster: Cluster) -> None:
        self.updates: dict[tuple[FrameworkID, TaskID], dict[bytes, Home]] = {}
        """By task: the updates that its agent sent to a master, in the order in which it did so for the first time."""
        self.promised: dict[tuple[FrameworkID, TaskID], dict[bytes, Home]] = {}
        """By task: the updates that its agent told the executor to take care of."""
        self.shut_down: set[FrameworkID] = set()
        """The frameworks that a master ended; nobody is left then who would be told of their tasks."""
        self.adopted: set[FrameworkID] = set()
        """Those that an operator lets in again just now: a master may still not know, and end what it finds of them."""
        self._cluster = cluster
        self._broken = ""
        self._agents: dict[AgentID, PID] = {}
        self._schedulers: dict[FrameworkID, PID] = {}
        self._offers: dict[OfferID, Offer] = {}
        self._standing: dict[tuple[PID, PID], dict[OfferID, AgentID]] = {}
        """By master and scheduler: the offers of one that the other has no reason to think are over."""
        self._settled: dict[tuple[FrameworkID | None, TaskID], set[bytes]] = {}
        """By task: the updates whose acknowledgement came to its agent."""
        self._ordered: set[tuple[FrameworkID | None, TaskID]] = set()
        self._owed: dict[tuple[FrameworkID, TaskID], Owed] = {}
        self._look_at = 0.0
        cluster.journal.listeners.append(self._listen)
        cluster.after_step.append(self._raise)

    def watch(self, containers: VirtualContainers, agent: Agent) -> None:
        """See to it that what runs on a machine never asks for more than there is.

        What was told to end does not count: a master takes what a framework had for free as soon as that is over.
        """

        def look() -> None:
            staying = [container for container in containers.living.values() if not container.is_ending]
            asked = [container.resources.unallocate() for container in staying]
            whole = agent.lasting.total.unallocate()
            if not _fit(asked, whole):
                self.break_promise(f"{agent.pid.host} has {whole}, and runs {', '.join(map(str, asked))}")

        containers.when_launched = look

    def _raise(self) -> None:
        if self._cluster.failures:
            self.break_promise(f"an actor failed\n{self._cluster.failures[0]}")
        if self._cluster.elapsed >= self._look_at:
            self._look_at = self._cluster.elapsed + GRACE_SECONDS
            self._check_retries()
        if self._broken:
            raise BrokenPromiseError(self._broken)

    def break_promise(self, what: str) -> None:
        """A promise is broken; the first counts."""
        self._broken = self._broken or what

    def _listen(self, node: Runtime, record: Record) -> None:
        if record[0] != "turn":
            return
        for to, sender, message, _, _ in record[3]:
            look = _LOOKS.get(type(message))
            if look is not None:
                look(self, node, to, sender, message)

    # Each of these is shown one kind of mail: where it is handled, and where it is sent from.

    def _agent_registered(self, node: Runtime, to: PID, sender: PID, message: AgentRegisteredMessage) -> None:
        known = self._agents.setdefault(message.agent_id, to)
        if known != to:
            self.break_promise(f"agent id {message.agent_id} was given to {known} and to {to}")
        self._agent_admitted(node, to, sender, message)

    def _agent_admitted(
        self, node: Runtime, to: PID, sender: PID, message: AgentRegisteredMessage | AgentReregisteredMessage
    ) -> None:
        """What a master tells an agent is written down, as long as it is the only one that may write."""
        if self._is_told_by_holder(node, sender):
            standing = self._cluster.registry.standing(message.agent_id)
            if standing is not Standing.ADMITTED:
                self.break_promise(f"agent {message.agent_id} is told that it is admitted; written down is {standing}")

    def _agent_lost(self, node: Runtime, to: PID, sender: PID, message: AgentLostMessage) -> None:
        if node.address == sender.address:
            kept = [id for id, agent_id in self._standing.get((sender, to), {}).items() if agent_id == message.agent_id]
            if kept:
                self.break_promise(
                    f"agent {message.agent_id} is lost, and nobody told {to} that offer {kept[0]} is over"
                )
        if self._is_told_by_holder(node, sender):
            standing = self._cluster.registry.standing(message.agent_id)
            if standing is Standing.ADMITTED:
                self.break_promise(f"agent {message.agent_id} is told to be lost; written down is {standing}")

    def _is_told_by_holder(self, node: Runtime, sender: PID) -> bool:
        """Whether a master that nobody has deposed yet lets this go just now."""
        newest = self._cluster.masters[-1] if self._cluster.masters else None
        return node.address == sender.address and newest is not None and newest.pid == sender

    def _framework_registered(self, node: Runtime, to: PID, sender: PID, message: FrameworkRegisteredMessage) -> None:
        known = self._schedulers.setdefault(message.framework_id, to)
        if known != to:
            self.break_promise(f"framework id {message.framework_id} was given to {known} and to {to}")
        self._framework_admitted(node, to, sender, message)

    def _framework_admitted(
        self, node: Runtime, to: PID, sender: PID, message: FrameworkRegisteredMessage | FrameworkReregisteredMessage
    ) -> None:
        """Whoever registers knows that all it was offered before is over; what ended is not taken back."""
        if node.address == sender.address:
            self._standing.pop((sender, to), None)
        if self._is_told_by_holder(node, sender) and self._cluster.registry.has_ended(message.framework_id):
            self.break_promise(f"framework {message.framework_id} is taken back; written down is that it ended")

    def _run_task(self, node: Runtime, to: PID, sender: PID, message: RunTaskMessage) -> None:
        if node.address != to.address or to.id != AGENT_ID:
            return  # an agent hands it on to its executor
        key = (message.framework.id, message.task.task_id)
        if key in self._ordered:
            self.break_promise(f"task {message.task.task_id} of framework {message.framework.id} was launched twice")
        self._ordered.add(key)

    def _resource_offers(self, node: Runtime, to: PID, sender: PID, message: ResourceOffersMessage) -> None:
        if node.address != sender.address:
            return
        master = node.processes.get(sender)
        for offer in message.offers:
            if offer.id in self._offers:
                self.break_promise(f"offer id {offer.id} was used twice, for {self._offers[offer.id]} and for {offer}")
            self._offers[offer.id] = offer
            self._standing.setdefault((sender, to), {})[offer.id] = offer.agent_id
            if isinstance(master, Master):
                self._check_books(master, offer.agent_id)

    def _offer_rescinded(self, node: Runtime, to: PID, sender: PID, message: RescindResourceOfferMessage) -> None:
        if node.address == sender.address:
            self._standing.get((sender, to), {}).pop(message.offer_id, None)

    def _offers_answered(
        self, node: Runtime, to: PID, sender: PID, message: AcceptOffersMessage | DeclineOffersMessage
    ) -> None:
        for offer_id in message.offer_ids:
            self._standing.get((to, sender), {}).pop(offer_id, None)

    def _link_broken(self, node: Runtime, to: PID, sender: PID, message: ExitedMessage) -> None:
        """A master that has lost an agent offers nothing of it; one that has lost a scheduler says nothing to it."""
        master = node.processes.get(to)
        if not isinstance(master, Master):
            return
        self._standing.pop((to, message.pid), None)
        for agent in master.cluster.agents.values():
            if agent.pid == message.pid and not agent.connected and agent.offers:
                self.break_promise(
                    f"agent {agent.id} is not connected, and offers of it stand: {', '.join(agent.offers)}"
                )

    def _check_books(self, master: Master, agent_id: AgentID) -> None:
        agent = master.cluster.agents.get(agent_id)
        if agent is None:
            return
        offered = [offer.resources for offer in agent.offers.values()]
        used = agent.used.total().unallocate()
        if not _fit([*offered, _at_most(used, agent.total)], agent.total):
            lots = ", ".join(map(str, offered))
            self.break_promise(
                f"agent {agent_id} has {agent.total}, of which {used or 'nothing'} is used, and {lots} offered"
            )

    def _shutdown_framework(self, node: Runtime, to: PID, sender: PID, message: ShutdownFrameworkMessage) -> None:
        """What ends is written down as ended, so that nobody lets it live on of which nothing is left."""
        self.shut_down.add(message.framework_id)
        is_over = message.framework_id in self.adopted or self._cluster.registry.has_ended(message.framework_id)
        if self._is_told_by_holder(node, sender) and not is_over:
            self.break_promise(f"framework {message.framework_id} is shut down; written down is not that it ended")

    def _status_update(self, node: Runtime, to: PID, sender: PID, message: StatusUpdateMessage) -> None:
        if sender.address == node.address != to.address and sender.id == AGENT_ID:
            update = message.update
            key = update.framework_id, update.status.task_id
            sent = self.updates.setdefault(key, {})
            self._check_its_turn(update, sent, node)
            sent.setdefault(update.status.uuid, self._home(node))
            owed = self._owed.get(key)
            again = owed is not None and owed.node is node and owed.uuid == update.status.uuid
            times = owed.times + 1 if owed and again else 1
            wait_seconds = min(RETRY_SECONDS * 2 ** (times - 1), RETRY_SECONDS_MAX)
            due = self._cluster.elapsed + wait_seconds + GRACE_SECONDS
            self._owed[key] = Owed(node, update.status.uuid, times, due)

    def _check_its_turn(self, update: StatusUpdate, sent: dict[bytes, Home], node: Runtime) -> None:
        """An agent sends no update before the last one is acknowledged: that one, and no other."""
        uuid, task_id = update.status.uuid, update.status.task_id
        last = next(reversed(sent), b"")
        if not uuid or not last or uuid in sent or sent[last].node is not node:
            return
        if last not in self._settled.get((update.framework_id, task_id), ()):
            self.break_promise(
                f"{node.address} goes on to the next update of task {task_id}, and {last.hex()} was not acknowledged"
            )

    def _acknowledged(self, node: Runtime, to: PID, sender: PID, message: StatusUpdateAcknowledgementMessage) -> None:
        key = message.framework_id, message.task_id
        if sender.id == AGENT_ID and sender.address == node.address:
            self.promised.setdefault(key, {})[message.uuid] = self._home(node)
        elif to.id == AGENT_ID and to.address == node.address:
            self._settled.setdefault(key, set()).add(message.uuid)
            owed = self._owed.get(key)
            if owed is not None and owed.uuid == message.uuid:
                del self._owed[key]

    def _check_retries(self) -> None:
        """What is not acknowledged, an agent that has a master sends again in time."""
        now = self._cluster.elapsed
        for key, owed in list(self._owed.items()):
            agent = owed.node.processes.get(PID(AGENT_ID, *owed.node.address))
            if self._cluster.nodes.get(owed.node.address) is not owed.node or not isinstance(agent, Agent):
                del self._owed[key]
            elif self._cluster.is_paused(owed.node) or agent.state != "REGISTERED":
                owed.is_kept = True
            elif owed.is_kept:
                owed.is_kept = False
                owed.due = max(owed.due, now + 2 * GRACE_SECONDS)
            elif owed.due <= now:
                stream = agent.streams.get(key)
                if stream is not None and stream.first is not None and stream.first.status.uuid == owed.uuid:
                    self.break_promise(
                        f"{agent.pid} does not send an update of task {key[1]} again that nobody acknowledged"
                    )
                del self._owed[key]

    def _home(self, node: Runtime) -> Home:
        return Home(node, self._cluster.disks[node.address.host])


def _fit(parts: list[Resources], whole: Resources) -> bool:
    """Whether disjoint parts come out of one whole."""
    left = whole
    for part in parts:
        if not left.contains(part):
            return False
        left -= part
    return True


def _at_most(used: Resources, whole: Resources) -> Resources:
    """What is used, but of each kind no more than there is: an operator may have taken away what was just given."""
    kinds = [kind for kind, _ in used.items]
    parts = [(used.filter(kind.__eq__), whole.filter(kind.__eq__)) for kind in kinds]
    return Resources.sum(part if there.contains(part) else there for part, there in parts)


_LOOKS: Mapping[type[Message], Callable[[Audit, Runtime, PID, PID, Any], None]] = {
    AgentRegisteredMessage: Audit._agent_registered,
    AgentReregisteredMessage: Audit._agent_admitted,
    AgentLostMessage: Audit._agent_lost,
    RescindResourceOfferMessage: Audit._offer_rescinded,
    AcceptOffersMessage: Audit._offers_answered,
    DeclineOffersMessage: Audit._offers_answered,
    ExitedMessage: Audit._link_broken,
    FrameworkRegisteredMessage: Audit._framework_registered,
    FrameworkReregisteredMessage: Audit._framework_admitted,
    ResourceOffersMessage: Audit._resource_offers,
    RunTaskMessage: Audit._run_task,
    ShutdownFrameworkMessage: Audit._shutdown_framework,
    StatusUpdateMessage: Audit._status_update,
    StatusUpdateAcknowledgementMessage: Audit._acknowledged,
}
