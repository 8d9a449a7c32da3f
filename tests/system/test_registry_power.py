"""The power goes between any two things that SQLite does to the disk: nothing that was said to be safe is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from master.registrar.sqlite import SqliteBackend
from tests.system.recorded_disk import Disk, record

BATCHES = 5

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


def state(number: int) -> dict[str, bytes]:
    """What the registry holds after so many batches."""
    rows = {f"entry-{each}": b"x" * 3000 for each in range(max(number - 2, 0), number)}
    return rows | ({"last": b"%d" % (number - 1)} if number else {})


@pytest.mark.timeout(300)
def test_what_is_safe_is_there_whenever_the_power_goes(tmp_path: Path):
    work_dir = tmp_path / "work"
    work_dir.mkdir()
    calls = record([sys.executable, "-c", PROGRAM, str(work_dir)], tmp_path / "log")
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
            backend = SqliteBackend(place)
            found = backend.fetch()
            backend.close()
            assert found in (state(told), state(told + 1)), f"{call[0]} was the last call, {name} was kept"
    assert len(disk.said) == BATCHES
    assert len(tried) > 40
