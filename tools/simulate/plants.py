"""Plants: bugs made on purpose, from outside, to see that the simulation catches them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, TypeAlias
from unittest.mock import patch

from agent.agent import Agent
from agent.dialogues.messages import RetryUpdateMessage
from agent.records.updates import UpdateStream
from master.dialogues.base import Dialogue
from master.dialogues.losses import Losses
from master.dialogues.offers import Offers
from master.records import AgentRecord, Cluster
from master.registrar.operations import Operation
from master.updates import Verdict
from mesos.detector import MasterDetector
from mesos.ids import AgentID
from mesos.scheduler.process import SchedulerProcess
from tools.simulate.contest_plants import CONTEST_PLANTS
from tools.simulate.operator_plants import OPERATOR_PLANTS
from tools.simulate.witness_plants import WITNESS_PLANTS


@contextmanager
def lost_retry() -> Iterator[None]:
    """Who has looked for a master and found none, does not look again."""
    with patch.object(MasterDetector, "_find_later", lambda _: None):
        yield


@contextmanager
def lost_update() -> Iterator[None]:
    """An agent sends updates once, and again only when its master or their scheduler comes back."""
    with patch.dict(Agent._table, {RetryUpdateMessage: lambda _, __: None}):
        yield


@contextmanager
def renamed_id() -> Iterator[None]:
    """A master leaves its own name out of the ids that it gives to agents, so that the next one gives them again."""
    given = Cluster.new_agent_id

    def without_its_name(cluster: Cluster) -> AgentID:
        return AgentID(given(cluster).rpartition("-")[2])

    with patch.object(Cluster, "new_agent_id", without_its_name):
        yield


@contextmanager
def double_offer() -> Iterator[None]:
    """A master makes two offers of the same resources, every hundredth time."""
    offer: Callable[..., None] = Offers._offer
    serial = itertools.count(1)

    def twice(self: Offers, *arguments: Any) -> None:
        offer(self, *arguments)
        if next(serial) % 100 == 0:
            offer(self, *arguments)

    with patch.object(Offers, "_offer", twice):
        yield


@contextmanager
def early_act() -> Iterator[None]:
    """A master acts at once, and has it written down meanwhile."""
    write = Dialogue.write

    def act(self: Dialogue, operation: Operation, then: Callable[[], None] = lambda: None) -> None:
        write(self, operation)
        then()

    with patch.object(Dialogue, "write", act):
        yield


@contextmanager
def silent_end() -> Iterator[None]:
    """A master that gives an agent up takes back what it offered there, and tells nobody."""
    remove = Losses.remove_agent

    def silently(self: Losses, agent: AgentRecord, verdict: Verdict) -> None:
        self.give_back(agent.offers.values())
        remove(self, agent, verdict)

    with patch.object(Losses, "remove_agent", silently):
        yield


@contextmanager
def kept_offer() -> Iterator[None]:
    """A master that loses the link to an agent lets its offers of it stand."""
    exited = Losses.agent_exited

    def kept(self: Losses, agent: AgentRecord, reason: str) -> None:
        with patch.object(Losses, "rescind", lambda *_: None):
            exited(self, agent, reason)

    with patch.object(Losses, "agent_exited", kept):
        yield


@contextmanager
def old_master() -> Iterator[None]:
    """A driver that has found another master goes on to listen to the one before."""
    with patch.object(SchedulerProcess, "_hears_master", lambda self: self._connected):
        yield


@contextmanager
def any_acknowledgement() -> Iterator[None]:
    """An agent takes the acknowledgement of one update for that of another."""
    acknowledge = UpdateStream.acknowledge

    def any_will_do(self: UpdateStream, uuid: bytes) -> bool:
        first = self.first
        return acknowledge(self, uuid if first is None else first.status.uuid)

    with patch.object(UpdateStream, "acknowledge", any_will_do):
        yield


Plant: TypeAlias = Literal[
    "none",
    "lost-retry",
    "lost-update",
    "renamed-id",
    "double-offer",
    "early-act",
    "silent-end",
    "kept-offer",
    "old-master",
    "any-acknowledgement",
    "newest-state",
    "fresh-start",
    "early-grave",
    "no-patience",
    "half-drained",
    "survivors",
    "poisoned-id",
    "half-clean",
    "untold-change",
    "forgotten-change",
    "no-limit",
    "forgotten-quota",
    "no-headroom",
    "kept-free",
    "lost-recovery",
    "endless-refusal",
    "largest-first",
    "no-timeout",
]

PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "none": nullcontext,
    "lost-retry": lost_retry,
    "lost-update": lost_update,
    "renamed-id": renamed_id,
    "double-offer": double_offer,
    "early-act": early_act,
    "silent-end": silent_end,
    "kept-offer": kept_offer,
    "old-master": old_master,
    "any-acknowledgement": any_acknowledgement,
    **WITNESS_PLANTS,
    **OPERATOR_PLANTS,
    **CONTEST_PLANTS,
}
