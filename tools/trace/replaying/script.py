"""The script of an actor: its turns as a recording tells them, with what it was told of the world, and what it sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libprocess import PID
from libprocess.recording import Record, read_recording
from libprocess.recording.inputs import KINDS as INPUTS
from tools.trace.errors import NotInStory


@dataclass
class Sent:
    """One thing an actor did: it sent a message, or set a timer."""

    to: PID
    message: Any
    """As it was recorded, or as it would be."""
    seconds: float | None = None
    """Of a timer."""


@dataclass
class Turn:
    """One turn of the actor."""

    kind: str
    """initialize, message, or finalize."""
    sender: PID
    message: Any
    id: int
    cause: int
    time: float
    inputs: list[tuple[str, Any]] = field(default_factory=list)
    """What it was told, in order: kind and value. `spawned` is among them: the id that a child got."""
    sent: list[Sent] = field(default_factory=list)


class Script:
    """All turns of one actor, from its spawn on. NotInStory if the recording does not have it whole."""

    def __init__(self, paths: Iterable[Path], pid: PID) -> None:
        self.pid = pid
        self.incarnation = 0
        self.turns: list[Turn] = []
        self.has_inputs = False
        self._number: int | None = None
        self._turn: Turn | None = None  # of this actor, if it is the one that is being taken
        self._by_id: dict[int, Turn] = {}
        self._known: set[int] = set()
        self._is_spawned = self._is_exited = False
        for path in paths:
            for record in read_recording(path):
                self._take(record)
        if not self._is_spawned:
            raise NotInStory(f"no recording tells of the spawn of {pid}; expected one from its node's beginning")
        if not self._is_exited:
            self.turns = [turn for turn in self.turns if turn.kind != "finalize"]

    def _take(self, record: Record) -> None:
        kind, number, time, *rest = record
        if kind == "node":
            self._node(number, rest[1], rest[2], rest[3])
            return
        if number != self._number:
            return
        if kind == "turn":
            self._mail(rest[0], rest[1], time)
        elif kind in INPUTS:
            self._input(kind, rest[-1])
        elif kind == "spawned":
            self._spawned(PID(*rest[0]))
        elif kind == "exited" and PID(*rest[0]) == self.pid:
            self._exited()
        elif kind in ("timer", "dropped"):
            self._output(rest[0], rest[1] if kind == "timer" else None)

    def _node(self, number: int, host: str, port: int, incarnation: int) -> None:
        """Numbers of nodes are of one recording; and an actor's node may have had other runs."""
        is_other_run = self._is_spawned and incarnation != self.incarnation
        if (host, port) == self.pid.address and not is_other_run:
            self._number, self.incarnation = number, incarnation
        elif number == self._number:
            self._number = None

    def _mail(self, mail: list[Any], times: list[float], begun: float) -> None:
        for place, envelope in enumerate(mail):
            to, sender, message, id_, cause = envelope
            self._turn = None
            if PID(*to) == self.pid and self._is_spawned:
                time = times[place] if len(times) == len(mail) else begun
                self._begin(PID(*sender), message, id_, cause, time)
            self._output(envelope, None)

    def _begin(self, sender: PID, message: Any, id_: int, cause: int, time: float) -> None:
        kind = "message" if message is not None else "initialize" if not self.turns else "finalize"
        self._turn = Turn(kind, sender, message, id_, cause, time)
        self.turns.append(self._turn)
        self._by_id[id_] = self._turn

    def _input(self, kind: str, value: Any) -> None:
        self.has_inputs = True
        if self._turn is not None:
            self._turn.inputs.append((kind, value))

    def _spawned(self, pid: PID) -> None:
        if pid == self.pid:
            self._is_spawned = True
            self.turns.clear()
        elif self._turn is not None:
            self._turn.inputs.append(("spawned", pid.id))

    def _exited(self) -> None:
        """What is no mail was its last turn, or a timer that was cancelled: only the last one was a turn."""
        self._is_exited = True
        last = self.turns[-1]
        self.turns = [turn for turn in self.turns if turn.kind != "finalize" or turn is last]

    def _output(self, envelope: Any, seconds: float | None) -> None:
        to, sender, message, id_, cause = envelope
        turn = self._by_id.get(cause)
        if turn is None or message is None or id_ in self._known or id_ >> 32 != self.incarnation:
            return
        is_forwarded = turn.kind == "message" and PID(*sender) == turn.sender
        if (PID(*sender) == self.pid or is_forwarded) and message[0] != "ExitedMessage":
            self._known.add(id_)
            turn.sent.append(Sent(PID(*to), message, seconds))
