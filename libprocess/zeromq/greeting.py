"""The greeting: what two nodes tell each other before any mail goes over a link.

Whoever dials says hello; the other side answers welcome, which opens the link for both, or refuse.
"""

from __future__ import annotations

import msgspec

from libprocess.pid import Address

PROTOCOL = 1
"""What this node speaks; nodes of another number are refused."""


HOST_LENGTH_MAX = 255


class _Greeting(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Fields may be appended: who does not know them ignores them."""


class Hello(_Greeting, frozen=True):
    """From the node that dials, first on every connection."""

    protocol: int
    address: Address
    """Where the dialling node is reached, if it can be: its name."""
    incarnation: int
    serial: int
    """Counts what that node dialled: tells a dial made before a link was opened from one made since."""
    dialled: Address
    """Where it thinks it is connected to."""


class Welcome(_Greeting, frozen=True):
    """From the node that was dialled: the link is open. The fields are as in Hello."""

    protocol: int
    address: Address
    incarnation: int
    serial: int


class Refuse(_Greeting, frozen=True):
    """From the node that was dialled: there will be no link, and why."""

    reason: str
    address: Address
    is_linked: bool = False
    """There is a link already, which serves: the one to `address`."""


encode = msgspec.msgpack.Encoder().encode
_hello = msgspec.msgpack.Decoder(Hello)
_answer = msgspec.msgpack.Decoder(Welcome | Refuse)


def decode_hello(frame: bytes) -> Hello | None:
    """Read what a stranger says first; None if it is no hello."""
    try:
        hello = _hello.decode(frame)
    except (ValueError, RecursionError):
        return None
    host, port = hello.address
    return hello if 0 < len(host) <= HOST_LENGTH_MAX and 0 <= port <= 65535 else None


def decode_answer(frame: bytes) -> Welcome | Refuse | None:
    """Read what a dialled node says first; None if it is neither answer."""
    try:
        answer: Welcome | Refuse = _answer.decode(frame)
    except (ValueError, RecursionError):
        return None
    return answer


def refusal(protocol: int) -> str:
    """Why a node that speaks another protocol gets no link."""
    return f"protocol {protocol} is spoken there and protocol {PROTOCOL} here: run the same version on both"
