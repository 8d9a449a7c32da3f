"""Recorder: writes a node's records, in batches, to a sink such as a bounded file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from libprocess.ports import Cancellable
from libprocess.recording.tracer import Record, Tracer, node_record

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

BATCH_RECORDS = 512
"""Encoding in batches is what makes recording cheap; more than this gains nothing."""

FLUSH_SECONDS = 1.0
"""How long a record waits for its batch to fill: so much may be missing after a kill -9."""

# What is not made for the wire (a timer's message may hold anything) is shown rather than refused.
encode_record = msgspec.msgpack.Encoder(enc_hook=repr).encode


class Sink(Protocol):
    """Where encoded records go."""

    def begin(self, header: bytes) -> None:
        """The records that say which node this is; to be repeated wherever a reader may start."""

    def write(self, records: list[bytes]) -> None:
        """Take some more records."""

    def close(self) -> None:
        """There will be no more."""


class Recorder(Tracer):
    """Records everything that happens on a node from now on: `runtime.trace = Recorder(runtime, sink)`."""

    __slots__ = ("_alarm", "_buffer", "_clock", "_sink")

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        super().__init__(runtime, self._take)
        self._clock = runtime.clock
        self._sink = sink
        self._buffer: list[Record] = []
        self._alarm: Cancellable | None = None
        sink.begin(encode_record(node_record(runtime)))

    def _take(self, record: Record) -> None:
        buffer = self._buffer
        buffer.append(record)
        if len(buffer) >= BATCH_RECORDS:
            self.flush()
        elif self._alarm is None:
            self._alarm = self._clock.later(FLUSH_SECONDS, self._due)

    def _due(self) -> None:
        self._alarm = None
        self.flush()

    def flush(self) -> None:
        """Hand what was recorded so far to the sink."""
        buffer, self._buffer = self._buffer, []
        self._sink.write(list(map(encode_record, buffer)))

    def close(self) -> None:
        """Write the rest and end; take it off the runtime first."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.flush()
        self._sink.close()
