"""Between the master, its registrar, and the store behind that."""

from __future__ import annotations

from libprocess.message import Message
from master.registrar.entries import Entry
from master.registrar.operations import Operation

# The master and the registrar.


class RegistryRecoveredMessage(Message, frozen=True):
    """Registrar → master, once, before anything else: this is what is known from former masters."""

    entries: tuple[Entry, ...]


class ChangeRegistryMessage(Message, frozen=True):
    """Master → registrar: write this down. Answered, in order, when it is safe."""

    serial: int
    operation: Operation


class RegistryChangedMessage(Message, frozen=True):
    """Registrar → master: what it asked for with that number, and everything before, is written down for good."""

    serial: int


class RegistryLostMessage(Message, frozen=True):
    """Registrar → master: nothing can be read or written down any more, and why. A master cannot go on without.

    With `is_refused` there is something for the operator to do first; `reason` says what.
    """

    reason: str
    is_refused: bool = False


# The registrar and its store.


class RegistryFetchedMessage(Message, frozen=True):
    """Store → registrar: these are all entries that there are, and from now on nobody else's are taken."""

    rows: tuple[tuple[str, bytes], ...]


class RegistryStoredMessage(Message, frozen=True):
    """Store → registrar: what it was last given is safe."""


class StoreFailedMessage(Message, frozen=True):
    """Store → registrar: it could not do what it was asked for, or does not know whether it did; and why."""

    reason: str
    is_refused: bool = False
    """What is there cannot be read, or is somebody else's: there is something for the operator to do."""


class StoreOverdueMessage(Message, frozen=True):
    """Registrar → itself: the store has had all the time that it may take for what it was asked for."""

    what: str
