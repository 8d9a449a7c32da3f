"""The port to what keeps the registry, and the store that keeps it for as long as the program runs."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from libprocess.pid import PID
from libprocess.runtime import Runtime
from master.registrar.entries import Rows
from master.registrar.messages import RegistryFetchedMessage, RegistryStoredMessage

Changes: TypeAlias = dict[str, bytes | None]
"""New entries by key, and None for those that go."""


class Store(Protocol):
    """A registrar's port to the disk, or the ensemble. It answers by message, in order, and works for one registrar."""

    @property
    def ensemble_size(self) -> int:
        """How many servers keep it."""

    @property
    def remedy(self) -> str:
        """What an operator can do when what is there cannot be read."""

    def fetch(self, asker: PID) -> None:
        """Read everything, and see to it that nobody who asked before can write any more.

        `asker` is sent a RegistryFetchedMessage, or a StoreFailedMessage.
        """

    def store(self, asker: PID, changes: Changes) -> None:
        """Write all of this. `asker` is sent a RegistryStoredMessage when it is safe, or a StoreFailedMessage.

        In any other case each entry is as it was or as it was to be: a large batch may need several transactions.
        That is enough. What was not answered may have been done or not, by itself, since it is about one entry.
        """

    def close(self) -> None:
        """Let go of it."""


class MemoryStore:
    """Forgets everything with the program, unless it is given `rows` that somebody else keeps."""

    ensemble_size = 1
    remedy = "start anew"

    def __init__(self, runtime: Runtime, rows: Rows | None = None) -> None:
        self._runtime = runtime
        self._rows: Rows = {} if rows is None else rows

    def fetch(self, asker: PID) -> None:
        """See `Store`."""
        self._runtime.send(asker, RegistryFetchedMessage(tuple(sorted(self._rows.items()))))

    def store(self, asker: PID, changes: Changes) -> None:
        """See `Store`."""
        change_rows(self._rows, changes)
        self._runtime.send(asker, RegistryStoredMessage())

    def close(self) -> None:
        """See `Store`."""


def change_rows(rows: Rows, changes: Changes) -> None:
    """Let entries be what they became."""
    for key, value in changes.items():
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
