"""The janitor: removes sandboxes that nobody needs any more, the sooner the fuller the disk is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import Process

log = logging.getLogger("agent.janitor")

JANITOR_ID = "gc"


class DiscardSandboxMessage(Message, frozen=True):
    """Agent → janitor, when an executor has ended: its sandbox may go when its time has come."""

    path: str


class KeepSandboxMessage(Message, frozen=True):
    """Agent → janitor, when it takes up an executor of an earlier life: its sandbox is in use."""

    path: str


class SandboxRemovedMessage(Message, frozen=True):
    """The janitor's disk → the janitor, for each removal it asked for: the directory is gone, or why not."""

    path: str
    error: str = ""


class LookAtDiskMessage(Message, frozen=True):
    """Janitor → itself, every so often: see how full the disk is, and what is old enough to go."""


class Disk(Protocol):
    """The janitor's port to the disk that sandboxes are on."""

    def usage(self) -> float:
        """How full it is: from 0 to 1."""

    def remove(self, asker: PID, path: str) -> None:
        """Remove a directory, and those above it that become empty. `asker` is sent a SandboxRemovedMessage."""


class Janitor(Process):
    """Keeps each sandbox for `delay_seconds` after its end, and less when the disk has not much more than its headroom.

    `headroom` is the part of the disk that is to stay free; `found` are sandboxes of earlier runs of the agent, with
    the times of their last change.
    """

    def __init__(
        self,
        disk: Disk,
        delay_seconds: float,
        headroom: float,
        interval_seconds: float,
        found: Sequence[tuple[str, float]] = (),
    ) -> None:
        self._disk = disk
        self._delay_seconds = delay_seconds
        self._headroom = headroom
        self._interval_seconds = interval_seconds
        self._discarded: dict[str, float] = dict(found)
        """When each was discarded, in Unix time."""
        self._leaving: set[str] = set()
        self._age_seconds_max = delay_seconds

    def initialize(self) -> None:
        self._succeeded = self.metrics.counter("gc/path_removals_succeeded")
        self._failed = self.metrics.counter("gc/path_removals_failed")
        self.metrics.gauge("gc/path_removals_pending", lambda: len(self._discarded) + len(self._leaving))
        self.metrics.gauge("slave/executor_directory_max_allowed_age_secs", lambda: self._age_seconds_max)
        self.delay(self._interval_seconds, LookAtDiskMessage())

    def discard_sandbox(self, message: DiscardSandboxMessage) -> None:
        self._discarded[message.path] = self.now

    def keep_sandbox(self, message: KeepSandboxMessage) -> None:
        self._discarded.pop(message.path, None)

    def look_at_disk(self, message: LookAtDiskMessage) -> None:
        room = max(0.0, 1.0 - self._headroom - self._disk.usage())
        self._age_seconds_max = self._delay_seconds * room
        oldest = self.now - self._age_seconds_max
        for path in [path for path, since in self._discarded.items() if since <= oldest]:
            del self._discarded[path]
            self._leaving.add(path)
            self._disk.remove(self.pid, path)
        self.delay(self._interval_seconds, LookAtDiskMessage())

    def sandbox_removed(self, message: SandboxRemovedMessage) -> None:
        self._leaving.discard(message.path)
        if message.error:
            self._failed.value += 1
            log.warning("%s cannot be removed: %s", message.path, message.error)
        else:
            self._succeeded.value += 1
