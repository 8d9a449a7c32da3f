"""The history in a SQLite file. A thread of its own writes what came meanwhile in one piece, and looks up.

It is written a moment after it happened, and what was written is on the disk. What a power cut keeps from being
written, agents tell the next master again, as far as they still run.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

import msgspec

from libprocess.http import HttpResponse
from libprocess.http.exchange import HttpResponseMessage
from libprocess.pid import PID
from master.history.query import Query
from master.history.store import page
from mesos.types.history import EndedTask

log = logging.getLogger("master.history")

FILE = "history.sqlite"
FORGET_EVERY = 1000
"""After so many tasks it is looked for those to forget."""

_NEW = """
CREATE TABLE IF NOT EXISTS tasks (
    framework_id TEXT, task_id TEXT, agent_id TEXT, framework_name TEXT, name TEXT, hostname TEXT,
    state TEXT, reason TEXT, ended REAL, task BLOB, PRIMARY KEY (framework_id, task_id, agent_id)
);
CREATE INDEX IF NOT EXISTS by_end ON tasks (ended);
"""
_PUT = "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FORGET_OLD = "DELETE FROM tasks WHERE ended < ?"
_FORGET_MANY = "DELETE FROM tasks WHERE ended < (SELECT ended FROM tasks ORDER BY ended DESC LIMIT 1 OFFSET ?)"

_decoder = msgspec.msgpack.Decoder(EndedTask)
_encode = msgspec.msgpack.Encoder().encode

Send: TypeAlias = Callable[[PID, HttpResponseMessage], None]
Work: TypeAlias = Callable[[sqlite3.Connection], None]


class SqliteTaskHistory:
    """See `TaskHistory`. It keeps `tasks_max` tasks, none longer than `age_seconds`; `send` is called on its thread."""

    def __init__(self, work_dir: str | Path, send: Send, tasks_max: int, age_seconds: float) -> None:
        self._path = Path(work_dir) / FILE
        self._send = send
        self._tasks_max = tasks_max
        self._age_seconds = age_seconds
        self._work: SimpleQueue[EndedTask | Work | None] = SimpleQueue()
        self._written = 0
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def record(self, task: EndedTask) -> None:
        """See `TaskHistory`."""
        self._work.put(task)

    def find(self, asker: PID, query: Query) -> None:
        """See `TaskHistory`."""
        self._work.put(partial(self._find, asker, query))

    def close(self) -> None:
        """See `TaskHistory`."""
        self._work.put(None)
        self._thread.join()

    # The thread.

    def _run(self) -> None:
        connection = self._open()
        then: Work | None = _nothing
        while then is not None:
            tasks, then = self._next()
            try:
                if tasks:
                    self._write(connection, tasks)
                if then is not None:
                    then(connection)
            except sqlite3.Error as error:
                log.error("%s: %s; what happened to some tasks is not remembered", self._path, error)
        connection.close()

    def _next(self) -> tuple[list[EndedTask], Work | None]:
        """All that waits to be written, at least one piece of work, and what is to be done after it."""
        tasks: list[EndedTask] = []
        work = self._work.get()
        while isinstance(work, EndedTask):
            tasks.append(work)
            try:
                work = self._work.get_nowait()
            except Empty:
                work = _nothing
        return tasks, work

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect(str(self._path))
        except sqlite3.DatabaseError as error:
            aside = self._path.with_suffix(".damaged")
            log.error("%s: %s; it is moved to %s, and a new one begun", self._path, error, aside)
        try:
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._path.replace(aside)
            return self._connect(str(self._path))
        except (OSError, sqlite3.Error) as error:
            log.error("%s: %s; the history of tasks ends with this program", self._path, error)
            return self._connect(":memory:")

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_NEW)
        return connection

    def _write(self, connection: sqlite3.Connection, batch: list[EndedTask]) -> None:
        connection.execute("BEGIN")
        try:
            connection.executemany(_PUT, map(_row, batch))
            self._written += len(batch)
            if self._written >= FORGET_EVERY:
                self._written = 0
                connection.execute(_FORGET_OLD, (time.time() - self._age_seconds,))
                connection.execute(_FORGET_MANY, (self._tasks_max - 1,))
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _find(self, asker: PID, query: Query, connection: sqlite3.Connection) -> None:
        try:
            answer = page(query, filter(query.matches, self._select(connection, query)))
        except sqlite3.Error as error:
            answer = HttpResponse.error(500, f"{self._path}: {error}")
        self._send(asker, HttpResponseMessage(answer))

    def _select(self, connection: sqlite3.Connection, query: Query) -> Iterator[EndedTask]:
        """Those that are asked for, as far as columns tell."""
        ways = {
            "? IN (framework_id, framework_name)": query.framework,
            "? IN (task_id, name)": query.task,
            "? IN (agent_id, hostname)": query.agent,
            "state = ?": query.state,
            "reason = ?": query.reason,
        }
        asked = {way: value for way, value in ways.items() if value}
        where = " AND ".join(["ended BETWEEN ? AND ?", *asked])
        oldest = max(query.since, time.time() - self._age_seconds)
        order = f"SELECT task FROM tasks WHERE {where} ORDER BY ended DESC, task_id"
        for (task,) in connection.execute(order, (oldest, query.until, *asked.values())):
            yield _decoder.decode(task)


def _row(task: EndedTask) -> tuple[str | float | bytes | None, ...]:
    ids = (task.framework_id, task.task_id, task.agent_id, task.framework_name, task.name, task.hostname)
    return (*ids, task.state, task.reason, task.ended, _encode(task))


def _nothing(connection: sqlite3.Connection) -> None:
    """There is nothing else to do."""
