"""An actor's first and last turn: they wait in the mailbox like everything else, as markers of their own types."""

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


START, END = Start(), End()


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
