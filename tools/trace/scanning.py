"""Scanning: one pass over a recording's file, to learn where each record lies, and what its order depends on."""

from __future__ import annotations

import math
import mmap
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack

from libprocess.pid import Address
from libprocess.recording.files import older_path
from libprocess.recording.naming import Spec
from libprocess.recording.tracer import VERSION
from tools.trace.errors import NoRecording

KINDS = ("turn", "timer", "dropped", "spawned", "exited")
TURN = 0
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
LATEST = 1e11
"""Seconds since 1970: what is later is no time."""
OPEN = math.nan
"""The end of a turn that goes on in another record."""

# What every record begins with: an array of 4 to 7 elements, and the text of its kind.
_BEGINNING = re.compile(
    rb"[\x94-\x97](?:\xa4(?:node|turn|skew)|\xa5timer|\xa7(?:dropped|spawned)|\xa6exited|\xa8messages)"
)


class Node:
    """A run of a node, as recordings tell of it."""

    def __init__(self, address: Address, incarnation: int) -> None:
        self.address = address
        self.incarnation = incarnation
        self.skew = 0.0
        """How many seconds its clock is taken to be ahead of the first node's."""

    @property
    def key(self) -> tuple[Address, int]:
        """What tells it from all others."""
        return self.address, self.incarnation

    def __str__(self) -> str:
        return str(self.address)


class Rows:
    """Where the records are, in columns: a million of them take 43 MB."""

    def __init__(self) -> None:
        self.source = array("H")
        self.node = array("H")
        self.kind = array("B")
        self.offset = array("Q")
        self.size = array("Q")
        self.begin = array("d")
        self.end = array("d")

    def __len__(self) -> int:
        return len(self.offset)

    def add(self, *values: float) -> None:
        """Append one row; the values are in the order of the columns."""
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    @property
    def columns(self) -> tuple[array[Any], ...]:
        """All of them."""
        return self.source, self.node, self.kind, self.offset, self.size, self.begin, self.end


BUCKET_BITS = 8
"""So many ids, as a power of two, are looked up together."""


class Ids:
    """In which rows ids are: pairs of a bucket of ids and a row, in the order of the buckets once `sort` was called."""

    def __init__(self) -> None:
        self.bucket = array("Q")
        self.row = array("L")

    def add(self, first: int, last: int, row: int) -> None:
        """A row has these ids."""
        for bucket in range(first >> BUCKET_BITS, (last >> BUCKET_BITS) + 1):
            if not self.bucket or self.bucket[-1] != bucket or self.row[-1] != row:
                self.bucket.append(bucket)
                self.row.append(row)

    def extend(self, other: Ids, rows: array[int]) -> None:
        """Take those of another, whose rows are now these."""
        self.bucket.extend(other.bucket)
        self.row.extend(array("L", [rows[row] for row in other.row]))

    def sort(self) -> None:
        """Make it ready for `rows`."""
        order = sorted(range(len(self.bucket)), key=self.bucket.__getitem__)
        self.bucket = array("Q", [self.bucket[at] for at in order])
        self.row = array("L", [self.row[at] for at in order])

    def rows(self, id_: int) -> list[int]:
        """The rows that may have an id."""
        bucket = id_ >> BUCKET_BITS
        return sorted(set(self.row[bisect_left(self.bucket, bucket) : bisect_right(self.bucket, bucket)]))


class Source:
    """A file, in memory as far as it is looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            size = path.stat().st_size
            self.data: mmap.mmap | bytes = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""


class Scan:
    """What one recording holds, which may lie in several files. `damage` says what of it could not be read."""

    def __init__(self, sources: dict[int, Source]) -> None:
        self.nodes: list[Node] = []
        self.names: dict[str, Spec] = {}
        self.damage: list[str] = []
        self.knows_skews = False
        """It was merged before, and is of one clock."""
        self.rows = Rows()
        self.ids = Ids()
        self.needs: dict[int, dict[int, int]] = {}
        """Of a row: the highest serial it handles, of each other incarnation."""
        self.gives: dict[int, tuple[int, int]] = {}
        """Of a row: its own incarnation, and the highest serial that it handed to the network."""
        self.left: dict[int, float] = {}
        """When mail left for another node: the last of each turn."""
        self.came: list[tuple[int, int, float]] = []
        """Node, id and time of mail from elsewhere: the last of each turn."""
        self._numbers: dict[int, int] = {}  # a node's number in the file → its place in `nodes`
        for number, source in sources.items():
            for offset, size, record in _records(source, self.damage):
                try:
                    self._take(source.path, number, offset, size, record)
                except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
                    self.damage.append(f"{source.path}: {size} bytes at {offset} are no record")

    def _take(self, path: Path, source: int, offset: int, size: int, record: Any) -> None:
        kind, number, _ = record[:3]
        if kind == "node":
            self._node(path, number, *record[3:7])
        elif kind == "messages":
            self.names |= _checked_names(record[3])
        elif kind == "skew":
            self.knows_skews = True
            self.nodes[self._numbers[number]].skew = float(record[3])
        elif kind in _KIND_NUMBERS and number in self._numbers:
            self._event(source, self._numbers[number], offset, size, record)

    def _event(self, source: int, place: int, offset: int, size: int, record: Any) -> None:
        """Something that happened. All of it is read before any of it is noted: it may be damaged."""
        kind, _, begin, subject = record[:4]
        end = _checked_time(begin)
        turn = None
        if kind == "turn":
            end = OPEN if record[5] is None else _checked_time(record[5])
            _checked_time(sum(record[4]) / (len(record[4]) or 1))
            turn = _Mail(self.nodes[place], subject)
            runs = turn.runs
        else:
            runs = _single(subject)
            if kind == "timer":
                _checked_time(record[4])
        row = len(self.rows)
        self.rows.add(source, place, _KIND_NUMBERS[kind], offset, size, begin, end)
        for first, last in runs:
            self.ids.add(first, last, row)
        if turn is not None and turn.sent:
            self.gives[row] = self.nodes[place].incarnation, turn.sent
            self.left[turn.sent] = begin if math.isnan(end) else end
        if turn is not None and turn.needs:
            self.needs[row] = turn.needs
            self.came += [(place, id_, begin) for id_ in turn.needs.values()]

    def _node(self, path: Path, number: int, version: int, host: str, port: int, incarnation: int) -> None:
        if version != VERSION:
            raise NoRecording(f"{path} is of version {version}; expected {VERSION}: read it with its own release")
        _check_pids(("", host, port))
        node = Node(Address(host, port), _checked_id(incarnation))
        keys = [known.key for known in self.nodes]
        if node.key in keys:  # the header is repeated in every part of a file
            self._numbers[number] = keys.index(node.key)
        else:
            self._numbers[number] = len(self.nodes)
            self.nodes.append(node)


class _Mail:
    """What the mail of a turn says about its order."""

    def __init__(self, node: Node, items: Any) -> None:
        self.runs: list[tuple[int, int]] = []
        """The first and the last of ids that follow each other."""
        self.sent = 0
        """The last id that was handed to the network."""
        self.needs: dict[int, int] = {}
        """The last id that came from each other incarnation."""
        incarnation = node.incarnation
        host, port = node.address
        id_ = first = 0
        is_sent = False
        for item in items:
            if item is not None and item[0].__class__ is not str:
                if first:
                    self.runs.append((first, id_ - 1))
                to, sender, id_, cause = item
                _check_pids(to, sender)
                _checked_id(cause)
                first = _checked_id(id_)
                is_sent = to[2] != port or to[1] != host
            elif id_:
                if is_sent:
                    self.sent = id_
                elif id_ >> 32 != incarnation:
                    self.needs[id_ >> 32] = id_
                id_ += 1
        if first:
            self.runs.append((first, id_ - 1))


def _single(subject: Any) -> list[tuple[int, int]]:
    """The id of an envelope that is told of by itself, as a run; none of an actor. ValueError if it is neither."""
    if len(subject) != 5:
        _check_pids(subject)
        return []
    to, sender, message, id_, cause = subject
    _check_pids(to, sender)
    _checked_id(cause)
    if not message:
        raise ValueError(f"{message!r} is no message")
    return [(id_, id_)] if _checked_id(id_) else []


def _check_pids(*pids: Any) -> None:
    """ValueError where one is none."""
    for pid in pids:
        if len(pid) != 3 or pid[0].__class__ is not str or pid[1].__class__ is not str or pid[2].__class__ is not int:
            raise ValueError(f"{pid!r} is no PID")


def _checked_id(id_: Any) -> int:
    if id_.__class__ is not int or not 0 <= id_ < 1 << 63:
        raise ValueError(f"{id_!r} is no id")
    return int(id_)


def _checked_time(time: Any) -> float:
    if not 0 <= time < LATEST:
        raise ValueError(f"{time!r} is no time")
    return float(time)


def _checked_names(names: Any) -> dict[str, Spec]:
    """ValueError, or TypeError, where they are no names."""
    for name, (tag, *fields) in names.items():
        if name.__class__ is not str or tag.__class__ not in (str, bool):  # recordings were written that have no more
            raise ValueError(f"{name!r} is no name")
        for field, of in fields:
            if field.__class__ is not str or of.__class__ is not str:
                raise ValueError(f"{field!r} is no field")
    return dict(names)


def parts(path: Path) -> list[Path]:
    """The files of one recording: the older half of a bounded one, if there is one, and itself."""
    older = older_path(path)
    return [older, path] if older.exists() else [path]


def _records(source: Source, damage: list[str]) -> Iterator[tuple[int, int, Any]]:
    """Offset, size and value of all records; where something is unreadable, it goes on at the next beginning."""
    data = source.data
    start = 0
    while start < len(data):
        bad = start
        for offset, size, record in _run(data, start):
            bad = offset + size
            yield offset, size, record
        if bad >= len(data):
            return
        found = _BEGINNING.search(data, bad + 1)
        start = found.start() if found else len(data)
        damage.append(f"{source.path}: {start - bad} bytes at {bad} are no records")


def _run(data: mmap.mmap | bytes, start: int) -> Iterator[tuple[int, int, Any]]:
    """Records one after the other, until something else comes."""
    # The limit is the file: a damaged length must not ask for more memory than there are bytes.
    unpacker = msgpack.Unpacker(_Reader(data, start), use_list=False, strict_map_key=False, max_buffer_size=len(data))
    at = 0
    try:
        for record in unpacker:
            if not (isinstance(record, tuple) and len(record) > 2 and isinstance(record[0], str)):
                return
            end = unpacker.tell()
            yield start + at, end - at, record
            at = end
    except (ValueError, TypeError, msgpack.UnpackException):
        return


class _Reader:
    """Reads bytes from somewhere on, as a file would."""

    def __init__(self, data: mmap.mmap | bytes, start: int) -> None:
        self._data = data
        self._at = start

    def read(self, size: int) -> bytes:
        """The next bytes, so many at most."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece
