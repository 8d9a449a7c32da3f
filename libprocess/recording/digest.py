"""Digest: a recording's fingerprint. Two runs that did the same, byte for byte, have the same."""

from __future__ import annotations

from hashlib import blake2b


class Digest:
    """A sink that keeps nothing but a hash."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    def begin(self, header: bytes) -> None:
        """Count a header in."""
        self._hash.update(header)

    def write(self, records: list[bytes]) -> None:
        """Count records in."""
        self._hash.update(b"".join(records))

    def close(self) -> None:
        """Nothing to close."""

    @property
    def hex(self) -> str:
        """The digest of what was written so far: 32 hexadecimal digits."""
        return self._hash.hexdigest()
