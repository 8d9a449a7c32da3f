"""Sockets on the loop: ZeroMQ's file descriptor is an edge that goes silent, and this is where that is dealt with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

FRAMES_PER_TURN = 64
"""Read from one socket before the loop's other business gets its turn."""

TURNS_TO_READ_UP = 64

# Plain numbers: combining two members of these enums takes longer than receiving a frame.
NOBLOCK = zmq.NOBLOCK.value
NOBLOCK_MORE = (zmq.NOBLOCK | zmq.SNDMORE).value
_READABLE = zmq.POLLIN.value


def plain_send(socket: zmq.Socket[bytes]) -> Callable[[bytes, int], None]:
    """A socket's send, without a search for options that we never use; it takes a third of the time."""
    send: Callable[[bytes, int], None] = super(zmq.Socket, socket).send
    return send


class LoopSocket:
    """A socket whose frames are read as they come, on the loop.

    The descriptor signals once per change and not while there is something to read, and a send swallows the signal
    for what came in meanwhile: so each turn reads until nothing is left, and after sends outside of one `sent` has to
    be called.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: zmq.Socket[bytes], receive: Callable[[], None]) -> None:
        """`receive` reads one message without blocking; zmq.Again from it means that there is none."""
        self.socket = socket
        self._loop = loop
        self._receive = receive
        self._descriptor: int = socket.FD
        self.is_reading = False
        self._is_closed = False
        self._turns = 0
        # The same as asking for its events, which takes a third longer since it looks for the option's name first.
        self._poll: Callable[[], list[Any]] = partial(zmq.zmq_poll, [(socket, _READABLE)], 0)
        self._read_up: list[tuple[int, Callable[[], None]]] = []
        loop.add_reader(self._descriptor, self.read)
        loop.call_soon(self.read)

    def read(self) -> bool:
        """Receive all there is, or as much as one turn may; False if there may be more."""
        if self.is_reading or self._is_closed:
            return True
        self.is_reading = True
        is_empty = True
        try:
            for _ in range(FRAMES_PER_TURN):
                self._receive()
                if self._is_closed or not self._poll():
                    break
            else:
                is_empty = False
                self._loop.call_soon(self.read)
        except zmq.Again:
            pass
        finally:
            self.is_reading = False
        if self._read_up:
            self._tell_read_up(is_empty)
        return is_empty

    def when_read_up(self, callback: Callable[[], None]) -> None:
        """Call back when all that is here by now was received; under a flood, after so much that it must have been."""
        self._read_up.append((self._turns + TURNS_TO_READ_UP, callback))
        self._loop.call_soon(self.read)

    def _tell_read_up(self, is_empty: bool) -> None:
        self._turns += 1
        due = [callback for turn, callback in self._read_up if is_empty or turn <= self._turns]
        self._read_up = [] if is_empty else [waiting for waiting in self._read_up if waiting[0] > self._turns]
        for callback in due:
            callback()

    def sent(self) -> None:
        """Look again for what came in while something was sent."""
        if not self.is_reading and self._poll():
            self._loop.call_soon(self.read)

    def close(self, linger_ms: int = 0) -> None:
        """Close, and let out what was sent for that long; the descriptor is taken off the loop first."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._descriptor)
            self.socket.close(linger=linger_ms)


class Monitor:
    """Tells what happens to a socket's connections."""

    EVENTS = (
        zmq.EVENT_ACCEPTED
        | zmq.EVENT_CONNECT_RETRIED
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, watched: zmq.Socket[bytes], happened: Callable[[zmq.Event, int], None]
    ) -> None:
        """`happened` is told of each event with its value: a descriptor, or an error's number."""
        self._watched = watched
        self._happened = happened
        self._events: Any = watched.get_monitor_socket(self.EVENTS)
        self._loop_socket = LoopSocket(loop, self._events, self._receive)

    def read(self) -> None:
        """Hear all that has happened so far."""
        while not self._loop_socket.read():
            pass

    def close(self) -> None:
        """Hear no more. To be called before the watched socket is closed."""
        if not self._watched.closed:
            self._watched.disable_monitor()
        self._loop_socket.close()

    def _receive(self) -> None:
        event = parse_monitor_message(self._events.recv_multipart(NOBLOCK))
        self._happened(zmq.Event(event["event"]), event["value"])
