"""What the virtual network does wrong, by chance."""

from __future__ import annotations

from dataclasses import dataclass

from libprocess.links import UnwatchMessage, WatchMessage
from libprocess.message import Message
from libprocess.process import ExitedMessage


@dataclass(frozen=True)
class Faults:
    """How bad the network is. Probabilities from 0 to 1.

    `breaks` is what real networks do: mail goes lost from some moment on, and a while later both ends see that the
    link is broken. `loss` and `duplicates` are harsher than the real transport, which does neither: one piece of mail
    is lost without a sign, or comes twice, the second time late. They are for protocols that promise to bear it.
    """

    delay_seconds: tuple[float, float] = (0.0, 0.0)
    """The least and the most that mail is underway. Links differ, so mail of different links overtakes; never that of
    one.
    """
    breaks: float = 0.0
    """Per frame (what one turn of a node sends to another): the link breaks, and that frame is the first to be lost."""
    loss: float = 0.0
    """Per piece of mail."""
    duplicates: float = 0.0
    """Per piece of mail."""


NO_FAULTS = Faults()


def may_suffer(message: Message) -> bool:
    """Whether one piece of mail may be lost or doubled by itself: not what the runtime's own links are made of.

    A transport that loses one of those has broken the link, and says so.
    """
    return not isinstance(message, WatchMessage | UnwatchMessage | ExitedMessage)
