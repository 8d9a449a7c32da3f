"""The journal: facts on disk, added to its end. What came about in one turn is one entry, there or not there.

An entry is its length, its checksum, how much of the journal was synced when it was written, and its facts. When the
power goes, what was not synced may be torn. Damage before what a later entry says was synced is another matter.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from agent.checkpoints.facts import AnyFact
from libprocess.ports import Storage

REWRITE_BYTES_MIN = 1 << 20
"""A journal of less is not worth being written anew."""

REWRITE_FACTOR = 4
"""A journal is written anew when it is that many times as large as when it was last."""

_HEAD = struct.Struct("!IIQ")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[AnyFact])


class DamagedJournalError(ValueError):
    """A journal has damage that no loss of power explains. The text says where."""


class Found(NamedTuple):
    """What a journal held."""

    facts: list[AnyFact]
    damages: int
    """How many entries were skipped that could not be read, other than a torn one at the end."""


class Journal:
    """One file of facts. `add` is cheap; `write` has what was added outlive the program, and `sync` the machine."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        self._path = path
        self._new: list[AnyFact] = []
        self._bytes = self._bytes_at_first = self._bytes_synced = 0

    @property
    def is_behind(self) -> bool:
        """Whether something was added that is not written yet."""
        return bool(self._new)

    @property
    def is_synced(self) -> bool:
        """Whether all that was written is on disk."""
        return self._bytes_synced == self._bytes

    @property
    def is_overgrown(self) -> bool:
        """Whether it is time to `rewrite` it."""
        return self._bytes > max(REWRITE_BYTES_MIN, REWRITE_FACTOR * self._bytes_at_first)

    def begin(self) -> None:
        """See to it that there is one: whoever looks for it later, and finds none, has lost it."""
        if self._storage.read(self._path) is None:
            self.rewrite(())

    def read(self, strict: bool) -> Found:
        """What it holds. DamagedJournalError if it is damaged and `strict`."""
        content = self._storage.read(self._path)
        if not content:
            return self._damaged(strict, "is missing" if content is None else "is empty")
        entries = list(_entries(content))
        found, synced = Found([], 0), max(entry.synced for entry in entries)
        for entry in entries:
            if entry.facts is not None:
                found.facts.extend(entry.facts)
            elif entry.offset >= synced:
                break
            else:
                fresh = self._damaged(strict, f"is damaged at byte {entry.offset}")
                found = found._replace(damages=found.damages + fresh.damages)
        return found

    def _damaged(self, strict: bool, what: str) -> Found:
        if strict:
            raise DamagedJournalError(f"{self._path} {what}")
        return Found([], 1)

    def add(self, fact: AnyFact) -> None:
        """Add a fact to the next entry."""
        self._new.append(fact)

    def write(self) -> None:
        """Hand what was added to the machine, which writes it to disk sooner or later."""
        if self._new:
            entry = _entry(self._new, self._bytes_synced)
            self._new = []
            self._storage.append(self._path, entry)
            self._bytes += len(entry)

    def sync(self) -> None:
        """Return once all that was added is on disk."""
        self.write()
        if not self.is_synced:
            self._storage.sync(self._path)
            self._bytes_synced = self._bytes

    def rewrite(self, facts: Iterable[AnyFact]) -> None:
        """Put these facts in the place of all that it holds, the added ones included."""
        entry = _entry(list(facts), 0)
        self._new = []
        self._storage.write(self._path, entry)
        self._bytes = self._bytes_at_first = self._bytes_synced = len(entry)


def _entry(facts: list[AnyFact], synced: int) -> bytes:
    content = _encoder.encode(facts)
    return _HEAD.pack(len(content), zlib.crc32(content, synced & 0xFFFFFFFF), synced) + content


class _Entry(NamedTuple):
    """What is in one place of a journal."""

    offset: int
    synced: int = 0
    """So much was on disk when it was written."""
    facts: list[AnyFact] | None = None
    """None if it cannot be read."""


def _entries(content: bytes) -> Iterator[_Entry]:
    """All entries. One that cannot be read goes as far as the next one that can."""
    offset = 0
    while offset < len(content):
        entry, end = _read_entry(content, offset)
        yield entry
        offset = end if entry.facts is not None else _next_entry(content, offset, end)


def _next_entry(content: bytes, damaged: int, likely: int) -> int:
    """Where the first entry after a damaged one is; where that ends is not sure, since its length may be damaged."""
    for offset in chain((likely,), range(damaged + 1, len(content))):
        if _read_entry(content, offset)[0].facts is not None:
            return offset
    return len(content)


def _read_entry(content: bytes, offset: int) -> tuple[_Entry, int]:
    """An entry, and where the next one begins."""
    start = offset + _HEAD.size
    if start > len(content):
        return _Entry(offset), len(content)
    length, checksum, synced = _HEAD.unpack_from(content, offset)
    end = start + length
    if (
        synced > offset
        or end > len(content)
        or zlib.crc32(memoryview(content)[start:end], synced & 0xFFFFFFFF) != checksum
    ):
        return _Entry(offset), min(end, len(content))
    try:
        return _Entry(offset, synced, _decoder.decode(content[start:end])), end
    except msgspec.MsgspecError:
        return _Entry(offset), end
