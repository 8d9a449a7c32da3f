"""Wire: one connection to another node, whichever side opened it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import zmq

FRAME_BYTES_MAX = 128 * 1024
"""The longest piece that goes over a wire; longer frames go in pieces, and longer pieces end a connection."""


Frame = bytes | zmq.Frame
"""What comes in; ZeroMQ's own frames are read where they lie."""


def content(frame: Frame) -> bytes:
    """A frame's bytes."""
    return frame if isinstance(frame, bytes) else frame.bytes


class Wire(Protocol):
    """Sends frames to one peer, and closes. What comes in is handed to `received`, and its end to `lost`."""

    received: Callable[[Frame], None]
    """Takes each frame."""
    lost: Callable[[str], None]
    """Told once, with the reason and after the last frame, when the connection ended by itself."""

    @property
    def send(self) -> Callable[[bytes], bool]:
        """Hands a frame to ZeroMQ; False if there is no room for it now."""

    @property
    def flushed(self) -> Callable[[], None]:
        """To be called after a turn's sends."""

    def close(self) -> None:
        """End the connection now; neither `received` nor `lost` is called any more."""


class NoWire:
    """Stands for a connection that cannot be made."""

    received: Callable[[Frame], None]
    lost: Callable[[str], None]

    def send(self, frame: bytes) -> bool:
        """See Wire."""
        return False

    def flushed(self) -> None:
        """See Wire."""

    def close(self) -> None:
        """See Wire."""
