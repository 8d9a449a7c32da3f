"""Observer: what a node does more while somebody looks on. Without a trace and an interceptor there is none."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from libprocess.lifecycle import STRUCK, UNHANDLED, End, Start, Struck
from libprocess.pid import PID
from libprocess.ports import Envelope, Interceptor, Trace
from libprocess.timers import Timer

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

_MARKERS = {Start, End, Struck}


class Observer:
    """Takes a node's turns in its place: notes what happens for the trace, and shows mail to the interceptor."""

    def __init__(self, runtime: Runtime, trace: Trace | None, interceptor: Interceptor | None) -> None:
        self.numbers = trace is not None and trace.numbers_mail
        """Whether each piece of mail gets an id, and the id of what caused it."""
        self._runtime = runtime
        self._trace = trace
        self._interceptor = interceptor
        self._now = runtime.clock.now
        self._times: list[float] = []  # when each piece of mail began that the trace has not been told of
        self._told = 0  # how many it has been told of in this turn

    def turn(self, length: int) -> None:
        """Handle the queue, so much of it at most, and tell the trace."""
        self._told = 0
        self._times.clear()
        if self.numbers:
            self._number_what_came(length)
        if self._interceptor is not None:
            self._intercepted_turn(length)
        elif self.numbers:
            self._timed_turn(length)
        else:
            self._times.append(self._now())
            self._runtime._turn()
        mail = self._runtime._queue[self._told : length]
        if self._trace is not None and (mail or self._told):
            self._trace.turn(mail, self._times[:], self._now())
        self._times.clear()

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
        queue, serial = runtime._queue, runtime._message_serial
        first = runtime.incarnation << 32
        for place, (to, sender, message, id_, _) in enumerate(islice(queue, start, stop), start):
            if not id_ and message.__class__ not in _MARKERS:
                serial += 1
                queue[place] = (to, sender, message, first | serial, cause)
        runtime._message_serial = serial

    def catch_up(self) -> Trace | None:
        """Tell the trace of the turn so far, since something else is to be told; returns the trace."""
        if self._trace is not None and self.numbers and self._times:
            told = self._told + len(self._times)
            self._trace.turn(self._runtime._queue[self._told : told], self._times[:], None)
            self._told = told
            self._times.clear()
        return self._trace

    def strike(self) -> None:
        """The mail at hand is not handled: it does not count as a part of the turn."""
        if self._times and (self.numbers or self._interceptor is not None):
            to, sender, _, id_, cause = self._runtime._current
            self._runtime._queue[self._told + len(self._times) - 1] = (to, sender, STRUCK, id_, cause)  # type: ignore[assignment]

    def _timed_turn(self, length: int) -> None:
        """`Runtime._turn`, and the time before each piece of mail, and ids for what it leads to."""
        runtime = self._runtime
        queue, processes, stamp, now = runtime._queue, runtime.processes, self._times.append, self._now
        known = len(queue)
        turn = islice(queue, length)
        while True:
            last: PID | None = None
            try:
                for runtime._current in turn:
                    stamp(now())
                    to, _, message, id_, _ = runtime._current
                    if to is not last:
                        process = processes.get(to)
                        if process is None:
                            last = None
                            runtime._elsewhere(runtime._current)
                            continue
                        last = to
                    process._handlers[message.__class__](process, message)  # type: ignore[arg-type, union-attr]
                    if len(queue) > known:
                        self._number(known, None, id_)
                        known = len(queue)
                break
            except Exception as error:
                runtime._raised(error)
                self._number(known, None, runtime._current[3])
                known = len(queue)

    def _intercepted_turn(self, length: int) -> None:
        runtime = self._runtime
        known = len(runtime._queue)
        for envelope in islice(runtime._queue, length):
            self._times.append(self._now())
            runtime._current = envelope
            try:
                self._show(envelope)
            except Exception as error:
                runtime._raised(error)
            if self.numbers:
                self._number(known, None, envelope[3])
                known = len(runtime._queue)

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
