"""Asking from outside an actor: an address for one answer."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.ports import Cancellable, Envelope

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

Answered = Callable[[Message | Exception], None]

PUNCTUAL_SECONDS = 0.001
"""How much early a question may count as expired."""


class Asks:
    """The questions of one node that wait for an answer, by the PIDs that the answers are sent to."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: dict[PID, tuple[PID, Message, Answered, float, float]] = {}  # to, …, timeout, and when that is
        self._serial = 0
        # One alarm for all, at the time of the first: most questions are answered long before, and setting an alarm for
        # each would take longer than all the rest.
        self._alarm: Cancellable | None = None
        self._alarm_at = inf

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, to: PID, message: Message, timeout: float, answered: Answered) -> None:
        """Send, and call back once: with the first answer, or with why there is none."""
        runtime = self._runtime
        here = runtime.outside
        self._serial += 1
        pid = PID(f"ask({self._serial})", here.host, here.port)
        until = runtime.clock.uptime() + timeout
        self._open[pid] = (to, message, answered, timeout, until)
        if until < self._alarm_at:
            self._set_alarm(timeout, until)
        runtime._post((to, pid, message, 0, 0))

    def answer(self, envelope: Envelope) -> bool:
        """Take mail for a question; False if there is none, or no more."""
        ask = self._open.pop(envelope[0], None)
        if ask is None:
            return False
        ask[2](envelope[2])
        return True

    def lost(self, envelope: Envelope, reason: str) -> None:
        """A question did not reach anybody."""
        ask = self._open.get(envelope[1])
        if ask is not None and ask[0] == envelope[0]:
            self._end(envelope[1], ConnectionError(f"{ask[0]} was not reached: {reason}"))

    def broken(self, address: Address, reason: str) -> None:
        """No answer will come from that node any more."""
        for pid, (to, *_) in list(self._open.items()):
            if to.address == address:
                self._end(pid, ConnectionError(f"{to} is gone: {reason}"))

    def close(self) -> None:
        """The node closes."""
        for pid in list(self._open):
            self._end(pid, ConnectionError("this node is closing"))
        if self._alarm is not None:
            self._alarm.cancel()

    def _end(self, pid: PID, error: Exception) -> None:
        ask = self._open.pop(pid, None)
        if ask is not None:
            ask[2](error)

    def _set_alarm(self, seconds: float, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._runtime.clock.later(seconds, self._expire)
        self._alarm_at = at

    def _expire(self) -> None:
        now = self._runtime.clock.uptime()
        for pid, (to, message, _, timeout, until) in list(self._open.items()):
            if until <= now + PUNCTUAL_SECONDS:
                self._end(pid, TimeoutError(f"{to} did not answer {type(message).__name__} within {timeout:g} s"))
        self._alarm, self._alarm_at = None, inf
        if self._open:
            first = min(until for *_, until in self._open.values())
            self._set_alarm(first - now, first)
