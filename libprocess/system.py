"""The ports of a real node: its loop's clock, and the disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from libprocess.errors import OperatorError
from libprocess.ports import Cancellable


class LoopClock:
    """The clock of an asyncio loop (uvloop, where it is ours)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = time.time
        self.uptime = loop.time

    def soon(self, callback: Callable[[], None]) -> None:
        """See `ports.Clock`."""
        self._loop.call_soon(callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> Cancellable:
        """See `ports.Clock`."""
        return self._loop.call_later(seconds, callback)


class DiskError(OperatorError, OSError):
    """The disk does not take something. The text says what, and why."""


class DiskStorage:
    """Files below a directory, made durable as `ports.Storage` promises. DiskError if the disk does not take them."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def read(self, path: str) -> bytes | None:
        """See `ports.Storage`."""
        try:
            return self._at(path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, content: bytes) -> None:
        """A temporary file beside it, synced and renamed over it; then the directory is synced."""
        target = self._at(path)
        with _told(target):
            self._make_directory(target.parent)
            temporary = target.with_name(target.name + ".new")
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_directory(target.parent)

    def append(self, path: str, content: bytes) -> None:
        """See `ports.Storage`."""
        target = self._at(path)
        with _told(target):
            is_new = not target.exists()
            if is_new:
                self._make_directory(target.parent)
            with target.open("ab") as file:
                file.write(content)
            if is_new:
                _sync_directory(target.parent)

    def sync(self, path: str) -> None:
        """See `ports.Storage`."""
        target = self._at(path)
        with _told(target):
            descriptor = os.open(target, os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, path: str) -> None:
        """See `ports.Storage`."""
        target = self._at(path)
        with _told(target):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def list(self, path: str) -> list[str]:
        """See `ports.Storage`."""
        try:
            return sorted(os.listdir(self._at(path)))
        except FileNotFoundError:
            return []

    def _at(self, path: str) -> Path:
        parts = path.split("/")
        if ".." in parts or path.startswith("/"):
            raise ValueError(f"a storage path stays below its root; found {path!r}")
        return self._root.joinpath(*parts)

    def _make_directory(self, directory: Path) -> None:
        missing = []
        while not directory.is_dir():
            missing.append(directory)
            directory = directory.parent
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            _sync_directory(path.parent)


class ScratchStorage(DiskStorage):
    """Files that are gone at the end. Their directory is made when the first is asked for: a node that keeps none
    leaves nothing behind, even if it is killed."""

    def __init__(self) -> None:
        super().__init__("")
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove all of them."""
        if self._scratch is not None:
            self._scratch.cleanup()

    def _at(self, path: str) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="node-")
            self._root = Path(self._scratch.name)
        return super()._at(path)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Say what could not be written."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):  # that is whoever asked, not the disk
        raise
    except OSError as error:
        raise DiskError(f"{target} cannot be written: {error.strerror}") from None


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
