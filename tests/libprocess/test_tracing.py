"""What tools may do with a node from outside: watch it within bounds, record it, and break it where that is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgpack
import pytest

from libprocess import PID, ExitedMessage, Message, Process, Runtime
from libprocess.pid import Address
from libprocess.recording import Event, FlightRecorder, events, expanded, read_recording
from libprocess.recording.flight import STEP_MAIL
from libprocess.simulation import World
from libprocess.tracing import TRACE_ID, TraceProcess, Tracing
from libprocess.tracing.flight import CrashRecorder
from libprocess.tracing.messages import (
    AskInterferencesMessage,
    CutLinkMessage,
    DumpFlightMessage,
    EndRecordingMessage,
    InterfereMessage,
    InterferencesMessage,
    ReadRecordingMessage,
    RecordingMessage,
    RecordingPieceMessage,
    RecordNodeMessage,
    ReleaseMailMessage,
    TapMessage,
    TappedMessage,
    TapReadMessage,
    TraceDeniedMessage,
    UntapMessage,
)
from libprocess.tracing.options import BadTracing
from libprocess.tracing.process import TAPS_MAX
from libprocess.tracing.taps import BATCH_SECONDS, UNREAD_MAX


class ParcelMessage(Message, frozen=True):
    """From a test to a Depot."""

    number: int
    label: str = ""


class Depot(Process):
    """Takes parcels."""

    def initialize(self) -> None:
        self.parcels: list[int] = []

    def parcel(self, message: ParcelMessage) -> None:
        self.parcels.append(message.number)
        if message.label == "bomb":
            raise RuntimeError("bang")


def parcels(told: Iterable[Event]) -> list[int]:
    """The numbers of those that were handled."""
    handled = [event.subject[2] for event in told if event.kind == "handled"]
    return [message[1] for message in handled if message[0] == "ParcelMessage"]


class Watcher(Process):
    """A tool that taps a node, and reads what it gets or does not."""

    def __init__(self, node: PID, wish: TapMessage, is_reading: bool = True) -> None:
        self.node = node
        self.wish = wish
        self.is_reading = is_reading

    def initialize(self) -> None:
        self.batches: list[TappedMessage] = []
        self.denied: list[str] = []
        self.send(self.node, self.wish)

    def tapped(self, message: TappedMessage) -> None:
        self.batches.append(message)
        if self.is_reading:
            self.reply(TapReadMessage())

    def trace_denied(self, message: TraceDeniedMessage) -> None:
        self.denied.append(message.reason)

    def exited(self, message: ExitedMessage) -> None: ...

    @property
    def numbers(self) -> list[int]:
        """Of the parcels that it saw being handled."""
        unpacker = msgpack.Unpacker(use_list=False)
        unpacker.feed(b"".join(batch.records for batch in self.batches))
        told = events(expanded(record) for record in unpacker)
        return [
            event.subject[2][1] for event in told if event.kind == "handled" and event.subject[2][0] == "ParcelMessage"
        ]

    @property
    def left_out(self) -> int:
        """How much mail it was told that it did not see."""
        return sum(batch.left_out for batch in self.batches)


@pytest.fixture
def world() -> World:
    return World(seed=2)


@pytest.fixture
def depot() -> Depot:
    return Depot()


def start(world: World, depot: Depot, tracing: Tracing) -> Runtime:
    """A node that can be traced, with a depot on it."""
    node = world.node("h")
    tracer = TraceProcess(tracing)
    tracer.begin(node)
    node.spawn(tracer, TRACE_ID)
    node.spawn(depot, "depot")
    world.settle()
    return node


def trace_of(node: Runtime) -> PID:
    return PID(TRACE_ID, *node.address)


def send(world: World, node: Runtime, *numbers: int, label: str = "") -> None:
    for number in numbers:
        node.send(PID("depot", *node.address), ParcelMessage(number, label))
    world.settle()


def watch(world: World, node: Runtime, wish: TapMessage | None = None, is_reading: bool = True) -> Watcher:
    tool = world.nodes.get(Address("tool", 5050)) or world.node("tool")
    watcher = Watcher(trace_of(node), wish or TapMessage(), is_reading)
    tool.spawn(watcher)
    world.advance(1)
    return watcher


# Watching.


def test_a_tap_sees_what_happens_and_not_itself(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    watcher = watch(world, node)
    send(world, node, 1, 2, 3)
    world.advance(1)
    assert watcher.numbers == [1, 2, 3]
    batches = len(watcher.batches)
    world.advance(10)
    assert len(watcher.batches) == batches, "the tap's own mail is not told of"


def test_a_tap_tells_only_what_is_wished(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    other = node.spawn(Depot(), "other")
    by_actor = watch(world, node, TapMessage(actor="oth*"))
    by_type = watch(world, node, TapMessage(kind="Watch*"))
    send(world, node, 1)
    node.send(other, ParcelMessage(2))
    world.advance(1)
    assert by_actor.numbers == [2]
    assert by_type.numbers == []


def test_a_tool_that_does_not_read_costs_a_bounded_amount_and_is_told_so(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    watcher = watch(world, node, is_reading=False)
    for number in range(100):
        send(world, node, number)
        world.advance(BATCH_SECONDS)
    assert len(watcher.batches) == UNREAD_MAX
    assert len(watcher.numbers) < UNREAD_MAX

    world.nodes[Address("tool", 5050)].send(trace_of(node), TapReadMessage(), watcher.pid)
    send(world, node, 100)
    world.advance(1)
    assert 101 <= watcher.left_out + len(watcher.numbers) < 110, "some of what was left out is the tap's own"


def test_a_tap_ends_when_it_is_told_to_or_its_tool_is_gone(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    polite, rude = watch(world, node), watch(world, node)
    tool = world.nodes[Address("tool", 5050)]
    tool.send(trace_of(node), UntapMessage(), polite.pid)
    tool.terminate(rude.pid)
    world.advance(1)
    assert node.trace is None
    send(world, node, 1)
    assert polite.numbers == []


def test_the_programs_own_trace_goes_on(world: World, depot: Depot):
    node = world.node("h")
    flight = FlightRecorder(node, seconds=100)
    node.spawn(TraceProcess(Tracing(), flight), TRACE_ID)
    node.trace = flight
    node.spawn(depot, "depot")
    watcher = watch(world, node)
    world.nodes[Address("tool", 5050)].terminate(watcher.pid)
    world.advance(1)
    assert node.trace is flight


def test_there_is_a_bound_to_taps_and_they_can_be_off(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    watchers = [watch(world, node) for _ in range(TAPS_MAX + 1)]
    assert [len(watcher.denied) for watcher in watchers] == [0] * TAPS_MAX + [1]
    assert f"{TAPS_MAX} tools tap this node already" in watchers[-1].denied[0]
    other = World()
    closed = watch(other, start(other, Depot(), Tracing(may_watch=False)))
    assert "does not let itself be watched" in closed.denied[0]


# Recording.


def read(world: World, node: Runtime, told: Message) -> bytes:
    """What a node wrote, as a tool fetches it."""
    assert isinstance(told, RecordingMessage)
    content = b""
    while True:
        piece = world.ask(trace_of(node), ReadRecordingMessage(told.path, len(content)))
        assert isinstance(piece, RecordingPieceMessage)
        if not piece.content:
            return content
        content += piece.content


def test_a_recording_is_begun_ended_and_fetched(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing(directory=tmp_path / "traces"))
    begun = world.ask(trace_of(node), RecordNodeMessage(1 << 20))
    again = world.ask(trace_of(node), RecordNodeMessage(1 << 20))
    assert isinstance(again, TraceDeniedMessage)
    assert "is being recorded already" in again.reason
    send(world, node, 1, 2)
    ended = world.ask(trace_of(node), EndRecordingMessage())
    assert isinstance(begun, RecordingMessage)
    assert isinstance(ended, RecordingMessage)
    assert begun.path == ended.path
    assert read(world, node, ended) == Path(ended.path).read_bytes()
    assert parcels(events(read_recording(ended.path))) == [1, 2]


def test_other_files_are_not_read(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing(directory=tmp_path))
    answer = world.ask(trace_of(node), ReadRecordingMessage("/etc/passwd", 0))
    assert isinstance(answer, TraceDeniedMessage)


def test_a_recording_needs_a_directory_and_a_sound_limit(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing())
    answer = world.ask(trace_of(node), RecordNodeMessage(1 << 20))
    assert answer == TraceDeniedMessage(
        "this node has no directory for recordings; start it with LIBPROCESS_TRACING=to=DIRECTORY"
    )
    other = World()
    node = start(other, Depot(), Tracing(directory=tmp_path))
    assert isinstance(other.ask(trace_of(node), RecordNodeMessage(0)), TraceDeniedMessage)


def test_a_failing_actor_leaves_a_flight_recording(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing(flight_directory=tmp_path))
    send(world, node, 1, 2)
    send(world, node, 3, label="bomb")
    world.settle()
    world.failures.clear()
    [file] = tmp_path.glob("flight-*.trace")
    told = list(events(read_recording(file)))
    assert [event.subject[2][1] for event in told if event.kind == "handled"] == [1, 2, 3]
    assert [event.detail for event in told if event.kind == "exited"] == ["failed: RuntimeError: bang"]


def test_a_flight_recording_is_dumped_when_asked_for(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing(flight_directory=tmp_path))
    send(world, node, 1)
    content = read(world, node, world.ask(trace_of(node), DumpFlightMessage()))
    assert b"ParcelMessage" in content


def test_a_full_flight_recorder_is_dumped_bit_by_bit_and_to_the_end(world: World, depot: Depot, tmp_path: Path):
    node = start(world, depot, Tracing(flight_directory=tmp_path))
    for _ in range(4):
        send(world, node, *range(STEP_MAIL))
    recorder = node.trace
    assert isinstance(recorder, CrashRecorder)
    done: list[Path] = []
    recorder.dump_to_file(lambda path, error: done.append(path))
    assert not done, "others have their turn meanwhile"
    node.close()
    recording = read_recording(done[0])
    assert parcels(events(recording)) == [*range(STEP_MAIL)] * 4
    assert recording.damage == []


# Breaking.


@pytest.fixture
def breakable(world: World, depot: Depot) -> Runtime:
    return start(world, depot, Tracing(may_break=True))


def interfere(world: World, node: Runtime, verb: str, field: str = "", seconds: float = 0.0) -> tuple[str, ...]:
    message = InterfereMessage(verb, kind="Parcel*", to="depot", field=field, seconds=seconds)
    answer = world.ask(trace_of(node), message)
    assert isinstance(answer, InterferencesMessage)
    return answer.interferences


def test_nothing_is_broken_unless_that_is_allowed(world: World, depot: Depot):
    node = start(world, depot, Tracing())
    for message in (InterfereMessage("drop"), ReleaseMailMessage(0), CutLinkMessage("h:1"), AskInterferencesMessage()):
        answer = world.ask(trace_of(node), message)
        assert isinstance(answer, TraceDeniedMessage)
        assert "does not let itself be broken" in answer.reason


def test_dropped_mail_is_counted(world: World, depot: Depot, breakable: Runtime):
    assert interfere(world, breakable, "drop", "number==2") == (
        "1: drop Parcel* from anybody to depot where number==2: 0 seen",
    )
    send(world, breakable, 1, 2, 3)
    assert depot.parcels == [1, 3]
    assert breakable.drops["dropped by a filter"] == 1


def test_held_mail_waits_until_it_is_released(world: World, depot: Depot, breakable: Runtime):
    interfere(world, breakable, "hold")
    send(world, breakable, 1, 2)
    assert depot.parcels == []
    answer = world.ask(trace_of(breakable), AskInterferencesMessage())
    assert answer == InterferencesMessage(("1: hold Parcel* from anybody to depot: 2 seen, 2 held",))
    assert world.ask(trace_of(breakable), ReleaseMailMessage(1)) == InterferencesMessage(())
    world.settle()
    send(world, breakable, 3)
    assert depot.parcels == [1, 2, 3]


def test_held_mail_can_be_lost(world: World, depot: Depot, breakable: Runtime):
    interfere(world, breakable, "hold")
    send(world, breakable, 1)
    world.ask(trace_of(breakable), ReleaseMailMessage(0, is_lost=True))
    send(world, breakable, 2)
    assert depot.parcels == [2]


def test_delayed_mail_comes_later_and_doubled_mail_twice(world: World, depot: Depot, breakable: Runtime):
    interfere(world, breakable, "delay", "number==1", seconds=5.0)
    interfere(world, breakable, "duplicate", "number==2")
    interfere(world, breakable, "expect")
    send(world, breakable, 1, 2, 3)
    world.settle()
    assert depot.parcels == [2, 3, 2]
    world.advance(5)
    assert depot.parcels == [2, 3, 2, 1]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (InterfereMessage("explode"), "expected one of expect, drop, hold, delay, duplicate; found 'explode'"),
        (InterfereMessage("drop", field="number"), "expected FIELD==VALUE, found 'number'"),
        (ReleaseMailMessage(7), "nothing has the number 7"),
        (CutLinkMessage("h:1"), "this node's network cannot be cut from outside"),
    ],
)
def test_what_cannot_be_done_is_said(world: World, breakable: Runtime, message: Message, reason: str):
    assert world.ask(trace_of(breakable), message) == TraceDeniedMessage(reason)


# What the environment says.


def test_the_environment_says_what_tools_may_do():
    def read(text: str) -> Tracing:
        return Tracing.from_environment({"LIBPROCESS_TRACING": text})

    assert Tracing.from_environment({}) == Tracing()
    assert not read("off").may_watch
    assert read("break").may_break
    there = Path("/tmp/x")
    assert read("record,to=/tmp/x") == Tracing(directory=there, is_recorded=True, flight_directory=there)
    assert read("to=/tmp/x,flight=2.5") == Tracing(directory=there, flight_directory=there, flight_seconds=2.5)
    own = Tracing.from_environment({}, "/var/lib/mesos/traces", 60.0)
    assert own == Tracing(flight_directory=Path("/var/lib/mesos/traces"), flight_seconds=60.0)
    with pytest.raises(BadTracing, match="has 'brake'; expected off, break, record"):
        read("brake")
    with pytest.raises(BadTracing, match="does not say where to"):
        read("record")
