"""Inputs: what an actor is told of the world beside its mail: the time, chance, and what its files hold.

With them in a recording, an actor can be replayed on its mail and does the same. They are records of their own, between
those of the mail that was being handled:

    ["now",     n, time, seconds]
    ["chance",  n, time, value]              of `random()`, or of `getrandbits()`
    ["read",    n, time, path, content]      null where there is no file
    ["listed",  n, time, path, names]
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from libprocess.ports import Storage

if TYPE_CHECKING:
    from libprocess.recording.tracer import Tracer
    from libprocess.runtime import Runtime

KINDS = ("now", "chance", "read", "listed")


class Inputs:
    """Writes inputs to a node's recording, each where it was asked for."""

    def __init__(self, runtime: Runtime, tracer: Tracer) -> None:
        self._runtime = runtime
        self._tracer = tracer
        self._now = runtime.clock.now

    def now(self) -> float:
        """The time, noted."""
        now = self._now()
        self.note("now", now)
        return now

    def note(self, kind: str, *values: Any) -> None:
        """An actor was told this. Outside a turn nobody can say which actor, so it is not noted."""
        if self._runtime._turning and self._runtime._caught_up() is not None:
            self._tracer._append((kind, self._tracer._node, self._now(), *values))


class NotedChance(random.Random):
    """Randomness of which each draw is noted."""

    def __new__(cls, *_: object) -> NotedChance:
        return super().__new__(cls)

    def __init__(self, chance: random.Random, inputs: Inputs) -> None:
        super().__init__(0)
        self._chance = chance
        self._inputs = inputs

    def random(self) -> float:
        """See `random.Random`, as all else is made of this and `getrandbits`."""
        value = self._chance.random()
        self._inputs.note("chance", value)
        return value

    def getrandbits(self, k: int, /) -> int:
        """See `random.Random`."""
        value = self._chance.getrandbits(k)
        self._inputs.note("chance", value if k <= 64 else value.to_bytes((k + 7) // 8, "big"))
        return value


class NotedStorage:
    """Files of which what is read is noted."""

    def __init__(self, storage: Storage, inputs: Inputs) -> None:
        self._storage = storage
        self._inputs = inputs
        self.write = storage.write
        self.append = storage.append
        self.sync = storage.sync
        self.remove = storage.remove

    def read(self, path: str) -> bytes | None:
        """See `ports.Storage`."""
        content = self._storage.read(path)
        self._inputs.note("read", path, content)
        return content

    def list(self, path: str) -> list[str]:
        """See `ports.Storage`."""
        names = self._storage.list(path)
        self._inputs.note("listed", path, names)
        return names


def record_inputs(runtime: Runtime, tracer: Tracer) -> None:
    """Have a node's recording tell all inputs too, from now on; to be called before there are actors."""
    inputs = Inputs(runtime, tracer)
    runtime.now = inputs.now
    runtime.chance = NotedChance(runtime.chance, inputs)
    runtime.storage = NotedStorage(runtime.storage, inputs)
