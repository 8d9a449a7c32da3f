"""Recordings: what a node does is written down, within bounds, and is readable even from a damaged file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest

from libprocess import PID, Message, Process, Runtime
from libprocess.recording import (
    VERSION,
    BoundedFile,
    Digest,
    FlightRecorder,
    Record,
    Recorder,
    Recording,
    as_text,
    read_recording,
)
from libprocess.recording.recorder import BATCH_RECORDS, FLUSH_SECONDS
from libprocess.simulation import World


class StoreMessage(Message, frozen=True):
    """From a test to a Shelf."""

    thing: str
    weight_kilograms: float = 1.5


class StoredMessage(Message, frozen=True):
    """From a Shelf to itself, a second later."""


class Shelf(Process):
    """Puts things away."""

    def store(self, message: StoreMessage) -> None:
        self.delay(1.0, StoredMessage())

    def stored(self, message: StoredMessage) -> None: ...


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def node(world: World) -> Runtime:
    return world.node("h")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.trace"


def record_a_story(world: World, node: Runtime, recorder: Recorder | FlightRecorder) -> PID:
    """One thing is stored, another comes for nobody, and the shelf ends."""
    node.trace = recorder
    shelf = node.spawn(Shelf(), "shelf")
    node.send(shelf, StoreMessage("book"))
    world.advance(2)
    node.send(PID("nobody", *node.address), StoreMessage("pen"))
    node.terminate(shelf)
    world.settle()
    node.trace = None
    return shelf


def kinds(records: Iterator[Record] | list[Record]) -> list[str]:
    return [record[0] for record in records]


STORY = [
    *("node", "spawned"),
    *("sent", "delivered", "timer", "handled"),
    *("delivered", "handled"),
    *("sent", "dropped"),
    "exited",
]


def test_a_story_is_recorded(world: World, node: Runtime, path: Path):
    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    record_a_story(world, node, recorder)
    recorder.close()
    recording = read_recording(path)
    assert kinds(list(recording)) == STORY
    assert recording.damage == []


def test_a_recording_is_plain_msgpack_with_all_there_is_to_know(world: World, node: Runtime, path: Path):
    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    record_a_story(world, node, recorder)
    recorder.close()
    with path.open("rb") as file:
        header, _, sent, delivered, timer, *_ = msgpack.Unpacker(file)
    shelf, nobody, first = ["shelf", "h", 5050], ["", "h", 5050], sent[3][3]
    assert header == ["node", 0, 1.7e9, VERSION, "h", 5050, node.incarnation]
    assert sent == ["sent", 0, 1.7e9, [shelf, nobody, ["StoreMessage", "book", 1.5], first, 0]]
    assert delivered == ["delivered", 0, 1.7e9, first]
    assert timer == ["timer", 0, 1.7e9, [shelf, shelf, ["StoredMessage"], timer[3][3], first], 1.0]


def test_records_reach_the_file_within_a_moment_or_a_batch(world: World, node: Runtime, path: Path):
    node.trace = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    shelf = node.spawn(Shelf(), "shelf")
    world.advance(FLUSH_SECONDS)
    assert kinds(Recording(path)) == ["node", "spawned"]
    for _ in range(BATCH_RECORDS):
        node.send(shelf, StoreMessage("book"))
    world.settle()
    assert len(list(Recording(path))) > BATCH_RECORDS


def test_what_is_not_made_for_the_wire_is_shown(world: World, node: Runtime, path: Path):
    class BoxMessage(Message, frozen=True):
        """From a test to a Shelf."""

        content: object

    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    node.trace = recorder
    node.send(node.spawn(Shelf(), "shelf"), BoxMessage(range(3)))
    world.settle()
    recorder.close()
    messages = [record[3][2] for record in Recording(path) if record[0] == "sent"]
    assert messages == [("BoxMessage", "range(0, 3)")]


def fill(path: Path, limit_bytes: int, records: list[bytes]) -> BoundedFile:
    file = BoundedFile(path, limit_bytes)
    file.begin(msgpack.packb(["node", 0, 0.0, VERSION, "h", 1, 7]))
    for start in range(0, len(records), 10):
        file.write(records[start : start + 10])
        assert size_on_disk(path) <= limit_bytes
    file.close()
    return file


def size_on_disk(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir())


def numbered(count: int) -> list[bytes]:
    return [msgpack.packb(["sent", 0, 1.0, number]) for number in range(count)]


def test_a_file_stays_within_its_bound_and_keeps_the_last(path: Path):
    fill(path, 1000, numbered(1000))
    numbers = [record[3] for record in Recording(path) if record[0] == "sent"]
    assert numbers == list(range(1000 - len(numbers), 1000))
    assert size_on_disk(path) > 500


def test_both_halves_of_a_file_say_which_node_it_was(path: Path):
    fill(path, 1000, numbered(1000))
    assert kinds(Recording(path)).count("node") == 2


def test_a_record_too_large_for_the_bound_is_left_out_and_counted(path: Path):
    large = msgpack.packb(["sent", 0, 1.0, "x" * 600])
    file = fill(path, 1000, [*numbered(3), large, *numbered(3)])
    assert file.records_left_out == 1
    assert kinds(Recording(path)).count("sent") == 6


def test_a_new_recording_replaces_the_old_one(path: Path):
    fill(path, 1000, numbered(1000))
    fill(path, 1000, numbered(1))
    assert kinds(Recording(path)) == ["node", "sent"]


def test_a_file_cut_off_anywhere_is_read_up_to_there(path: Path):
    fill(path, 1 << 20, numbered(10))
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        recording = Recording(path)
        records = list(recording)
        whole = sum(map(len, map(msgpack.packb, records)))
        assert length - 20 < whole <= length or not records
        assert bool(recording.damage) == (whole < length)


@pytest.mark.parametrize(
    "tail", [b"\0" * 64, b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\x91\xc0" * 9]
)
def test_a_tail_of_rubbish_is_told_and_skipped(path: Path, tail: bytes):
    fill(path, 1 << 20, numbered(10))
    with path.open("ab") as file:
        file.write(tail)
    recording = Recording(path)
    assert kinds(recording).count("sent") == 10
    assert recording.damage == [f"{path}: the last {len(tail)} of {path.stat().st_size} bytes are no records"]


def test_a_recording_that_is_not_there_is_an_error(path: Path):
    with pytest.raises(FileNotFoundError):
        read_recording(path)


def test_a_flight_recorder_keeps_the_last_and_can_be_dumped(world: World, node: Runtime, path: Path):
    flight = FlightRecorder(node, records_max=5)
    record_a_story(world, node, flight)
    assert kinds(list(flight.records)) == STORY[-5:]
    flight.dump(BoundedFile(path, limit_bytes=1 << 20))
    assert kinds(Recording(path)) == ["node", *STORY[-5:]]


def test_a_digest_tells_runs_apart(world: World, node: Runtime):
    digests = [Digest(), Digest(), Digest()]
    for digest, last in zip(digests, ("a", "a", "b"), strict=True):
        digest.begin(b"header")
        digest.write([b"record"])
        digest.write([last.encode()])
    assert digests[0].hex == digests[1].hex != digests[2].hex


def test_records_are_shown_as_lines(world: World, node: Runtime, path: Path):
    flight = FlightRecorder(node, records_max=100)
    record_a_story(world, node, flight)
    flight.dump(BoundedFile(path, limit_bytes=1 << 20))
    fresh = [as_text(record) for record in flight.records]
    assert [as_text(record) for record in Recording(path)][1:] == fresh
    sent = next(record for record in flight.records if record[0] == "sent")
    assert as_text(sent) == f"1700000000.000000 n0 sent StoreMessage @h:5050 → shelf@h:5050 #{sent[3][3]:x} of #0"
    assert as_text(flight.records[-1]) == "1700000002.000000 n0 exited shelf@h:5050 terminated"
