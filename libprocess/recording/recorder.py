"""Recorder: writes a node's records, in batches, to a sink such as a bounded file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from libprocess.message import message_count
from libprocess.ports import Cancellable
from libprocess.recording.mail import compact
from libprocess.recording.naming import names_record
from libprocess.recording.tracer import Record, Tracer, mail_in, message_in, node_record

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

BATCH_MAIL = 1024
"""Once so much is gathered, it is written."""

FLUSH_SECONDS = 1.0
"""How long a record waits for its batch to fill: so much may be missing after a kill -9."""


def _plain(value: Any) -> Any:
    """Turns hold more than mail, and a timer's message may hold what is not made for the wire: that is shown."""
    message = message_in(value)
    return repr(value) if message is value else message


UNKNOWN_BYTES = 1000

_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode


def encode_record(record: Record) -> bytes:
    """A record as it is in a file."""
    if record[0] == "turn":
        kind, number, time, mail, times, end = record
        return _encode((kind, number, time, compact(mail), times, end))
    return _encode(record)


def encoded_bytes(message: Any) -> int:
    """How long a message is as bytes: a guess, where it cannot be encoded."""
    try:
        return len(_encode(message))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return UNKNOWN_BYTES


def header(runtime: Runtime, number: int = 0) -> bytes:
    """What a recording of this node begins with: which node it is, and what is in its messages."""
    return encode_record(node_record(runtime, number)) + encode_record(names_record(runtime.clock.now(), number))


class Sink(Protocol):
    """Where encoded records go."""

    def begin(self, header: bytes) -> None:
        """The record that says which node this is; to be repeated wherever a reader may start."""

    def write(self, records: list[bytes]) -> None:
        """Take some more records."""

    def close(self) -> None:
        """There will be no more."""


class Recorder(Tracer):
    """Records everything that happens on a node from now on: `runtime.trace = Recorder(runtime, sink)`."""

    __slots__ = ("_alarm", "_batch", "_clock", "_mail", "_named", "_sink")

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        super().__init__(runtime, self._take)
        self._clock = runtime.clock
        self._sink = sink
        self._batch: list[Record] = []
        self._mail = 0
        self._alarm: Cancellable | None = None
        self._named = message_count()
        sink.begin(header(runtime))

    def _take(self, record: Record) -> None:
        self._batch.append(record)
        self._mail += mail_in(record)
        if self._mail >= BATCH_MAIL:
            self.flush()
        elif self._alarm is None:
            self._alarm = self._clock.later(FLUSH_SECONDS, self._due)

    def _due(self) -> None:
        self._alarm = None
        self.flush()

    def flush(self) -> None:
        """Hand what was recorded so far to the sink."""
        if self._named != message_count():  # more were declared meanwhile
            self._named = message_count()
            self._sink.begin(encode_record(names_record(self._clock.now())))
        batch, self._batch, self._mail = self._batch, [], 0
        self._sink.write(list(map(encode_record, batch)))

    def close(self) -> None:
        """Write the rest and end; take it off the runtime first."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.flush()
        self._sink.close()
