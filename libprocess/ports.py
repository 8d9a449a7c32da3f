"""The ports: what a node is handed of the world.

In production these are the system's clock, ZeroMQ, the operating system's randomness and the disk (`libprocess.system`,
`libprocess.zeromq`); in a simulation they are virtual (`libprocess.simulation`). Nothing above this line knows which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from libprocess.message import Message
from libprocess.metrics import Metrics
from libprocess.pid import PID, Address

Envelope = tuple[PID, PID, Message, int, int]
"""To, sender, message, and its trace context: the message's id and the id of what caused it (both 0 where nobody
observes).
"""


class Frame(Protocol):
    """Mail as it came, which takes less room than what became of it."""

    @property
    def first_id(self) -> int:
        """The id of the first piece, from which the others count on; 0 if the frame has none."""

    @property
    def size_bytes(self) -> int:
        """How long it is."""

    def keep(self) -> None:
        """Copy it, since the network may need its memory again."""

    def mail(self) -> list[Envelope]:
        """The mail once more, with its ids."""


class Cancellable(Protocol):
    """What `Clock.later` returns."""

    def cancel(self) -> None:
        """Make sure that the callback is not called, if it was not yet."""


class Clock(Protocol):
    """Time, and the loop that calls back."""

    def now(self) -> float:
        """Seconds since 1970."""

    def uptime(self) -> float:
        """Seconds since some moment, which go on evenly whatever is done to the time of day."""

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back once, after what the loop has in hand."""

    def later(self, seconds: float, callback: Callable[[], None]) -> Cancellable:
        """Call back once, after that many seconds."""


class Node(Protocol):
    """What a network sees of a runtime."""

    @property
    def incarnation(self) -> int:
        """A number that no other run of any node has: tells a restarted node from the one that died."""

    @property
    def metrics(self) -> Metrics:
        """Where the network's own numbers belong."""

    def deliver(self, envelopes: Iterable[Envelope]) -> None:
        """Take mail that came in, in order."""

    def leaving(self, envelopes: list[Envelope]) -> int:
        """Learn that this mail goes out as one frame; returns the first one's id, from which those after it count on.

        It is 0 where nobody wants to know, or where the mail has ids of its own.
        """

    def came(self, envelopes: list[Envelope], frame: Frame) -> None:
        """Learn that this mail, about to be delivered, came as one frame."""

    def broken(self, address: Address, reason: str) -> None:
        """Learn that the link to a node is gone, after all mail that came over it; what was queued for it is lost."""

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Learn that one piece of mail will not arrive."""


class Network(Protocol):
    """Carries mail between nodes: at most once, and in order from one node to another."""

    def start(self, node: Node) -> Address:
        """Open for the node; returns the address by which others reach it."""

    def send(self, envelope: Envelope) -> None:
        """Queue mail for another node; it leaves with the next flush."""

    def flush(self) -> None:
        """The node ends a turn: let the mail go."""

    def connect(self, address: Address) -> None:
        """Keep a link to that node; `Node.broken` tells if there can be none, or when it ends."""

    def principal(self, address: Address) -> str | None:
        """Whom a node proved to speak for; None if nobody asked it to prove anything."""

    def close(self) -> None:
        """Let out what was flushed, within reason, and close every link."""


class Storage(Protocol):
    """Files that survive the process. Paths are relative, with '/'; OSError is raised as a disk would."""

    def read(self, path: str) -> bytes | None:
        """The file's content; None where there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Replace the file as a whole: whenever the node crashes, it is then either the old or the new."""

    def append(self, path: str, content: bytes) -> None:
        """Add to the file's end; it is durable after `sync`."""

    def sync(self, path: str) -> None:
        """Return once all that was appended to the file is durable."""

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with all below it; fine where there is none."""

    def list(self, path: str) -> list[str]:
        """Names in a directory, sorted; empty where there is none."""


class Trail(NamedTuple):
    """What tells the ids and causes of mail that carries none. `libprocess.recording.trail` finds out by it."""

    id: int
    """The id of a turn's first piece of mail; those after it count on."""
    base: int
    """How much the node had handled when the turn began: places in its queue are counted from there."""
    offset: int
    """The place of the first piece."""
    length: int
    """How many there are."""
    sends: list[tuple[int, int, int]]
    """Whenever mail at hand led to more: the place of the first of that, the place after the last, and how much the
    queue then held after the mail at hand.
    """
    frames: list[tuple[int, int, Frame]]
    """What of it came in which frame: the first one's place, counted from the node's very first mail, and how many."""
    struck: list[int]
    """The places of mail that was not handled."""


class Trace(Protocol):
    """Sees everything that happens on a node, in the order in which it happens."""

    @property
    def numbers_mail(self) -> bool:
        """Whether mail is to carry ids, and the time of each piece of it is to be taken.

        It costs about as much as sending it. Otherwise all mail of a turn has one time, and a Trail.
        """

    def turn(self, mail: list[Envelope], times: list[float], end: float | None, trail: Trail | None = None) -> None:
        """A node took a turn: it handled this mail, or handed to the network what is for other nodes.

        `times` says when each piece began, or only when the first did. `end` is None if the last piece is still being
        handled: something else is told next, and then the rest of the turn, which may be empty. In place of a message
        there may be a Timer (its message was handled if it is `delivered`) or a marker, which is no mail.
        """

    def framed(self, mail: list[Envelope], first_id: int) -> None:
        """This mail, in a turn that was told, leaves in one frame: it has these ids, and no others.

        Not told where mail is numbered.
        """

    def spawned(self, pid: PID) -> None:
        """An actor began."""

    def exited(self, pid: PID, reason: str) -> None:
        """An actor ended."""

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Mail was lost, and why. It is not told as a part of a turn, unless it was handed to the network there."""

    def timer(self, pid: PID, seconds: float, message: Message, id: int, cause: int) -> None:
        """An actor asked to be sent a message later; `id` is the id that the message will carry."""


Interceptor = Callable[[Envelope], bool]
"""Sees mail before it is delivered; True takes it away (it is then dropped, or held and put back with
`Runtime.deliver`).
"""

State = dict[str, Any]
