"""Flight recorder: the last events of a node, in memory, always at hand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from libprocess.recording.recorder import Sink, encode_record
from libprocess.recording.tracer import Record, Tracer, node_record

if TYPE_CHECKING:
    from libprocess.runtime import Runtime


class FlightRecorder(Tracer):
    """Keeps the last `records_max` records of a node, unencoded: `runtime.trace = FlightRecorder(runtime, 100_000)`."""

    __slots__ = ("_header", "records")

    def __init__(self, runtime: Runtime, records_max: int) -> None:
        self.records: deque[Record] = deque(maxlen=records_max)
        self._header = node_record(runtime)
        super().__init__(runtime, self.records.append)

    def dump(self, sink: Sink) -> None:
        """Write what is there, as a recording of its own, and go on."""
        sink.begin(encode_record(self._header))
        sink.write(list(map(encode_record, self.records)))
        sink.close()
