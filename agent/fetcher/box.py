"""The directory that an archive is extracted into. Whatever the archive says, nothing is made outside of it.

Names are walked step by step from the directory, and never through a link; a link may only point at what is below the
directory. That does not rest on `tarfile`: older Pythons do not look, and newer ones have been talked out of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

_CHUNK_BYTES = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHTS = 0o755
"""What of an archive's rights counts: nobody but the owner writes, and nobody becomes the owner."""


class RefusedError(Exception):
    """An archive holds what must not be; the text says why."""


class Spend(Protocol):
    """Notes that so many bytes are to be written, and raises if that is too much."""

    def __call__(self, size: int, /) -> None: ...


class Box:
    """See this module. Names are the archive's; RefusedError and OSError say what is wrong with one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, source: IO[bytes], mode: int, spend: Spend) -> None:
        """Make a file with what the source has, in the place of one that is there."""
        with self._place(name) as (parent, last):
            _make_way(parent, last)
            with open(os.open(last, _NEW_FILE, 0o600, dir_fd=parent), "wb") as file:
                while chunk := source.read(_CHUNK_BYTES):
                    spend(len(chunk))
                    file.write(chunk)
                os.fchmod(file.fileno(), mode & _RIGHTS | 0o600)

    def make_directory(self, name: str) -> None:
        """Make a directory, unless it is there."""
        os.close(self._open(_parts(name), makes=True))

    def symlink(self, name: str, target: str) -> None:
        """Make a link that leads to something below the directory: up first, not further than that, and then down."""
        depth = len(_parts(name)) - 1
        steps = [step for step in target.split("/") if step not in ("", ".")]
        climb = next((place for place, step in enumerate(steps) if step != ".."), len(steps))
        if target.startswith("/") or climb > depth or ".." in steps[climb:]:
            raise RefusedError(f"it is a link to {target!r}")
        with self._place(name) as (parent, last):
            _make_way(parent, last)
            os.symlink(target, last, dir_fd=parent)

    def link(self, name: str, existing: str) -> None:
        """Make one more name of a file that was extracted before."""
        *above, original = _parts(existing) or [""]
        source = self._open(above, makes=False)
        try:
            if not stat.S_ISREG(os.stat(original, dir_fd=source, follow_symlinks=False).st_mode):
                raise RefusedError(f"{existing!r} is no file")
            with self._place(name) as (parent, last):
                _make_way(parent, last)
                os.link(original, last, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    @contextmanager
    def _place(self, name: str) -> Iterator[tuple[int, str]]:
        """The directory that something of this name is in, which is made where it is missing, and its last name."""
        parts = _parts(name)
        if not parts:
            raise RefusedError("it has no name")
        parent = self._open(parts[:-1], makes=True)
        try:
            yield parent, parts[-1]
        finally:
            os.close(parent)

    def _open(self, parts: list[str], makes: bool) -> int:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts:
            above = descriptor
            try:
                if makes and not _is_there(above, part):
                    os.mkdir(part, dir_fd=above)
                descriptor = os.open(part, _DIRECTORY, dir_fd=above)
            except NotADirectoryError:
                raise RefusedError(f"{part!r} on its way is no directory") from None
            finally:
                os.close(above)
        return descriptor


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise RefusedError("it leads outside")
    return parts


def _is_there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _make_way(parent: int, name: str) -> None:
    """Remove what has the name now; OSError for a directory."""
    if _is_there(parent, name):
        os.unlink(name, dir_fd=parent)
