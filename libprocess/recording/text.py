"""An event as one line of text."""

from __future__ import annotations

from typing import Any

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.recording.events import Event


def as_text(event: Event) -> str:
    """An event, fresh or read from a file, as people read it: `2.000000 n0 handled PingMessage a@h:1 → b@h:2 #7 of
    #6`.
    """
    words = [f"{event.time:.6f} n{event.node} {event.kind}", _subject(event.subject), _detail(event)]
    return " ".join(word for word in words if word)


def _subject(subject: Any) -> str:
    match subject:
        case (to, sender, message, id_, cause):
            trail = f" #{id_:x} of #{cause:x}" if id_ else ""
            return f"{_name(message)} {_pid(sender)} → {_pid(to)}{trail}"
        case PID() | (_, _, _):
            return _pid(subject)
    return f"version {subject}"


def _detail(event: Event) -> str:
    match event.kind:
        case "node":
            host, port, incarnation = event.detail
            return f"{host}:{port} #{incarnation:x}"
        case "timer":
            return f"in {event.detail:g} s"
        case "exited" | "dropped":
            return f"({event.detail})"
    return ""


def _name(message: Any) -> str:
    return type(message).__name__ if isinstance(message, Message) else str(message[0])


def _pid(pid: Any) -> str:
    return str(pid if isinstance(pid, PID) else PID(*pid))
