"""The journal: facts on disk, added to its end. What came about between two syncs is one entry, there or not there.

An entry is its length, its checksum, and its facts. When the power goes, what was not synced may be torn; since nothing
is added to an entry that was not synced, only the last one can be. Damage before that is another matter.
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

_HEAD = struct.Struct("!II")
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
    """One file of facts. `add` is cheap; `sync` makes what was added durable."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        self._path = path
        self._new: list[AnyFact] = []
        self._bytes = self._bytes_at_first = 0

    @property
    def is_behind(self) -> bool:
        """Whether something was added that is not on disk yet."""
        return bool(self._new)

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
            elif _is_torn_end(content, offset):
                break
            elif strict:
                raise DamagedJournalError(f"{self._path} is damaged at byte {offset}")
            else:
                found = found._replace(damages=found.damages + 1)
        return found

    def add(self, fact: AnyFact) -> None:
        """Add a fact to the next entry."""
        self._new.append(fact)

    def sync(self) -> None:
        """Return once all that was added is on disk."""
        if self._new:
            entry = _entry(self._new)
            self._new = []
            self._storage.append(self._path, entry)
            self._storage.sync(self._path)
            self._bytes += len(entry)

    def rewrite(self, facts: Iterable[AnyFact]) -> None:
        """Put these facts in the place of all that it holds, the added ones included."""
        entry = _entry(list(facts))
        self._new = []
        self._storage.write(self._path, entry)
        self._bytes = self._bytes_at_first = len(entry)


def _entry(facts: list[AnyFact]) -> bytes:
    content = _encoder.encode(facts)
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


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
    length, checksum = _HEAD.unpack_from(content, offset)
    end = start + length
    if end > len(content) or zlib.crc32(content[start:end]) != checksum:
        return None, min(end, len(content))
    try:
        return _decoder.decode(content[start:end]), end
    except msgspec.MsgspecError:
        return None, end


def _is_torn_end(content: bytes, offset: int) -> bool:
    """Whether no entry that can be read comes after the one at an offset."""
    _, end = _read_entry(content, offset)
    return all(facts is None for _, facts in _entries(content[end:]))
