"""The file of a recording: bounded while it is written, readable when it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgpack

from libprocess.recording.mail import expand
from libprocess.recording.tracer import Record

OLDER_SUFFIX = ".older"


class BoundedFile:
    """A sink for records that never takes more than `limit_bytes` on disk.

    It writes to `path`; once half the limit is there, that becomes `path.older` and a new file begins. So the last
    records are there, between half the limit and all of it. A record too large for half the limit is left out, and
    counted in `records_left_out`.
    """

    def __init__(self, path: str | Path, limit_bytes: int) -> None:
        self.path = Path(path)
        self.records_left_out = 0
        self._half = limit_bytes // 2
        self._header = b""
        self._size = 0
        self._file = self.path.open("wb")
        self._older.unlink(missing_ok=True)  # of an earlier recording

    def begin(self, header: bytes) -> None:
        """Write the header now, and again at the beginning of every file to come."""
        self._header += header
        self._put(header)

    def write(self, records: list[bytes]) -> None:
        """Append records, and let go of the oldest where they do not fit."""
        content = b"".join(records)
        if self._size + len(content) <= self._half:
            self._put(content)
            return
        for record in records:
            self._write_one(record)

    def _write_one(self, record: bytes) -> None:
        if len(self._header) + len(record) > self._half:
            self.records_left_out += 1
            return
        if self._size + len(record) > self._half:
            self._rotate()
        self._put(record)

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()
        self._size += len(content)

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self._older)
        self._file = self.path.open("wb")
        self._size = 0
        self._put(self._header)

    def close(self) -> None:
        """No more will be written."""
        self._file.close()

    @property
    def _older(self) -> Path:
        return older_path(self.path)


def older_path(path: Path) -> Path:
    """Where a bounded file keeps its older half."""
    return path.with_name(path.name + OLDER_SUFFIX)


class Recording:
    """The records of one recording, read lazily, oldest first. `damage` says, after reading, what was not readable."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damage: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        self.damage.clear()
        older = older_path(self.path)
        if older.exists():
            yield from self._read(older)
        yield from self._read(self.path)

    def _read(self, path: Path) -> Iterator[Record]:
        size = path.stat().st_size
        read = 0
        with path.open("rb") as file:
            # The limit is the file: a damaged length must not ask for more memory than there are bytes.
            unpacker = msgpack.Unpacker(file, use_list=False, strict_map_key=False, max_buffer_size=max(size, 1))
            try:
                for record in unpacker:
                    if not _is_record(record):
                        break
                    whole = expanded(record)
                    read = unpacker.tell()
                    yield whole
            except (ValueError, TypeError, LookupError, msgpack.UnpackException):
                pass
        if read < size:
            self.damage.append(f"{path}: the last {size - read} of {size} bytes are no records")


def expanded(record: Record) -> Record:
    """A record as it was before it was encoded: its mail is envelopes. ValueError and others if it cannot be."""
    if record[0] == "turn":
        return (*record[:3], expand(record[3]), *record[4:])
    return record


def _is_record(value: object) -> bool:
    match value:
        case (str(), int(), float(), *_):
            return True
    return False


def read_recording(path: str | Path) -> Recording:
    """Open a recording for reading; OSError where there is none."""
    recording = Recording(path)
    recording.path.stat()
    return recording
