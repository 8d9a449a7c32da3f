"""Gzip of a body in parts, where each part is compressed once, however often it is in a body.

Deflated parts that end at a byte stand one after another in one stream. What is left is the checksum of the whole: that
of two texts in a row follows from those of both, and from the length of the second.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 1
"""State is repetitive text: the cheapest level makes it about a tenth already."""

WRITTEN_BYTES = 128 << 10
"""How much is written at once."""

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
"""Of the checksum, as everything here the other way round: the highest bit is the lowest power."""
_ONE = 1 << 31


class Packed(NamedTuple):
    """A part, compressed."""

    part: bytes
    body: bytes
    checksum: int
    shift: int
    """What the checksum of what stands before is multiplied by: x to the number of the part's bits."""


class Gzipper:
    """Compresses bodies that have parts in common, as the same objects. It remembers those of the last one."""

    def __init__(self) -> None:
        self._known: dict[int, Packed] = {}

    def gzip(self, parts: Sequence[bytes]) -> list[bytes]:
        """A body as gzip, in parts."""
        packed = [self._known.get(id(part)) or _pack(part) for part in parts]
        self._known = {id(each.part): each for each in packed}
        checksum = 0
        for each in packed:
            checksum = _times(each.shift, checksum) ^ each.checksum
        size = sum(map(len, parts))
        end = _LAST + struct.pack("<II", checksum, size & 0xFFFFFFFF)
        whole = b"".join([_HEADER, *(each.body for each in packed), end])
        return [whole[start : start + WRITTEN_BYTES] for start in range(0, len(whole), WRITTEN_BYTES)]


def _pack(part: bytes) -> Packed:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Packed(part, body, zlib.crc32(part), _power(8 * len(part)))


def _times(one: int, other: int) -> int:
    """The product of two polynomials, modulo that of the checksum."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
    return product


def _power(exponent: int) -> int:
    """x to that power."""
    result, square = _ONE, _ONE >> 1
    while exponent:
        if exponent & 1:
            result = _times(result, square)
        square = _times(square, square)
        exponent >>= 1
    return result
