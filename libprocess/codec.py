"""The codec: mail as bytes, as it travels from one node to another.

A frame is a msgpack array of messages, each `[name, field, …]`, in the order in which they were sent. A route among
them, `["", to, sender, id, cause]`, says whom those after it are for and from, and has the id of the next one, if
they have ids: those after it count on. Where only the sender changes, and there are no ids, that is said. Actors are
named by their ids, since they live at the frame's two ends: nobody can speak in the name of another node's actors. Two
routes at the very beginning: the first says that the frame's messages have ids, from that one on, and no causes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Union

import msgspec

from libprocess.message import Message, any_message, message_count
from libprocess.pid import PID, Address
from libprocess.ports import Envelope

UNREADABLE = "unreadable"
"""Why a message that came in is dropped that does not decode; the UnreadableMessage in its place says what is wrong."""

Buffer = Any
"""Bytes, or whatever else has some to read: collections.abc.Buffer from Python 3.12 on."""

PIDS_KEPT = 16384
PID_LENGTH_KEPT = 256


MessageId = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Route(msgspec.Struct, frozen=True, array_like=True, tag="", gc=False):
    """The way of the messages after it: from an id at the frame's origin to an id at its destination."""

    to: str
    sender: str
    id: MessageId = 0
    cause: MessageId = 0


class UnreadableMessage(Message, frozen=True):
    """Never sent: stands for a message that came in and could not be decoded, in the report that it is dropped."""

    name: str
    error: str


class MalformedFrame(ValueError):
    """What came in is no frame at all; the text says why."""


_encode = msgspec.msgpack.Encoder().encode
_NOT_DECODED = (ValueError, RecursionError)


def encode(envelopes: Sequence[Envelope], first_id: int = 0) -> bytes:
    """One frame with all this mail, which must be from actors of this node, and for actors of one other.

    Mail that has no ids itself has them from `first_id` on, unless that is 0.
    """
    if envelopes and (envelopes[0][3] or envelopes[-1][3]):  # ids begin or end with some message, and go on from there
        return _encode_numbered(envelopes)
    items: list[Any] = [Route("", "", first_id)] if first_id else []
    add = items.append
    last_to = last_sender = None
    for to, sender, message, id_, cause in envelopes:
        if sender is not last_sender or to is not last_to or id_:
            if to is last_to and not id_:
                add(sender.id)
            else:
                add(Route(to.id, sender.id, id_, cause))
            last_to, last_sender = to, sender
        add(message)
    return _encode(items)


def _encode_numbered(envelopes: Sequence[Envelope]) -> bytes:
    """The same of mail with ids: a route where they do not simply count on."""
    items: list[Any] = []
    add = items.append
    last_to = last_sender = None
    expected = last_cause = step = 0
    for to, sender, message, id_, cause in envelopes:
        if id_ != expected or cause != last_cause or to is not last_to or sender is not last_sender:
            add(Route(to.id, sender.id, id_, cause))
            last_to, last_sender, last_cause = to, sender, cause
            expected, step = id_, 1 if id_ else 0
        add(message)
        expected += step
    return _encode(items)


class Decoder:
    """Reads the frames that one node sends to another. Equal PIDs come out as the same object, within reason."""

    def __init__(
        self,
        origin: Address,
        destination: Address,
        dropped: Callable[[Envelope, str], None],
        came: Callable[[list[Envelope], FrameThatCame], None] | None = None,
    ) -> None:
        """`dropped` is told of each message that does not decode, and `came` of each frame with messages."""
        self.origin, self.destination = origin, destination
        self._came = came
        self._senders = _PIDs(origin)
        self._receivers = _PIDs(destination)
        self._dropped = dropped

    def decode(self, frame: Buffer) -> list[Envelope]:
        """The mail in a frame, without the messages that do not decode. MalformedFrame if it is no frame."""
        try:
            items = _types.read_frame(frame)
        except _NOT_DECODED:
            items = self._read_again(frame)
        first_id = 0
        if len(items) > 1 and items[1].__class__ is Route and items[0].__class__ is Route:
            first_id = items.pop(0).id
        senders, receivers = self._senders, self._receivers
        mail: list[Envelope] = []
        add = mail.append
        to: Any = None
        sender: Any = None
        for item in items:
            kind = item.__class__
            if kind is str:
                sender = senders[item]
            elif kind is Route:
                if item.id:
                    mail = self._numbered(items)
                    break
                to, sender = receivers[item.to], senders[item.sender]
            else:
                add((to, sender, item, 0, 0))
        if mail and mail[0][0] is None:
            raise MalformedFrame("a message without a route")
        if self._came is not None:
            self._came(mail, FrameThatCame(frame, self, first_id))
        return mail

    def _numbered(self, items: list[Any]) -> list[Envelope]:
        """The mail of a frame with ids in it."""
        senders, receivers = self._senders, self._receivers
        mail: list[Envelope] = []
        to: Any = None
        sender: Any = None
        add = mail.append
        id_ = cause = step = 0
        for item in items:
            kind = item.__class__
            if kind is Route:
                to, sender, id_, cause = receivers[item.to], senders[item.sender], item.id, item.cause
                step = 1 if id_ else 0
            elif kind is str:
                sender = senders[item]
            else:
                add((to, sender, item, id_, cause))
                id_ += step
        return mail

    def _read_again(self, frame: Buffer) -> list[Any]:
        """What is in a frame that could not be read: perhaps messages that were declared since."""
        if _types.renew():
            with suppress(*_NOT_DECODED):
                return _types.read_frame(frame)
        return self._salvage(frame)

    def _salvage(self, frame: Buffer) -> list[Any]:
        """What can be read of a frame with something wrong in it; the rest is dropped, and so is what has no route."""
        try:
            raws = _raw_items.decode(frame)
        except _NOT_DECODED as error:
            raise MalformedFrame(str(error)) from None
        good: list[Any] = []
        route: Route | None = None
        for raw in raws:
            try:
                item = _types.read_item(raw)
            except _NOT_DECODED as error:
                route = _following(self._unreadable(raw, str(error), route))
                continue
            if isinstance(item, Route):
                route = item
            elif route is not None and isinstance(item, str):
                route = Route(route.to, item, route.id, route.cause)
            elif route is not None:
                good += (route, item)
                route = _following(route)
            else:
                self._unreadable(raw, "no route", None)
        return good

    def _unreadable(self, raw: msgspec.Raw, error: str, route: Route | None) -> Route | None:
        """Report one item that cannot be read; returns the route that holds after it."""
        name = _name_of(raw)
        to, sender, id_, cause = (route.to, route.sender, route.id, route.cause) if route else ("", "", 0, 0)
        stand_in = UnreadableMessage(name, error)
        self._dropped((self._receivers[to], self._senders[sender], stand_in, id_, cause), UNREADABLE)
        return route if name else None


def _following(route: Route | None) -> Route | None:
    """The route of the message after one: ids count on."""
    return Route(route.to, route.sender, route.id + 1, route.cause) if route and route.id else route


class FrameThatCame:
    """See `ports.Frame`."""

    __slots__ = ("_content", "_decoder", "first_id")

    def __init__(self, content: Buffer, decoder: Decoder, first_id: int) -> None:
        self._content = content
        self._decoder = decoder
        self.first_id = first_id

    @property
    def size_bytes(self) -> int:
        """See `ports.Frame`."""
        return memoryview(self._content).nbytes

    def keep(self) -> None:
        """See `ports.Frame`."""
        self._content = bytes(memoryview(self._content))

    def mail(self) -> list[Envelope]:
        """See `ports.Frame`."""
        decoder = Decoder(self._decoder.origin, self._decoder.destination, lambda *_: None)
        mail = decoder.decode(self._content)
        if self.first_id and mail and not (mail[0][3] or mail[-1][3]):
            return [
                (to, sender, content, id_, 0) for id_, (to, sender, content, _, _) in enumerate(mail, self.first_id)
            ]
        return mail


class _PIDs(dict[str, PID]):
    """The PIDs of one node by id, each made once."""

    __slots__ = ("_host", "_port")

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._host, self._port = address

    def __missing__(self, name: str) -> PID:
        pid = PID(name, self._host, self._port)
        if len(name) <= PID_LENGTH_KEPT:
            if len(self) >= PIDS_KEPT:
                self.clear()
            self[name] = pid
        return pid


class _Types:
    """Decoders for all the messages there are. They are made anew when something cannot be read."""

    def __init__(self) -> None:
        self._count = 0
        self.renew()

    def renew(self) -> bool:
        """Learn the messages that were declared since; False if there are none."""
        if self._count == message_count():
            return False
        item: Any = Union[Route, str, any_message()]  # noqa: UP007 - it is made of values, not of names
        self.read_frame: Callable[[Buffer], list[Any]] = msgspec.msgpack.Decoder(list[item]).decode
        self.read_item: Callable[[msgspec.Raw], Any] = msgspec.msgpack.Decoder(item).decode
        self._count = message_count()
        return True


_types = _Types()
_raw_items = msgspec.msgpack.Decoder(list[msgspec.Raw])


def _name_of(raw: msgspec.Raw) -> str:
    """The name of a message that does not decode; "" if it has none."""
    try:
        item = msgspec.msgpack.decode(raw)
    except _NOT_DECODED:
        return ""
    return item[0] if isinstance(item, list) and item and isinstance(item[0], str) else ""
