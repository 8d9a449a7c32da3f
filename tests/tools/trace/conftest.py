"""Recordings to read, made in a virtual world; and the tool, run without a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from libprocess import Message, Process, Runtime
from libprocess.pid import PID
from libprocess.recording import BoundedFile, Recorder
from libprocess.simulation import Faults, World
from tools.trace.__main__ import parser


class ShelveMessage(Message, frozen=True):
    """From a Porter to a Shelf: keep this."""

    key: str
    weight: int = 0


class ShelvedMessage(Message, frozen=True):
    """From a Shelf to a Porter: it is kept."""

    key: str


class Shelf(Process):
    """Keeps things."""

    def shelve(self, message: ShelveMessage) -> None:
        self.reply(ShelvedMessage(message.key))


class Porter(Process):
    """Brings three things at once, and one a second later."""

    def __init__(self, shelf: PID) -> None:
        self.shelf = shelf

    def initialize(self) -> None:
        for weight in range(3):
            self.send(self.shelf, ShelveMessage(f"t{weight}", weight))
        self.delay(1.0, ShelveMessage("later"))

    def shelve(self, message: ShelveMessage) -> None:
        self.send(self.shelf, message)

    def shelved(self, message: ShelvedMessage) -> None: ...


SKEW_SECONDS = 2.0
DELAY_SECONDS = (0.01, 0.05)


def record(world: World, directory: Path, *nodes: Runtime) -> list[Recorder]:
    """Record each node to a file of its own."""
    directory.mkdir(exist_ok=True)
    for node in nodes:
        node.trace = Recorder(node, BoundedFile(directory / f"{node.address.host}.trace", 1 << 20))
    return [node.trace for node in nodes if isinstance(node.trace, Recorder)]


def record_a_story(directory: Path, seed: int = 3) -> Path:
    """A porter on one node, a shelf on another, whose clock is two seconds ahead."""
    world = World(seed)
    world.faults = Faults(delay_seconds=DELAY_SECONDS)
    here, there = world.node("a"), world.node("b", skew_seconds=SKEW_SECONDS)
    recorders = record(world, directory, here, there)
    shelf = there.spawn(Shelf(), "shelf")
    here.spawn(Porter(shelf), "porter")
    world.advance(5)
    for recorder in recorders:
        recorder.close()
    return directory


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return record_a_story(tmp_path / "story")


@dataclass
class Output:
    """What a command printed, and its exit status."""

    lines: list[str]
    status: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def trace() -> Callable[..., Output]:
    def run(*arguments: object) -> Output:
        options = parser().parse_args([str(argument) for argument in arguments])
        options.status = 0
        lines = list(options.run(options))
        return Output(lines, options.status)

    return run
