"""The registry in a SQLite file: for a master that stands alone, or that keeps what it knows to itself.

Every change is on the disk when `store` returns: the log is written ahead, and synced with each transaction.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from master.registrar.backend import FailedError, RefusedError
from master.registrar.entries import Rows
from master.registrar.store import Changes

FILE = "registry.sqlite"
LOCK = "registry.lock"
FORMAT = 1
APPLICATION_ID = 0x4D65736F
"""Says in the file's header that it is a registry ("Meso")."""

_NEW = "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID"
_PUT = "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = ?2, checksum = ?3"


class SqliteBackend:
    """See `Backend`. Its file is in the master's work_dir, and one process at a time writes it."""

    ensemble_size = 1

    def __init__(self, work_dir: str | Path) -> None:
        self.path = Path(work_dir) / FILE
        self.remedy = (
            f"restore a backup with `python -m tools.cli registry restore FILE --work_dir={work_dir} --force`, "
            f"or move {self.path}* away to begin without: agents and frameworks will register again"
        )
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None

    def fetch(self) -> Rows:
        """See `Backend`."""
        self._take_lock()
        with self._told():
            self._connection = self._open()
            return read(self._connection)

    def store(self, changes: Changes) -> None:
        """See `Backend`."""
        if self._connection is None:
            raise FailedError("the registry was not opened")
        try:
            write(self._connection, changes)
        except sqlite3.Error as error:
            raise FailedError(f"{self.path} could not be written: {error}") from None

    def close(self) -> None:
        """See `Backend`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def peek(self) -> Rows:
        """Everything, also while a master writes it. FileNotFoundError if there is nothing."""
        if not self.path.exists():
            raise FileNotFoundError(f"there is no registry at {self.path}")
        with self._told(), closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            _check_header(connection)
            return read(connection)

    def replace(self, rows: Rows) -> None:
        """Let this be everything, whatever there was and however damaged it is; until it is, that stays."""
        self._take_lock()
        if self.path.exists():  # it is to do without the log beside it, which goes first; it need not be readable
            with suppress(sqlite3.Error), closing(_connect(self.path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._told():
            self._make(rows)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self._make()
        connection = _connect(self.path)
        _check_header(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _make(self, rows: Rows | None = None) -> None:
        """Write one beside its place, so that what is in its place is never half of one."""
        new = self.path.with_name(f"{FILE}.new")
        new.unlink(missing_ok=True)
        with closing(_connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            with _transaction(connection):
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute(_NEW)
                _put(connection, rows or {})
        _sync(new)
        for suffix in ("-wal", "-shm"):  # of one that was moved away: SQLite would read them into this one
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        new.replace(self.path)
        _sync(self.path.parent)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        path = self.path.with_name(LOCK)
        try:
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock or -1)
            self._lock = None
            raise RefusedError(f"another master holds {path}; end it, or give each a --work_dir of its own") from None
        except OSError as error:
            raise RefusedError(f"{path} cannot be made: {error.strerror}; give a --work_dir to write to") from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what an operator can do about what is wrong with the file."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise RefusedError(f"expected a registry at {self.path}, found: {error}; {self.remedy}") from None


def read(connection: sqlite3.Connection) -> Rows:
    """Everything. ValueError, or SQLite's error, where something is damaged."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ValueError(f"damage: {' '.join(found.split())}")
    rows: Rows = {}
    for key, value, checksum in connection.execute("SELECT key, value, checksum FROM entries"):
        if checksum != zlib.crc32(value):
            raise ValueError(f"damage: the entry {key!r} does not match its checksum")
        rows[key] = value
    return rows


def write(connection: sqlite3.Connection, changes: Changes) -> None:
    """All of this, or nothing; it is on the disk when this returns."""
    with _transaction(connection):
        _put(connection, {key: value for key, value in changes.items() if value is not None})
        gone = [(key,) for key, value in sorted(changes.items()) if value is None]
        connection.executemany("DELETE FROM entries WHERE key = ?", gone)


def _put(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.executemany(_PUT, [(key, value, zlib.crc32(value)) for key, value in sorted(rows.items())])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite may have done it by itself
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_header(connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise ValueError("a database of something else")
    if version > FORMAT:
        raise ValueError(f"one of format {version}, which needs a newer version than this")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
