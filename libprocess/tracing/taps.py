"""Taps: what happens on a node, as mail to a tool, and never more than it reads."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from libprocess.message import message_count
from libprocess.pid import PID
from libprocess.ports import Cancellable, Envelope
from libprocess.recording import Record, Tracer, encode_record, header, names_record
from libprocess.recording.tracer import mail_in, message_in
from libprocess.tracing.messages import TapMessage, TappedMessage
from libprocess.tracing.options import TRACE_ID

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

BATCH_BYTES = 64 * 1024
TURN_BYTES_MAX = 8 * BATCH_BYTES
"""What one turn may add: the rest of it is left out."""
BATCH_SECONDS = 0.05
UNREAD_MAX = 8
"""So many batches may be on their way to a tool; until it has read one, further mail is counted and left out."""


class Tap(Tracer):
    """Hands a node's records to one tool, without the mail that the tap itself makes."""

    __slots__ = (
        "_alarm",
        "_batch",
        "_is_closed",
        "_is_full",
        "_named",
        "_runtime",
        "_size",
        "left_out",
        "to",
        "unread",
        "wish",
    )

    def __init__(self, runtime: Runtime, to: PID, wish: TapMessage) -> None:
        super().__init__(runtime, self._take)
        self.to = to
        self.wish = wish
        self.left_out = 0
        self.unread = 0
        self._runtime = runtime
        self._named = message_count()
        self._batch = [header(runtime)]
        self._size = 0
        self._is_full = self._is_closed = False
        self._alarm: Cancellable | None = None
        self.flush()

    def _take(self, record: Record) -> None:
        if self.unread >= UNREAD_MAX or self._size >= TURN_BYTES_MAX:
            self.left_out += mail_in(record)
            return
        wanted = self._wanted(record)
        if wanted is None:
            return
        if self._named != message_count():  # more were declared meanwhile
            self._named = message_count()
            self._add(encode_record(names_record()))
        self._add(encode_record(wanted))
        # Nothing can be sent from here: this is told in the middle of a turn.
        if self._size >= BATCH_BYTES and not self._is_full:
            self._is_full = True
            self._runtime.clock.soon(self.flush)
        elif self._alarm is None:
            self._alarm = self._runtime.clock.later(BATCH_SECONDS, self._due)

    def _add(self, content: bytes) -> None:
        self._batch.append(content)
        self._size += len(content)

    def _wanted(self, record: Record) -> Record | None:
        """What of a record the tool wants to see; None if nothing."""
        kind, number, time, subject, *rest = record
        if kind == "turn":
            mail, times = self._wanted_mail(subject, rest[0])
            return (kind, number, time, mail, times, rest[1]) if mail or rest[1] is None else None
        if isinstance(subject, PID):
            return record if not self.wish.kind and self._is_named(subject) else None
        return record if self._wants(subject) else None

    def _wanted_mail(self, mail: list[Envelope], times: list[float]) -> tuple[list[Envelope], list[float]]:
        """The mail that is wanted; a gap stands where other mail follows it, since that says when it was over."""
        kept: list[Envelope] = []
        kept_times: list[float] = []
        is_gap = True
        for envelope, time in zip(mail, times, strict=False):
            if self._wants(envelope):
                is_gap = False
            elif is_gap:
                continue
            else:
                is_gap = True
                envelope = (*envelope[:2], None, 0, 0)  # type: ignore[assignment]
            kept.append(envelope)
            kept_times.append(time)
        return kept, kept_times

    def _wants(self, envelope: Envelope) -> bool:
        to, sender, content, _, _ = envelope
        if TRACE_ID in (to.id, sender.id) or self.to in (to, sender):
            return False
        wish = self.wish
        if wish.kind and not fnmatchcase(type(message_in(content)).__name__, wish.kind):
            return False
        return not wish.actor or self._is_named(to) or self._is_named(sender)

    def _is_named(self, pid: PID) -> bool:
        pattern = self.wish.actor
        return not pattern or fnmatchcase(str(pid) if "@" in pattern else pid.id, pattern)

    def _due(self) -> None:
        self._alarm = None
        self.flush()

    def flush(self) -> None:
        """Send what is gathered."""
        self._is_full = False
        if not self._batch or self._is_closed:
            return
        batch, self._batch, self._size = self._batch, [], 0
        left_out, self.left_out = self.left_out, 0
        self.unread += 1
        here = PID(TRACE_ID, *self._runtime.address)
        self._runtime.send(self.to, TappedMessage(b"".join(batch), left_out), here)

    def read(self) -> None:
        """The tool has read a batch."""
        self.unread -= 1
        if self.left_out and self._alarm is None:
            self._alarm = self._runtime.clock.later(BATCH_SECONDS, self._tell_left_out)

    def _tell_left_out(self) -> None:
        """Say what was left out, even if nothing happens any more."""
        self._alarm = None
        if self.left_out and not self._batch and self.unread < UNREAD_MAX:
            self._batch.append(b"")
        self.flush()

    def close(self) -> None:
        """No more is sent."""
        self._is_closed = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
