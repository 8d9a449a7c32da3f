"""Observer: what a node does more while somebody looks on. Without a trace and an interceptor there is none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from libprocess.lifecycle import STRUCK, UNHANDLED, End, Start, Struck
from libprocess.pid import PID
from libprocess.ports import Envelope, Frame, Interceptor, Trace, Trail
from libprocess.timers import Timer

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

_MARKERS = {Start, End, Struck}


class Observer:
    """Takes a node's turns in its place: notes what happens for the trace, and shows mail to the interceptor.

    There are two ways to know what led to what. Mail is numbered: each piece gets an id and the id of its cause, and a
    time. Or, where the trace does not want that, a trail is kept: mail stays as it is, and it is only noted when
    handling one piece put others into the queue, from which everything follows that somebody may ask for later.
    """

    def __init__(self, runtime: Runtime, trace: Trace | None, interceptor: Interceptor | None) -> None:
        self._numbers = trace is not None and trace.numbers_mail
        self._trails = trace is not None and not trace.numbers_mail
        self._runtime = runtime
        self._trace = trace
        self._interceptor = interceptor
        self._now = runtime.clock.now
        self._times: list[float] = []  # when each piece of mail began that the trace has not been told of
        self._told = 0  # how many it has been told of in this turn
        self._source: Any = None  # the queue's iterator, which knows how far it is; only while a trail is kept
        self._sends: list[tuple[int, int, int]] = []  # see ports.Trail
        self._frames: list[tuple[int, int, Frame]] = []
        self._struck: list[int] = []
        self._trailed_id = 0  # of the mail at hand, once the trace was told of it

    def turn(self, length: int) -> None:
        """Handle the queue, so much of it at most, and tell the trace."""
        self._told = 0
        self._times.clear()
        queue = self._runtime._queue
        if self._numbers:
            self._number_what_came(length)
        else:
            self._times.append(self._now())
            self._source = iter(queue)
        if self._interceptor is not None:
            self._intercepted_turn(length)
        elif self._numbers:
            self._timed_turn(length)
        else:
            self._trailed_turn(length)
        mail = queue[self._told : length]
        if self._trace is not None and (mail or self._told):
            self._trace.turn(mail, self._times[:], self._now(), self._trail(len(mail)) if self._trails else None)
        self._runtime._handled += self._told + len(mail)
        self._times.clear()
        self._source = None
        self._trailed_id = 0

    def _number_what_came(self, length: int) -> None:
        """Give ids to what came from outside an actor, and from nodes that nobody observes.

        They come in runs, with ids or without: so the first and the last tell.
        """
        queue = self._runtime._queue
        if queue and not (queue[0][3] and queue[-1][3]):
            self._number(0, length, 0)

    def _number(self, start: int, stop: int | None, cause: int) -> None:
        """Give ids to a part of the queue, where it has none.

        Doing it here, after a handler has put mail there, costs a third of doing it on each send (tools.bench trace).
        """
        runtime = self._runtime
        queue = runtime._queue
        id_ = runtime._new_ids(len(queue)) - 1  # as many as it may take; what is not used is given back
        first = id_
        for place, (to, sender, message, own, _) in enumerate(islice(queue, start, stop), start):
            if not own and message.__class__ not in _MARKERS:
                id_ += 1
                queue[place] = (to, sender, message, id_, cause)
        runtime._message_serial += id_ - first - len(queue)

    def catch_up(self) -> Trace | None:
        """Tell the trace of the turn so far, since something else is to be told; returns the trace."""
        if self._trace is None:
            return None
        handled = self._handled()
        if handled > self._told:
            mail = self._runtime._queue[self._told : handled]
            if self._numbers:
                self._trace.turn(mail, self._times[:], None)
                self._times.clear()
            else:
                trail = self._trail(len(mail))
                self._trailed_id = trail.id + len(mail) - 1
                self._trace.turn(mail, self._times[:], None, trail)
                self._times[:] = [self._now()]
            self._told = handled
        return self._trace

    def _handled(self) -> int:
        """How much of the queue is handled or at hand."""
        if self._numbers:
            return self._told + len(self._times)
        return 0 if self._source is None else len(self._runtime._queue) - self._source.__length_hint__()

    def _trail(self, count: int) -> Trail:
        """The trail of so many pieces that the trace is told of next."""
        base = self._runtime._handled
        sends, frames, struck = self._sends[:], self._frames, self._struck
        self._sends.clear()
        self._struck = []
        end = base + self._told + count
        self._frames = [frame for frame in frames if frame[0] + frame[1] > end]
        return Trail(self._runtime._new_ids(count), base, self._told, count, sends, frames, struck)

    @property
    def current_id(self) -> int:
        """The id of the mail at hand, of which the trace has been told; 0 if none is."""
        return self._runtime._current[3] or self._trailed_id

    def strike(self) -> None:
        """The mail at hand is not handled: it does not count as a part of the turn."""
        place = self._handled() - 1
        if place < self._told:
            return
        if self._trails:
            self._struck.append(self._runtime._handled + place)
        else:
            to, sender, _, id_, cause = self._runtime._current
            self._runtime._queue[place] = (to, sender, STRUCK, id_, cause)  # type: ignore[assignment]

    # Frames.

    def leaving(self, mail: list[Envelope]) -> int:
        """See `ports.Node`."""
        if not self._trails or self._trace is None or not mail or mail[0][3] or mail[-1][3]:
            return 0
        first_id = self._runtime._new_ids(len(mail))
        self._trace.framed(mail, first_id)
        return first_id

    def came(self, mail: list[Envelope], frame: Frame) -> None:
        """See `ports.Node`."""
        if not mail:
            return
        if self._trails:
            frame.keep()
            self._frames.append((self._runtime._handled + len(self._runtime._queue), len(mail), frame))
        elif self._numbers and frame.first_id and not (mail[0][3] or mail[-1][3]):
            first = frame.first_id
            mail[:] = [(to, sender, message, id_, 0) for id_, (to, sender, message, _, _) in enumerate(mail, first)]

    # Turns: as `Runtime._turn`, and something more.

    def _timed_turn(self, length: int) -> None:
        """The time before each piece of mail, and ids for what it leads to.

        Mail for elsewhere that stands together has one time: it leaves together, at the end of the turn.
        """
        runtime = self._runtime
        queue, processes, here, send = runtime._queue, runtime.processes, runtime.outside, runtime.network.send
        stamp, now = self._times.append, self._now
        known = len(queue)
        turn = islice(queue, length)
        time = 0.0
        while True:
            last: PID | None = here
            try:
                for runtime._current in turn:
                    to, _, message, id_, _ = runtime._current
                    if to is not last:
                        process = processes.get(to)
                        if process is None:
                            if last is not None:
                                time, last = now(), None
                            stamp(time)
                            if to.port != here.port or to.host != here.host:
                                send(runtime._current)
                            else:
                                runtime._elsewhere(runtime._current)
                            continue
                        last = to
                    stamp(now())
                    process._handlers[message.__class__](process, message)  # type: ignore[arg-type, union-attr]
                    if len(queue) > known:
                        self._number(known, None, id_)
                        known = len(queue)
                break
            except Exception as error:
                runtime._raised(error)
                self._number(known, None, runtime._current[3])
                known = len(queue)

    def _trailed_turn(self, length: int) -> None:
        """A note wherever mail leads to more."""
        runtime = self._runtime
        queue, processes, here, send = runtime._queue, runtime.processes, runtime.outside, runtime.network.send
        note, rest = self._sends.append, self._source.__length_hint__
        known = len(queue)
        turn: Iterator[Envelope] = islice(self._source, length)
        while True:
            last: PID | None = None
            try:
                for runtime._current in turn:
                    to, _, message, _, _ = runtime._current
                    if to is not last:
                        process = processes.get(to)
                        if process is None:
                            last = None
                            if to.port != here.port or to.host != here.host:
                                send(runtime._current)
                            else:
                                runtime._elsewhere(runtime._current)
                            continue
                        last = to
                    process._handlers[message.__class__](process, message)  # type: ignore[arg-type, union-attr]
                    if len(queue) != known:
                        note((known, len(queue), rest()))
                        known = len(queue)
                break
            except Exception as error:
                runtime._raised(error)
                note((known, len(queue), rest()))
                known = len(queue)

    def _intercepted_turn(self, length: int) -> None:
        runtime = self._runtime
        queue = runtime._queue
        known = len(queue)
        for envelope in islice(queue if self._source is None else self._source, length):
            if self._numbers:
                self._times.append(self._now())
            runtime._current = envelope
            try:
                self._show(envelope)
            except Exception as error:
                runtime._raised(error)
            if len(queue) != known:
                if self._numbers:
                    self._number(known, None, envelope[3])
                elif self._source is not None:
                    self._sends.append((known, len(queue), self._source.__length_hint__()))
                known = len(queue)

    def _show(self, envelope: Envelope) -> None:
        """Handle one piece of mail, unless the interceptor takes it away."""
        runtime = self._runtime
        to, _, content, _, _ = envelope
        process = runtime.processes.get(to)
        if process is None:
            runtime._elsewhere(envelope)
            return
        try:
            handler = process._handlers[type(content)]
        except KeyError:
            runtime._drop_current(UNHANDLED)
            return
        if self._is_taken(envelope):
            self.strike()
        else:
            handler(process, content)

    def _is_taken(self, envelope: Envelope) -> bool:
        to, sender, content, id_, cause = envelope
        if self._interceptor is None or isinstance(content, Start | End):
            return False
        if isinstance(content, Timer):
            if content.cancelled:
                return False
            envelope = (to, sender, content.message, id_, cause)
        return self._interceptor(envelope)
