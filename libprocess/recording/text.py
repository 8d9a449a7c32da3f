"""A record as one line of text."""

from __future__ import annotations

from typing import Any

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.recording.tracer import Record


def as_text(record: Record) -> str:
    """A record, fresh or read from a file, as a line for people: `2.000000 n0 sent PingMessage a@h:1 → b@h:2 #7 of
    #6`.
    """
    kind, node, seconds, *rest = record
    return f"{seconds:.6f} n{node} {kind} {' '.join(_word(value) for value in rest)}".rstrip()


def _word(value: Any) -> str:
    match value:
        case (to, sender, message, int(id_), int(cause)) if not isinstance(to, str):
            return f"{_name(message)} {_pid(sender)} → {_pid(to)} #{id_:x} of #{cause:x}"
        case PID() | (str(), str(), int()):
            return _pid(value)
        case int():
            return f"#{value:x}"
        case float():
            return f"{value:g}s"
    return str(value)


def _name(message: Any) -> str:
    return type(message).__name__ if isinstance(message, Message) else str(message[0])


def _pid(pid: Any) -> str:
    return str(pid if isinstance(pid, PID) else PID(*pid))
