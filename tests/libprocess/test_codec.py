"""The codec: what goes in comes out, newer and older nodes understand each other, and nonsense costs only itself."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libprocess import PID, Address, Message
from libprocess.codec import PIDS_KEPT, Decoder, MalformedFrame, UnreadableMessage, encode
from libprocess.ports import Envelope

HERE, THERE, ELSEWHERE = Address("h", 1), Address("t", 2), Address("e", 3)


class MixtureMessage(Message, frozen=True):
    """Sent by nobody: a field of each kind."""

    number: int
    part: float = 0.0
    text: str = ""
    data: bytes = b""
    who: PID | None = None
    names: tuple[str, ...] = ()


class EmptyMessage(Message, frozen=True):
    """Sent by nobody: no field."""


class Mailbox:
    """The receiving end, and what was dropped there."""

    def __init__(self) -> None:
        self.dropped: list[tuple[Envelope, str]] = []
        self.decode = Decoder(HERE, THERE, lambda *drop: self.dropped.append(drop)).decode

    @property
    def errors(self) -> list[tuple[str, str]]:
        return [(m.name, m.error) for (_, _, m, _, _), _ in self.dropped if isinstance(m, UnreadableMessage)]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def pid(id: str, address: Address) -> PID:
    return PID(id, *address)


def mail(*messages: Message) -> list[Envelope]:
    to, sender = pid("b", THERE), pid("a", HERE)
    return [(to, sender, message, 0, 0) for message in messages]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.sampled_from(["a", "b", "node", ""]) | texts
messages = st.just(EmptyMessage()) | st.builds(
    MixtureMessage,
    number=st.integers(-(2**63), 2**64 - 1),
    part=st.floats(allow_nan=False),
    text=texts,
    data=st.binary(max_size=8),
    who=st.none() | st.builds(pid, names, st.sampled_from([HERE, ELSEWHERE])),
    names=st.lists(texts, max_size=3).map(tuple),
)
ids = st.just(0) | st.integers(0, 2**63 - 1)
envelopes = st.tuples(
    st.builds(pid, names, st.just(THERE)),
    st.builds(pid, names, st.just(HERE)),
    messages,
    st.just(0),
    st.just(0),
)
numbered = st.tuples(
    st.builds(pid, names, st.just(THERE)),
    st.builds(pid, names, st.just(HERE)),
    messages,
    st.integers(1, 2**63 - 1),
    ids,
)


@given(st.lists(envelopes, max_size=8) | st.lists(numbered, max_size=8))
def test_what_goes_in_comes_out(mail: list[Envelope]):
    mailbox = Mailbox()
    assert mailbox.decode(encode(mail)) == mail
    assert not mailbox.dropped


@given(st.lists(envelopes, min_size=1, max_size=4), st.data())
def test_no_frame_raises_anything_but_malformed(mail: list[Envelope], data: st.DataObject):
    frame = encode(mail)
    place = data.draw(st.integers(0, len(frame)))
    cut = data.draw(st.integers(0, 4))
    changed = frame[:place] + data.draw(st.binary(max_size=6)) + frame[place + cut :]
    try:
        decoded = Mailbox().decode(changed)
    except MalformedFrame:
        return
    assert all(type(to) is PID and type(sender) is PID for to, sender, *_ in decoded)


@given(st.binary(max_size=64))
def test_random_bytes_raise_nothing_but_malformed(frame: bytes):
    try:
        Mailbox().decode(frame)
    except MalformedFrame:
        return


def test_a_route_is_said_once():
    one, many = (encode(mail(*[EmptyMessage()] * count)) for count in (1, 100))
    assert len(many) - len(one) < 99 * 15 + 3


def test_equal_pids_come_out_as_one_object(mailbox: Mailbox):
    (first, *_), (second, *_) = (mailbox.decode(encode(mail(EmptyMessage())))[0] for _ in range(2))
    assert first is second


def test_only_so_many_pids_are_kept(mailbox: Mailbox):
    for number in range(2 * PIDS_KEPT):
        mailbox.decode(msgspec.msgpack.encode([["", "b", str(number)], ["EmptyMessage"]]))
    assert len(mailbox.decode.__self__._senders) <= PIDS_KEPT


def frame(*items: object) -> bytes:
    return msgspec.msgpack.encode([["", "b", "a", 7, 3], *items])


def test_fields_that_a_newer_node_adds_are_ignored(mailbox: Mailbox):
    decoded = mailbox.decode(
        frame(["EmptyMessage", 1, "new"], ["MixtureMessage", 5, 0.5, "t", b"", None, [], {"x": 1}])
    )
    assert [envelope[2] for envelope in decoded] == [EmptyMessage(), MixtureMessage(5, 0.5, "t")]


def test_fields_that_an_older_node_lacks_take_their_defaults(mailbox: Mailbox):
    assert mailbox.decode(frame(["MixtureMessage", 5]))[0][2] == MixtureMessage(5)


@pytest.mark.parametrize(
    ("item", "name", "error"),
    [
        (["MixtureMessage", "five"], "MixtureMessage", "Expected `int`, got `str` - at `$[1]`"),
        (
            ["MixtureMessage", 5, 0.5, "t", b"", None, ["a", 1]],
            "MixtureMessage",
            "Expected `str`, got `int` - at `$[6][1]`",
        ),
        (["MixtureMessage"], "MixtureMessage", "Expected `array` of at least length 2"),
        (["NoSuchMessage", 1], "NoSuchMessage", "Invalid value 'NoSuchMessage' - at `$[0]`"),
        ([], "", ""),
        (5, "", "Expected"),
        ({"a": 1}, "", "Expected"),
    ],
)
def test_what_cannot_be_read_is_dropped_alone_and_says_where_it_is_wrong(
    mailbox: Mailbox, item: object, name: str, error: str
):
    good = ["MixtureMessage", 1]
    decoded = mailbox.decode(frame(good, item))
    assert [envelope[2] for envelope in decoded] == [MixtureMessage(1)]
    ((found, text),) = mailbox.errors
    assert found == name
    assert error in text


def test_mail_after_something_unreadable_still_arrives_if_it_has_a_name(mailbox: Mailbox):
    decoded = mailbox.decode(frame(["MixtureMessage", "?"], ["EmptyMessage"]))
    assert decoded == [(pid("b", THERE), pid("a", HERE), EmptyMessage(), 8, 3)]
    ((to, sender, _, id_, cause), reason), *_ = mailbox.dropped
    assert (to, sender, id_, cause, reason) == (pid("b", THERE), pid("a", HERE), 7, 3, "unreadable")


def test_mail_after_an_unreadable_route_is_not_taken_for_somebody_elses(mailbox: Mailbox):
    decoded = mailbox.decode(frame(["EmptyMessage"], ["", "c", 5], ["EmptyMessage"], ["", "d", "a"], ["EmptyMessage"]))
    assert [to.id for to, *_ in decoded] == ["b", "d"]
    assert len(mailbox.dropped) == 2


@pytest.mark.parametrize("address", [THERE, ELSEWHERE])
def test_nobody_speaks_in_the_name_of_another_nodes_actors(mailbox: Mailbox, address: Address):
    decoded = mailbox.decode(frame(["", "b", pid("root", address)], ["EmptyMessage"], ["", "b", "a"], ["EmptyMessage"]))
    assert decoded == mail(EmptyMessage())
    assert len(mailbox.dropped) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\x93\xa1a\xa1b",
        b"{}",
        b"\x90\x90",
        b"\x91\x91\xacEmptyMessage",
    ],
    ids=range(8),
)
def test_what_is_no_frame_is_malformed(mailbox: Mailbox, content: bytes):
    with pytest.raises(MalformedFrame):
        mailbox.decode(content)


def test_a_message_declared_later_is_known_when_it_comes(mailbox: Mailbox):
    mailbox.decode(frame(["EmptyMessage"]))
    later = type(Message)("DeclaredLaterMessage", (Message,), {"__module__": __name__}, frozen=True)
    assert mailbox.decode(frame(["DeclaredLaterMessage"]))[0][2] == later()
    assert not mailbox.dropped
