"""Backends: what keeps a registry and has to be waited for; and the store that has a thread do the waiting."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Protocol

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.runtime import Runtime
from master.registrar.entries import Rows
from master.registrar.messages import RegistryFetchedMessage, RegistryStoredMessage, StoreFailedMessage
from master.registrar.store import Changes

log = logging.getLogger("master")


class RefusedError(Exception):
    """There is something for the operator to do first. The text says what was found, and the remedy."""


class FailedError(Exception):
    """It did not work, and may have worked in part, as far as anybody knows. The text says why."""


class Backend(Protocol):
    """Keeps a registry. The methods wait; RefusedError and FailedError say why they could not."""

    ensemble_size: int
    remedy: str

    def fetch(self) -> Rows:
        """Everything. Whoever fetched before cannot store any more."""

    def store(self, changes: Changes) -> None:
        """Change all of this for good.

        When it fails, or the program ends meanwhile, each entry is as it was or as it was to be.
        """

    def close(self) -> None:
        """Let go of it."""


class ThreadedStore:
    """The `Store` of real nodes: one thread of its own waits for the backend, so that no actor does."""

    def __init__(self, runtime: Runtime, backend: Backend) -> None:
        self._runtime = runtime
        self._backend = backend
        self._loop = asyncio.get_running_loop()
        self._work: SimpleQueue[tuple[PID, Callable[[], Message]] | None] = SimpleQueue()
        # A daemon: the program may end while it waits, and what it waits for is as safe as after a crash.
        threading.Thread(target=self._run, name="registry", daemon=True).start()

    @property
    def ensemble_size(self) -> int:
        """See `Store`."""
        return self._backend.ensemble_size

    @property
    def remedy(self) -> str:
        """See `Store`."""
        return self._backend.remedy

    def fetch(self, asker: PID) -> None:
        """See `Store`."""

        def fetch() -> Message:
            return RegistryFetchedMessage(tuple(sorted(self._backend.fetch().items())))

        self._work.put((asker, fetch))

    def store(self, asker: PID, changes: Changes) -> None:
        """See `Store`."""

        def store() -> Message:
            self._backend.store(changes)
            return RegistryStoredMessage()

        self._work.put((asker, store))

    def close(self) -> None:
        """Let go of the backend, once it is done with what it has in hand."""
        self._work.put(None)

    def _run(self) -> None:
        """What the thread does."""
        while (item := self._work.get()) is not None:
            asker, work = item
            with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                self._loop.call_soon_threadsafe(self._runtime.send, asker, _outcome(work))
        self._backend.close()


def _outcome(work: Callable[[], Message]) -> Message:
    try:
        return work()
    except RefusedError as error:
        return StoreFailedMessage(str(error), is_refused=True)
    except FailedError as error:
        return StoreFailedMessage(str(error))
    except Exception as error:
        log.exception("the registry's store failed unexpectedly")
        return StoreFailedMessage(str(error) or type(error).__name__)
