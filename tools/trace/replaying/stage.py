"""The stage: a runtime with one actor, that tells it what the script says, and keeps what it does."""

from __future__ import annotations

import pdb
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from libprocess import PID, Message, Process, Runtime, Timer
from libprocess.lifecycle import START, End, Start
from libprocess.message import any_message
from libprocess.pid import Address
from libprocess.ports import Envelope, Node
from tools.trace.replaying.script import Sent, Turn


class Unlike(Exception):
    """The actor asks for something else than it did then. Its text says for what."""


class Feed:
    """What the actor is told in the turn at hand, in order."""

    def __init__(self) -> None:
        self.left: deque[tuple[str, Any]] = deque()
        self.time = 0.0

    def take(self, kind: str, what: str) -> Any:
        """The next thing it was told then."""
        if not self.left:
            raise Unlike(f"it asks for {what}, which it did not then")
        found, value = self.left[0]
        if found != kind:
            raise Unlike(f"it asks for {what}; then it asked for: {found}")
        self.left.popleft()
        return value

    def now(self) -> float:
        """The time that it was told then."""
        return float(self.take("now", "the time"))


class Chance(random.Random):
    """The draws of then."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(0)
        self._feed = feed

    def random(self) -> float:
        """See `random.Random`."""
        return float(self._feed.take("chance", "a random number"))

    def getrandbits(self, k: int, /) -> int:
        """See `random.Random`."""
        value = self._feed.take("chance", f"{k} random bits")
        return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)


class Storage:
    """What was read then; what is written goes nowhere."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def read(self, path: str) -> bytes | None:
        """See `ports.Storage`."""
        content: bytes | None = self._feed.take("read", f"the file {path}")
        return content

    def list(self, path: str) -> list[str]:
        """See `ports.Storage`."""
        return list(self._feed.take("listed", f"the directory {path}"))

    def write(self, path: str, content: bytes) -> None:
        """See `ports.Storage`."""

    def append(self, path: str, content: bytes) -> None:
        """See `ports.Storage`."""

    def sync(self, path: str) -> None:
        """See `ports.Storage`."""

    def remove(self, path: str) -> None:
        """See `ports.Storage`."""


class Never:
    """What was to be called back never is: the script says what happens when."""

    def cancel(self) -> None:
        """See `ports.Cancellable`."""


class Clock:
    """Virtual time: that of the turn at hand."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def now(self) -> float:
        """See `ports.Clock`."""
        return self._feed.time

    def uptime(self) -> float:
        """See `ports.Clock`."""
        return self._feed.time

    def soon(self, callback: Callable[[], None]) -> None:
        """See `ports.Clock`."""

    def later(self, seconds: float, callback: Callable[[], None]) -> Never:
        """See `ports.Clock`."""
        return Never()


class Network:
    """Leads nowhere."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def start(self, node: Node) -> Address:
        """See `ports.Network`."""
        return self._address

    def send(self, envelope: Envelope) -> None:
        """See `ports.Network`."""

    def flush(self) -> None:
        """See `ports.Network`."""

    def principal(self, address: Address) -> str | None:
        """See `ports.Network`."""
        return None

    def connect(self, address: Address) -> None:
        """See `ports.Network`."""

    def close(self) -> None:
        """See `ports.Network`."""


class Stage(Runtime):
    """Where one actor plays. Nobody else does: what it sends is kept, and its children only have names."""

    def __init__(self, pid: PID, actor: Process) -> None:
        self.feed = Feed()
        self.sent: list[Sent] = []
        chance = Chance(self.feed)
        self.feed.left.append(("chance", 0))  # the incarnation
        super().__init__(
            clock=Clock(self.feed), network=Network(pid.address), chance=chance, storage=Storage(self.feed)
        )
        self.now = self.feed.now
        self._actor = actor
        self._decode = msgspec.msgpack.Decoder(any_message()).decode
        super().spawn(actor, pid.id)

    def spawn(self, process: Process, id: str | None = None) -> PID:
        """See `Runtime.spawn`: a child gets the name that it got then."""
        if not hasattr(self, "_actor"):
            return super().spawn(process, id)  # the runtime's own
        name = self.feed.take("spawned", f"a new {type(process).__name__}")
        return super().spawn(process, name)

    def _delay(self, process: Process, seconds: float, message: Message) -> Timer:
        self.sent.append(Sent(process.pid, message, seconds))
        return Timer(message)

    def play(self, turn: Turn, is_debugged: bool = False) -> list[Sent]:
        """Have the actor take a turn; returns what it sent. Unlike if it asks for what it was not told then."""
        self.feed.left = deque(turn.inputs)
        self.feed.time = turn.time
        self.sent = []
        self._queue.clear()
        call, arguments = self._call(turn)
        if is_debugged:
            pdb.Pdb().runcall(call, *arguments)
        else:
            call(*arguments)
        if self.feed.left:
            raise Unlike(f"it does not ask for: {self.feed.left[0][0]}, which it did then")
        return [*self._mail(turn), *self.sent]

    def _call(self, turn: Turn) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        actor = self._actor
        self._current = (actor.pid, turn.sender, START, turn.id, turn.cause)  # type: ignore[assignment]
        if turn.kind == "initialize":
            return actor._handlers[Start], (actor, START)
        if turn.kind == "finalize":
            return actor.finalize, ()
        message = self._decode(msgspec.msgpack.encode(turn.message))
        self._current = (actor.pid, turn.sender, message, turn.id, turn.cause)
        return actor._handlers[type(message)], (actor, message)

    def _mail(self, turn: Turn) -> Iterable[Sent]:
        for to, sender, message, _, _ in self._queue:
            is_own = sender == self._actor.pid or (turn.kind == "message" and sender == turn.sender)
            if is_own and not isinstance(message, Start | End) and type(message).__name__ != "ExitedMessage":
                yield Sent(to, message)
