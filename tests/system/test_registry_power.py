"""The power goes between any two things that SQLite does to the disk: nothing that was said to be there is lost."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from master.history.sqlite import FILE
from master.registrar.sqlite import SqliteBackend
from tests.system.recorded_disk import Disk, record

BATCHES = 5
Found = TypeVar("Found")

PROGRAM = f"""
import os, sys
from master.registrar.sqlite import SqliteBackend

backend = SqliteBackend(sys.argv[1])
backend.fetch()
for number in range({BATCHES}):
    backend.store({{"last": b"%d" % number, f"entry-{{number}}": b"x" * 3000, f"entry-{{number - 2}}": None}})
    os.write(1, b"%d" % number)
backend.close()
"""


HISTORIAN = f"""
import os, sys
from queue import SimpleQueue
from libprocess import PID
from master.history.query import Query
from master.history.sqlite import SqliteTaskHistory
from mesos.types import TaskState
from mesos.types.history import EndedTask

answers = SimpleQueue()
history = SqliteTaskHistory(sys.argv[1], lambda asker, answer: answers.put(answer), 100, 1e12)
for number in range({BATCHES}):
    history.record(EndedTask("f", f"t{{number}}", "a", TaskState.TASK_FINISHED, float(number)))
    history.find(PID("asker", "host", 1), Query())
    answers.get()
    os.write(1, b"%d" % number)
history.close()
"""


def state(number: int) -> dict[str, bytes]:
    """What the registry holds after so many batches."""
    rows = {f"entry-{each}": b"x" * 3000 for each in range(max(number - 2, 0), number)}
    return rows | ({"last": b"%d" % (number - 1)} if number else {})


@pytest.mark.timeout(300)
def test_what_is_safe_is_there_whenever_the_power_goes(tmp_path: Path):
    for told, found, where in _left(tmp_path, PROGRAM, _registry_at):
        assert found in (state(told), state(told + 1)), where


@pytest.mark.timeout(300)
def test_what_is_found_in_the_history_stays_there_whenever_the_power_goes(tmp_path: Path):
    for told, found, where in _left(tmp_path, HISTORIAN, _history_at):
        assert found[:told] == [f"t{number}" for number in range(told)], where


def _left(tmp_path: Path, program: str, read: Callable[[Path], Found]) -> Iterator[tuple[int, Found, str]]:
    """Run a program; of each way in which the power may go: how often it had spoken, what is read then, and where."""
    work_dir = tmp_path / "work"
    work_dir.mkdir()
    calls = record([sys.executable, "-c", program, str(work_dir)], tmp_path / "log")
    disk, tried = Disk(work_dir), set[tuple[int, tuple[tuple[str, bytes], ...]]]()
    for call in calls:
        if not disk.apply(call):
            continue
        for name, files in disk.remains():
            told = len(disk.said)
            case = (told, tuple(sorted(files.items())))
            if case in tried:
                continue
            tried.add(case)
            place = tmp_path / f"{len(tried)}"
            place.mkdir()
            for file, content in files.items():
                (place / file).write_bytes(content)
            yield told, read(place), f"{call[0]} was the last call, {name} was kept"
    assert len(disk.said) == BATCHES
    assert len(tried) > 40


def _registry_at(place: Path) -> dict[str, bytes]:
    backend = SqliteBackend(place)
    found = backend.fetch()
    backend.close()
    return found


def _history_at(place: Path) -> list[str]:
    with closing(sqlite3.connect(place / FILE)) as connection, suppress(sqlite3.OperationalError):  # not begun yet
        return [name for (name,) in connection.execute("SELECT task_id FROM tasks ORDER BY task_id")]
    return []
