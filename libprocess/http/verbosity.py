"""How much a node logs, for a while: `/logging/toggle`."""

from __future__ import annotations

import logging

from libprocess.http.exchange import HttpRequest, HttpResponse
from libprocess.http.routes import About
from libprocess.message import Message
from libprocess.process import Process
from libprocess.timers import Timer
from libprocess.units import format_duration, parse_duration

LOGGING = "logging"
"""The id of the actor."""

LEVEL_MAX = 3
SECONDS_MAX = 7 * 86400.0


class SetLogLevelMessage(Message, frozen=True):
    """An actor that an operator asked → `logging` of its node: log at this level for so long, above 0 everything."""

    level: int
    seconds: float


class RestoreLogLevelMessage(Message, frozen=True):
    """The logging actor to itself, when that time is over."""


class LoggingProcess(Process):
    """Sets the level of the program's log, and sets it back."""

    _timer: Timer | None = None
    _usual: int | None = None
    """The level as the program began with; None while nobody has changed it."""

    def initialize(self) -> None:
        """The first turn."""
        about = About({"level": "0 to 3; everything is logged above 0", "duration": "for how long, such as 5mins"})
        self.route("/toggle", self.toggle, methods=("GET", "POST"), about=about)

    def finalize(self) -> None:
        """The last turn."""
        self._restore()

    def toggle(self, request: HttpRequest) -> HttpResponse:
        """The level, 0 as a rule; or, by POST, log at another `level` for a `duration`, such as 5mins."""
        if not request.argument("level") and not request.argument("duration"):
            return HttpResponse.text(f"{verbosity()}\n")
        if request.method != "POST":
            return HttpResponse.error(405, "405 Method Not Allowed. The level is set by POST.", (("Allow", "POST"),))
        level = request.argument("level")
        try:
            seconds = parse_duration(request.argument("duration"))
        except ValueError as error:
            return HttpResponse.error(400, f"Expecting 'duration=value' in query, such as 5mins: {error}")
        if not level.isdecimal() or len(level) > 1:
            return HttpResponse.error(400, "Expecting 'level=value' in query")
        wrong = check_log_level(int(level), seconds)
        if wrong is not None:
            return HttpResponse.error(400, wrong)
        self._set(int(level), seconds)
        return HttpResponse()

    def set_log_level(self, message: SetLogLevelMessage) -> None:
        """See the message; only actors of this node may say it."""
        if self.sender.address == self.pid.address and check_log_level(message.level, message.seconds) is None:
            self._set(message.level, message.seconds)

    def restore_log_level(self, message: RestoreLogLevelMessage) -> None:
        """See the message."""
        if self.sender == self.pid:
            self._restore()

    def _set(self, level: int, seconds: float) -> None:
        self._restore()
        if level:
            root = logging.getLogger()
            self._usual = root.level
            root.setLevel(logging.DEBUG)
            self._timer = self.delay(seconds, RestoreLogLevelMessage())

    def _restore(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._usual is not None:
            logging.getLogger().setLevel(self._usual)
            self._usual = None


def check_log_level(level: int, seconds: float) -> str | None:
    """What is wrong with such a wish."""
    if not 0 <= level <= LEVEL_MAX:
        return f"Invalid level '{level}': expected 0 to {LEVEL_MAX}"
    if not 0 < seconds <= SECONDS_MAX:
        return f"Invalid duration '{seconds:g}s': expected at most {format_duration(SECONDS_MAX)}"
    return None


def verbosity() -> int:
    """The level: 0, or 1 while everything is logged."""
    return int(logging.getLogger().isEnabledFor(logging.DEBUG))
