"""Archives, and what they must not do: write outside their directory, make devices, or fill disk and memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from agent.fetcher.box import Box, RefusedError
from agent.fetcher.errors import FetchError

EXTRACTED_BYTES_MAX = 32 << 30
MEMBERS_MAX = 1_000_000
READ_BYTES_MAX = 4 << 20
"""What is read at once of an archive: a header that asks for more is there to fill the memory."""

_PLAIN_RIGHTS = 0o644

_OPEN: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""How compressed files begin, and what reads them."""


def is_archive(name: str) -> bool:
    """Whether a file of this name is taken for an archive."""
    return _extractor(name) is not None


def extract(archive: Path, name: str, directory: Path, bytes_max: int = EXTRACTED_BYTES_MAX) -> None:
    """Extract an archive, which is known by this name, into a directory. FetchError says what is wrong with it."""
    extractor = _extractor(name)
    if extractor is None:
        raise FetchError(f"{name} is no archive that is known here")
    try:
        extractor(archive, Box(directory), name, Budget(name, bytes_max))
    except FetchError:
        raise
    except Exception as error:  # the libraries have many for an archive that is broken
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

    def check(self, size: int) -> None:
        """A file says that it has so many bytes, and is looked at before they come."""
        if not 0 <= size <= self._bytes_max - self._bytes:
            raise FetchError(f"{self._name} holds more than {self._bytes_max} bytes; nothing more is extracted")

    def spend_member(self) -> None:
        """One more file comes out of it; FetchError if those are too many."""
        self._members += 1
        if self._members > MEMBERS_MAX:
            raise FetchError(f"{self._name} holds more than {MEMBERS_MAX} files; nothing more is extracted")


class _Sips:
    """A file that is read in small pieces only."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= READ_BYTES_MAX:
            raise tarfile.ReadError(f"it has a header of {size} bytes")
        return self._file.read(size)


def _extract_tar(archive: Path, box: Box, name: str, budget: Budget) -> None:
    with _open(archive) as file, tarfile.open(fileobj=cast("IO[bytes]", _Sips(file)), mode="r:") as tar:
        for member in tar:
            budget.spend_member()
            budget.check(member.size)
            try:
                _extract_member(tar, member, box, budget)
            except RefusedError as error:
                raise FetchError(f"{name} holds {member.name!r}, which is refused: {error}") from None


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, box: Box, budget: Budget) -> None:
    if member.isdir():
        box.make_directory(member.name)
    elif member.issym():
        box.symlink(member.name, member.linkname)
    elif member.islnk():
        box.link(member.name, member.linkname)
    elif member.isreg() and (source := tar.extractfile(member)) is not None:
        box.write(member.name, source, member.mode, budget.spend)
    else:
        raise RefusedError("it is neither file, directory nor link")


def _open(archive: Path) -> Any:
    """A file as it was before it was compressed."""
    with archive.open("rb") as file:
        beginning = file.read(max(map(len, _OPEN)))
    reader = next((reader for magic, reader in _OPEN.items() if beginning.startswith(magic)), None)
    return archive.open("rb") if reader is None else reader(archive)


def _extract_zip(archive: Path, box: Box, name: str, budget: Budget) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            budget.spend_member()
            mode = member.external_attr >> 16
            try:
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR) or member.filename.startswith("/"):
                    raise RefusedError("it is no plain file in it")
                if member.is_dir():
                    box.make_directory(member.filename)
                    continue
                with opened.open(member) as source:
                    box.write(member.filename, source, mode & 0o777 or _PLAIN_RIGHTS, budget.spend)
            except RefusedError as error:
                raise FetchError(f"{name} holds {member.filename!r}, which is refused: {error}") from None


def _extract_single(open_compressed: Callable[[Path], Any]) -> Callable[[Path, Box, str, Budget], None]:
    def extract_single(archive: Path, box: Box, name: str, budget: Budget) -> None:
        with open_compressed(archive) as source:
            box.write(name.rpartition(".")[0], source, _PLAIN_RIGHTS, budget.spend)

    return extract_single


_EXTRACTORS: dict[str, Callable[[Path, Box, str, Budget], None]] = {
    **dict.fromkeys((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"), _extract_tar),
    ".zip": _extract_zip,
    ".gz": _extract_single(gzip.open),
    ".bz2": _extract_single(bz2.open),
    ".xz": _extract_single(lzma.open),
}


def _extractor(name: str) -> Callable[[Path, Box, str, Budget], None] | None:
    """The longest ending counts."""
    endings = (ending for ending in sorted(_EXTRACTORS, key=len, reverse=True) if name.lower().endswith(ending))
    return _EXTRACTORS.get(next(endings, ""))
