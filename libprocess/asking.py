"""Asking from outside an actor: a mailbox for one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from libprocess.handlers import Handler
from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.ports import Cancellable, Envelope

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

Answered = Callable[[Message | Exception], None]


class _AnswerTable(dict[type, Handler]):
    """Whatever comes first is the answer."""

    def __missing__(self, kind: type) -> Handler:
        self[kind] = _answer
        return _answer


def _answer(ask: Any, message: Message) -> None:
    ask.end(message)


class Ask:
    """Stands in the runtime's table of actors until its answer, its time, or bad news comes."""

    __slots__ = ("_alarm", "_answered", "_asks", "_post", "pid", "to")
    _handlers = _AnswerTable()
    _post: Callable[[Envelope], None]

    def __init__(self, asks: Asks, pid: PID, to: PID, answered: Answered) -> None:
        self.pid = pid
        self.to = to
        self._asks = asks
        self._answered = answered
        self._alarm: Cancellable | None = None

    def end(self, outcome: Message | Exception) -> None:
        """Call back, once, and be gone."""
        if self._asks.strike(self.pid):
            self._answered(outcome)


class Asks:
    """The questions of one node that wait for an answer."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: dict[PID, Ask] = {}
        self._serial = 0

    def ask(self, to: PID, message: Message, timeout: float, answered: Answered) -> PID:
        """Send, and call back once: with the first answer, or with why there is none. Returns the asker's PID."""
        runtime = self._runtime
        self._serial += 1
        ask = Ask(self, PID(f"ask({self._serial})", *runtime.address), to, answered)
        self._open[ask.pid] = runtime.processes[ask.pid] = ask
        ask._alarm = runtime.clock.later(
            timeout, lambda: ask.end(TimeoutError(f"{to} did not answer {type(message).__name__} within {timeout:g} s"))
        )
        runtime._post((to, ask.pid, message, 0, 0))
        return ask.pid

    def __len__(self) -> int:
        return len(self._open)

    def strike(self, pid: PID) -> bool:
        """Close a question; False if it was closed."""
        ask = self._open.pop(pid, None)
        if ask is None:
            return False
        del self._runtime.processes[pid]
        if ask._alarm is not None:
            ask._alarm.cancel()
        return True

    def lost(self, envelope: Envelope, reason: str) -> None:
        """A question did not reach anybody."""
        ask = self._open.get(envelope[1])
        if ask is not None and ask.to == envelope[0]:
            ask.end(ConnectionError(f"{ask.to} was not reached: {reason}"))

    def broken(self, address: Address, reason: str) -> None:
        """No answer will come from that node any more."""
        for ask in [ask for ask in self._open.values() if ask.to.address == address]:
            ask.end(ConnectionError(f"{ask.to} is gone: {reason}"))

    def close(self) -> None:
        """The node closes."""
        for ask in list(self._open.values()):
            ask.end(ConnectionError("this node is closing"))
