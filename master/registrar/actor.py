"""The Registrar: one writer, that writes in batches what came while it wrote the last one."""

from __future__ import annotations

import logging

from libprocess.http import HttpRequest, HttpResponse
from libprocess.pid import PID
from libprocess.process import Process
from libprocess.timers import Timer
from master.registrar.entries import Entry, read_entries, write_entry
from master.registrar.form import registry_form
from master.registrar.messages import (
    ChangeRegistryMessage,
    RegistryChangedMessage,
    RegistryFetchedMessage,
    RegistryLostMessage,
    RegistryRecoveredMessage,
    RegistryStoredMessage,
    StoreFailedMessage,
    StoreOverdueMessage,
)
from master.registrar.operations import apply
from master.registrar.store import Store
from mesos.types import MasterInfo

log = logging.getLogger("master")


class Registrar(Process):
    """Works for the master that spawned it, as long as its store does. Answers in the order in which it was asked."""

    def __init__(
        self, master: PID, info: MasterInfo, store: Store, fetch_timeout_seconds: float, store_timeout_seconds: float
    ) -> None:
        self._master = master
        self._info = info
        self._store = store
        self._fetch_timeout_seconds = fetch_timeout_seconds
        self._store_timeout_seconds = store_timeout_seconds
        self._entries: dict[str, Entry] = {}
        self._sizes: dict[str, int] = {}
        self._is_recovered = False
        self._waiting: list[ChangeRegistryMessage] = []
        self._batch: list[ChangeRegistryMessage] = []
        """What is being written."""
        self._became: dict[str, Entry | None] = {}
        """What that makes of the entries."""
        self._timer: Timer | None = None
        self._began = 0.0

    def initialize(self) -> None:
        """The first turn: read what there is."""
        metrics = self.metrics
        self._fetch_ms = metrics.gauge("registrar/state_fetch_ms")
        self._store_time = metrics.timer("registrar/state_store")
        metrics.gauge("registrar/queued_operations", lambda: len(self._waiting) + len(self._batch))
        metrics.gauge("registrar/registry_size_bytes", lambda: sum(self._sizes.values()))
        metrics.gauge("registrar/log/recovered", lambda: int(self._is_recovered))
        metrics.gauge("registrar/log/ensemble_size", lambda: self._store.ensemble_size)
        self.route("/registry", self._shown)
        self._begin("fetch", self._fetch_timeout_seconds)
        self._store.fetch(self.pid)

    def registry_fetched(self, message: RegistryFetchedMessage) -> None:
        """See the message."""
        if not self._is_from_store():
            return
        self._fetch_ms.value = self._end()
        rows = dict(message.rows)
        try:
            self._entries = read_entries(rows)
        except ValueError as error:
            self._lose(f"{error}; {self._store.remedy}", is_refused=True)
            return
        self._sizes = {key: len(value) for key, value in rows.items()}
        self._is_recovered = True
        log.info("recovered %d entries of the registry in %.0f ms", len(rows), self._fetch_ms.value)
        self.send(self._master, RegistryRecoveredMessage(tuple(self._entries.values())))
        self._write()

    def change_registry(self, message: ChangeRegistryMessage) -> None:
        """See the message."""
        if self.sender == self._master:
            self._waiting.append(message)
            self._write()

    def _write(self) -> None:
        """Give the store all that waits, once it is done with what it has."""
        if self._batch or not self._waiting or not self._is_recovered:
            return
        self._batch, self._waiting = self._waiting, []
        self._became = apply(self._entries, (each.operation for each in self._batch))
        if not self._became:  # it is so already
            self._answer()
            return
        self._begin("store", self._store_timeout_seconds)
        written = {key: None if entry is None else write_entry(entry) for key, entry in self._became.items()}
        self._store.store(self.pid, written)
        for key, value in written.items():
            if value is None:
                self._sizes.pop(key, None)
            else:
                self._sizes[key] = len(value)

    def registry_stored(self, message: RegistryStoredMessage) -> None:
        """See the message."""
        if not self._is_from_store():
            return
        self._store_time.record(self._end())
        for key, entry in self._became.items():
            if entry is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = entry
        self._answer()

    def _answer(self) -> None:
        done, self._batch = self._batch, []
        for each in done:
            self.send(self._master, RegistryChangedMessage(each.serial))
        self._write()

    # What goes wrong.

    def store_failed(self, message: StoreFailedMessage) -> None:
        """See the message."""
        if self._is_from_store():
            self._end()
            self._lose(message.reason, message.is_refused)

    def store_overdue(self, message: StoreOverdueMessage) -> None:
        """See the message."""
        if self.sender == self.pid:
            seconds = self._fetch_timeout_seconds if message.what == "fetch" else self._store_timeout_seconds
            text = (
                f"the store did not {message.what} within {seconds:g} s; --registry_{message.what}_timeout allows more"
            )
            self._lose(text)

    def _lose(self, reason: str, is_refused: bool = False) -> None:
        """Nothing is written any more: nobody knows what a store that failed has done."""
        self._is_recovered = False
        self.send(self._master, RegistryLostMessage(reason, is_refused))

    def _begin(self, what: str, seconds: float) -> None:
        self._began = self.now
        self._timer = self.delay(seconds, StoreOverdueMessage(what))

    def _end(self) -> float:
        """The store has answered; returns after how many milliseconds."""
        if self._timer is not None:
            self._timer.cancel()
        return (self.now - self._began) * 1000

    def _is_from_store(self) -> bool:
        """Stores speak from outside of any actor, on this very node."""
        return self.sender.address == self.pid.address

    # What is shown.

    def _shown(self, request: HttpRequest) -> HttpResponse:
        """Everything, as Mesos shows it."""
        return HttpResponse.json(registry_form(self._entries.values(), self._info))
