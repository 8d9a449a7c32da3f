"""The registry in a file: kept for good, refused when it is damaged, and written by one master at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from master.registrar.backend import FailedError, RefusedError
from master.registrar.sqlite import FILE, SqliteBackend

VALUE = b"value" * 100


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """One with two entries."""
    made = SqliteBackend(tmp_path)
    assert made.fetch() == {}
    made.store({"a": VALUE, "b": b"2"})
    return made


def test_what_is_written_is_there_the_next_time(backend: SqliteBackend, tmp_path: Path):
    backend.store({"a": None, "c": b"3"})
    backend.close()
    assert SqliteBackend(tmp_path).fetch() == {"b": b"2", "c": b"3"}


def test_others_may_look_but_not_write(backend: SqliteBackend, tmp_path: Path):
    assert SqliteBackend(tmp_path).peek() == {"a": VALUE, "b": b"2"}
    with pytest.raises(RefusedError, match=r"another master holds .*registry.lock; end it, or give each a --work_dir"):
        SqliteBackend(tmp_path).fetch()


def _flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.find(VALUE)] ^= 1
    path.write_bytes(content)


def _of_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _of_something_else(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entries (a)")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_flip_a_byte, "damage: the entry 'a' does not match its checksum"),
        (lambda path: path.write_bytes(b"rubbish" * 1000), "file is not a database"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:5000]),
            "damage: *** in database main ***",
        ),
        (lambda path: path.write_bytes(b""), "a database of something else"),
        (_of_something_else, "a database of something else"),
        (_of_a_newer_version, "one of format 99, which needs a newer version than this"),
    ],
)
def test_damage_is_refused_with_the_remedy_and_left_as_it_is(
    backend: SqliteBackend, tmp_path: Path, damage: Callable[[Path], None], found: str
):
    backend.close()
    path = tmp_path / FILE
    damage(path)
    before = path.read_bytes()
    with pytest.raises(RefusedError) as refused:
        SqliteBackend(tmp_path).fetch()
    assert str(refused.value).startswith(f"expected a registry at {path}, found: {found}")
    assert str(refused.value).endswith(
        f"; restore a backup with `python -m tools.cli registry restore FILE --work_dir={tmp_path} --force`, or move "
        f"{path}* away to begin without: agents and frameworks will register again"
    )
    assert path.read_bytes() == before


def test_what_is_damaged_can_be_replaced(backend: SqliteBackend, tmp_path: Path):
    backend.close()
    (tmp_path / FILE).write_bytes(b"rubbish" * 1000)
    restored = SqliteBackend(tmp_path)
    restored.replace({"c": b"3"})
    restored.close()
    assert SqliteBackend(tmp_path).fetch() == {"c": b"3"}


def test_a_full_disk_is_told_as_such_and_nothing_is_lost(backend: SqliteBackend):
    assert backend._connection is not None
    backend._connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(FailedError, match="could not be written: database or disk is full"):
        backend.store({f"key-{number}": VALUE * 10 for number in range(10)})
    assert backend.peek() == {"a": VALUE, "b": b"2"}


def test_a_backup_that_cannot_be_written_leaves_what_was_there(
    backend: SqliteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    backend.close()

    def fail(self: Path, target: Path) -> None:
        raise OSError("the power goes")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="the power goes"):
            backend.replace({"c": b"3"})
    backend.close()
    assert SqliteBackend(tmp_path).fetch() == {"a": VALUE, "b": b"2"}
