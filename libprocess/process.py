"""Process: an actor. A PID, a mailbox, and one handler per message it understands."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from libprocess.handlers import Handler, HandlerTable, find_handlers
from libprocess.http.exchange import HttpRequestMessage, Principal
from libprocess.http.routes import About, RouteHandler
from libprocess.lifecycle import RUNNING
from libprocess.message import Message
from libprocess.metrics import Metrics
from libprocess.pid import PID
from libprocess.ports import Envelope, Storage
from libprocess.timers import Timer

if TYPE_CHECKING:
    from libprocess.runtime import Runtime


class ExitedMessage(Message, frozen=True):
    """To whoever linked to an actor: it ended, or the link to its node broke (it may then still live)."""

    pid: PID
    reason: str


class Process:
    """Base of every actor. Subclass it; `Runtime.spawn` gives it a PID and a first turn.

        class Counter(Process):
            def add(self, message: AddMessage) -> None:
                self.reply(TotalMessage(message.amount))

    Handlers run to completion, one at a time, in the order of the mail. They do not block, await, or look at a clock or
    at randomness other than `self.now` and `self.chance`. An exception in one ends the actor; those who linked to it
    learn it.
    """

    __slots__ = ("_handlers", "_post", "_runtime", "pid")

    pid: PID
    """This actor's name, from its spawn on."""
    _runtime: Runtime
    _post: Callable[[Envelope], None]
    _handlers: HandlerTable
    _own: ClassVar[HandlerTable] = RUNNING
    _table: ClassVar[HandlerTable] = RUNNING
    _prefix: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._prefix = cls.__name__.lower()
        cls._own = {
            message: _once_per_link(handler) if message is ExitedMessage else handler
            for message, handler in find_handlers(cls).items()
        }
        cls._table = {}
        for base in reversed(cls.__mro__):  # an actor may be composed of several, and inherits as Python does
            cls._table |= vars(base).get("_own", {})

    def initialize(self) -> None:
        """The first turn, before any mail."""

    def finalize(self) -> None:
        """The last turn, after `terminate`; an actor that failed does not get it."""

    # What a handler may do.

    def send(self, to: PID, message: Message) -> None:
        """Send, at most once, and in order with everything else this actor sends to `to`."""
        self._post((to, self.pid, message, 0, 0))

    def reply(self, message: Message) -> None:
        """Send to the sender of the message at hand."""
        self._post((self._runtime._current[1], self.pid, message, 0, 0))

    def forward(self, to: PID) -> None:
        """Hand the message at hand on within this node, so that `to` sees its original sender.

        ValueError if `to` is on another node: what says who sent a message is the link that it came over.
        """
        if to.address != self.pid.address:
            raise ValueError(f"{to} is on another node, which would not know whether {self.sender} sent this")
        _, sender, message, _, _ = self._runtime._current
        self._post((to, sender, message, 0, 0))

    def put_back(self, sender: PID, message: Message) -> None:
        """Have mail that this actor could not take before in its mailbox again, behind what waits there."""
        self._post((self.pid, sender, message, 0, 0))

    @property
    def sender(self) -> PID:
        """Who sent the message at hand."""
        return self._runtime._current[1]

    @property
    def at_hand(self) -> Message:
        """The message at hand."""
        return self._runtime._current[2]

    @property
    def principal(self) -> Principal | None:
        """Who made the HTTP request at hand, or whom the node speaks for that sent this mail, where that was proved."""
        _, sender, message, _, _ = self._runtime._current
        if isinstance(message, HttpRequestMessage):
            return message.request.principal
        name = self._runtime.network.principal(sender.address)
        return Principal(name) if name else None

    def delay(self, seconds: float, message: Message) -> Timer:
        """Be sent a message after that many seconds; `Timer.cancel` prevents it even when it is due already."""
        return self._runtime._delay(self, seconds, message)

    def link(self, to: PID) -> None:
        """Be sent one ExitedMessage when `to` ends, or when its node can no longer be reached."""
        if ExitedMessage not in self._table:
            raise TypeError(f"{type(self).__name__} links to {to}; it needs exited(self, message: ExitedMessage)")
        self._runtime.links.link(self.pid, to)

    def unlink(self, to: PID) -> None:
        """No longer care; an ExitedMessage that waits in the mailbox already is not delivered."""
        self._runtime.links.unlink(self.pid, to)

    def spawn(self, process: Process, id: str | None = None) -> PID:
        """Start another actor on this node; see `Runtime.spawn`."""
        return self._runtime.spawn(process, id)

    def terminate(self, pid: PID | None = None, drain: bool = False) -> None:
        """End this actor, or another of this node; see `Runtime.terminate`."""
        self._runtime.terminate(pid or self.pid, drain)

    def route(
        self,
        path: str,
        handler: RouteHandler,
        methods: Sequence[str] = ("GET",),
        access: str = "",
        about: About | Callable[[], About] | None = None,
    ) -> None:
        """Answer HTTP requests for `/<id><path>` in turns of this actor; a path `/jobs/*` takes all below it.

        A handler that returns None answers later, by sending an HttpResponseMessage to whoever `self.sender` was.
        `access` is for the guard of the node's door (`libprocess.http.gate`): READ for what is only read, or WRITE,
        unless it is said. `about` says what the route takes, for the node's description of itself.
        """
        self._runtime.routes.add(self.pid, path, handler, methods, access, about)

    @property
    def metrics(self) -> Metrics:
        """This node's counters, gauges and timers."""
        return self._runtime.metrics

    @property
    def now(self) -> float:
        """Seconds since 1970, by this node's clock."""
        return self._runtime.now()

    @property
    def chance(self) -> random.Random:
        """This node's randomness."""
        return self._runtime.chance

    @property
    def storage(self) -> Storage:
        """This node's files."""
        return self._runtime.storage


def _once_per_link(handler: Handler) -> Handler:
    """An ExitedMessage counts only while the link stands: at most once, and never after `unlink`."""

    def exited(process: Process, message: ExitedMessage) -> None:
        if process._runtime.links.forget(process.pid, message.pid):
            handler(process, message)

    return exited
