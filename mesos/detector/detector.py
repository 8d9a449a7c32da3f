"""The detector: an actor that has the master found, again whenever the link to it breaks, and tells who it is."""

from __future__ import annotations

import logging
from typing import Protocol

from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from libprocess.timers import Timer
from mesos.detector.messages import (
    FindMasterMessage,
    MasterDetectedMessage,
    MasterFoundMessage,
    MasterNotFoundMessage,
)
from mesos.types import MasterInfo

log = logging.getLogger("mesos.detector")

BACKOFF_MIN_SECONDS = 0.1
BACKOFF_MAX_SECONDS = 5.0
BACKOFF_GROWTH = 1.5
"""Slow, so that a master that is started again is found soon after; to look for it costs little."""
STEADY_SECONDS = 1.0
"""A master that was there for so long is looked for at once when it is gone; one that cannot be linked to is not."""


class MasterFinder(Protocol):
    """The detector's port to the outside: looks for a master where the operator said that there is one."""

    def find(self, asker: PID) -> None:
        """Send `asker` a MasterFoundMessage or MasterNotFoundMessage within seconds. Neither blocks nor raises.

        A finder that goes on watching sends another one at each change.
        """


class MasterDetector(Process):
    """Tells a `subscriber` who the master is, by a MasterDetectedMessage at each change.

    It keeps a link to the master it found; when that breaks, it says so and asks the finder anew, with back-off, for
    as long as it lives.
    """

    def __init__(self, subscriber: PID, finder: MasterFinder) -> None:
        self._subscriber = subscriber
        self._finder = finder
        self._master: MasterInfo | None = None
        self._found_at = 0.0
        self._backoff_seconds = BACKOFF_MIN_SECONDS
        self._reason = ""
        self._retry: Timer | None = None

    def initialize(self) -> None:
        self._finder.find(self.pid)

    def find_master(self, message: FindMasterMessage) -> None:
        self._finder.find(self.pid)

    def master_found(self, message: MasterFoundMessage) -> None:
        self._cancel_retry()
        if message.master == self._master:
            return
        log.info("the master is %s", message.master.pid)
        if self._master is not None:
            self.unlink(self._master.pid)
        self._master = message.master
        self._found_at = self.now
        self._reason = ""
        self.link(message.master.pid)
        self.send(self._subscriber, MasterDetectedMessage(message.master))

    def master_not_found(self, message: MasterNotFoundMessage) -> None:
        if message.reason != self._reason:  # once, not at every attempt
            log.warning("%s; trying again until it is there", message.reason)
            self._reason = message.reason
        if self._master is not None:
            self.unlink(self._master.pid)
            self._lose()
        self._find_later()

    def exited(self, message: ExitedMessage) -> None:
        if self._master is None or message.pid != self._master.pid:
            return
        log.info("the master %s is gone: %s", message.pid, message.reason)
        if self.now - self._found_at > STEADY_SECONDS:
            self._backoff_seconds = BACKOFF_MIN_SECONDS
        self._lose()
        self._find_later()

    def _lose(self) -> None:
        self._master = None
        self.send(self._subscriber, MasterDetectedMessage(None))

    def _find_later(self) -> None:
        self._cancel_retry()
        self._retry = self.delay(self._backoff_seconds * self.chance.uniform(0.5, 1.0), FindMasterMessage())
        self._backoff_seconds = min(BACKOFF_GROWTH * self._backoff_seconds, BACKOFF_MAX_SECONDS)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
