"""CURVE between real nodes: known keys talk, and nobody else gets anything through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from libprocess import PID, ThreadedNode
from libprocess.zeromq import Keys, create_keys
from tests.system.far import KeptMessage, ReportMessage, Talker, TalkMessage

HOST = "127.0.0.1"


@pytest.fixture
def nodes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def keys(tmp_path: Path) -> list[Keys]:
    return [create_keys(tmp_path / str(number)) for number in range(3)]


def knowing(keys: Keys, **known: Keys) -> Keys:
    return dataclasses.replace(keys, known={name.replace("_", "."): known[name].public for name in known})


def start(nodes: ExitStack, keys: Keys | None) -> ThreadedNode:
    return nodes.enter_context(ThreadedNode(keys=keys))


def ask(node: ThreadedNode, talker: PID) -> object:
    return node.ask(talker, ReportMessage(), timeout=30)


def test_nodes_that_know_each_other_talk_both_ways(nodes: ExitStack, keys: list[Keys]):
    one = start(nodes, knowing(keys[0], **{HOST: keys[1]}))
    two = start(nodes, knowing(keys[1], one=keys[0]))
    mine, theirs = one.spawn(Talker()), two.spawn(Talker())
    assert ask(one, theirs) == KeptMessage(())
    assert ask(two, mine) == KeptMessage(())  # over the link that the other one opened: this one does not know where to


def test_one_pair_for_a_whole_cluster_is_known_as_a_star(nodes: ExitStack, keys: list[Keys]):
    shared = dataclasses.replace(keys[0], known={"*": keys[0].public})
    one, two = start(nodes, shared), start(nodes, shared)
    assert ask(one, two.spawn(Talker())) == KeptMessage(())


def test_a_peer_without_a_known_key_gets_nothing_through(nodes: ExitStack, keys: list[Keys]):
    node = start(nodes, knowing(keys[0], friend=keys[1]))
    talker = node.spawn(Talker(), "talker")
    unknown = start(nodes, knowing(keys[2], **{HOST: keys[0]}))
    plain = start(nodes, None)
    for stranger, reason in ((unknown, "this node's public key is not known there"), (plain, "no handshake")):
        stranger.send(talker, TalkMessage("let me in"))
        with pytest.raises(ConnectionError, match=reason):
            ask(stranger, talker)
    friend = start(nodes, knowing(keys[1], **{HOST: keys[0]}))
    assert ask(friend, talker) == KeptMessage(())
    assert node.runtime.network.refusals.keys() == {"unknown key", "no handshake"}


def test_a_guest_is_let_in_until_it_is_dismissed(nodes: ExitStack, keys: list[Keys]):
    host = start(nodes, keys[0])
    talker, network = host.spawn(Talker()), host.runtime.network
    first, second = network.invite("first"), network.invite("second")
    network.dismiss("second")
    assert ask(start(nodes, first), talker) == KeptMessage(())
    with pytest.raises(ConnectionError):
        ask(start(nodes, second), talker)


def test_plain_frames_to_a_node_with_keys_get_nothing_through(nodes: ExitStack, keys: list[Keys]):
    node = start(nodes, knowing(keys[0], friend=keys[1]))
    talker = node.spawn(Talker(), "talker")
    context = zmq.Context()
    with context, context.socket(zmq.DEALER) as socket:
        socket.set(zmq.LINGER, 0)
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
        socket.connect(f"tcp://{node.runtime.address}")
        socket.send(b"anything")
        assert monitor.poll(30_000)
        socket.disable_monitor()
    assert ask(node, talker) == KeptMessage(())


def test_a_node_that_proves_another_key_than_the_one_known_is_not_talked_to(nodes: ExitStack, keys: list[Keys]):
    impostor = start(nodes, knowing(keys[1], one=keys[0]))
    node = start(nodes, knowing(keys[0], **{HOST: keys[2]}))
    with pytest.raises(ConnectionError, match="or others than are known here"):
        ask(node, impostor.spawn(Talker()))


def test_a_node_whose_key_is_not_known_is_not_dialled(nodes: ExitStack, keys: list[Keys]):
    node, other = start(nodes, keys[0]), start(nodes, keys[1])
    with pytest.raises(ConnectionError, match="add it to this node's known nodes"):
        ask(node, other.spawn(Talker()))


def test_a_known_key_may_not_call_itself_by_the_address_of_another(nodes: ExitStack, keys: list[Keys]):
    node = start(nodes, dataclasses.replace(keys[0], known={HOST: keys[1].public, "laptop": keys[2].public}))
    laptop = start(nodes, knowing(keys[2], **{HOST: keys[0]}))
    with pytest.raises(ConnectionError, match="is known here by another public key"):
        ask(laptop, node.spawn(Talker()))
    assert node.runtime.network.refusals == {"unfit hello": 1}


def test_a_node_with_keys_may_be_reached_from_other_machines(nodes: ExitStack, keys: list[Keys]):
    node = nodes.enter_context(ThreadedNode(host="0.0.0.0", advertise=HOST, keys=knowing(keys[0], friend=keys[1])))
    friend = start(nodes, knowing(keys[1], **{HOST: keys[0]}))
    assert ask(friend, node.spawn(Talker())) == KeptMessage(())
