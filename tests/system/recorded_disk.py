"""What a program did to the files of a directory, as strace saw it, and what a disk may hold when the power goes.

A disk keeps what was synced: a file's content by a sync of the file, its name by one of the directory. Of the rest it
may keep all, nothing, some, or half a write.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CALLS = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink"
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def record(command: Sequence[str], log: Path) -> list[tuple[str, str, int]]:
    """Run a program; returns its calls: name, arguments, and outcome."""
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here; as root: apt-get install strace")
    strace = ["strace", "-f", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(log)]
    subprocess.run([*strace, *command], check=True, capture_output=True, timeout=60)
    found = map(_CALL.match, log.read_text().splitlines())
    return [(call[1], call[2], int(call[3])) for call in found if call]


@dataclass
class File:
    """One file: what is safe, and what is not yet, in order."""

    safe: bytearray = field(default_factory=bytearray)
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """At an offset, these bytes; None cuts the file there."""

    def content(self, changes: Sequence[tuple[int, bytes | None]]) -> bytes:
        """What it holds with some of the changes."""
        content = bytearray(self.safe)
        for offset, data in changes:
            if data is None:
                del content[offset:]
                continue
            content.extend(bytes(max(offset - len(content), 0)))
            content[offset : offset + len(data)] = data
        return bytes(content)


class Disk:
    """The files of one directory, as calls change them."""

    def __init__(self, directory: Path) -> None:
        self.said: list[str] = []
        """What the program wrote to its output."""
        self._directory = str(directory)
        self._names: dict[str, File] = {}
        self._safe_names: dict[str, File] = {}
        self._open: dict[int, File | None] = {}
        """By descriptor; None is the directory itself."""

    def apply(self, call: tuple[str, str, int]) -> bool:
        """Follow a call; False if it has nothing to do with this."""
        name, arguments, outcome = call
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments)]
        if outcome < 0:
            return False
        if name == "openat":
            return self._opened(texts[0].decode(), outcome)
        if name in ("rename", "unlink"):
            return self._renamed([Path(text.decode()) for text in texts])
        descriptor = int(arguments.partition(",")[0])
        if name == "write" and descriptor == 1:
            self.said.append(texts[0].decode())
            return True
        if descriptor not in self._open:
            return False
        return self._changed(name, descriptor, arguments, texts)

    def _opened(self, path: str, descriptor: int) -> bool:
        if path == self._directory:
            self._open[descriptor] = None
        elif path.startswith(self._directory + "/"):
            self._open[descriptor] = self._names.setdefault(Path(path).name, File())
        else:
            self._open.pop(descriptor, None)
            return False
        return True

    def _renamed(self, paths: list[Path]) -> bool:
        if str(paths[0].parent) != self._directory:
            return False
        file = self._names.pop(paths[0].name)
        if len(paths) > 1:
            self._names[paths[1].name] = file
        return True

    def _changed(self, name: str, descriptor: int, arguments: str, texts: list[bytes]) -> bool:
        file = self._open[descriptor]
        if name == "close":
            del self._open[descriptor]
        elif file is None:
            self._safe_names = dict(self._names)
        elif name in ("fsync", "fdatasync"):
            file.safe[:] = file.content(file.changes)
            file.changes.clear()
        elif name == "ftruncate":
            file.changes.append((int(arguments.rpartition(",")[2]), None))
        else:
            assert name == "pwrite64", f"{name} is not followed"
            file.changes.append((int(arguments.rpartition(",")[2]), texts[0]))
        return True

    def remains(self) -> Iterator[tuple[str, dict[str, bytes]]]:
        """What may be found after the power has gone at this moment, and what that is called."""
        yield "all", {name: file.content(file.changes) for name, file in self._names.items()}
        yield "what was synced", {name: bytes(file.safe) for name, file in self._safe_names.items()}
        yield "the last write", {name: file.content(file.changes[-1:]) for name, file in self._safe_names.items()}
        yield "half a write", {name: file.content(_half(file.changes)) for name, file in self._safe_names.items()}


def _half(changes: list[tuple[int, bytes | None]]) -> list[tuple[int, bytes | None]]:
    """All but the last in full, and the first half of that."""
    if not changes or changes[-1][1] is None:
        return changes[:-1]
    offset, data = changes[-1]
    return [*changes[:-1], (offset, data[: len(data) // 2])]
