"""The listening side: the node's bound socket, and the wires of those who dialled it.

Whoever connects is a stranger until its hello was found good. Strangers are few and have little time, so that nobody
can take all descriptors or memory by connecting and saying nothing, or nonsense.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import Counter
from collections.abc import Callable
from functools import partial

import zmq

from libprocess.zeromq.greeting import Hello, Refuse, Welcome, decode_hello, encode
from libprocess.zeromq.loop_socket import NOBLOCK, NOBLOCK_MORE, LoopSocket, Monitor, plain_send
from libprocess.zeromq.wire import Frame

STRANGERS_MAX = 1024
"""Connections without a good hello; beyond it the oldest is closed."""

STRANGER_SECONDS = 5.0
"""How long a connection may go without a good hello."""


class AcceptedWire:
    """A connection that another node opened, and over which its hello came."""

    def __init__(self, listener: Listener, routing_id: bytes, connection: Connection, key: str) -> None:
        self.received: Callable[[Frame], None] = _ignore
        self.lost: Callable[[str], None] = _ignore
        self.key = key
        """The peer's public key; "" without CURVE."""
        self._connection = connection
        self._listener = listener
        self.send: Callable[[bytes], bool] = partial(listener.send, routing_id)
        self.flushed = listener.flushed

    def welcome(self, welcome: Welcome) -> None:
        """Answer its hello: from now on it is no stranger."""
        self._listener.befriend(self._connection)
        self.send(encode(welcome))

    def refuse(self, refuse: Refuse) -> None:
        """Answer its hello; it has a stranger's time to read that and leave."""
        self.received = self.lost = _ignore
        self.send(encode(refuse))

    def close(self) -> None:
        """See Wire."""
        self.received = self.lost = _ignore
        self._connection.shut()


class Listener:
    """The bound ROUTER socket. It knows connections by their descriptors, as the monitor does."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        router: zmq.Socket[bytes],
        greeted: Callable[[AcceptedWire, Hello], None],
        refusals: Counter[str],
    ) -> None:
        """Takes a bound socket. `greeted` is told of each hello, `refusals` counts what was not taken."""
        self._loop = loop
        self._router = router
        self._greeted = greeted
        self._refusals = refusals
        self._wires: dict[bytes, AcceptedWire] = {}
        self._by_descriptor: dict[int, bytes] = {}
        self._connections: dict[int, Connection] = {}
        self._strangers: dict[Connection, float] = {}  # until when; the oldest first
        self._alarm: asyncio.TimerHandle | None = None
        router.set(zmq.ROUTER_MANDATORY, 1)
        self._monitor = Monitor(loop, router, self._happened)
        self._loop_socket = LoopSocket(loop, router, self._receive)
        self._send = plain_send(router)
        self._recv = router.recv
        self.flushed = self._loop_socket.sent

    def send(self, routing_id: bytes, frame: bytes) -> bool:
        """Send to one peer; False if there is no room now. If it has left, that is told by the monitor."""
        try:
            self._send(routing_id, NOBLOCK_MORE)
            self._send(frame, NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
        return True

    def close(self, linger_ms: int) -> None:
        """Close every connection, and let out what was sent for that long."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._monitor.close()
        self._loop_socket.close(linger_ms)

    # What comes in.

    def _receive(self) -> None:
        routing_id = self._recv(NOBLOCK)
        wire = self._wires.get(routing_id)
        if wire is None:
            self._receive_from_stranger(routing_id)
            return
        frame = self._recv(NOBLOCK, False)
        if frame.more:
            self._skip("frame in several parts")
            return
        wire.received(frame)

    def _receive_from_stranger(self, routing_id: bytes) -> None:
        frame = self._router.recv(NOBLOCK, copy=False)
        if frame.more:
            self._skip("frame in several parts")
            return
        descriptor = frame.get(zmq.SRCFD)
        self._monitor.read()  # descriptors are used again: what was lost before this hello must not count against it
        hello = decode_hello(frame.bytes)
        connection = self._connections.get(descriptor)
        if hello is None or connection is None or descriptor in self._by_descriptor:
            # Its connection ends when its time is up, not now: that descriptor may be an innocent's since it sent this.
            self._refusals["no hello"] += 1
            return
        wire = AcceptedWire(self, routing_id, connection, _key_of(frame))
        self._wires[routing_id] = wire
        self._by_descriptor[descriptor] = routing_id
        self._greeted(wire, hello)

    def _skip(self, reason: str) -> None:
        self._refusals[reason] += 1
        while self._router.get(zmq.RCVMORE):
            self._router.recv(NOBLOCK)

    # Who comes and goes.

    def _happened(self, event: zmq.Event, value: int) -> None:
        if event == zmq.EVENT_ACCEPTED:
            self._accepted(value)
        elif event == zmq.EVENT_DISCONNECTED:
            self._disconnected(value)
        elif event in _HANDSHAKE_FAILED:
            self._refusals[_HANDSHAKE_FAILED[event]] += 1

    def _accepted(self, descriptor: int) -> None:
        connection = Connection.of(descriptor)
        if connection is None:
            return
        self._connections[descriptor] = connection
        self._strangers[connection] = self._loop.time() + STRANGER_SECONDS
        if len(self._strangers) > STRANGERS_MAX:
            self._turn_out("too many strangers")
        if self._alarm is None:
            self._alarm = self._loop.call_later(STRANGER_SECONDS, self._look_for_overstayers)

    def _disconnected(self, descriptor: int) -> None:
        connection = self._connections.pop(descriptor, None)
        if connection is not None:
            self._strangers.pop(connection, None)
        routing_id = self._by_descriptor.pop(descriptor, None)
        if routing_id is not None:
            self._loop_socket.when_read_up(partial(self._left, routing_id))

    def _left(self, routing_id: bytes) -> None:
        """All of its mail was read."""
        self._wires.pop(routing_id).lost("disconnected")

    def befriend(self, connection: Connection) -> None:
        """Its hello was good: it may stay."""
        self._strangers.pop(connection, None)

    def _look_for_overstayers(self) -> None:
        self._monitor.read()
        now = self._loop.time()
        while self._strangers and next(iter(self._strangers.values())) <= now:
            self._turn_out("said no hello in time")
        self._alarm = None
        if self._strangers:
            self._alarm = self._loop.call_later(STRANGER_SECONDS / 5, self._look_for_overstayers)

    def _turn_out(self, reason: str) -> None:
        """End the oldest stranger's connection."""
        connection = next(iter(self._strangers))
        del self._strangers[connection]
        self._refusals[reason] += 1
        connection.shut()


class Connection:
    """A TCP connection that belongs to libzmq, which offers no way to end it: this does, and hits no other.

    Descriptors are used again, also for files that are none of ours, so the socket is known by its inode.
    """

    __slots__ = ("_descriptor", "_inode")

    def __init__(self, descriptor: int, inode: int) -> None:
        self._descriptor = descriptor
        self._inode = inode

    @classmethod
    def of(cls, descriptor: int) -> Connection | None:
        """What a descriptor stands for now; None if it is closed already."""
        try:
            return cls(descriptor, os.fstat(descriptor).st_ino)
        except OSError:
            return None

    def shut(self) -> None:
        """End it, if it is still there; the monitor will tell that it ended."""
        try:
            mine = os.dup(self._descriptor)
        except OSError:
            return
        try:
            if os.fstat(mine).st_ino == self._inode:
                with socket.socket(fileno=os.dup(mine)) as connection:
                    connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it ended by itself
        finally:
            os.close(mine)


_HANDSHAKE_FAILED = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "unknown key",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "no handshake",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "no handshake",
}


def _key_of(frame: zmq.Frame) -> str:
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


def _ignore(_: object) -> None:
    """Nobody listens."""
