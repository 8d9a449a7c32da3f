"""Flight recorder: the last turns of a node, in memory, always at hand, and cheap enough to be left on."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from libprocess.recording.recorder import Sink, encode_record, header
from libprocess.recording.tracer import Record, Tracer, mail_in

if TYPE_CHECKING:
    from libprocess.runtime import Runtime


class FlightRecorder(Tracer):
    """Keeps the last records of a node: `runtime.trace = FlightRecorder(runtime, mail_max=100_000)`.

    What is kept is what was in memory anyway. Mail is not numbered, so it does not tell what led to what; it has the
    time of its turn, and stands there even if it was dropped, which is told before.
    """

    __slots__ = ("_mail", "_mail_max", "_runtime", "records")

    def __init__(self, runtime: Runtime, mail_max: int) -> None:
        """`mail_max` is how much mail, at least, the records at hand tell of."""
        super().__init__(runtime, self._take, numbers_mail=False)
        self.records: deque[Record] = deque()
        """Oldest first."""
        self._runtime = runtime
        self._mail = 0
        self._mail_max = mail_max

    def _take(self, record: Record) -> None:
        self.records.append(record)
        self._mail += mail_in(record)
        while self._mail - mail_in(self.records[0]) >= self._mail_max:
            self._mail -= mail_in(self.records.popleft())

    def dump(self, sink: Sink) -> None:
        """Write what is there, as a recording of its own, and go on."""
        sink.begin(header(self._runtime))
        sink.write(list(map(encode_record, self.records)))
        sink.close()
