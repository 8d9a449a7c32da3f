"""Archives, and what they must not do: write outside their directory, make devices, or fill the disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from agent.fetcher.errors import FetchError

EXTRACTED_BYTES_MAX = 32 << 30
MEMBERS_MAX = 1_000_000

_CHUNK_BYTES = 1 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, EOFError, ValueError, OSError, NotImplementedError)


def is_archive(name: str) -> bool:
    """Whether a file of this name is taken for an archive."""
    return _extractor(name) is not None


def extract(archive: Path, name: str, directory: Path, bytes_max: int = EXTRACTED_BYTES_MAX) -> None:
    """Extract an archive, which is known by this name, into a directory. FetchError says what is wrong with it."""
    extractor = _extractor(name)
    if extractor is None:
        raise FetchError(f"{name} is no archive that is known here")
    try:
        extractor(archive, directory, name, Budget(name, bytes_max))
    except _BROKEN as error:
        raise FetchError(f"{name} cannot be extracted: {error}") from None


class Budget:
    """How much may still come out of an archive."""

    def __init__(self, name: str, bytes_max: int) -> None:
        self._name = name
        self._bytes_max = bytes_max
        self._bytes = 0
        self._members = 0

    def spend(self, size: int) -> None:
        """So many bytes come out of it; FetchError if that is too much."""
        self._bytes += size
        if self._bytes > self._bytes_max:
            raise FetchError(f"{self._name} holds more than {self._bytes_max} bytes; nothing more is extracted")

    def spend_member(self) -> None:
        """One more file comes out of it; FetchError if those are too many."""
        self._members += 1
        if self._members > MEMBERS_MAX:
            raise FetchError(f"{self._name} holds more than {MEMBERS_MAX} files; nothing more is extracted")


def _extract_tar(archive: Path, directory: Path, name: str, budget: Budget) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            budget.spend_member()
            budget.spend(member.size)
            try:
                # Refuses absolute paths, `..`, links that lead outside, devices and pipes.
                tar.extract(member, directory, filter="data")
            except tarfile.FilterError as error:
                raise FetchError(f"{name} holds {member.name!r}, which is refused: {error}") from None


def _extract_zip(archive: Path, directory: Path, name: str, budget: Budget) -> None:
    root = directory.resolve()
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            budget.spend_member()
            mode = member.external_attr >> 16
            target = (root / member.filename).resolve()
            kind = stat.S_IFMT(mode)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or not target.is_relative_to(root):
                raise FetchError(f"{name} holds {member.filename!r}, which is refused: it is no plain file in it")
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source:
                _copy(source, target, budget)
            if mode & 0o777:
                target.chmod(mode & 0o777)


def _extract_single(open_compressed: Callable[[Path], Any]) -> Callable[[Path, Path, str, Budget], None]:
    def extract_single(archive: Path, directory: Path, name: str, budget: Budget) -> None:
        with open_compressed(archive) as source:
            _copy(source, directory / name.rpartition(".")[0], budget)

    return extract_single


def _copy(source: IO[bytes], target: Path, budget: Budget) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with open(descriptor, "wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            budget.spend(len(chunk))
            file.write(chunk)


_EXTRACTORS: dict[str, Callable[[Path, Path, str, Budget], None]] = {
    **dict.fromkeys((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"), _extract_tar),
    ".zip": _extract_zip,
    ".gz": _extract_single(gzip.open),
    ".bz2": _extract_single(bz2.open),
    ".xz": _extract_single(lzma.open),
}


def _extractor(name: str) -> Callable[[Path, Path, str, Budget], None] | None:
    """The longest ending counts."""
    endings = (ending for ending in sorted(_EXTRACTORS, key=len, reverse=True) if name.lower().endswith(ending))
    return _EXTRACTORS.get(next(endings, ""))
