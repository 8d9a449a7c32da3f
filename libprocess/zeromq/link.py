"""Link: what this node has with another one: mail that waits, frames that wait, and the wire they go over."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from libprocess.codec import Decoder, encode
from libprocess.pid import Address
from libprocess.ports import Envelope, Node
from libprocess.zeromq.wire import FRAME_BYTES_MAX, Frame, Wire

log = logging.getLogger("libprocess")

FRAME_BYTES = 48 * 1024
"""About how long a frame gets."""

FRAME_MESSAGES_MAX = 256

WAITING_BYTES_MAX = 32 * 1024 * 1024
"""What may wait for a node that takes its mail too slowly, or does not answer yet. Beyond it the link is broken."""

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""The longest message; a longer one is dropped."""

TOO_LONG = f"longer than {MESSAGE_BYTES_MAX} bytes"
NOT_ENCODED = "cannot be encoded"

# The first byte of a piece of a frame too long for one piece; a whole frame begins with an array's mark.
_MORE = b"\xc1"
_LAST = b"\xc0"
_PIECE_BYTES = FRAME_BYTES_MAX - 1


class Link:
    """One per node that this node talks to. Until it is open, frames wait."""

    def __init__(self, node: Node, here: Address, there: Address, wire: Wire) -> None:
        self.names = [there]
        """The address it is known by here first; then others that turned out to be the same node's."""
        self.wire = wire
        self.is_open = False
        self.incarnation = 0
        self.serial = 0
        self.mail: list[Envelope] = []
        """What was sent this turn."""
        self.waiting_bytes = 0
        self._node = node
        self._here = here
        self._waiting: deque[bytes] = deque()
        self._sent_bytes = 0  # of the first waiting frame
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._frame_messages = FRAME_MESSAGES_MAX  # how many go into a frame, by the lengths they had
        self._frame_bytes = 0
        self.decode: Callable[[Frame], list[Envelope]] = Decoder(there, here, node.dropped, node.came).decode
        """Reads a frame that came in whole; MalformedFrame if it is none, and perhaps a piece of one."""

    def open(self, address: Address, incarnation: int, serial: int) -> None:
        """The greeting is over, and told who is there."""
        self.incarnation = incarnation
        self.serial = serial
        self.is_open = True
        self.decode = Decoder(address, self._here, self._node.dropped, self._node.came).decode

    # Out.

    def flush(self) -> bool:
        """Send this turn's mail; False if some of it has to wait."""
        mail, self.mail = self.mail, []
        if len(mail) > self._frame_messages:
            mail = self._put_all_but_the_last(mail)
        self._put(mail)
        return not self._waiting

    def push(self) -> bool:
        """Try again to send what waits; False if some of it still has to wait."""
        while self._waiting:
            frame = self._waiting[0]
            if not self._send(frame):
                return False
            self._waiting.popleft()
            self._sent_bytes = 0
            self.waiting_bytes -= len(frame)
        return True

    def take(self) -> list[Envelope]:
        """Take back all mail that was not sent."""
        decode = Decoder(self._here, self.names[0], self._node.dropped).decode
        taken = [envelope for frame in self._waiting for envelope in decode(frame)] + self.mail
        self._waiting.clear()
        self.waiting_bytes = 0
        self.mail = []
        return taken

    def _put_all_but_the_last(self, mail: list[Envelope]) -> list[Envelope]:
        """Put so much into frames that the rest fits into one."""
        while len(mail) > self._frame_messages:
            first, mail = mail[: self._frame_messages], mail[self._frame_messages :]
            self._put(first)
            if self._frame_bytes * 2 < FRAME_BYTES:
                self._frame_messages = min(FRAME_MESSAGES_MAX, self._frame_messages * 2)
        return mail

    def _put(self, mail: list[Envelope]) -> None:
        try:
            frame = encode(mail, self._node.leaving(mail))
        except Exception as error:
            self._encode_each(mail, error)
            return
        self._frame_bytes = len(frame)
        if self._frame_bytes > FRAME_BYTES:
            self._put_long(mail, frame)
        elif self._waiting or not self.is_open or not self.wire.send(frame):
            self._wait(frame)

    def _put_long(self, mail: list[Envelope], frame: bytes) -> None:
        """Messages are longer than they were: put fewer into a frame, and send a very long one in pieces."""
        self._frame_messages = max(1, FRAME_BYTES * len(mail) // len(frame))
        if len(frame) > FRAME_BYTES_MAX and len(mail) > 1:
            middle = len(mail) // 2
            self._put(mail[:middle])
            self._put(mail[middle:])
        elif len(frame) > MESSAGE_BYTES_MAX:
            self._node.dropped(mail[0], TOO_LONG)
        elif self._waiting or not self.is_open or not self._send(frame):
            self._wait(frame)

    def _wait(self, frame: bytes) -> None:
        self._waiting.append(frame)
        self.waiting_bytes += len(frame)

    def _encode_each(self, mail: list[Envelope], error: Exception) -> None:
        """One of these has something in it that is no value: find it."""
        if len(mail) == 1:
            log.error("%r %s: %s", mail[0][2], NOT_ENCODED, error)
            self._node.dropped(mail[0], NOT_ENCODED)
            return
        for envelope in mail:
            self._put([envelope])

    def _send(self, frame: bytes) -> bool:
        if len(frame) <= FRAME_BYTES_MAX:
            return self.wire.send(frame)
        while self._sent_bytes < len(frame):
            end = self._sent_bytes + _PIECE_BYTES
            piece = frame[self._sent_bytes : end]
            if not self.wire.send((_MORE if end < len(frame) else _LAST) + piece):
                return False
            self._sent_bytes = end
        self._sent_bytes = 0
        return True

    # In.

    def assemble(self, piece: bytes) -> list[Envelope] | None:
        """With the last piece of a frame, the mail in it; None if this is no piece, or if the frame gets too long."""
        mark = piece[:1]
        if mark != _MORE and mark != _LAST:
            return None
        self._pieces.append(piece[1:])
        self._pieces_bytes += len(piece) - 1
        if mark == _MORE and self._pieces_bytes <= MESSAGE_BYTES_MAX:
            return []
        frame, self._pieces, self._pieces_bytes = b"".join(self._pieces), [], 0
        return self.decode(frame) if mark == _LAST else None
