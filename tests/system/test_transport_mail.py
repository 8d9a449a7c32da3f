"""Mail between real nodes: in order, in any size, over the link that either side opened, and never silently lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from libprocess import PID, Address, Process, ThreadedNode
from libprocess.codec import Decoder
from libprocess.zeromq.greeting import PROTOCOL, Refuse, Welcome, decode_hello, encode
from libprocess.zeromq.link import MESSAGE_BYTES_MAX, TOO_LONG
from tests.system.far import KeptMessage, ReportMessage, Talker, TalkMessage, TellMessage
from tests.system.waiting import eventually

NOBODY_DIALS = "192.0.2.1:9"
"""An address that leads nowhere (RFC 5737)."""


@pytest.fixture
def near() -> Iterator[ThreadedNode]:
    with ThreadedNode() as node:
        yield node


@pytest.fixture
def far() -> Iterator[ThreadedNode]:
    with ThreadedNode() as node:
        yield node


def links(node: ThreadedNode) -> list[object]:
    return list(node.runtime.network._links.values())


def kept(node: ThreadedNode, talker: PID) -> tuple[str, ...]:
    answer = node.ask(talker, ReportMessage(), timeout=30)
    assert isinstance(answer, KeptMessage)
    return answer.texts


def test_mail_arrives_in_order_and_all_of_it(near: ThreadedNode, far: ThreadedNode):
    talker, teller = far.spawn(Talker()), near.spawn(Talker())
    near.send(teller, TellMessage(talker, 20_000))
    eventually(lambda: len(kept(near, talker)) == 20_000)
    assert kept(near, talker) == tuple(map(str, range(20_000)))
    assert len(links(near)) == len(links(far)) == 1


@pytest.mark.parametrize("size", [0, 100, 49_000, 131_072, 200_000, 5_000_000, MESSAGE_BYTES_MAX - 1000])
def test_mail_of_any_size_arrives_among_other_mail(near: ThreadedNode, far: ThreadedNode, size: int):
    talker = far.spawn(Talker())
    for text in ("a", "b", "long", "c", "d"):
        near.send(talker, TalkMessage(text, b"x" * size if text == "long" else b""))
    eventually(lambda: len(kept(near, talker)) == 5)
    assert kept(near, talker) == ("a", "b", "long", "c", "d")


def test_a_message_beyond_the_limit_is_dropped_and_counted_and_the_rest_arrives(near: ThreadedNode, far: ThreadedNode):
    talker = far.spawn(Talker())
    near.send(talker, TalkMessage("too long", b"x" * MESSAGE_BYTES_MAX))
    near.send(talker, TalkMessage("a"))
    eventually(lambda: kept(near, talker) == ("a",))
    assert near.runtime.drops == {TOO_LONG: 1}


def test_what_cannot_be_encoded_is_dropped_and_counted_and_the_rest_arrives(near: ThreadedNode, far: ThreadedNode):
    talker = far.spawn(Talker())
    for text in ("a", object(), "b"):
        near.send(talker, TalkMessage(text))
    eventually(lambda: kept(near, talker) == ("a", "b"))
    assert near.runtime.drops == {"cannot be encoded": 1}


def test_a_message_of_the_wrong_type_is_dropped_and_counted_where_it_arrives(near: ThreadedNode, far: ThreadedNode):
    talker = far.spawn(Talker())
    for text in ("a", 7, "b"):
        near.send(talker, TalkMessage(text))
    eventually(lambda: kept(near, talker) == ("a", "b"))
    assert far.runtime.drops == {"unreadable": 1}


def test_a_node_that_nobody_can_dial_takes_full_part(far: ThreadedNode):
    with ThreadedNode(advertise=NOBODY_DIALS) as hidden:
        mine, theirs = hidden.spawn(Talker()), far.spawn(Talker())
        assert str(mine).endswith(f"@{NOBODY_DIALS}")
        hidden.send(theirs, TellMessage(mine, 5))
        eventually(lambda: kept(hidden, mine) == tuple("01234"))
        assert kept(far, mine) == tuple("01234")


def test_an_advertised_host_gets_the_bound_port():
    with ThreadedNode(advertise="localhost") as node, ThreadedNode() as other:
        talker = node.spawn(Talker())
        assert talker.host == "localhost"
        assert kept(other, talker) == ()


def test_two_nodes_that_dial_each_other_at_once_share_one_link():
    for _ in range(20):
        with ThreadedNode() as one, ThreadedNode() as two:
            pair = [(node, node.spawn(Talker()), node.spawn(Talker())) for node in (one, two)]
            (_, first, first_teller), (_, second, second_teller) = pair
            one.send(first_teller, TellMessage(second, 50))
            two.send(second_teller, TellMessage(first, 50))
            for node, talker, _ in pair:
                eventually(lambda node=node, talker=talker: len(kept(node, talker)) == 50)
                assert kept(node, talker) == tuple(map(str, range(50)))
            assert len(links(one)) == len(links(two)) == 1
            assert not one.runtime.drops
            assert not two.runtime.drops


def test_two_names_of_a_node_lead_to_the_same_link(near: ThreadedNode, far: ThreadedNode):
    talker = far.spawn(Talker())
    alias = PID(talker.id, "localhost", talker.port)
    for name in (talker, alias, talker):
        near.send(name, TalkMessage("a"))
    eventually(lambda: kept(near, talker) == ("a", "a", "a"))
    assert kept(near, alias) == ("a", "a", "a")
    assert len({id(link) for link in links(near)}) == len(links(far)) == 1
    assert not far.runtime.drops


@pytest.mark.parametrize("first", ["127.0.0.1", "localhost"])
def test_a_name_refused_for_a_link_still_to_come_waits_for_it(near: ThreadedNode, first: str):
    """What a node says that heard the hello by its other name first, when its answers come in either order."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.set(zmq.RCVTIMEO, 30_000)
        address = Address("127.0.0.1", router.bind_to_random_port("tcp://127.0.0.1"))
        for host in (address.host, "localhost"):
            near.send(PID("talker", host, address.port), TalkMessage(host))
        dialled = {}
        for _ in range(2):
            peer, hello = router.recv_multipart()
            dialled[decode_hello(hello).dialled.host] = peer
        answers = {
            "127.0.0.1": Refuse("there is a link already", address, is_linked=True),
            "localhost": Welcome(PROTOCOL, address, 1, 1),
        }
        for host in sorted(answers, key=first.__ne__):
            router.send_multipart([dialled[host], encode(answers[host])])

        decode, texts = Decoder(near.runtime.address, address, print).decode, set()
        while texts != {"127.0.0.1", "localhost"}:
            peer, frame = router.recv_multipart()
            assert peer == dialled["localhost"]
            texts |= {message.text for _, _, message, _, _ in decode(frame)}


def test_a_node_that_dials_itself_by_another_name_is_told(near: ThreadedNode):
    talker = near.spawn(Talker())
    with pytest.raises(ConnectionError, match=rf"localhost:{talker.port} is this node itself, which is called "):
        near.ask(PID(talker.id, "localhost", talker.port), ReportMessage(), timeout=30)


def test_who_asks_where_nobody_listens_is_told_at_once_and_mail_is_counted(near: ThreadedNode, far: ThreadedNode):
    talker = far.spawn(Talker())
    far.close()
    with pytest.raises(ConnectionError, match="cannot connect: nobody listens there"):
        near.ask(talker, ReportMessage(), timeout=30)
    assert near.runtime.drops == {"link broken": 1}


@pytest.mark.parametrize("host", ["no such host!", "", "a" * 300, "::zz", "host\0name"])
def test_an_address_that_makes_no_sense_is_a_broken_link(near: ThreadedNode, host: str):
    with pytest.raises(ConnectionError, match="is gone: cannot "):
        near.ask(PID("x", host, 99), ReportMessage(), timeout=30)
    with pytest.raises(ConnectionError, match="is gone: cannot "):
        near.ask(PID("x", "127.0.0.1", 1 << 40), ReportMessage(), timeout=30)


def test_an_ask_that_nobody_answers_ends_in_time(near: ThreadedNode, far: ThreadedNode):
    class Silent(Process):
        def report(self, message: ReportMessage) -> None: ...

    with pytest.raises(TimeoutError, match=r"did not answer ReportMessage within 0.05 s"):
        near.ask(far.spawn(Silent()), ReportMessage(), timeout=0.05)


def test_the_last_words_of_a_closing_node_arrive(near: ThreadedNode):
    talker = near.spawn(Talker())

    class Testator(Process):
        def finalize(self) -> None:
            for number in range(1000):
                self.send(talker, TalkMessage(str(number)))

    with ThreadedNode() as other:
        other.spawn(Testator())
        assert kept(other, talker) == ()
    eventually(lambda: len(kept(near, talker)) == 1000)


def test_a_taken_port_is_one_clear_line(near: ThreadedNode):
    port = near.runtime.address.port
    with pytest.raises(OSError, match=rf"^127.0.0.1:{port} is taken by another program; give another port"):
        ThreadedNode(port=port)


def test_an_address_of_another_machine_is_one_clear_line():
    with pytest.raises(
        OSError, match=r"^cannot listen at 192.0.2.1: Cannot assign requested address; give an address of this machine$"
    ):
        ThreadedNode(host="192.0.2.1", insecure=True)


def test_a_node_without_keys_is_for_this_machine_unless_one_insists():
    with pytest.raises(ValueError, match="give keys, or say insecure if the network is trusted"):
        ThreadedNode(host="0.0.0.0")
    with ThreadedNode(host="0.0.0.0", advertise="127.0.0.1", insecure=True) as node, ThreadedNode() as other:
        assert kept(other, node.spawn(Talker())) == ()


def test_what_comes_and_goes_is_counted(near: ThreadedNode, far: ThreadedNode):
    talker, teller = far.spawn(Talker()), near.spawn(Talker())
    near.send(teller, TellMessage(talker, 500))
    eventually(lambda: len(kept(far, talker)) == 500)
    shown = near.runtime.metrics.snapshot()
    assert (shown["runtime/links"], shown["runtime/mail_sent"], shown["runtime/mail_received"]) == (1, 500, 0)
    assert far.runtime.metrics.snapshot()["runtime/mail_received"] == 500
    near.send(PID("nobody", "127.0.0.1", far.runtime.address.port), TalkMessage("a"))
    eventually(lambda: far.runtime.drops)
    assert far.runtime.drops == {"no such actor": 1}
