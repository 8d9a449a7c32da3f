"""Story: what recordings tell, as steps in one order; any of it is found without reading all."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from libprocess.recording.mail import expand
from libprocess.recording.naming import Spec
from tools.trace import indexing
from tools.trace.errors import NoRecording, NotInStory
from tools.trace.merging import all_nodes, merge
from tools.trace.scanning import KINDS, TURN, Ids, Node, Rows, Scan, Source, parts

Pid = tuple[str, str, int]
NO_PID: Pid = ("", "", 0)
NO_MESSAGE: tuple[Any, ...] = ("",)


class Step(NamedTuple):
    """One thing that happened to an actor or to a piece of mail. Times are in seconds since 1970, without skew."""

    kind: str
    """handled, sent (handed to the network), dropped, timer (set), spawned or exited."""
    node: int
    time: float
    to: Pid
    """Whom the mail is for; the actor that was spawned or exited."""
    sender: Pid
    message: tuple[Any, ...]
    id: int
    cause: int
    end: float
    """When it was handled; when what was sent left the node."""
    arrived: float
    """When the turn began in which it was handled: mail of other nodes arrived then, at the latest."""
    detail: Any
    """Why it was dropped or exited; the seconds of a timer."""
    row: int


class Story:
    """The recordings in these files. `damage` says what of them could not be read."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        recordings = [parts(file) for path in paths for file in _found(Path(path))]
        self.sources = [Source(path) for files in recordings for path in files]
        self.nodes: list[Node] = []
        self.rows = Rows()
        self.ids = Ids()
        self.damage: list[str] = []
        self.names: dict[str, Spec] = {}
        index = indexing.load(self.sources[0]) if len(self.sources) == 1 else None
        if index is None:
            self._scan(recordings)
        else:
            self.nodes, self.names, self.rows, self.ids, self.damage = index
        if not self.nodes:
            named = ", ".join(str(source.path) for source in self.sources)
            raise NoRecording(f"{named}: no node is told of there; expected a recording made by libprocess")
        self._places = {node.incarnation: place for place, node in enumerate(self.nodes)}
        self._offsets: dict[int, tuple[list[int], list[int]]] = {}

    def _scan(self, recordings: list[list[Path]]) -> None:
        numbered = enumerate(self.sources)
        scans = [Scan(dict(islice(numbered, len(files)))) for files in recordings]
        for scan in scans:
            self.names |= scan.names
            self.damage += scan.damage
        self.nodes = all_nodes(scans)
        self.rows, self.ids = merge(scans, self.nodes)

    # Reading.

    def steps(self, first: int = 0, last: int | None = None) -> Iterator[Step]:
        """The steps of these rows, in order; all of them without arguments."""
        for row in range(first, len(self.rows) if last is None else last):
            yield from self.at(row)

    def at(self, row: int) -> list[Step]:
        """The steps of one row; none if it turns out to be damaged, which `damage` says then."""
        try:
            return list(self._at(row))
        except (ValueError, TypeError, LookupError, msgspec.DecodeError):
            fault = f"{self.sources[self.rows.source[row]].path}: the record at {self.rows.offset[row]} is damaged"
            if fault not in self.damage:
                self.damage.append(fault)
            return []

    def _at(self, row: int) -> Iterator[Step]:
        rows = self.rows
        number = rows.node[row]
        skew = self.nodes[number].skew
        if rows.kind[row] == TURN:
            yield from self._turn(row, number, skew)
            return
        kind, _, time, subject, detail, *_ = [*self.record(row), None]
        time -= skew
        if len(subject) == 5:
            to, sender, message, id_, cause = subject
            yield Step(kind, number, time, to, sender, message, id_, cause, time, time, detail, row)
        else:
            yield Step(kind, number, time, subject, NO_PID, NO_MESSAGE, 0, 0, time, time, detail, row)

    def _turn(self, row: int, number: int, skew: float) -> Iterator[Step]:
        _, _, _, items, times, _, *_ = self.record(row)
        mail = expand(items)
        if not mail:
            return
        begin, over = self._begin_of_turn(row) - skew, self._over(row) - skew
        left = self._end_of_turn(row) - skew
        host, port = self.nodes[number].address
        if len(times) != len(mail):
            times = [self.rows.begin[row]] * len(mail)
        last = len(mail) - 1
        for place, (to, sender, message, id_, cause) in enumerate(mail):
            if message is None:
                continue
            time = times[place] - skew
            if to[2] == port and to[1] == host:
                end = over if place == last else times[place + 1] - skew
                yield Step("handled", number, time, to, sender, message, id_, cause, end, begin, None, row)
            else:
                yield Step("sent", number, time, to, sender, message, id_, cause, left, begin, None, row)

    def record(self, row: int) -> list[Any]:
        """The record itself."""
        rows = self.rows
        start = rows.offset[row]
        data = self.sources[rows.source[row]].data
        record: list[Any] = _decode(data[start : start + rows.size[row]])
        return record

    # A turn may lie in several rows, with others between.

    def _rows_of_turn(self, row: int, step: int) -> Iterator[int]:
        """The turns of the same node before or after a row."""
        rows, node = self.rows, self.rows.node[row]
        row += step
        while 0 <= row < len(rows):
            if rows.node[row] == node and rows.kind[row] == TURN:
                yield row
            row += step

    def _begin_of_turn(self, row: int) -> float:
        for earlier in self._rows_of_turn(row, -1):
            if not math.isnan(self.rows.end[earlier]):
                break
            row = earlier
        return self.rows.begin[row]

    def _over(self, row: int) -> float:
        """When the last mail of a row was handled."""
        if not math.isnan(self.rows.end[row]):
            return self.rows.end[row]
        return next((self.rows.begin[later] for later in self._rows_of_turn(row, 1)), self.rows.begin[row])

    def _end_of_turn(self, row: int) -> float:
        at = row
        while math.isnan(self.rows.end[at]):
            later = next(self._rows_of_turn(at, 1), None)
            if later is None:
                return self.rows.begin[at]
            at = later
        return self.rows.end[at]

    # Finding.

    def find(self, value: Any) -> Iterator[int]:
        """The rows that hold this number or text, in order. Not all ids stand there: see `steps_of`."""
        token = msgspec.msgpack.encode(value)
        if len(self.sources) == 1:
            yield from self._find_in(0, token)
            return
        found = {row for number in range(len(self.sources)) for row in self._find_in(number, token)}
        yield from sorted(found)

    def steps_of(self, id_: int) -> list[Step]:
        """The steps of one message."""
        return [step for row in self.ids.rows(id_) for step in self.at(row) if step.id == id_]

    def _find_in(self, source: int, token: bytes) -> Iterator[int]:
        offsets, rows = self._offsets_of(source)
        data = self.sources[source].data
        at = data.find(token)
        while at >= 0:
            place = bisect_right(offsets, at) - 1
            end = at + 1
            if place >= 0 and at < (over := offsets[place] + self.rows.size[rows[place]]):
                yield rows[place]
                end = over
            at = data.find(token, end)

    def _offsets_of(self, source: int) -> tuple[Any, Any]:
        """Where in a file which rows begin."""
        if len(self.sources) == 1:  # they lie in their order
            return self.rows.offset, range(len(self.rows))
        if source not in self._offsets:
            pairs = sorted((self.rows.offset[row], row) for row, at in enumerate(self.rows.source) if at == source)
            self._offsets[source] = [offset for offset, _ in pairs], [row for _, row in pairs]
        return self._offsets[source]

    # Ids, as people write them: the number of the node in the story, and the serial there.

    def id_text(self, id_: int) -> str:
        """A message's id, short: `2.45`; "-" if it has none."""
        if not id_:
            return "-"
        place = self._places.get(id_ >> 32)
        return f"{id_:x}" if place is None else f"{place}.{id_ & 0xFFFFFFFF}"

    def id_of(self, text: str) -> int:
        """Read an id as `id_text` writes it, or in hexadecimal."""
        place, dot, serial = text.partition(".")
        try:
            return self.nodes[int(place)].incarnation << 32 | int(serial) if dot else int(text, 16)
        except (ValueError, IndexError):
            raise NotInStory(f"no message is called {text!r}; expected an id as `log` shows it, such as 0.17") from None

    @property
    def begin(self) -> float:
        """When the story begins, in seconds since 1970."""
        return min((self._times(row) for row in range(min(len(self.rows), 64))), default=0.0)

    def _times(self, row: int) -> float:
        return self.rows.begin[row] - self.nodes[self.rows.node[row]].skew

    def size(self) -> int:
        """How many bytes the recordings have."""
        return sum(len(source.data) for source in self.sources)


_decode = msgspec.msgpack.Decoder(list[Any]).decode


def _found(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.rglob("*.trace"))  # those of executors lie in their sandboxes
        if not files:
            raise NoRecording(f"{path} holds no *.trace file; name the recordings")
        return files
    if not path.exists():
        raise NoRecording(f"{path} does not exist; expected a recording, or a directory of *.trace files")
    return [path]


__all__ = ["KINDS", "NO_MESSAGE", "NO_PID", "Node", "Pid", "Step", "Story"]
