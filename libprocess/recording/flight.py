"""Flight recorder: the last seconds of a node, in memory, always at hand, and cheap enough to be left on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from libprocess.ports import Envelope, Trail
from libprocess.recording.recorder import Sink, encode_record, encoded_bytes, header
from libprocess.recording.tracer import Record, Tracer
from libprocess.recording.trail import LEFT, resolved, without_frames

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

LIMIT_BYTES = 16 << 20

PIECE_BYTES = 200
"""What a piece of mail takes in memory beside the text and numbers in it."""

RECORD_BYTES = 400
"""What a record takes beside its mail."""

STEP_MAIL = 500
"""How much mail is written down at once."""

SAMPLE = 64
"""One piece of mail in so many is measured, and stands for the others: measuring all would cost more than keeping."""


class FlightRecorder(Tracer):
    """Keeps the last records of a node: `runtime.trace = FlightRecorder(runtime, seconds=30)`.

    What is kept is what was in memory anyway, and a trail; ids and causes are found out when it is dumped. Mail has the
    time of its turn.
    """

    __slots__ = ("_bytes", "_limit_bytes", "_runtime", "_seconds", "_sizes", "_skip", "records")

    def __init__(self, runtime: Runtime, seconds: float, limit_bytes: int = LIMIT_BYTES) -> None:
        """It keeps as many seconds as fit into about `limit_bytes` of memory, and `seconds` at most."""
        super().__init__(runtime, self._take, numbers_mail=False)
        self.records: deque[Record] = deque()
        """Oldest first. Turns have their trails at the end, and there are frames among them."""
        self._sizes: deque[int] = deque()  # of each record
        self._bytes = 0
        self._skip = 0  # so many pieces of mail until one is measured
        self._runtime = runtime
        self._seconds = seconds
        self._limit_bytes = limit_bytes

    def turn(self, mail: list[Envelope], times: list[float], end: float | None, trail: Trail | None = None) -> None:
        """See `ports.Trace`."""
        size = 0
        if trail is not None and trail.frames:
            mail = without_frames(mail, trail)
            size = sum(frame.size_bytes for _, _, frame in trail.frames)
        self._keep(("turn", self._node, times[0], mail, times, end, trail), size + self._size(mail))

    def framed(self, mail: list[Envelope], first_id: int) -> None:
        """See `ports.Trace`."""
        self._keep((LEFT, self._node, self._now(), mail, first_id), 8 * len(mail))

    def _take(self, record: Record) -> None:
        self._keep(record, encoded_bytes(record[3][2]) if record[0] in ("dropped", "timer") else 0)

    def _size(self, mail: list[Envelope]) -> int:
        """About how many bytes this mail takes."""
        count = len(mail)
        size = PIECE_BYTES * count
        if self._skip < count:
            for envelope in mail[self._skip :: SAMPLE]:
                size += SAMPLE * encoded_bytes(envelope[2])
        self._skip = (self._skip - count) % SAMPLE
        return size

    def _keep(self, record: Record, size: int) -> None:
        records, sizes = self.records, self._sizes
        size += RECORD_BYTES
        records.append(record)
        sizes.append(size)
        self._bytes += size
        since = record[2] - self._seconds
        while self._bytes > self._limit_bytes or records[0][2] < since:
            records.popleft()
            self._bytes -= sizes.popleft()
            if not records:
                break

    def dump(self, sink: Sink) -> None:
        """Write what is there, as a recording of its own, and go on. OSError if that cannot be written."""
        for _ in self.dumping(sink):
            pass

    def dumping(self, sink: Sink) -> Iterator[None]:
        """What `dump` does, in steps of a few milliseconds; what is there at the first is written."""
        since = self._now() - self._seconds
        sink.begin(header(self._runtime))
        step = 0
        for record in resolved(self.records):
            if record[2] >= since:
                with suppress(ValueError, TypeError, OverflowError, RecursionError):  # some message is too odd to write
                    sink.write([encode_record(record)])
            step += len(record[3]) if record[0] == "turn" else 1
            if step >= STEP_MAIL:
                step = 0
                yield
        sink.close()
