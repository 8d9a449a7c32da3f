"""A virtual registry: what masters wrote down, as an ensemble keeps it, whichever of them dies, and when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache

from libprocess import PID, Message, Runtime
from libprocess.simulation import World
from master.registrar.entries import AGENT, FRAMEWORK, AgentEntry, EndedFrameworkEntry, Rows, Standing, read_entry
from master.registrar.messages import RegistryFetchedMessage, RegistryStoredMessage, StoreFailedMessage
from master.registrar.store import Changes, change_rows
from mesos.ids import AgentID, FrameworkID

_read = lru_cache(maxsize=1000)(read_entry)
"""A witness looks at all rows every second, and few are new."""


class Ensemble:
    """What is safe, and who may change it."""

    def __init__(self, world: World, chance: random.Random, seconds_max: float = 0.0) -> None:
        """To write takes up to `seconds_max`; nothing at all unless that is said."""
        self.rows: Rows = {}
        self.holder = 0
        """Who read it last, as a number: only that one may write."""
        self.world = world
        self.chance = chance
        self.seconds_max = seconds_max
        self.fails_next = False
        """The next write fails, at once or because nobody answers; each entry may have been written all the same."""
        self.unanswered: Runtime | None = None
        """The master that was left waiting so last: in the end it gives up, and with that itself."""

    def standing(self, agent_id: AgentID) -> Standing | None:
        """How an agent stands by what is safe; None if there is nothing of it."""
        return next((entry.standing for entry in self._agents(agent_id)), None)

    def has_ended(self, framework_id: FrameworkID) -> bool:
        """Whether it is safe that a framework is over."""
        row = self.rows.get(FRAMEWORK + framework_id)
        return row is not None and isinstance(read_entry(FRAMEWORK + framework_id, row), EndedFrameworkEntry)

    def deactivated(self) -> list[AgentID]:
        """The agents that operators do not want to be offered."""
        return [entry.id for entry in self._agents() if entry.is_deactivated]

    def drained(self) -> list[AgentID]:
        """The agents that are empty, as operators wanted."""
        return [entry.id for entry in self._agents() if entry.drain is not None and entry.drain.is_done]

    def _agents(self, agent_id: str = "") -> Iterator[AgentEntry]:
        """All agents, or that one."""
        keys = [AGENT + agent_id] if agent_id else sorted(self.rows)
        for key in keys:
            if key.startswith(AGENT) and key in self.rows:
                entry = _read(key, self.rows[key])
                assert isinstance(entry, AgentEntry)
                yield entry


class VirtualStore:
    """One master's way to an ensemble (see `Store`). A write whose master dies meanwhile may be done in part."""

    ensemble_size = 3
    remedy = "play it again"

    def __init__(self, ensemble: Ensemble, node: Runtime) -> None:
        self._ensemble = ensemble
        self._node = node
        self._holder = 0

    def fetch(self, asker: PID) -> None:
        """See `Store`."""
        ensemble = self._ensemble
        ensemble.holder += 1
        self._holder = ensemble.holder
        self._answer(asker, RegistryFetchedMessage(tuple(sorted(ensemble.rows.items()))))

    def store(self, asker: PID, changes: Changes) -> None:
        """See `Store`."""
        ensemble = self._ensemble
        if ensemble.fails_next:
            self._fail(asker, changes)
            return
        if not ensemble.seconds_max:
            self._answer(asker, self._write(changes))
            return
        seconds = ensemble.chance.uniform(0.0, ensemble.seconds_max)

        def arrive() -> None:
            if ensemble.world.nodes.get(self._node.address) is not self._node:
                self._write(self._part(changes))
                return
            outcome = self._write(changes)
            self._answer(asker, outcome, ensemble.chance.uniform(0.0, ensemble.seconds_max))

        ensemble.world.timeline.at(ensemble.world.elapsed + seconds, arrive)

    def _fail(self, asker: PID, changes: Changes) -> None:
        ensemble = self._ensemble
        ensemble.fails_next = False
        self._write(self._part(changes))
        if ensemble.chance.random() < 0.5:
            self._answer(asker, StoreFailedMessage("a planned failure"))
        else:
            ensemble.unanswered = self._node

    def _part(self, changes: Changes) -> Changes:
        chance = self._ensemble.chance
        return {key: value for key, value in sorted(changes.items()) if chance.random() < 0.5}

    def _write(self, changes: Changes) -> Message:
        if self._ensemble.holder != self._holder:
            return StoreFailedMessage("another master holds the registry now")
        change_rows(self._ensemble.rows, changes)
        return RegistryStoredMessage()

    def _answer(self, asker: PID, message: Message, seconds: float = 0.0) -> None:
        if seconds:
            self._node.clock.later(seconds, lambda: self._node.send(asker, message))
        else:
            self._node.send(asker, message)

    def close(self) -> None:
        """See `Store`."""
