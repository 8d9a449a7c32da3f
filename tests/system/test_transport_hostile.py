"""A node's port in a hostile place: whatever is thrown at it is counted, and it goes on serving."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
import zmq

from libprocess import PID, Address, ThreadedNode
from libprocess.codec import encode
from libprocess.links import WatchMessage
from libprocess.zeromq import listener
from libprocess.zeromq.greeting import PROTOCOL, Hello, Refuse, Welcome, decode_answer
from libprocess.zeromq.greeting import encode as encode_greeting
from tests.system.far import KeptMessage, ReportMessage, Talker, TalkMessage
from tests.system.waiting import eventually

HERE = Address("127.0.0.1", 9)
"""What the attacker says its address is."""


@pytest.fixture
def node() -> Iterator[ThreadedNode]:
    with ThreadedNode() as node:
        yield node


@pytest.fixture
def talker(node: ThreadedNode) -> PID:
    return node.spawn(Talker(), "talker")


@pytest.fixture
def context() -> Iterator[zmq.Context]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def dealer(context: zmq.Context, node: ThreadedNode) -> zmq.Socket:
    made = unconnected(context)
    made.connect(f"tcp://{node.runtime.address}")
    return made


def unconnected(context: zmq.Context) -> zmq.Socket:
    made = context.socket(zmq.DEALER)
    made.set(zmq.RCVTIMEO, 30_000)
    made.set(zmq.SNDTIMEO, 30_000)
    return made


def greet(socket: zmq.Socket, node: ThreadedNode, **changed: object) -> Welcome | Refuse | None:
    fields = {"protocol": PROTOCOL, "address": HERE, "incarnation": 1, "serial": 1, "dialled": node.runtime.address}
    socket.send(encode_greeting(Hello(**fields | changed)))
    return decode_answer(socket.recv())


def serves(talker: PID) -> bool:
    with ThreadedNode() as visitor:
        return isinstance(visitor.ask(talker, ReportMessage(), timeout=30), KeptMessage)


def mutated(frame: bytes, chance: random.Random) -> bytes:
    """The frame with some bytes changed, cut out or put in."""
    content = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content) + 1)
        act = chance.randrange(3)
        if act == 0:
            content[place : place + 1] = chance.randbytes(1)
        elif act == 1:
            content[place : place + chance.randint(1, 8)] = b""
        else:
            content[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(content)


def test_a_hundred_thousand_random_and_mutated_frames_leave_a_node_serving(
    node: ThreadedNode, talker: PID, context: zmq.Context
):
    chance = random.Random(7)
    peer = PID("peer", *HERE)
    frame = encode([(talker, peer, TalkMessage("a", b"xyz"), 3, 2), (talker, peer, WatchMessage("talker"), 0, 0)])
    friend = dealer(context, node)
    assert isinstance(greet(friend, node), Welcome)
    before = psutil.Process().memory_info().rss
    for number in range(80_000):
        friend.send(mutated(frame, chance) if number % 2 else chance.randbytes(chance.randint(0, 200)))
    for _ in range(200):
        stranger = dealer(context, node)
        for _ in range(100):
            stranger.send(chance.randbytes(chance.randint(0, 200)))
    friend.send(frame)
    eventually(lambda: "a" in node.ask(talker, ReportMessage(), timeout=30).texts)
    eventually(lambda: node.runtime.network.refusals["no hello"] >= 200)
    assert serves(talker)
    assert node.runtime.network.refusals["malformed frame"] > 30_000
    assert node.runtime.drops["unreadable"] > 1_000
    assert not node.runtime.failures
    assert psutil.Process().memory_info().rss - before < 150 * 1024 * 1024


def test_random_bytes_instead_of_a_handshake_leave_a_node_serving(node: ThreadedNode, talker: PID):
    chance = random.Random(8)
    for number in range(300):
        with socket.create_connection(node.runtime.address) as connection:
            start = b"\xff" + bytes(8) + b"\x7f" if number % 2 else b""
            connection.sendall(start + chance.randbytes(chance.randint(1, 300)))
    assert serves(talker)


def test_who_speaks_the_first_protocol_which_had_no_handshake_is_turned_away(node: ThreadedNode, talker: PID):
    for _ in range(30):
        with socket.create_connection(node.runtime.address) as connection:
            connection.settimeout(30)
            anonymous, more, hi = b"\x01\x00", b"\x03\x01hi", b"\x03\x00hi"  # a length, a flag, and the rest
            connection.sendall(anonymous + hi + more)
            with suppress(ConnectionResetError):
                while connection.recv(1000):
                    pass
    assert not node.runtime.network.refusals["no hello"]
    assert serves(talker)


def test_a_frame_longer_than_any_ends_its_connection_and_no_more(node: ThreadedNode, talker: PID, context: zmq.Context):
    friend = dealer(context, node)
    monitor = friend.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    assert isinstance(greet(friend, node), Welcome)
    friend.send(bytes(100_000_000))
    assert monitor.poll(30_000)
    assert serves(talker)
    friend.disable_monitor()


def test_pieces_without_end_are_refused(node: ThreadedNode, talker: PID, context: zmq.Context):
    friend = dealer(context, node)
    assert isinstance(greet(friend, node), Welcome)
    for _ in range(200):
        friend.send(b"\xc1" + bytes(100_000))
    eventually(lambda: node.runtime.network.refusals["malformed frame"])
    assert serves(talker)


def test_frames_in_several_parts_are_refused_whoever_sends_them(node: ThreadedNode, talker: PID, context: zmq.Context):
    friend, stranger = dealer(context, node), dealer(context, node)
    assert isinstance(greet(friend, node), Welcome)
    for _ in range(10):
        friend.send_multipart([b"a", b"b", b"c"])
        stranger.send_multipart([b"a", b"b"])
    friend.send(encode([(talker, PID("peer", *HERE), TalkMessage("after"), 0, 0)]))
    eventually(lambda: node.runtime.network.refusals["frame in several parts"] == 20)
    assert node.ask(talker, ReportMessage(), timeout=30) == KeptMessage(("after",))


def test_mail_without_a_hello_gets_nowhere(node: ThreadedNode, talker: PID, context: zmq.Context):
    stranger = dealer(context, node)
    stranger.send(encode([(talker, PID("peer", *HERE), TalkMessage("a"), 0, 0)]))
    eventually(lambda: node.runtime.network.refusals == {"no hello": 1})
    assert node.ask(talker, ReportMessage(), timeout=30) == KeptMessage(())


def test_another_protocol_is_refused_with_the_remedy(node: ThreadedNode, context: zmq.Context):
    answer = greet(dealer(context, node), node, protocol=PROTOCOL + 1)
    assert isinstance(answer, Refuse)
    assert answer.reason == "protocol 2 is spoken there and protocol 1 here: run the same version on both"
    assert node.runtime.network.refusals == {"unfit hello": 1}


def test_fields_that_a_newer_node_adds_to_its_hello_are_ignored(node: ThreadedNode, context: zmq.Context):
    newer = dealer(context, node)
    newer.send(encode_greeting(["Hello", PROTOCOL, HERE, 1, 1, node.runtime.address, "new", {"and": "strange"}]))
    assert isinstance(decode_answer(newer.recv()), Welcome)


def test_a_friend_is_found_in_a_crowd(node: ThreadedNode, context: zmq.Context):
    gate = threading.Event()
    node._loop.call_soon_threadsafe(gate.wait)  # so that the whole crowd is there before the node looks
    crowd = [socket.create_connection(node.runtime.address) for _ in range(300)]
    friend = unconnected(context)
    monitor = friend.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)  # before there can be any
    friend.connect(f"tcp://{node.runtime.address}")
    shook_hands = monitor.poll(30_000)
    gate.set()
    assert shook_hands
    assert isinstance(greet(friend, node), Welcome)
    friend.disable_monitor()
    for connection in crowd:
        connection.close()


def test_strangers_have_little_time(node: ThreadedNode, talker: PID, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener, "STRANGER_SECONDS", 0.2)
    with socket.create_connection(node.runtime.address) as silent:
        silent.settimeout(30)
        while silent.recv(1000):  # the handshake's first bytes; then the end
            pass
    assert node.runtime.network.refusals["said no hello in time"] == 1
    assert serves(talker)


def test_strangers_are_few(node: ThreadedNode, talker: PID, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener, "STRANGERS_MAX", 20)
    crowd = [socket.create_connection(node.runtime.address) for _ in range(60)]
    eventually(lambda: node.runtime.network.refusals["too many strangers"] == 40)
    assert serves(talker)
    for connection in crowd:
        connection.close()
    eventually(lambda: not node.runtime.network._listener._strangers)
    eventually(lambda: not node.runtime.network._listener._connections)
