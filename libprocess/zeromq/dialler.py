"""The dialling side: a connection that this node opens to another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq

from libprocess.zeromq.loop_socket import NOBLOCK, LoopSocket, Monitor, plain_send
from libprocess.zeromq.wire import Frame


class DialledWire:
    """A DEALER socket of its own for each node that is dialled: it connects once, and is closed when that ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dealer: zmq.Socket[bytes], endpoint: str) -> None:
        """Takes a socket that is set up but not connected. zmq.ZMQError if it cannot be, and is closed."""
        self.received: Callable[[Frame], None] = _ignore
        self.lost: Callable[[str], None] = _ignore
        self._recv = dealer.recv
        self._send = plain_send(dealer)
        self._monitor = Monitor(loop, dealer, self._happened)
        self._loop_socket = LoopSocket(loop, dealer, self._receive)
        self.flushed = self._loop_socket.sent
        try:
            dealer.connect(endpoint)
        except zmq.ZMQError:
            self.close()
            raise

    def send(self, frame: bytes) -> bool:
        """See Wire."""
        try:
            self._send(frame, NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self, linger_ms: int = 0) -> None:
        """See Wire; lets out what was sent for that long."""
        self.received = self.lost = _ignore
        self._monitor.close()
        self._loop_socket.close(linger_ms)

    def _receive(self) -> None:
        self.received(self._recv(NOBLOCK))  # each part of what has several counts as a frame

    def _happened(self, event: zmq.Event, _: int) -> None:
        if event in _ENDED:
            self._loop_socket.when_read_up(lambda: self.lost(_ENDED[event]))


_NO_HANDSHAKE = "no handshake: it has no keys, or others than are known here, or this node has none, or it is no node"

_ENDED = {
    zmq.EVENT_CONNECT_RETRIED: "cannot connect: nobody listens there, or there is no way there",
    zmq.EVENT_DISCONNECTED: "disconnected",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused: this node's public key is not known there",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: _NO_HANDSHAKE,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: _NO_HANDSHAKE,
}


def _ignore(_: object) -> None:
    """Nobody listens."""
