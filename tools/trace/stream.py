"""Stream: the records of a tapped node, as they come in, as steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack

from libprocess.pid import Address
from libprocess.recording.mail import expand
from libprocess.recording.naming import Spec
from tools.trace.scanning import Node
from tools.trace.story import NO_MESSAGE, NO_PID, Step


class Stream:
    """One node's records. Feed it bytes; it yields what is known for certain."""

    def __init__(self, number: int) -> None:
        self.node: Node | None = None
        self.names: dict[str, Spec] = {}
        self._number = number
        self._unpacker = msgpack.Unpacker(use_list=True, strict_map_key=False)
        self._unfinished: list[Step] = []  # the mail being handled, and what happened meanwhile
        self._arrived = 0.0
        self._is_open = False

    def feed(self, content: bytes) -> Iterator[Step]:
        """The steps that these bytes complete."""
        self._unpacker.feed(content)
        for record in self._unpacker:
            yield from self._take(record)

    def _take(self, record: Any) -> Iterator[Step]:
        kind, _, time, subject, *rest = record
        if kind == "node":
            self.node = Node(Address(rest[0], rest[1]), rest[2])
        elif kind == "messages":
            self.names |= subject
        elif kind == "turn":
            yield from self._turn(time, expand(subject), *rest[:2])
        else:
            step = self._single(kind, time, subject, rest[0] if rest else None)
            if self._unfinished:
                self._unfinished.append(step)
            else:
                yield step

    def _single(self, kind: str, time: float, subject: Any, detail: Any) -> Step:
        if len(subject) == 5:
            to, sender, message, id_, cause = subject
            return Step(kind, self._number, time, to, sender, message, id_, cause, time, time, detail, 0)
        return Step(kind, self._number, time, subject, NO_PID, NO_MESSAGE, 0, 0, time, time, detail, 0)

    def _turn(self, time: float, mail: list[Any], times: list[float], end: float | None) -> Iterator[Step]:
        if not self._is_open:
            self._arrived = time
        self._is_open = end is None
        yield from self._finish(time)
        for begun, envelope in zip(times if len(times) == len(mail) else [time] * len(mail), mail, strict=True):
            yield from self._finish(begun)
            self._unfinished = list(self._begin(begun, envelope))
        if end is not None:
            yield from self._finish(end)

    def _begin(self, time: float, envelope: Any) -> Iterator[Step]:
        to, sender, message, id_, cause = envelope
        if message is not None and self.node is not None:
            kind = "handled" if (to[1], to[2]) == self.node.address else "sent"
            yield Step(kind, self._number, time, to, sender, message, id_, cause, time, self._arrived, None, 0)

    def _finish(self, time: float) -> Iterator[Step]:
        unfinished, self._unfinished = self._unfinished, []
        for step in unfinished:
            yield step._replace(end=time) if step.kind == "handled" else step
