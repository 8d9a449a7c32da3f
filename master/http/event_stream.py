"""The stream of events for operators: an actor that sends each event to all who subscribed.

Every event has a `sequence` number, one more than the last. A subscriber that lost its connection says in the header
Last-Event-Id which it had last, and goes on from there as long as that is not too long ago; otherwise, as any new one,
it begins with the whole state.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from libprocess.http.stream import HttpChunkMessage
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from master.http.sight import Sight
from mesos.access.acls import NO_ACLS, Acls, Need
from mesos.v1.jsonform import read_json
from mesos.v1.media import Media
from mesos.v1.proto import message as descriptor_of
from mesos.v1.recordio import encode_record

HEARTBEAT_SECONDS = 15.0
EVENTS_KEPT = 10_000

EVENT = descriptor_of("master.Event")
_HEARTBEAT = b'{"type":"HEARTBEAT"}'


class OperatorEventMessage(Message, frozen=True):
    """Master → its event stream, whenever its records change: the event as JSON.

    It is for those who are allowed all that it `needs`.
    """

    sequence: int
    event: bytes
    needs: tuple[Need, ...] = ()


class OperatorSubscribeMessage(Message, frozen=True):
    """Master → its event stream: somebody listens on `stream`. `state` is the event that a new subscriber begins with.

    One that comes back had `last` last.
    """

    stream: PID
    media: str
    state: bytes
    last: int | None = None
    principal: str | None = None


class OperatorHeartbeatMessage(Message, frozen=True):
    """The event stream to itself, every 15 seconds: tell all who listen that it still stands."""


class Listener(NamedTuple):
    """A subscriber: how events are written for it, and which it may see."""

    media: Media
    sight: Sight


class EventStream(Process):
    """Who listens, and what was said lately. Nobody is told of what the `rights` do not let them see."""

    def __init__(self, rights: Acls = NO_ACLS) -> None:
        self.rights = rights
        self.listeners: dict[PID, Listener] = {}
        self.past: deque[OperatorEventMessage] = deque(maxlen=EVENTS_KEPT)

    def initialize(self) -> None:
        """The first turn."""
        self.metrics.gauge("master/operator_event_stream_subscribers", lambda: len(self.listeners))
        self.delay(HEARTBEAT_SECONDS, OperatorHeartbeatMessage())

    def operator_subscribe(self, message: OperatorSubscribeMessage) -> None:
        """See the message."""
        media, sight = Media(message.media), Sight(self.rights, message.principal)
        self.listeners[message.stream] = Listener(media, sight)
        self.link(message.stream)
        missed = self._since(message.last, sight)
        for event in [message.state] if missed is None else missed:
            self._send(message.stream, media, event)
        self._send(message.stream, media, _HEARTBEAT)

    def _since(self, last: int | None, sight: Sight) -> list[bytes] | None:
        """All events after that one that may be seen; None if they are not all known any more."""
        if last is None or not self.past or not self.past[0].sequence - 1 <= last <= self.past[-1].sequence:
            return None
        return [event.event for event in self.past if event.sequence > last and sight.all_of(event.needs)]

    def operator_event(self, message: OperatorEventMessage) -> None:
        """See the message."""
        self.past.append(message)
        self._send_all(message.event, message.needs)

    def operator_heartbeat(self, message: OperatorHeartbeatMessage) -> None:
        """See the message."""
        self._send_all(_HEARTBEAT)
        self.delay(HEARTBEAT_SECONDS, OperatorHeartbeatMessage())

    def exited(self, message: ExitedMessage) -> None:
        """Somebody does not listen any more."""
        self.listeners.pop(message.pid, None)

    def _send_all(self, event: bytes, needs: tuple[Need, ...] = ()) -> None:
        records: dict[Media, HttpChunkMessage] = {}
        for stream, (media, sight) in self.listeners.items():
            if not sight.all_of(needs):
                continue
            if media not in records:
                records[media] = HttpChunkMessage(_record(media, event))
            self.send(stream, records[media])

    def _send(self, stream: PID, media: Media, event: bytes) -> None:
        self.send(stream, HttpChunkMessage(_record(media, event)))


def _record(media: Media, event: bytes) -> bytes:
    body = event if media is Media.JSON else media.write(read_json(event, EVENT), EVENT)
    return encode_record(body)
