"""Runtime: one node. It runs actors from one queue, in order, and hands mail for elsewhere to the network."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count, islice
from typing import Any

from libprocess.asking import Asks
from libprocess.failure import Failure, state_of
from libprocess.http.routes import Routes
from libprocess.lifecycle import DEAD, END, ENDING, START, STARTING, TERMINATED, UNHANDLED, End, Start
from libprocess.links import NO_ACTOR, NODE_ID, Links, NodeProcess
from libprocess.message import Message
from libprocess.metrics import Metrics
from libprocess.observer import Observer
from libprocess.pid import PID, Address
from libprocess.ports import Clock, Envelope, Frame, Interceptor, Network, Storage, Trace
from libprocess.process import Process
from libprocess.timers import Timer

log = logging.getLogger("libprocess")

TURN_MAX = 4096
"""Mail handled in one turn of the loop before sockets and timers get theirs: about 2 ms of small messages."""

FAILURES_KEPT = 100

SERIAL_MAX = (1 << 32) - 1


class NothingMessage(Message, frozen=True):
    """Never sent: stands for the message at hand between turns."""


_NOTHING: Message = NothingMessage()


class Runtime:
    """A node: the actors of one operating-system process, or of one simulated host.

    It is handed its world and looks at no other: `clock`, `network`, `chance`, `storage`, and optionally a `trace`
    that sees everything. All methods are for the thread of the clock's loop.
    """

    def __init__(
        self, *, clock: Clock, network: Network, chance: random.Random, storage: Storage, trace: Trace | None = None
    ) -> None:
        self.clock = clock
        self.network = network
        self.chance = chance
        self.storage = storage
        self.now = clock.now
        """What actors are told of the time."""
        self.incarnation = chance.getrandbits(31)
        self.processes: dict[PID, Process] = {}
        self.failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        self.drops: Counter[str] = Counter()
        """How much mail was lost, by reason."""
        self.links = Links(self)
        self.asks = Asks(self)
        self.routes = Routes(self)
        self.metrics = Metrics(clock.now)
        self._waiting: dict[PID, list[Callable[[str], None]]] = {}
        self._serials: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
        self._queue: list[Envelope] = []
        self._post = self._queue.append  # every actor holds it too, so that sending is one call
        self._turning = False
        self._awake = False
        self._closed = False
        self._message_serial = 0
        self._handled = 0  # how much mail went through the queue while somebody observed it
        self._trace: Trace | None = trace
        self._interceptor: Interceptor | None = None
        self._observer: Observer | None = None
        self.address: Address = network.start(self)
        self.outside = PID("", *self.address)
        """The sender of what comes from outside an actor."""
        self._idle: Envelope = (self.outside, self.outside, _NOTHING, 0, 0)
        self._current: Envelope = self._idle
        self._observe()
        self.spawn(NodeProcess(), NODE_ID)

    # Actors.

    def spawn(self, process: Process, id: str | None = None) -> PID:
        """Start an actor; its `initialize` runs before any of its mail. Without an id it gets `class_name(N)`.

        ValueError if an actor of that id lives on this node.
        """
        if id is None:
            prefix = process._prefix
            id = f"{prefix}({next(self._serials[prefix])})"
        pid = PID(id, self.outside.host, self.outside.port)
        if self.processes.setdefault(pid, process) is not process:
            raise ValueError(f"there is an actor called {pid} already")
        process.pid = pid
        process._runtime = self
        process._post = self._post
        process._handlers = STARTING
        if self._observer is not None and (trace := self._caught_up()) is not None:
            trace.spawned(pid)
        self._mark(pid, START)
        if not self._awake:
            self._wake()
        return pid

    def terminate(self, pid: PID, drain: bool = False) -> None:
        """End an actor of this node: its `finalize` runs, its linkers are told.

        What is in its mailbox is dropped, or handled first with `drain`. Fine for an actor that has ended already.
        """
        process = self.processes.get(pid)
        if process is None:
            return
        if not drain and process._handlers is not STARTING:
            process._handlers = ENDING
        self._mark(pid, END)
        self._wake()

    def _mark(self, pid: PID, marker: Start | End) -> None:
        to, _, _, id_, cause = self._current  # what it does in that turn has the same cause
        self._queue.append((pid, to, marker, id_, cause))  # type: ignore[arg-type]

    def when_exited(self, pid: PID, callback: Callable[[str], None]) -> None:
        """Call back with the reason when an actor of this node has ended; at once if there is none."""
        if pid in self.processes:
            self._waiting.setdefault(pid, []).append(callback)
        else:
            callback(NO_ACTOR)

    def mailbox_depths(self) -> Counter[PID]:
        """How much mail waits for each actor of this node."""
        handled = next((place + 1 for place, mail in enumerate(self._queue) if mail is self._current), 0)
        return Counter(envelope[0] for envelope in islice(self._queue, handled, None))

    def _finish(self, process: Process) -> None:
        process._handlers = DEAD
        process.finalize()
        self._ended(process, TERMINATED)

    def _raised(self, error: Exception) -> None:
        """Handling the message at hand raised: there is no handler for it, or the handler failed."""
        if isinstance(error, KeyError) and error.__traceback__ is not None and error.__traceback__.tb_next is None:
            self._drop_current(UNHANDLED)  # raised by the look-up itself
            return
        process = self.processes.get(self._current[0])
        if process is None:
            log.error("whoever asked failed on the answer", exc_info=error)
            return
        process._handlers = DEAD
        failure = Failure(process.pid, self._current, state_of(process), error)
        self.failures.append(failure)
        log.error("%s", failure)
        self._ended(process, failure.reason)

    def _ended(self, process: Process, reason: str) -> None:
        del self.processes[process.pid]
        if (trace := self._caught_up()) is not None:
            trace.exited(process.pid, reason)
        self.routes.remove(process.pid)
        self.links.ended(process.pid, reason)
        for callback in self._waiting.pop(process.pid, ()):
            callback(reason)

    # Mail.

    def send(self, to: PID, message: Message, sender: PID | None = None) -> None:
        """Send from outside an actor."""
        self._post((to, sender or self.outside, message, 0, 0))
        self._wake()

    def ask(self, to: PID, message: Message, timeout: float) -> asyncio.Future[Message]:
        """Send from outside an actor, and get the first answer by awaiting this.

        TimeoutError after that many seconds; ConnectionError as soon as it is known that nobody will answer.
        """
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.asks.ask(to, message, timeout, partial(_settle, future))
        if len(self.asks) > 1 or self._turning:
            self._wake()
        else:
            self.drain()  # nobody else to wait for, so that this goes together
        return future

    async def wait(self, pid: PID) -> str:
        """Wait until an actor of this node has ended; returns why it did."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.when_exited(pid, partial(_settle, future))
        return await future

    def deliver(self, envelopes: Iterable[Envelope]) -> None:
        """Take a turn: handle this mail from other nodes after what waits, then let out what is for other nodes."""
        self._queue.extend(envelopes)
        if self._turning or self._closed:
            return
        self._turning = True
        try:
            if self._observer is None:
                self._turn()
            else:
                self._observer.turn(TURN_MAX)
        finally:
            self._turning = False
            self._current = self._idle
        del self._queue[:TURN_MAX]
        self.network.flush()
        if self._queue:
            self._wake()

    def broken(self, address: Address, reason: str) -> None:
        """The network lost a node."""
        self.links.broken(address, reason)
        self.asks.broken(address, reason)
        self._wake()

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Count, and trace, one piece of mail that is lost. An ask that waits for it learns it at once."""
        self.lost(envelope, reason)
        self.asks.lost(envelope, reason)

    def lost(self, envelope: Envelope, reason: str) -> None:
        """Count, and trace, one piece of mail that is lost without a sign."""
        self.drops[reason] += 1
        if (trace := self._caught_up()) is not None:
            trace.dropped(envelope, reason)

    def _drop_current(self, reason: str) -> None:
        to, sender, content, id_, cause = self._current
        if isinstance(content, Start | End):
            return
        if isinstance(content, Timer):
            if content.cancelled:
                return
            content = content.message
            self._current = (to, sender, content, id_, cause)
        if self._observer is not None:
            self._observer.strike()
        self.dropped(self._current, reason)

    def _delay(self, process: Process, seconds: float, message: Message) -> Timer:
        timer = Timer(message)
        id_ = cause = 0
        if self._observer is not None and (trace := self._observer.catch_up()) is not None:
            id_, cause = self._new_ids(1), self._observer.current_id
            trace.timer(process.pid, seconds, message, id_, cause)
        envelope = (process.pid, process.pid, timer, id_, cause)

        def due() -> None:
            self._queue.append(envelope)  # type: ignore[arg-type]
            self.drain()

        timer._alarm = self.clock.later(seconds, due)
        return timer

    # Observation: a trace and an interceptor. Without them, none of this costs anything.

    @property
    def trace(self) -> Trace | None:
        """Sees everything that happens on this node; None is off. Can be changed at any time."""
        return self._trace

    @trace.setter
    def trace(self, trace: Trace | None) -> None:
        self._trace = trace
        self._observe()

    @property
    def interceptor(self) -> Interceptor | None:
        """Sees mail just before its handler would, and may take it away; None is off. Can be changed at any time."""
        return self._interceptor

    @interceptor.setter
    def interceptor(self, interceptor: Interceptor | None) -> None:
        self._interceptor = interceptor
        self._observe()

    def _observe(self) -> None:
        """Have turns taken by an observer, or by nobody."""
        is_observed = self._trace is not None or self._interceptor is not None
        self._observer = Observer(self, self._trace, self._interceptor) if is_observed else None

    def _caught_up(self) -> Trace | None:
        """The trace, told of all that was handled so far."""
        return None if self._observer is None else self._observer.catch_up()

    def leaving(self, envelopes: list[Envelope]) -> int:
        """See `ports.Node`."""
        return 0 if self._observer is None else self._observer.leaving(envelopes)

    def came(self, envelopes: list[Envelope], frame: Frame) -> None:
        """See `ports.Node`."""
        if self._observer is not None:
            self._observer.came(envelopes, frame)

    def _new_ids(self, count: int) -> int:
        """The first of so many ids in a row."""
        if self._message_serial + count > SERIAL_MAX:
            self._message_serial = 0  # begin again: those that had these ids are long forgotten
        first = self._message_serial + 1
        self._message_serial += count
        return self.incarnation << 32 | first

    # The loop.

    def _wake(self) -> None:
        """Have the queue looked at soon, since something was put there from outside a turn."""
        if not (self._awake or self._turning or self._closed):
            self._awake = True
            self.clock.soon(self._woken)

    def _woken(self) -> None:
        self._awake = False
        self.drain()

    def drain(self) -> None:
        """Take a turn with what waits here."""
        self.deliver(())

    def _turn(self) -> None:
        # The hot loop. The list may grow while it is read; nothing is removed before the end. Looking up an actor only
        # when the receiver changes, and assigning in the for, each take a tenth off a local message (tools.bench
        # runtime).
        queue, processes, here, send = self._queue, self.processes, self.outside, self.network.send
        turn = islice(queue, TURN_MAX)
        while True:
            last: PID | None = None
            try:
                for self._current in turn:
                    to, _, message, _, _ = self._current
                    if to is not last:
                        process = processes.get(to)
                        if process is None:
                            last = None
                            if to.port != here.port or to.host != here.host:
                                send(self._current)
                            else:
                                self._elsewhere(self._current)
                            continue
                        last = to
                    process._handlers[message.__class__](process, message)  # type: ignore[arg-type, union-attr]
                break
            except Exception as error:
                self._raised(error)

    def _elsewhere(self, envelope: Envelope) -> None:
        to, here = envelope[0], self.outside
        if to.port != here.port or to.host != here.host:
            self.network.send(envelope)
        elif not self.asks.answer(envelope):
            self._drop_current(NO_ACTOR)

    def close(self) -> None:
        """End every actor, youngest first, let out what they said, and leave the network."""
        if self._closed:
            return
        for pid in reversed(list(self.processes)):
            self.terminate(pid)
        while self._queue:
            self.drain()
        self.asks.close()
        self._closed = True
        self.network.close()


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
