"""Recordings: what a node does is written down, within bounds, and is readable even from a damaged file."""

from __future__ import annotations

from collections.abc import Iterable
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
    Tracer,
    as_text,
    encode_record,
    events,
    expanded,
    node_record,
    read_recording,
)
from libprocess.recording.recorder import BATCH_MAIL, FLUSH_SECONDS
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


def kinds(records: Iterable[Record]) -> list[str]:
    return [event.kind for event in events(records)]


STORY = [
    *("spawned", "handled", "timer", "handled"),  # stored, and a second later
    *("dropped", "exited"),
]


def test_a_story_is_recorded(world: World, node: Runtime, path: Path):
    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    record_a_story(world, node, recorder)
    recorder.close()
    recording = read_recording(path)
    assert kinds(recording) == ["node", *STORY]
    assert recording.damage == []


def test_a_recording_is_plain_msgpack_with_all_there_is_to_know(world: World, node: Runtime, path: Path):
    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    record_a_story(world, node, recorder)
    recorder.close()
    with path.open("rb") as file:
        header, names, spawned, turn, timer, rest, later, *_ = msgpack.Unpacker(file)
    shelf, nobody = ["shelf", "h", 5050], ["", "h", 5050]
    first = node.incarnation << 32 | 1
    assert header == ["node", 0, 1.7e9, VERSION, "h", 5050, node.incarnation]
    assert names[:3] == ["messages", 0, 1.7e9]
    assert names[3]["StoreMessage"] == ["StoreMessage", ["thing", ""], ["weight_kilograms", ""]]
    assert spawned == ["spawned", 0, 1.7e9, shelf]
    assert turn[:3] + turn[4:] == ["turn", 0, 1.7e9, [1.7e9] * 3, None]
    assert turn[3][1::2] == [None, None, ["StoreMessage", "book", 1.5]], "an actor's first turn is no mail"
    assert turn[3][4] == [shelf, nobody, first, 0]
    assert timer == ["timer", 0, 1.7e9, [shelf, shelf, ["StoredMessage"], timer[3][3], first], 1.0]
    assert rest == ["turn", 0, 1.7e9, [], [], 1.7e9]
    assert later[3] == [[shelf, shelf, timer[3][3], first], ["StoredMessage"]]


def test_each_piece_of_mail_has_its_time(world: World, node: Runtime):
    ticks = iter(range(100, 200))
    node.clock.now = lambda: float(next(ticks))
    records: list[Record] = []
    shelf = node.spawn(Shelf(), "shelf")
    world.settle()
    node.trace = Tracer(node, records.append)
    records.append(node_record(node))
    for thing in ("book", "pen"):
        node.send(shelf, StoreMessage(thing))
    world.settle()
    told = [(event.kind, event.time, event.detail) for event in events(records)][1:]
    assert told == [("handled", 101, 103), ("timer", 102, 1.0), ("handled", 103, 105), ("timer", 104, 1.0)]


def test_what_an_actor_does_not_understand_is_told_once(world: World, node: Runtime):
    records: list[Record] = [node_record(node)]
    node.trace = Tracer(node, records.append)
    node.send(node.spawn(Process(), "deaf"), StoreMessage("book"))
    world.settle()
    assert kinds(records) == ["node", "spawned", "dropped"]


def test_a_timer_that_is_cancelled_is_no_mail(world: World, node: Runtime):
    class Hasty(Process):
        """Changes its mind when it is too late: the timer is due."""

        def initialize(self) -> None:
            self.delay(1.0, StoreMessage("hold on"))
            self.timer = self.delay(1.0, StoredMessage())

        def store(self, message: StoreMessage) -> None:
            self.timer.cancel()

        def stored(self, message: StoredMessage) -> None: ...

    records: list[Record] = [node_record(node)]
    node.trace = Tracer(node, records.append)
    node.spawn(Hasty(), "hasty")
    world.advance(2)
    assert kinds(records) == ["node", "spawned", "timer", "timer", "handled"]


def test_what_led_to_what_is_told(world: World, node: Runtime):
    records: list[Record] = [node_record(node)]
    node.trace = Tracer(node, records.append)
    node.send(node.spawn(Shelf(), "shelf"), StoreMessage("book"))
    world.advance(2)
    stored, later = [event.subject for event in events(records) if event.kind == "handled"]
    assert (stored[4], later[4]) == (0, stored[3])


def test_records_reach_the_file_within_a_moment_or_a_batch(world: World, node: Runtime, path: Path):
    node.trace = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    shelf = node.spawn(Shelf(), "shelf")
    world.advance(FLUSH_SECONDS)
    assert kinds(Recording(path)) == ["node", "spawned"]
    for _ in range(BATCH_MAIL):
        node.send(shelf, StoreMessage("book"))
    world.settle()
    assert kinds(Recording(path)).count("handled") > BATCH_MAIL / 2


def test_what_is_not_made_for_the_wire_is_shown(world: World, node: Runtime, path: Path):
    class BoxMessage(Message, frozen=True):
        """From a test to a Shelf."""

        content: object

    recorder = Recorder(node, BoundedFile(path, limit_bytes=1 << 20))
    node.trace = recorder
    node.send(node.spawn(Shelf(), "shelf"), BoxMessage(range(3)))
    world.settle()
    recorder.close()
    messages = [event.subject[2] for event in events(Recording(path)) if event.kind == "dropped"]
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
    return [msgpack.packb(["spawned", 0, 1.0, number]) for number in range(count)]


def test_a_file_stays_within_its_bound_and_keeps_the_last(path: Path):
    fill(path, 1000, numbered(1000))
    numbers = [record[3] for record in Recording(path) if record[0] == "spawned"]
    assert numbers == list(range(1000 - len(numbers), 1000))
    assert size_on_disk(path) > 500


def test_both_halves_of_a_file_say_which_node_it_was(path: Path):
    fill(path, 1000, numbered(1000))
    assert kinds(Recording(path)).count("node") == 2


def test_a_record_too_large_for_the_bound_is_left_out_and_counted(path: Path):
    large = msgpack.packb(["spawned", 0, 1.0, "x" * 600])
    file = fill(path, 1000, [*numbered(3), large, *numbered(3)])
    assert file.records_left_out == 1
    assert kinds(Recording(path)).count("spawned") == 6


def test_a_new_recording_replaces_the_old_one(path: Path):
    fill(path, 1000, numbered(1000))
    fill(path, 1000, numbered(1))
    assert kinds(Recording(path)) == ["node", "spawned"]


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
    assert kinds(recording).count("spawned") == 10
    assert recording.damage == [f"{path}: the last {len(tail)} of {path.stat().st_size} bytes are no records"]


def test_a_recording_that_is_not_there_is_an_error(path: Path):
    with pytest.raises(FileNotFoundError):
        read_recording(path)


def test_a_flight_recorder_tells_the_same_story(world: World, node: Runtime, path: Path):
    flight = FlightRecorder(node, seconds=100)
    record_a_story(world, node, flight)
    flight.dump(BoundedFile(path, limit_bytes=1 << 20))
    assert kinds(Recording(path)) == ["node", *STORY]


class Postman(Process):
    """Brings things to a shelf, and hears of it: of each in turn, or, at a late hour, of nothing."""

    def __init__(self, shelf: PID) -> None:
        self.shelf = shelf

    def initialize(self) -> None:
        self.send(self.shelf, StoreMessage("first"))
        self.send(PID("nobody", *self.shelf.address), StoreMessage("lost"))

    def store(self, message: StoreMessage) -> None:
        self.send(self.shelf, message)
        self.send(self.pid, StoredMessage())
        self.send(self.shelf, StoreMessage("late"))

    def stored(self, message: StoredMessage) -> None:
        self.delay(0.5, StoredMessage())


def test_a_flight_recorder_tells_what_led_to_what_over_nodes_as_a_recorder_does(world: World, tmp_path: Path):
    told = {}
    for kind in ("flight", "recorder"):
        here, there = world.node(f"{kind}-a"), world.node(f"{kind}-b")
        files = [BoundedFile(tmp_path / f"{node.address.host}.trace", 1 << 20) for node in (here, there)]
        flights = [FlightRecorder(node, seconds=100) for node in (here, there)]
        recorders = [Recorder(node, file) for node, file in zip((here, there), files, strict=True)]
        here.trace, there.trace = flights if kind == "flight" else recorders
        postman = here.spawn(Postman(there.spawn(Shelf(), "shelf")), "postman")
        for thing in ("book", "pen"):
            here.send(postman, StoreMessage(thing))
        world.advance(0.2)
        for thing in ("cup", "saucer"):
            here.send(postman, StoreMessage(thing))
        world.advance(3)
        for flight, recorder, file in zip(flights, recorders, files, strict=True):
            if kind == "flight":
                flight.dump(file)
            else:
                recorder.close()
        told[kind] = causes([file.path for file in files])
    assert len(told["flight"]) > 20
    assert told["flight"] == told["recorder"]


def causes(paths: Iterable[Path]) -> list[tuple[str, str, str]]:
    """Each piece of mail that was handled, sent or lost, and what led to it; in no order."""
    found = [event for path in paths for event in events(read_recording(path))]
    mail = [event for event in found if event.kind in ("handled", "sent", "timer", "dropped")]
    known = {event.subject[3]: str(event.subject[2]) for event in mail}
    chains = {event.subject[3]: event.subject[4] for event in mail if event.subject[4]}
    return sorted(
        (event.kind, str(event.subject[2]), known.get(chains.get(event.subject[3], 0), "nothing")) for event in mail
    )


def test_a_flight_recorder_keeps_the_last_seconds(world: World, node: Runtime, path: Path):
    flight = FlightRecorder(node, seconds=5)
    node.trace = flight
    shelf = node.spawn(Shelf(), "shelf")
    for number in range(20):
        node.send(shelf, StoreMessage(str(number)))
        world.advance(1)
    assert len(flight.records) < 30
    flight.dump(BoundedFile(path, limit_bytes=1 << 20))
    handled = [event.subject[2] for event in events(read_recording(path)) if event.kind == "handled"]
    stored = [message[1] for message in handled if message[0] == "StoreMessage"]
    assert stored in [[str(number) for number in range(first, 20)] for first in (15, 16)]


class Bin(Process):
    """Takes things."""

    def store(self, message: StoreMessage) -> None: ...


@pytest.mark.parametrize("size", [1, 1000])
def test_a_flight_recorder_keeps_within_its_bytes_whatever_mail_there_is(world: World, size: int):
    here, there = world.node("a"), world.node("b")
    flights = [FlightRecorder(node, seconds=1000, limit_bytes=200_000) for node in (here, there)]
    here.trace, there.trace = flights
    shelf = there.spawn(Bin(), "bin")
    for _ in range(20):
        for number in range(50):
            here.send(shelf, StoreMessage(str(number) * size))
        world.settle()
    for flight in flights:
        held = sum(len(encode_record(record[:6])) for record in flight.records if record[0] == "turn")
        assert 0 < held < 400_000
        assert len(flight.records) < 200


def test_a_digest_tells_runs_apart(world: World, node: Runtime):
    digests = [Digest(), Digest(), Digest()]
    for digest, last in zip(digests, ("a", "a", "b"), strict=True):
        digest.begin(b"header")
        digest.write([b"record"])
        digest.write([last.encode()])
    assert digests[0].hex == digests[1].hex != digests[2].hex


def test_events_are_shown_as_lines(world: World, node: Runtime, path: Path):
    records: list[Record] = [node_record(node)]
    node.trace = Tracer(node, records.append)
    node.send(node.spawn(Shelf(), "shelf"), StoreMessage("book"))
    node.send(PID("nobody", *node.address), StoreMessage("pen"))
    world.settle()
    fresh = [as_text(event) for event in events(records)]
    first = node.incarnation << 32
    assert fresh == [
        f"1700000000.000000 n0 node version 1 h:5050 #{node.incarnation:x}",
        "1700000000.000000 n0 spawned shelf@h:5050",
        f"1700000000.000000 n0 handled StoreMessage @h:5050 → shelf@h:5050 #{first + 1:x} of #0",
        f"1700000000.000000 n0 timer StoredMessage shelf@h:5050 → shelf@h:5050 #{first + 3:x} of #{first + 1:x} in 1 s",
        f"1700000000.000000 n0 dropped StoreMessage @h:5050 → nobody@h:5050 #{first + 2:x} of #0 (no such actor)",
    ]
    read = [expanded(msgpack.unpackb(encode_record(record), use_list=False)) for record in records]
    assert [as_text(event) for event in events(read)] == fresh
