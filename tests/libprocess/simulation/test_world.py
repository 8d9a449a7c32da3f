"""World: virtual time, and the promise that a seed repeats itself byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from libprocess import PID, Message, Process
from libprocess.recording import BoundedFile, Recording, events
from libprocess.simulation import EPOCH, Faults, UnsettledError, World
from tests.libprocess.simulation.actors import Chatter, CountedMessage, CountMessage, Notebook, NoteMessage, Writer
from tests.libprocess.simulation.chat import chat

ROOT = Path(__file__).parents[3]


def test_time_passes_only_when_told(world: World):
    node = world.node("h")
    pid = node.spawn(Notebook(), "notebook")
    assert (world.elapsed, node.clock.now()) == (0.0, EPOCH)
    world.advance(seconds=90)
    assert (world.elapsed, node.clock.now()) == (90.0, EPOCH + 90)
    world.ask(pid, CountMessage())
    assert world.elapsed == 90.0


def test_a_clock_may_be_ahead(world: World):
    node = world.node("h", skew_seconds=7)
    notebook = Notebook()
    node.send(node.spawn(notebook), NoteMessage("a"))
    world.advance(1)
    assert notebook.times == [EPOCH + 7]


class LaterMessage(Message, frozen=True):
    """From a Sleeper to itself."""

    number: int


class Sleeper(Process):
    """Wakes at its times, and cancels one of its timers while that is due already."""

    def initialize(self) -> None:
        self.woken: list[tuple[int, float]] = []
        self.timers = [self.delay(seconds, LaterMessage(number)) for number, seconds in enumerate((5, 1, 3, 3, 3))]

    def later(self, message: LaterMessage) -> None:
        self.woken.append((message.number, self.now - EPOCH))
        if message.number == 2:
            self.timers[3].cancel()


def test_timers_come_due_in_order_of_time_and_then_of_asking(world: World):
    sleeper = Sleeper()
    world.node("h").spawn(sleeper)
    world.advance(4.9)
    assert sleeper.woken == [(1, 1.0), (2, 3.0), (4, 3.0)]
    world.advance(0.2)
    assert sleeper.woken[3:] == [(0, 5.0)]


def test_a_dead_node_has_no_timers(world: World):
    sleeper = Sleeper()
    node = world.node("h")
    node.spawn(sleeper)
    world.advance(2)
    world.crash(node)
    world.advance(10)
    assert sleeper.woken == [(1, 1.0)]


def test_run_until_stops_at_the_moment(world: World):
    sleeper = Sleeper()
    world.node("h").spawn(sleeper)
    world.settle()
    world.run_until(lambda: len(sleeper.woken) == 2)
    assert world.elapsed == 3.0


def test_run_until_says_what_happened_instead(world: World):
    world.node("h").spawn(Sleeper(), "sleeper")
    with pytest.raises(UnsettledError, match=r"within 9 s it did not come true.*seed 1(?s:.*)LaterMessage sleeper@h"):
        world.run_until(lambda: False, limit_seconds=9)


def test_a_loop_without_end_is_found(world: World):
    node = world.node("h")
    writers = [Writer(PID(id_, *node.address), links=False) for id_ in ("b", "a")]
    for writer, id_ in zip(writers, "ab", strict=True):
        node.spawn(writer, id_)
    other = world.node("other")
    writers[0].notebook = PID("c", *other.address)
    other.spawn(Writer(writers[0].pid, links=False), "c")
    node.send(writers[0].pid, NoteMessage("round and round"))
    with pytest.raises(UnsettledError, match="and no rest"):
        world.settle()


def test_an_invariant_is_looked_at_after_every_step(world: World):
    notebook = Notebook()
    node = world.node("h")
    counts: list[int] = []
    node.spawn(notebook, "notebook")
    world.settle()
    world.after_step.append(lambda: counts.append(len(notebook.notes)))
    for text in "ab":
        node.send(notebook.pid, NoteMessage(text))
        world.settle()
    assert counts == [1, 2]


class Clumsy(Process):
    """Fails on whatever it is sent."""

    def note(self, message: NoteMessage) -> None:
        raise ZeroDivisionError(message.text)


def test_failures_are_remembered_after_their_node(world: World):
    node = world.node("h")
    node.send(node.spawn(Clumsy(), "clumsy"), NoteMessage("a"))
    world.settle()
    world.crash(node)
    assert [(failure.pid.id, failure.reason) for failure in world.failures] == [
        ("clumsy", "failed: ZeroDivisionError: a")
    ]


def test_a_seed_repeats_itself_and_another_does_not():
    first, again, other = chat(3), chat(3), chat(4)
    assert first.digest() == again.digest() != other.digest()


def test_a_seed_gives_the_same_digest_under_any_hash_seed():
    command = "from tests.libprocess.simulation.chat import chat; print(chat(3).digest())"
    digests = {run(command, hash_seed) for hash_seed in ("0", "1", "4242")}
    assert digests == {chat(3).digest()}


def run(command: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", command], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_hash_seed_test_can_fail():
    command = "print(sorted({'a', 'b', 'c', 'd', 'e'}, key=hash))"
    assert len({run(command, str(hash_seed)) for hash_seed in range(4)}) > 1


def test_a_world_writes_one_recording_of_all_its_nodes(world: World, tmp_path: Path):
    world.record(BoundedFile(tmp_path / "world.trace", limit_bytes=1 << 20))
    there, here = world.node("there"), world.node("here")
    pid = there.spawn(Notebook(), "notebook")
    here.spawn(Writer(pid), "writer")
    here.send(PID("writer", *here.address), NoteMessage("a"))
    world.settle()
    world.digest()
    recording = Recording(tmp_path / "world.trace")
    assert [event.detail[0] for event in events(recording) if event.kind == "node"] == ["there", "here"]
    assert lost_or_found(recording) == []


def test_every_receive_has_its_send_and_every_send_its_end(tmp_path: Path):
    world = World(9)
    world.record(BoundedFile(tmp_path / "world.trace", limit_bytes=1 << 26))
    world.faults = Faults(delay_seconds=(0.001, 0.2), breaks=0.02, loss=0.05)
    pids = tuple(PID("chatter", f"h{number}", 5050) for number in range(3))
    for pid in pids:
        world.node(pid.host).spawn(Chatter(pids), "chatter")
    world.advance(30)
    for pid in pids:
        world.nodes[pid.address].terminate(pid)
    world.advance(10)
    world.digest()
    recording = Recording(tmp_path / "world.trace")
    assert sum(event.kind == "sent" for event in events(recording)) > 100
    assert lost_or_found(recording) == []


def lost_or_found(recording: Recording) -> list[str]:
    """Mail that came in without having been sent, and mail that was sent and neither came in nor counts as lost."""
    sent, came_in, dropped = set(), set(), set()
    hosts = {}
    for event in events(recording):
        match event.kind, event.subject:
            case "node", _:
                hosts[event.node] = event.detail[0]
            case "sent", (_, _, _, id_, _):
                sent.add(id_)
            case "dropped", (_, _, _, id_, _):
                dropped.add(id_)
            case "handled", (_, sender, _, id_, _) if sender[1] != hosts[event.node]:
                came_in.add(id_)
    nowhere = [f"{id_:x} came from nowhere" for id_ in sorted(came_in - sent)]
    return nowhere + [f"{id_:x} vanished" for id_ in sorted(sent - came_in - dropped)]


def test_asking_a_notebook_takes_it_from_outside(world: World):
    assert world.ask(world.node("h").spawn(Notebook()), CountMessage()) == CountedMessage(0)


@pytest.fixture
def world() -> World:
    return World(seed=1)
