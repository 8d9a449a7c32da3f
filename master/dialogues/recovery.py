"""Recovery: what a master knows of those before it, who does not come back, and what is forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import starmap
from operator import attrgetter
from typing import TypeVar

from libprocess.message import Message
from master.allocator.messages import ExpectAgentsMessage, RoleWeight
from master.dialogues.base import log
from master.dialogues.losses import Losses
from master.dialogues.roles import Roles
from master.registrar.entries import (
    AgentEntry,
    EndedFrameworkEntry,
    Entry,
    FrameworkEntry,
    MaintenanceEntry,
    QuotasEntry,
    Standing,
    WeightsEntry,
)
from master.registrar.messages import RegistryLostMessage, RegistryRecoveredMessage
from master.registrar.operations import ForgetFramework, MarkUnreachable, RemoveAgent, ReturnFramework, UpdateWeights
from mesos.ids import AgentID, FrameworkID
from mesos.messages import AgentLostMessage

ENOUGH_AGENTS = 0.8
"""When so many agents are back, quotas can be kept."""


Id = TypeVar("Id", AgentID, FrameworkID)


class RecoveredAgentsTimeoutMessage(Message, frozen=True):
    """Master → itself, when the agents of former masters have had their time to come back."""


class CollectRegistryMessage(Message, frozen=True):
    """Master → itself, every now and then: forget what nobody will ask for any more."""


class Recovery(Losses, Roles):
    """From the registry's first word to the last agent that was expected."""

    refused = ""
    """Why the operator has to do something before there can be a master."""
    lost = ""
    """Why it ended by itself."""

    def registry_recovered(self, message: RegistryRecoveredMessage) -> None:
        """See the message."""
        if self.sender != self.registrar:
            self.ignore("it is not the registrar")
            return
        for entry in message.entries:
            self._remember(entry)
        ended = (entry for entry in message.entries if isinstance(entry, EndedFrameworkEntry))
        for framework in sorted(ended, key=attrgetter("since", "id")):
            self.cluster.recall_framework(framework)
        if self.flags.weights and not any(isinstance(entry, WeightsEntry) for entry in message.entries):
            self.write(UpdateWeights(tuple(starmap(RoleWeight, self.flags.weights))))
        recovered = self.cluster.recovered
        if self.cluster.roles.quotas and recovered:
            self.send(self.allocator, ExpectAgentsMessage(max(1, int(len(recovered) * ENOUGH_AGENTS))))
        if recovered:
            log.info("%d agents of former masters may come back", len(recovered))
            self.delay(self.flags.agent_reregister_timeout_seconds, RecoveredAgentsTimeoutMessage())
        self.delay(self.flags.registry_gc_interval_seconds, CollectRegistryMessage())
        self.is_recovered = True
        for sender, early in self.early.items():
            self.put_back(sender, early)
        self.early.clear()

    def _remember(self, entry: Entry) -> None:
        match entry:
            case AgentEntry():
                self._remember_agent(entry)
            case FrameworkEntry():
                self.cluster.absent[entry.id] = entry
            case WeightsEntry():
                self.apply_weights(entry.weights)
            case QuotasEntry():
                self.apply_quotas(entry.quotas)
            case MaintenanceEntry():
                self.cluster.maintenance.set(entry.schedule, entry.down)

    def _remember_agent(self, entry: AgentEntry) -> None:
        cluster = self.cluster
        match entry.standing:
            case Standing.ADMITTED:
                cluster.recovered[entry.id] = entry
            case Standing.UNREACHABLE:
                cluster.unreachable[entry.id] = entry.since
            case Standing.GONE:
                cluster.gone[entry.id] = entry.since
        if entry.is_deactivated:
            cluster.order_agent(entry.id, True, entry.drain)

    def registry_lost(self, message: RegistryLostMessage) -> None:
        """See the message."""
        if self.sender != self.registrar:
            self.ignore("it is not the registrar")
            return
        self.lost = f"the registry is lost, and nothing can be written down any more: {message.reason}"
        self.refused = message.reason if message.is_refused else ""
        self.terminate()

    # Those who do not come back.

    _counted = False

    def recovered_agents_timeout(self, message: RecoveredAgentsTimeoutMessage) -> None:
        """See the message. They are given up one after the other, where their removal is limited."""
        if not self.is_own():
            return
        missing = sorted(set(self.cluster.recovered) - self.leaving - self.expected_ids)
        if self._are_too_many(len(missing)):
            return
        for agent_id in missing:
            self.schedule_removal(agent_id)
        while missing and self.limiter.take(self.now):
            self._give_up_recovered(missing.pop(0))
        if missing:
            self.delay(self.limiter.seconds_until(self.now), message)

    def _are_too_many(self, missing: int) -> bool:
        """When too many stay away it is rather this master that is cut off, and it ends. It is asked once."""
        if self._counted:
            return False
        self._counted = True
        known = len(self.cluster.recovered) + len(self.cluster.agents)
        limit = self.flags.recovery_agent_removal_limit
        if missing <= limit * known:
            return False
        self.lost = (
            f"{missing} of {known} agents did not come back within --agent_reregister_timeout, and "
            f"--recovery_agent_removal_limit allows {limit:.0%} to be given up; see whether this master is cut off, "
            "or allow more"
        )
        self.terminate()
        return True

    def _give_up_recovered(self, agent_id: AgentID) -> None:
        log.warning("agent %s of a former master did not come back in time", agent_id)
        self.overdue.discard(agent_id)
        self.leaving.add(agent_id)
        self.write(MarkUnreachable(agent_id, self.now), partial(self._recovered_given_up, agent_id, self.now))

    def _recovered_given_up(self, agent_id: AgentID, time: float) -> None:
        self.leaving.discard(agent_id)
        self.cluster.mark_unreachable(agent_id, time)
        self.counts.agents_marked_unreachable.value += 1
        self.counts.recovery_removals.value += 1
        for _, framework in sorted(self.cluster.frameworks.items()):
            self.tell(framework, AgentLostMessage(agent_id))

    # What is forgotten.

    def collect_registry(self, message: CollectRegistryMessage) -> None:
        """See the message."""
        if not self.is_own():
            return
        for agents in (self.cluster.unreachable, self.cluster.gone):
            for agent_id in self._old(agents, self.flags.registry_max_agent_count):
                self.write(RemoveAgent(agent_id), partial(self.cluster.forget_agent, agent_id))
        for framework_id in self._over():
            del self.cluster.absent[framework_id]
            self.write(ReturnFramework(framework_id))
        ended = {framework_id: entry.since for framework_id, entry in self.cluster.ended.items()}
        for framework_id in self._old(ended, self.flags.registry_max_framework_count):
            self.write(ForgetFramework(framework_id), partial(self.cluster.forget_framework, framework_id))
        self.delay(self.flags.registry_gc_interval_seconds, message)

    def _old(self, known: Mapping[Id, float], count_max: int) -> Iterator[Id]:
        """Those that nobody will ask for; the oldest, where there are too many."""
        surplus = len(known) - count_max
        changing = self.expected_ids | self.leaving
        oldest = sorted((since, id_) for id_, since in known.items() if id_ not in changing)
        for rank, (since, id_) in enumerate(oldest):
            if rank < surplus or self.now - since > self.flags.registry_max_agent_age_seconds:
                yield id_

    def _over(self) -> list[FrameworkID]:
        """Frameworks that nobody has heard of, and whose time was over long ago."""
        late = self.now - self.flags.agent_reregister_timeout_seconds
        return [
            entry.id
            for entry in self.cluster.absent.values()
            if entry.id not in self.cluster.frameworks
            and entry.id not in self.returning
            and entry.since + entry.failover_timeout_seconds < late
        ]
