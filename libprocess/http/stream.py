"""Responses that go on: an actor per connection, which sends on what it is sent, chunk by chunk.

    def subscribe(self, request: HttpRequest) -> HttpResponse:
        stream = self.spawn(HttpStream())
        self.link(stream)
        self.send(stream, HttpChunkMessage(b"welcome"))
        return HttpResponse.streamed(stream, "application/json")

Each message is one chunk, and leaves at once. The stream ends with an `HttpStreamEndMessage`, when its client leaves,
or when that is so slow that more than `waiting_bytes_max` wait for it. Whoever linked to it is told, as with any actor.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from libprocess.message import Message
from libprocess.process import Process

WAITING_BYTES_MAX = 64 << 20


class HttpChunkMessage(Message, frozen=True):
    """An actor → its HttpStream: send this to the client, as one chunk."""

    data: bytes


class HttpStreamEndMessage(Message, frozen=True):
    """An actor → its HttpStream: that was all; end the response once the client has it."""


class Outlet(Protocol):
    """What carries a stream to its client: the door."""

    def ready(self) -> None:
        """There is something to `take`, or the stream has ended."""

    def abort(self) -> None:
        """Leave the client, at once and in the middle."""


class HttpStream(Process):
    """One response that goes on."""

    def __init__(self, waiting_bytes_max: int = WAITING_BYTES_MAX) -> None:
        self.has_ended = False
        """No more will come: the client gets what waits, and then the end."""
        self._waiting_bytes_max = waiting_bytes_max
        self._waiting_bytes = 0
        self._chunks: deque[bytes] = deque()
        self._first_bytes = -1
        """Of the first chunk, until that is taken: what a stream begins with may be large."""
        self._outlet: Outlet | None = None

    def http_chunk(self, message: HttpChunkMessage) -> None:
        """See the message."""
        if self.has_ended or not message.data:  # an empty chunk would end the response
            return
        self._chunks.append(message.data)
        self._waiting_bytes += len(message.data)
        if self._first_bytes < 0:
            self._first_bytes = len(message.data)
        if self._waiting_bytes - self._first_bytes > self._waiting_bytes_max:
            self._drop()
        elif self._outlet is not None:
            self._outlet.ready()

    def http_stream_end(self, message: HttpStreamEndMessage) -> None:
        """See the message."""
        self.has_ended = True
        if self._outlet is not None:
            self._outlet.ready()

    def finalize(self) -> None:
        """The last turn: a client that does not have everything by now does not get it."""
        if self._outlet is not None and (self._chunks or not self.has_ended):
            self._outlet.abort()

    # The door's side.

    def attach(self, outlet: Outlet) -> None:
        """Tell the door from now on when there is something to `take`."""
        self._outlet = outlet

    def take(self) -> bytes | None:
        """The next chunk; None if none waits."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._first_bytes = 0
        self._waiting_bytes -= len(chunk)
        return chunk

    def _drop(self) -> None:
        """The client is too slow."""
        self.metrics.counter("http/streams_dropped").value += 1
        self.terminate()
