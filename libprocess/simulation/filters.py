"""Filters: a test's hand on the mail. See it, drop it, or hold it back, by type, receiver and sender."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.ports import Envelope
from libprocess.runtime import Runtime

M = TypeVar("M", bound=Message)

DROPPED = "dropped by a filter"


class Verdict(Enum):
    """What becomes of mail that a filter sees."""

    PASS = "pass"
    DROP = "drop"
    HOLD = "hold"


class Filter(Generic[M]):
    """What `World.expect`, `drop` and `hold` return."""

    def __init__(self, kind: type[M], to: PID | None, sender: PID | None, verdict: Verdict) -> None:
        self.seen: list[M] = []
        """The messages that this filter caught so far, in order."""
        self._kind = kind
        self._to = to
        self._sender = sender
        self._verdict = verdict
        self._held: list[tuple[Runtime, Envelope]] = []

    def _catches(self, envelope: Envelope) -> bool:
        to, sender, message, _, _ = envelope
        return isinstance(message, self._kind) and self._to in (None, to) and self._sender in (None, sender)

    def _catch(self, node: Runtime, envelope: Envelope) -> bool:
        """True if the mail is taken away."""
        self.seen.append(envelope[2])  # type: ignore[arg-type]
        if self._verdict is Verdict.DROP:
            node.lost(envelope, DROPPED)  # not even an `ask` learns it
        elif self._verdict is Verdict.HOLD:
            self._held.append((node, envelope))
        return self._verdict is not Verdict.PASS


class Filters:
    """All filters of a world. Each piece of mail is shown to all, just before its handler would run, until one takes
    it away.
    """

    def __init__(self, nodes: Mapping[Address, Runtime]) -> None:
        self._nodes = nodes
        self._filters: list[Filter[Any]] = []
        self._released: list[Envelope] = []  # on its way a second time, and not to be caught again

    def __bool__(self) -> bool:
        return bool(self._filters or self._released)

    def add(self, kind: type[M], to: PID | None, sender: PID | None, verdict: Verdict) -> Filter[M]:
        """Begin to filter."""
        added = Filter(kind, to, sender, verdict)
        self._filters.append(added)
        return added

    def intercept(self, node: Runtime, envelope: Envelope) -> bool:
        """See `ports.Interceptor`."""
        if self._released and any(envelope is released for released in self._released):
            return False
        return any(f._catch(node, envelope) for f in list(self._filters) if f._catches(envelope))

    def restore(self, ended: Filter[M]) -> None:
        """End a filter; what it holds is lost."""
        for node, envelope in self._end(ended):
            node.lost(envelope, DROPPED)

    def release(self, ended: Filter[M]) -> None:
        """End a filter; what it holds goes on, in order. What waited for a node that crashed is lost with it."""
        for node, envelope in self._end(ended):
            if self._nodes.get(node.address) is node:
                self._released.append(envelope)
                node.deliver([envelope])
                self._released.pop()

    def _end(self, ended: Filter[M]) -> list[tuple[Runtime, Envelope]]:
        if ended in self._filters:
            self._filters.remove(ended)
        held, ended._held = ended._held, []
        return held
