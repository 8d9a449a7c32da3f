"""Tracer: turns what a node's trace hook sees into records. This is the format of a recording.

A recording is a plain stream of msgpack arrays, one per record. Each begins with its kind, the number of the node
within this recording, and the time on that node's clock in seconds since 1970:

    ["node",      n, time, version, host, port, incarnation]   comes before any other record of node n
    ["spawned",   n, time, pid]
    ["exited",    n, time, pid, reason]
    ["sent",      n, time, envelope]               an actor of the node sent mail
    ["received",  n, time, envelope]               mail came in from another node
    ["timer",     n, time, envelope, seconds]      an actor asked to be sent that mail later
    ["delivered", n, time, id]                     mail reached its actor (the envelope, where it came without an id)
    ["handled",   n, time, id]                     the handler returned (likewise)
    ["dropped",   n, time, envelope, reason]

with  pid = [id, host, port]  and  envelope = [to, sender, message, id, cause],  message = [name, field, field, …].

Ids are unique over all nodes, and `cause` is the id of the message that was being handled when this one was sent (0:
none). Readers skip kinds they do not know and ignore elements at the end that they do not expect; `version` counts the
other changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.ports import Envelope

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

VERSION = 1

Record = tuple[Any, ...]


class Tracer:
    """A `ports.Trace` of one node that makes one record of each event and hands it on.

    The record holds the envelope itself: what is not read again is never encoded.
    """

    __slots__ = ("_append", "_node", "_now")

    def __init__(self, runtime: Runtime, append: Callable[[Record], Any], number: int = 0) -> None:
        self._append = append
        self._node = number
        self._now = runtime.clock.now

    def spawned(self, pid: PID) -> None:
        """See `ports.Trace`."""
        self._append(("spawned", self._node, self._now(), pid))

    def exited(self, pid: PID, reason: str) -> None:
        """See `ports.Trace`."""
        self._append(("exited", self._node, self._now(), pid, reason))

    def sent(self, envelope: Envelope) -> None:
        """See `ports.Trace`."""
        self._append(("sent", self._node, self._now(), envelope))

    def received(self, envelope: Envelope) -> None:
        """See `ports.Trace`."""
        self._append(("received", self._node, self._now(), envelope))

    def delivered(self, envelope: Envelope) -> None:
        """See `ports.Trace`."""
        self._append(("delivered", self._node, self._now(), envelope[3] or envelope))

    def handled(self, envelope: Envelope) -> None:
        """See `ports.Trace`."""
        self._append(("handled", self._node, self._now(), envelope[3] or envelope))

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """See `ports.Trace`."""
        self._append(("dropped", self._node, self._now(), envelope, reason))

    def timer(self, pid: PID, seconds: float, message: Message, id: int, cause: int) -> None:
        """See `ports.Trace`."""
        self._append(("timer", self._node, self._now(), (pid, pid, message, id, cause), seconds))


def node_record(runtime: Runtime, number: int = 0) -> Record:
    """The record that introduces a node."""
    host, port = runtime.address
    return ("node", number, runtime.clock.now(), VERSION, host, port, runtime.incarnation)
