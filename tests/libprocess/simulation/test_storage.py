"""Storage: the virtual disk and the real one keep the same promises, and a crash loses only what was not synced."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from libprocess import PID, Message, Process
from libprocess.ports import Storage
from libprocess.simulation import SimStorage, World
from libprocess.system import DiskStorage
from tests.libprocess.simulation.actors import Notebook, NoteMessage


@pytest.fixture(params=["virtual", "real"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return SimStorage() if request.param == "virtual" else DiskStorage(tmp_path)


def test_what_is_written_is_read(storage: Storage):
    storage.write("a/b/c", b"one")
    storage.write("a/b/c", b"two")
    assert storage.read("a/b/c") == b"two"


def test_what_is_not_there_is_none(storage: Storage):
    assert storage.read("a/b") is None
    assert storage.list("a") == []
    storage.remove("a/b")


def test_what_is_appended_adds_up(storage: Storage):
    storage.append("log", b"one ")
    storage.sync("log")
    storage.append("log", b"two")
    assert storage.read("log") == b"one two"


def test_a_directory_lists_names_in_order(storage: Storage):
    for path in ("d/b", "d/a/x", "d/c", "e"):
        storage.write(path, b"")
    assert storage.list("d") == ["a", "b", "c"]
    assert storage.list("") == ["d", "e"]


def test_a_directory_is_removed_with_all_below(storage: Storage):
    storage.write("d/a/x", b"")
    storage.write("data", b"")
    storage.remove("d")
    assert storage.list("") == ["data"]


def test_a_directory_is_no_file(storage: Storage):
    storage.write("d/a", b"")
    with pytest.raises(IsADirectoryError):
        storage.read("d")
    with pytest.raises(IsADirectoryError):
        storage.write("d", b"")


def test_a_file_is_no_directory(storage: Storage):
    storage.write("f", b"")
    with pytest.raises(OSError, match=r"f"):
        storage.append("f/a", b"")


def test_what_is_not_there_cannot_be_synced(storage: Storage):
    with pytest.raises(FileNotFoundError):
        storage.sync("log")


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up"])
def test_a_path_stays_below_the_root(storage: Storage, path: str):
    with pytest.raises(ValueError, match="stays below its root"):
        storage.write(path, b"")


def test_a_crash_keeps_what_was_synced_and_some_first_part_of_the_rest():
    kept = set()
    for seed in range(100):
        storage = SimStorage()
        storage.append("log", b"safe ")
        storage.sync("log")
        storage.append("log", b"torn")
        storage.write("whole", b"whole")
        storage.crash(random.Random(seed))
        assert storage.read("whole") == b"whole"
        kept.add(storage.read("log"))
    assert kept == {b"safe " + b"torn"[:length] for length in range(5)}


class SaveMessage(Message, frozen=True):
    """From a test to a Saver: write the whole sequence."""


class SavedMessage(Message, frozen=True):
    """A Saver's answer, once all is safe."""


class Saver(Process):
    """Makes four changes, and answers when they are safe."""

    def save(self, message: SaveMessage) -> None:
        self.storage.write("first", b"1")
        self.storage.append("log", b"2")
        self.storage.sync("log")
        self.storage.remove("first")
        self.reply(SavedMessage())


def test_the_power_can_go_between_any_two_changes():
    left = []
    for changes in range(4):
        world = World(seed=changes)
        node = world.node("h")
        pid = node.spawn(Saver(), "saver")
        disk = world.storage(node.address)
        disk.lose_power_after(changes)
        node.send(pid, SaveMessage())
        world.settle()
        assert node.address not in world.nodes
        left.append((disk.read("first"), changes > 2 and disk.read("log")))
    assert left == [(None, False), (b"1", False), (b"1", False), (b"1", b"2")]


def test_a_disk_outlives_its_node_and_the_power_comes_back():
    world = World(seed=1)
    node = world.node("h")
    world.storage(node.address).lose_power_after(3)
    node.send(node.spawn(Saver(), "saver"), SaveMessage())
    world.settle()
    again = world.node("h")
    assert world.ask(again.spawn(Saver(), "saver"), SaveMessage()) == SavedMessage()
    assert again.storage.read("log") == b"22"


class Scribe(Process):
    """Writes down what it is sent, and hands it on to somebody on another node."""

    def __init__(self, notebook: PID) -> None:
        self.notebook = notebook

    def note(self, message: NoteMessage) -> None:
        self.storage.write(message.text, b"")
        self.send(self.notebook, message)


@pytest.mark.parametrize(("mail", "written", "heard"), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 3, 3)])
def test_a_node_can_be_struck_between_any_two_pieces_of_mail(mail: int, written: int, heard: int):
    """Three come in one turn, and nothing of a turn that does not end leaves the node."""
    world = World(seed=1)
    notebook, node = Notebook(), world.node("h")
    world.node("other").spawn(notebook)
    scribe = node.spawn(Scribe(notebook.pid))
    world.settle()
    world.strike_after(node.address, mail, world.kill)
    for text in "abc":
        node.send(scribe, NoteMessage(text))
    world.settle()
    assert len(node.storage.list("")) == written
    assert len(notebook.notes) == heard
    assert (node.address in world.nodes) == (mail == 3)
    again = world.nodes.get(node.address) or world.node("h")
    again.send(again.spawn(Scribe(notebook.pid)), NoteMessage("d"))
    world.settle()
    assert (again.address in world.nodes) == (mail < 3), "the blow waits for whoever lives there"


def test_who_is_spared_lives():
    world = World(seed=1)
    notebook, node = Notebook(), world.node("h")
    pid = node.spawn(notebook)
    world.strike_after(node.address, 0, world.crash)
    world.spare(node.address)
    node.send(pid, NoteMessage("a"))
    world.settle()
    assert notebook.notes == ["a"]
