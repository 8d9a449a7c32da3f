"""The whitelist: a file with the hostnames of agents that may be offered, read again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import Process
from master.allocator.messages import SetWhitelistMessage

INTERVAL_SECONDS = 5.0

Reader: TypeAlias = Callable[[], str | None]
"""The port to the file: what it says now; None if it cannot be read."""


class ReadWhitelistMessage(Message, frozen=True):
    """Whitelist → itself, every 5 seconds."""


class Whitelist(Process):
    """Tells the allocator when the list has changed. A file that cannot be read leaves the list as it was.

    Before the file could be read at all, no agent is listed.
    """

    def __init__(self, allocator: PID, read: Reader) -> None:
        self._allocator = allocator
        self._read = read
        self._hostnames: tuple[str, ...] | None = None

    def initialize(self) -> None:
        """The first turn: nothing is offered that is not listed."""
        self._tell(())
        self.read_whitelist(ReadWhitelistMessage())

    def read_whitelist(self, message: ReadWhitelistMessage) -> None:
        """See the message."""
        text = self._read()
        if text is not None:
            self._tell(tuple(sorted({line.strip() for line in text.splitlines()} - {""})))
        self.delay(INTERVAL_SECONDS, ReadWhitelistMessage())

    def _tell(self, hostnames: tuple[str, ...]) -> None:
        if hostnames != self._hostnames:
            self._hostnames = hostnames
            self.send(self._allocator, SetWhitelistMessage(hostnames))


def reader(path: str) -> Reader:
    """Reads that file. It is small and local: that takes no longer than handling a message."""

    def read() -> str | None:
        try:
            return Path(path).read_text()
        except (OSError, UnicodeDecodeError):
            return None

    return read
