"""A virtual disk: keeps what was synced, and may lose or tear the rest when the power goes."""

from __future__ import annotations

import random


class PowerLostError(BaseException):
    """Ends the turn of a node whose power goes in the middle of it. Not an Exception: an actor cannot survive it."""

    def __init__(self, storage: SimStorage) -> None:
        super().__init__("the power was lost")
        self.storage = storage


class _File:
    """What is safe, and what is not yet."""

    __slots__ = ("synced", "unsynced")

    def __init__(self, synced: bytes = b"") -> None:
        self.synced = synced
        self.unsynced = bytearray()

    def content(self) -> bytes:
        return self.synced + self.unsynced

    def settle(self) -> None:
        self.synced = self.content()
        self.unsynced.clear()

    def tear(self, chance: random.Random) -> None:
        """The power went: of what was appended since the last sync, any first part may be there."""
        kept = chance.randint(0, len(self.unsynced))
        self.synced += bytes(self.unsynced[:kept])
        self.unsynced.clear()


class SimStorage:
    """A node's files (see `ports.Storage`); they outlive the node."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._power_for: int | None = None

    def lose_power_after(self, changes: int) -> None:
        """Let the node crash when it is about to make one more change than that: each point between two is a
        different death.
        """
        self._power_for = changes

    def keep_power(self) -> None:
        """Undo `lose_power_after`."""
        self._power_for = None

    def settle(self) -> None:
        """The program that wrote is gone, and the machine writes out what it was given."""
        self._power_for = None
        for file in self._files.values():
            file.settle()

    def crash(self, chance: random.Random) -> None:
        """Lose what a crash may lose."""
        self._power_for = None
        for file in self._files.values():
            file.tear(chance)

    def read(self, path: str) -> bytes | None:
        """See `ports.Storage`."""
        file = self._files.get(_checked(path))
        if file is None and self._below(path):
            raise IsADirectoryError(f"{path} is a directory")
        return None if file is None else file.content()

    def write(self, path: str, content: bytes) -> None:
        """See `ports.Storage`."""
        self._writable(path)
        self._change()
        self._files[path] = _File(bytes(content))

    def append(self, path: str, content: bytes) -> None:
        """See `ports.Storage`."""
        self._writable(path)
        self._change()
        self._files.setdefault(path, _File()).unsynced += content

    def sync(self, path: str) -> None:
        """See `ports.Storage`."""
        file = self._files.get(_checked(path))
        if file is None:
            raise FileNotFoundError(f"{path} does not exist")
        self._change()
        file.settle()

    def remove(self, path: str) -> None:
        """See `ports.Storage`. It is durable at once; a real disk may forget that a file was removed."""
        _checked(path)
        self._change()
        for name in [path, *self._below(path)]:
            self._files.pop(name, None)

    def _writable(self, path: str) -> None:
        parts = _checked(path).split("/")
        for end in range(1, len(parts)):
            if (parent := "/".join(parts[:end])) in self._files:
                raise NotADirectoryError(f"{parent} is a file")
        if self._below(path):
            raise IsADirectoryError(f"{path} is a directory")

    def _change(self) -> None:
        if self._power_for is None:
            return
        if self._power_for == 0:
            raise PowerLostError(self)
        self._power_for -= 1

    def _below(self, path: str) -> list[str]:
        prefix = path + "/" if path else ""
        return [name for name in self._files if name.startswith(prefix)]

    def list(self, path: str) -> list[str]:
        """See `ports.Storage`."""
        prefix = path + "/" if _checked(path) else ""
        return sorted({name[len(prefix) :].partition("/")[0] for name in self._below(path)})


def _checked(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"a storage path stays below its root; found {path!r}")
    return path
