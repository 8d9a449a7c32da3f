"""Tracer: turns what a node's trace hook sees into records. This is the format of a recording.

A recording is a plain stream of msgpack arrays, one per record. Each begins with its kind, the number of the node
within this recording, and a time on that node's clock in seconds since 1970:

    ["node",    n, time, version, host, port, incarnation]   comes before any other record of node n
    ["turn",    n, time, mail, times, end]                   the node handled this mail, in this order
    ["timer",   n, time, envelope, seconds]                  an actor asked to be sent that mail later
    ["dropped", n, time, envelope, reason]                   mail was lost
    ["spawned", n, time, pid]
    ["exited",  n, time, pid, reason]
    ["messages", n, time, names]                             what is in messages: see `libprocess.recording.naming`
    ["skew",    n, time, seconds]                            in a merged recording: how far that node's clock was ahead

with  pid = [id, host, port],  envelope = [to, sender, message, id, cause],  message = [name, field, field, …], and
mail = a list of envelopes; in a file they lie as `libprocess.recording.mail` says.

A turn's mail is for actors of the node, or was handed to the network for others. `times` says when each piece began (or
only when the first did); each was over when the next began, and the last one at `end`. Where `end` is null, the last is
still being handled: the node's next records happened meanwhile, and its next turn is the rest of this one. An envelope
whose message is null is no mail: an actor's first or last turn, or a timer that was cancelled.

Ids are unique over all nodes, and `cause` is the id of the message that was being handled when this one was sent (0:
none, as for what comes from outside an actor). Where a node does not number its mail, both are 0. Readers skip kinds
they do not know, and elements at the end that they do not expect; `version` counts the other changes.

`libprocess.recording.events` unfolds the turns again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from libprocess.lifecycle import End, Start, Struck
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.ports import Envelope, Trail
from libprocess.timers import Timer

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

VERSION = 1

Record = tuple[Any, ...]


class Tracer:
    """A `ports.Trace` of one node that hands on records. They hold mail as it is: what nobody reads is not encoded."""

    __slots__ = ("_append", "_node", "_now", "numbers_mail")

    def __init__(
        self, runtime: Runtime, append: Callable[[Record], Any], number: int = 0, numbers_mail: bool = True
    ) -> None:
        self.numbers_mail = numbers_mail
        self._append = append
        self._node = number
        self._now = runtime.clock.now

    def turn(self, mail: list[Envelope], times: list[float], end: float | None, trail: Trail | None = None) -> None:
        """See `ports.Trace`."""
        self._append(("turn", self._node, times[0] if times else end, mail, times, end))

    def framed(self, mail: list[Envelope], first_id: int) -> None:
        """See `ports.Trace`. Those who want mail numbered are not told."""

    def spawned(self, pid: PID) -> None:
        """See `ports.Trace`."""
        self._append(("spawned", self._node, self._now(), pid))

    def exited(self, pid: PID, reason: str) -> None:
        """See `ports.Trace`."""
        self._append(("exited", self._node, self._now(), pid, reason))

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


def mail_in(record: Record) -> int:
    """How much mail a record tells of, for those who count; nothing counts for less than one."""
    return len(record[3]) or 1 if record[0] == "turn" else 1


def message_in(content: Any) -> Any:
    """The message in what a turn handled: a timer holds one; None if it was cancelled, and for what is no mail."""
    if isinstance(content, Timer):
        return content.message if content.delivered else None
    return None if isinstance(content, Start | End | Struck) else content
