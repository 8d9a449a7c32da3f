"""The journal: facts on disk, added to its end. What came about in one turn is one entry, there or not there.

An entry is its length, its checksum, how much of the journal was synced when it was written, and its facts. When the
power goes, what was not synced may be torn. Damage before what a later entry says was synced is another matter.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
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

    def read(self, strict: bool) -> Found:
        """What it holds. DamagedJournalError if it is damaged and `strict`."""
        content = self._storage.read(self._path) or b""
        found = Found([], 0)
        for offset, facts in _entries(content):
            if facts is not None:
                found.facts.extend(facts)
            elif not _was_synced(content, offset):
                break
            elif strict:
                raise DamagedJournalError(f"{self._path} is damaged at byte {offset}")
            else:
                found = found._replace(damages=found.damages + 1)
        return found

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


def _entries(content: bytes) -> Iterator[tuple[int, list[AnyFact] | None]]:
    """Each entry's offset and facts; None for one that cannot be read."""
    offset = 0
    while offset < len(content):
        facts, end = _read_entry(content, offset)
        yield offset, facts
        offset = end


def _read_entry(content: bytes, offset: int) -> tuple[list[AnyFact] | None, int]:
    """An entry's facts, and where the next one begins."""
    start = offset + _HEAD.size
    if start > len(content):
        return None, len(content)
    length, checksum, synced = _HEAD.unpack_from(content, offset)
    end = start + length
    if end > len(content) or zlib.crc32(content[start:end], synced & 0xFFFFFFFF) != checksum:
        return None, min(end, len(content))
    try:
        return _decoder.decode(content[start:end]), end
    except msgspec.MsgspecError:
        return None, end


def _was_synced(content: bytes, offset: int) -> bool:
    """Whether a later entry says that the one at an offset was on disk."""
    entries = [(place, facts) for place, facts in _entries(content) if place > offset and facts is not None]
    return any(_HEAD.unpack_from(content, place)[2] > offset for place, _ in entries)
