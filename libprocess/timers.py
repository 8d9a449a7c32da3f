"""Timers: mail to oneself, later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libprocess.message import Message
from libprocess.ports import Cancellable

if TYPE_CHECKING:
    from libprocess.process import Process


class Timer:
    """Mail that will come due. It waits in the mailbox as itself, so it can be cancelled until its handler runs."""

    __slots__ = ("_alarm", "cancelled", "delivered", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.cancelled = False
        self.delivered = False
        self._alarm: Cancellable | None = None

    def cancel(self) -> None:
        """The message is not delivered any more. Fine at any time, and twice."""
        self.cancelled = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def handle_due(process: Process, timer: Timer) -> None:
    """What every actor does with a timer that its mailbox holds."""
    if not timer.cancelled:
        timer.delivered = True
        runtime = process._runtime
        runtime._current = (process.pid, process.pid, timer.message, *runtime._current[3:])
        process._handlers[type(timer.message)](process, timer.message)
