"""What a scheduler puts together from a carrier's chunks, whatever becomes of them on the way."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from frameworks.carrier.protocol import Chunk, Outcome, Read, Stream
from frameworks.carrier.receiver import Receiver
from mesos.ids import TaskID

TASK = TaskID("t")
OUT, ERR = Stream


class Desk:
    """A receiver, and what it writes."""

    def __init__(self) -> None:
        self.written: defaultdict[Stream, bytes] = defaultdict(bytes)
        self.receiver = Receiver(TASK, self._write)

    def _write(self, stream: Stream, data: bytes) -> None:
        self.written[stream] += data

    def take(self, stream: Stream, offset: int, data: bytes) -> bool:
        return self.receiver.take(Chunk(TASK, stream, offset, data))

    def end(self, stdout: bytes, stderr: bytes) -> bool:
        return self.receiver.end(Outcome(0, len(stdout), len(stderr), 0.0, 0.0))


def test_chunks_are_written_in_order():
    desk = Desk()
    assert desk.take(OUT, 0, b"ab")
    assert desk.take(OUT, 2, b"c")
    assert desk.take(ERR, 0, b"x")
    assert desk.written == {OUT: b"abc", ERR: b"x"}


def test_what_came_before_is_not_written_again():
    desk = Desk()
    desk.take(OUT, 0, b"ab")
    assert not desk.take(OUT, 0, b"ab")
    assert not desk.take(OUT, 1, b"b")
    assert desk.take(OUT, 1, b"bc")
    assert desk.written == {OUT: b"abc"}


def test_what_comes_after_a_gap_is_left_for_later():
    desk = Desk()
    assert not desk.take(OUT, 1, b"b")
    assert desk.written == {}
    assert desk.receiver.next(OUT) == Read(TASK, OUT, 0)


def test_output_is_complete_when_the_task_has_ended_and_all_is_here():
    desk = Desk()
    desk.take(OUT, 0, b"ab")
    assert not desk.receiver.is_complete
    assert list(desk.receiver.missing()) == []
    desk.end(b"abc", b"")
    assert list(desk.receiver.missing()) == [Read(TASK, OUT, 2)]
    desk.take(OUT, 2, b"c")
    assert desk.receiver.is_complete


def test_a_carrier_that_sends_nothing_any_more_is_given_up():
    desk = Desk()
    assert desk.end(b"abc", b"")
    assert desk.end(b"abc", b"")
    desk.take(OUT, 0, b"a")
    assert desk.end(b"abc", b"")
    assert desk.end(b"abc", b"")
    assert not desk.end(b"abc", b"")


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(1, 7), st.integers())
def test_all_of_it_arrives_when_chunks_get_lost_or_come_twice_or_late(
    stdout: bytes, stderr: bytes, size: int, seed: int
):
    desk, chance = Desk(), random.Random(seed)
    texts = {OUT: stdout, ERR: stderr}
    desk.end(stdout, stderr)
    late: list[Chunk] = []
    for _ in range(1000):
        if desk.receiver.is_complete:
            break
        for task, stream, offset in map(astuple, desk.receiver.missing()):
            late.append(Chunk(task, stream, offset, texts[stream][offset : offset + size]))
        chance.shuffle(late)
        for chunk in late[: chance.randrange(3)]:
            desk.receiver.take(chunk)
    assert desk.receiver.is_complete
    assert {stream: desk.written[stream] for stream in Stream} == texts
