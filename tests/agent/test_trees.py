"""Trees of files that a hostile task leaves: they are measured and removed all the same."""

from __future__ import annotations

import os
from pathlib import Path

from agent.trees import disk_usage, remove

MEGABYTE = 1 << 20
LEVELS = 2_100


def dig(directory: Path) -> None:
    """Directories deeper than any path can name, with a megabyte at the bottom."""
    descriptor = os.open(directory, os.O_RDONLY)
    for _ in range(LEVELS):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    bottom = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor)
    with open(bottom, "wb") as file:
        file.write(os.urandom(MEGABYTE))
    os.close(descriptor)


def test_nothing_is_hidden_however_deep_it_lies(tmp_path: Path):
    (tmp_path / "tree").mkdir()
    dig(tmp_path / "tree")
    assert disk_usage(str(tmp_path)) >= MEGABYTE
    remove(str(tmp_path / "tree"))
    assert list(tmp_path.iterdir()) == []


def test_many_files_are_added_up_and_what_is_linked_counts_once(tmp_path: Path):
    for number in range(2_000):
        (tmp_path / f"file-{number}").touch()
    before = disk_usage(str(tmp_path))
    (tmp_path / "large").write_bytes(os.urandom(MEGABYTE))
    os.link(tmp_path / "large", tmp_path / "again")
    (tmp_path / "link").symlink_to("/usr")
    assert MEGABYTE <= disk_usage(str(tmp_path)) - before < 2 * MEGABYTE


def test_what_is_gone_already_is_fine(tmp_path: Path):
    remove(str(tmp_path / "gone"))
    assert disk_usage(str(tmp_path / "gone")) == 0
