"""RecordIO: records one after another on a stream, each with its length in decimal digits and a newline before it."""

from __future__ import annotations

RECORD_BYTES_MAX = 64 << 20
_DIGITS_MAX = 20


def encode_record(record: bytes) -> bytes:
    """A record as it goes over the wire."""
    return b"%d\n%b" % (len(record), record)


class RecordDecoder:
    """Cuts a stream into its records, in whatever pieces it arrives.

    ValueError for what is no RecordIO, or for a record of more than `bytes_max`; the stream is then of no more use.
    """

    def __init__(self, bytes_max: int = RECORD_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; returns the records that it completes."""
        self._buffer += data
        records = []
        while (size := self._next_size()) is not None:
            header, length = size
            if len(self._buffer) < header + length:
                break
            records.append(bytes(self._buffer[header : header + length]))
            del self._buffer[: header + length]
        return records

    def _next_size(self) -> tuple[int, int] | None:
        """Lengths of the next record's header and of the record; None while the header is incomplete."""
        end = self._buffer.find(b"\n", 0, _DIGITS_MAX + 1)
        if end < 0 and len(self._buffer) <= _DIGITS_MAX:
            return None
        digits = bytes(self._buffer[: max(end, 0)])
        if not digits.isdigit():
            raise ValueError(f"expected the length of a record, found {bytes(self._buffer[:_DIGITS_MAX])!r}")
        if int(digits) > self._bytes_max:
            raise ValueError(f"expected a record of at most {self._bytes_max} bytes, found one of {int(digits)}")
        return end + 1, int(digits)
