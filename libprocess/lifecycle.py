"""What is in a mailbox beside mail: an actor's first and last turn, as markers of their own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libprocess.handlers import HandlerTable
from libprocess.http.exchange import HttpRequestMessage
from libprocess.timers import Timer, handle_due

if TYPE_CHECKING:
    from libprocess.process import Process


class Start:
    """The first turn."""


class End:
    """The last turn."""


class Struck:
    """Stands in a turn, as the trace is told of it, for mail that was not handled."""


START, END, STRUCK = Start(), End(), Struck()

TERMINATED = "terminated"
"""Why an actor ended that was told to, or that ended itself: it did not fail."""

UNHANDLED = "no handler"
"""Why mail is dropped that its actor does not understand."""


def _start(process: Process, _: Any) -> None:
    process._handlers = type(process)._table
    process.initialize()


def _end(process: Process, _: Any) -> None:
    process._runtime._finish(process)


def _request(process: Process, message: HttpRequestMessage) -> None:
    process._runtime.routes.handle(process, message)


def _ignore(process: Process, _: Any) -> None:
    """Terminated twice."""


# Which table an actor dispatches by is the state it is in; a running one uses its class' own.
STARTING: HandlerTable = {Start: _start}
RUNNING: HandlerTable = {End: _end, Timer: handle_due, HttpRequestMessage: _request}
ENDING: HandlerTable = {End: _end}
DEAD: HandlerTable = {End: _ignore}
