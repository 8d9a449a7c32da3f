"""Events: the turns of a recording unfolded, one event for each piece of mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from libprocess.pid import PID, Address
from libprocess.recording.tracer import Record, message_in

KINDS = {"turn", "timer", "dropped", "spawned", "exited"}
"""The records that tell of something that happened."""


class Event(NamedTuple):
    """One thing that happened. `kind` is `handled`, `sent` (handed to the network), or that of a record other than a
    turn.
    """

    kind: str
    node: int
    time: float
    subject: Any
    """An envelope (to, sender, message, id, cause), or the PID that was spawned or exited; the version, of a node."""
    detail: Any = None
    """The seconds of a timer, or a reason; of what was handled, when it was over; host, port and incarnation of a
    node.
    """


class _Node:
    """What is known of a node while its records are read."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.unfinished: list[Event] = []  # the mail being handled, and what happened meanwhile


def events(records: Iterable[Record]) -> Iterator[Event]:
    """All events of a recording, in each node's order. What a node did while it handled mail comes after that mail."""
    nodes: dict[int, _Node] = {}
    for kind, number, time, *rest in records:
        node = nodes.get(number)
        if kind == "node":
            yield from node.unfinished if node else ()
            nodes[number] = _Node(Address(rest[1], rest[2]))
            yield Event(kind, number, time, rest[0], tuple(rest[1:]))
        elif node is None or kind not in KINDS:
            continue  # its header is lost; or it is nothing that happened
        elif kind == "turn":
            yield from _unfold(node, number, time, *rest[:3])
        elif node.unfinished:
            node.unfinished.append(Event(kind, number, time, *rest[:2]))
        else:
            yield Event(kind, number, time, *rest[:2])
    for node in nodes.values():
        yield from node.unfinished


def _unfold(
    node: _Node, number: int, time: float, mail: Iterable[Any], times: list[float], end: float | None
) -> Iterator[Event]:
    yield from _finish(node, time)
    if len(times) != len(mail):  # type: ignore[arg-type]
        times = [time] * len(mail)  # type: ignore[arg-type]
    for begun, envelope in zip(times, mail, strict=True):
        yield from _finish(node, begun)
        node.unfinished = _begin(node, number, begun, envelope)
    if end is not None:
        yield from _finish(node, end)


def _begin(node: _Node, number: int, time: float, envelope: Any) -> list[Event]:
    to, sender, content, id_, cause = envelope
    message = message_in(content)
    if message is None:
        return []
    kind = "handled" if _address(to) == node.address else "sent"
    return [Event(kind, number, time, (to, sender, message, id_, cause))]


def _finish(node: _Node, time: float) -> Iterator[Event]:
    """The mail that is being handled is done now."""
    unfinished, node.unfinished = node.unfinished, []
    for event in unfinished:
        yield event._replace(detail=time) if event.kind == "handled" else event


def _address(pid: PID | tuple[str, str, int]) -> tuple[str, int]:
    return pid.address if isinstance(pid, PID) else (pid[1], pid[2])
