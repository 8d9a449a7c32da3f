"""The network of a real node: mail over ZeroMQ, one link per pair of nodes, used both ways.

Whoever has mail first dials; answers go back over the same link, so a node that nobody can dial takes full part.
Nothing is sent before the greeting told who is there, and a link that breaks takes its mail with it: what was meant
for a node that died never reaches the one started in its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from functools import partial

import zmq

from libprocess.codec import MalformedFrame
from libprocess.pid import PID, Address
from libprocess.ports import Envelope, Node
from libprocess.zeromq.dialler import DialledWire
from libprocess.zeromq.greeting import PROTOCOL, Hello, Refuse, Welcome, decode_answer, encode, refusal
from libprocess.zeromq.keys import Keys
from libprocess.zeromq.link import WAITING_BYTES_MAX, Link
from libprocess.zeromq.listener import AcceptedWire, Listener
from libprocess.zeromq.sockets import Sockets
from libprocess.zeromq.wire import Frame, NoWire, content

log = logging.getLogger("libprocess")

DIAL_SECONDS = 5.0
"""How long a node may take to answer a hello."""

YIELD_SECONDS = 1.0
"""How long a dial may still take once the dialled node's own hello is here, and waits."""

RETRY_SECONDS = 0.005
"""ZeroMQ does not say when a single peer has room again: so it is asked that often, while something waits."""

LINGER_MS = 500
"""How long a closing node waits for what it sent last to leave."""

UNSENT = "link broken"
"""Why mail is dropped that waited for a node whose link broke."""

CUT = "cut"
"""Why links to a node break that is cut off on purpose."""


class ZeroMQ:
    """See `ports.Network`. All methods are for the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sockets: Sockets) -> None:
        self.refusals: Counter[str] = Counter()
        """What came in and was not taken, by reason."""
        self._loop = loop
        self._sockets = sockets
        self._links: dict[Address, Link] = {}
        self._held: dict[Link, tuple[AcceptedWire, Hello]] = {}  # a dialled link → the hello that came meanwhile
        self._alarms: dict[Link, asyncio.TimerHandle] = {}
        self._outgoing: list[Envelope] = []
        self._receiving: Link | None = None  # its socket is looked at again after that anyway
        self._slow: dict[Link, None] = {}
        self._retry: asyncio.TimerHandle | None = None
        self._serial = 0
        self._cuts: set[Address] = set()
        self.send = self._outgoing.append  # see ports.Network; the hot loop calls it once per message

    # The port.

    def start(self, node: Node) -> Address:
        """See `ports.Network`."""
        self._node = node
        self._address, router = self._sockets.bind()
        self._listener = Listener(self._loop, router, self._greeted, self.refusals)
        node.metrics.gauge("runtime/links", lambda: len(set(self._links.values())))
        node.metrics.family("runtime/refused_for", lambda: self.refusals)
        self._received_messages = node.metrics.counter("runtime/mail_received")
        self._sent_messages = node.metrics.counter("runtime/mail_sent")
        return self._address

    def connect(self, address: Address) -> None:
        """See `ports.Network`."""
        if address not in self._links:
            self._dial(address)

    def flush(self) -> None:
        """See `ports.Network`."""
        outgoing = self._outgoing
        if not outgoing:
            return
        touched: list[Link] = []
        last: PID | None = None
        for envelope in outgoing:
            to = envelope[0]
            if to is not last:
                last = to
                address = (to.host, to.port)  # an Address, made faster
                link = self._links.get(address) or self._dial(Address(*address))  # type: ignore[call-overload]
                add = link.mail.append
                if not link.mail:
                    touched.append(link)
            add(envelope)
        self._sent_messages.value += len(outgoing)
        outgoing.clear()
        for link in touched:
            self._flush(link)

    def _flush(self, link: Link) -> None:
        if not link.flush():
            self._wait_for(link)
        elif link.is_open and link is not self._receiving:
            link.wire.flushed()

    def principal(self, address: Address) -> str | None:
        """See `ports.Network`: whom the key stands for that the other side proved to have."""
        link, keys = self._links.get(address), self._sockets.keys
        if link is None or keys is None:
            return None
        key = link.wire.key if isinstance(link.wire, AcceptedWire) else keys.to_dial(address)
        return keys.principals.get(key or "")

    def invite(self, name: str) -> Keys | None:
        """Let a guest in from now on; returns what it needs to come. None where everybody may."""
        if self._sockets.keys is None:
            return None
        guest = self._sockets.keys.guest(name)
        self._sockets.guests.add(guest.public)
        return guest

    def dismiss(self, name: str) -> None:
        """Let that guest in no more; the link that it has goes on."""
        if self._sockets.keys is not None:
            self._sockets.guests.discard(self._sockets.keys.guest(name).public)

    def close(self) -> None:
        """See `ports.Network`."""
        self.flush()
        for alarm in [self._retry, *self._alarms.values()]:
            if alarm is not None:
                alarm.cancel()
        for link in dict.fromkeys(self._links.values()):
            link.push()
            self._drop(link)
            if isinstance(link.wire, DialledWire):
                link.wire.close(LINGER_MS)
        self._listener.close(LINGER_MS)
        self._links.clear()
        self._sockets.close()

    def cut(self, address: Address) -> None:
        """Let nothing through from or to a node, until `heal`: for clusters that are there to be tested."""
        self._cuts.add(address)
        link = self._links.get(address)
        if link is not None:
            self._break(link, CUT)

    def heal(self) -> None:
        """End all cuts."""
        self._cuts.clear()

    # Links: dialled, greeted, open, broken.

    def _dial(self, address: Address) -> Link:
        self._serial += 1
        try:
            wire = DialledWire(self._loop, *self._sockets.dealer(address))
        except (LookupError, ValueError, zmq.ZMQError) as error:
            link = self._links[address] = Link(self._node, self._address, address, NoWire())
            self._loop.call_soon(self._dial_failed, link, f"cannot dial: {error}")
            return link
        link = self._links[address] = Link(self._node, self._address, address, wire)
        wire.lost = partial(self._dial_failed, link)
        wire.received = partial(self._answered, link)
        if address in self._cuts:
            self._loop.call_soon(self._dial_failed, link, CUT)
            return link
        wire.send(encode(Hello(PROTOCOL, self._address, self._node.incarnation, self._serial, address)))
        self._give(link, DIAL_SECONDS)
        return link

    def _give(self, link: Link, seconds: float) -> None:
        """Limit the time for a dialled node's answer."""
        reason = f"no answer within {DIAL_SECONDS:g} s"
        self._quiet(link)
        self._alarms[link] = self._loop.call_later(seconds, lambda: self._dial_failed(link, reason))

    def _quiet(self, link: Link) -> None:
        alarm = self._alarms.pop(link, None)
        if alarm is not None:
            alarm.cancel()

    def _answered(self, link: Link, frame: Frame) -> None:
        """A dialled node speaks for the first time."""
        answer = decode_answer(content(frame))
        if isinstance(answer, Welcome) and answer.protocol == PROTOCOL:
            self._welcomed(link, answer)
        elif isinstance(answer, Refuse) and answer.is_linked and self._is_open(answer.address):
            self._join(link, self._links[answer.address])
        elif isinstance(answer, Refuse) and answer.is_linked and self._is_dialling(but_for=link):
            pass  # it may be that one, by another name: the welcome there will say so
        elif isinstance(answer, Refuse):
            self._dial_failed(link, f"refused: {answer.reason}")
        elif isinstance(answer, Welcome):
            self._dial_failed(link, f"refused: {refusal(answer.protocol)}")
        else:
            self.refusals["no greeting"] += 1
            self._dial_failed(link, "what answers there is no node")

    def _welcomed(self, link: Link, welcome: Welcome) -> None:
        known = self._links.get(welcome.address)
        if known is not None and known is not link and known.is_open:
            self._join(link, known)
            return
        self._refuse_held(link)
        self._open(link, welcome)
        if known is None:  # it was dialled by another name than its own
            self._links[welcome.address] = link
            link.names.append(welcome.address)
        elif known is not link:  # it was dialled by its own name, too, and heard of that later
            self._join(known, link)

    def _join(self, link: Link, known: Link) -> None:
        """A dialled node turned out to be one that there is a link to: both names mean that link from now on."""
        self._refuse_held(link)
        self._quiet(link)
        link.wire.close()
        for name in link.names:
            self._links[name] = known
            known.names.append(name)
        known.mail = link.take() + known.mail
        self._flush(known)

    def _greeted(self, wire: AcceptedWire, hello: Hello) -> None:
        """A node that dialled this one said hello."""
        link = self._links.get(hello.address)
        if hello.protocol != PROTOCOL:
            self._refuse(wire, refusal(hello.protocol))
        elif hello.address == self._address or hello.incarnation == self._node.incarnation:
            self._refuse(wire, f"{hello.dialled} is this node itself, which is called {self._address}")
        elif hello.address in self._cuts:
            self._refuse(wire, CUT)
        elif not self._may_be_called(hello.address, wire.key):
            self._refuse(wire, f"{hello.address} is known here by another public key")
        elif link is None:
            self._accept(wire, hello)
        elif link.is_open:
            self._greeted_again(link, wire, hello)
        elif (hello.incarnation, hello.address) < (self._node.incarnation, self._address):
            self._yield(link, wire, hello)
        else:
            self._hold(link, wire, hello)

    def _may_be_called(self, address: Address, key: str) -> bool:
        keys = self._sockets.keys
        if keys is None:
            return True
        known = keys.known.get(str(address)) if key in self._sockets.guests else keys.of(address)
        return known in (None, key)

    def _accept(self, wire: AcceptedWire, hello: Hello) -> None:
        link = self._links[hello.address] = Link(self._node, self._address, hello.address, wire)
        self._welcome(link, wire, hello)

    def _welcome(self, link: Link, wire: AcceptedWire, hello: Hello) -> None:
        wire.welcome(Welcome(PROTOCOL, self._address, self._node.incarnation, self._serial))
        link.wire = wire
        self._open(link, hello)

    def _greeted_again(self, link: Link, wire: AcceptedWire, hello: Hello) -> None:
        """There is a link to the node that says hello: does it know of it?"""
        # It does if it dialled before that link was opened, or by a name that it did not know to be this node's.
        is_known = hello.incarnation == link.incarnation and (
            hello.serial <= link.serial or hello.dialled != self._address
        )
        if is_known:
            self._refuse(wire, "there is a link already", is_linked=True)
        else:
            self._break(link, "restarted" if hello.incarnation != link.incarnation else "broken by the other side")
            self._accept(wire, hello)

    def _yield(self, link: Link, wire: AcceptedWire, hello: Hello) -> None:
        """Both nodes dial each other, and this one's incarnation is the higher: the other's dial it is."""
        link.wire.close()
        self._welcome(link, wire, hello)

    def _hold(self, link: Link, wire: AcceptedWire, hello: Hello) -> None:
        """Both nodes dial each other, and the other one yields, unless this one's dial turns out to lead nowhere."""
        self._refuse_held(link)
        self._held[link] = wire, hello
        self._give(link, YIELD_SECONDS)

    def _refuse_held(self, link: Link) -> None:
        held = self._held.pop(link, None)
        if held is not None:
            self._refuse(held[0], "there is a link already", is_linked=True)

    def _refuse(self, wire: AcceptedWire, reason: str, is_linked: bool = False) -> None:
        if not is_linked:
            self.refusals["unfit hello"] += 1
        wire.refuse(Refuse(reason, self._address, is_linked))
        wire.flushed()

    def _dial_failed(self, link: Link, reason: str) -> None:
        held = self._held.pop(link, None)
        if held is None:
            self._break(link, reason)
        else:
            self._yield(link, *held)

    def _open(self, link: Link, greeting: Hello | Welcome) -> None:
        self._quiet(link)
        wire = link.wire
        link.open(greeting.address, greeting.incarnation, greeting.serial)
        wire.received = partial(self._received, link)
        wire.lost = partial(self._break, link)
        if link.push():
            wire.flushed()
        else:
            self._wait_for(link)

    def _is_dialling(self, but_for: Link) -> bool:
        return any(not link.is_open and link is not but_for for link in self._links.values())

    def _is_open(self, address: Address) -> bool:
        link = self._links.get(address)
        return link is not None and link.is_open

    def _break(self, link: Link, reason: str) -> None:
        """The link is no more, nor is what waited for it."""
        log.info("link to %s: %s", link.names[0], reason)
        self._quiet(link)
        link.wire.close()
        for name in link.names:
            self._links.pop(name, None)
        self._slow.pop(link, None)
        for name in link.names:
            self._node.broken(name, reason)
        self._drop(link)

    def _drop(self, link: Link) -> None:
        for envelope in link.take():
            self._node.dropped(envelope, UNSENT)

    # Mail.

    def _received(self, link: Link, frame: Frame) -> None:
        try:
            mail = link.decode(frame)
        except MalformedFrame:
            mail = self._assembled(link, content(frame))
        self._received_messages.value += len(mail)
        self._receiving = link
        try:
            self._node.deliver(mail)
        finally:
            self._receiving = None

    def _assembled(self, link: Link, piece: bytes) -> list[Envelope]:
        """What a frame turns out to hold that cannot be read as it is: it may be the last piece of one, or nonsense."""
        try:
            mail = link.assemble(piece)
        except MalformedFrame:
            mail = None
        if mail is None:
            self.refusals["malformed frame"] += 1
        return mail or []

    def _wait_for(self, link: Link) -> None:
        """Some mail did not go; try again soon, unless it got too much."""
        if link.waiting_bytes > WAITING_BYTES_MAX:
            self._break(link, f"too slow: {link.waiting_bytes} bytes wait for it")
        elif link.is_open:
            self._slow[link] = None
            if self._retry is None:
                self._retry = self._loop.call_later(RETRY_SECONDS, self._push_slow)

    def _push_slow(self) -> None:
        self._retry = None
        for link in list(self._slow):
            if link.push():
                del self._slow[link]
            link.wire.flushed()
        if self._slow:
            self._retry = self._loop.call_later(RETRY_SECONDS, self._push_slow)
