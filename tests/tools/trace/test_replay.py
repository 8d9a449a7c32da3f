"""An actor of a recording, replayed: it does the same, byte for byte, or the first difference is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from libprocess import PID, ExitedMessage, Message, Process
from libprocess.errors import OperatorError
from libprocess.recording import record_inputs
from libprocess.simulation import World
from tests.tools.trace.conftest import Output, record

Trace = Callable[..., Output]


class DealMessage(Message, frozen=True):
    """From a test to a Dealer: deal so many cards."""

    count: int


class DealtMessage(Message, frozen=True):
    """From a Dealer to a Player: these."""

    cards: tuple[int, ...]
    time: float


class PauseMessage(Message, frozen=True):
    """From a Dealer to itself: go on."""


class Player(Process):
    """Takes cards."""

    def dealt(self, message: DealtMessage) -> None: ...


class Dealer(Process):
    """Uses all that an actor may: time, chance, files, timers, links, and a child."""

    def __init__(self, table: PID) -> None:
        self.table = table
        self.extra = 0

    def initialize(self) -> None:
        self.link(self.table)
        self.helper = self.spawn(Player())
        deck = self.storage.read("deck")
        self.cards = list(deck or bytes(range(52)))
        self.chance.shuffle(self.cards)

    def deal(self, message: DealMessage) -> None:
        dealt, self.cards = self.cards[: message.count], self.cards[message.count :]
        self.send(self.table, DealtMessage((*dealt, self.extra), self.now))
        self.send(self.helper, DealtMessage((), self.now + self.chance.random()))
        self.delay(self.chance.uniform(1.0, 2.0), PauseMessage())

    def pause(self, message: PauseMessage) -> None:
        self.storage.append("log", b"paused")
        if self.chance.randrange(2):
            self.send(self.table, DealtMessage((), self.now))

    def exited(self, message: ExitedMessage) -> None: ...


class Forgetful(Dealer):
    """Depends on what no recording tells: how many there were before."""

    made = 0

    def deal(self, message: DealMessage) -> None:
        type(self).made += 1
        if self.made == 8:
            self.extra = 1
        super().deal(message)


class Restless(Dealer):
    """Looks at the clock where a Dealer does not."""

    def pause(self, message: PauseMessage) -> None:
        super().pause(message)
        assert self.now > 0


PLAYER = PID("player", "b", 5050)


@pytest.fixture
def casino(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that the command line names."""
    module = ModuleType("casino")
    module.dealer = lambda: Dealer(PLAYER)
    module.forgetful = lambda: Forgetful(PLAYER)
    module.restless = lambda: Restless(PLAYER)
    monkeypatch.setitem(sys.modules, "casino", module)


def record_a_game(directory: Path, dealer: Process, has_inputs: bool = True) -> Path:
    world = World(seed=5)
    here, there = world.node("a"), world.node("b")
    recorders = record(world, directory, here, there)
    if has_inputs:
        record_inputs(here, recorders[0])
    player = there.spawn(Player(), "player")
    pid = here.spawn(dealer, "dealer")
    for count in range(1, 6):
        here.send(pid, DealMessage(count))
        world.advance(1)
    there.terminate(player)
    world.advance(5)
    here.terminate(pid)
    world.settle()
    for recorder in recorders:
        recorder.close()
    return directory


@pytest.mark.usefixtures("casino")
def test_an_actor_does_the_same_again(tmp_path: Path, trace: Trace):
    game = record_a_game(tmp_path / "game", Dealer(PLAYER))
    found = trace("replay", "dealer@a:5050", "casino:dealer", game)
    assert found.status == 0, found.text
    assert found.lines[0].startswith("the same: 13 turns, ")


@pytest.mark.usefixtures("casino")
def test_the_first_difference_is_named(tmp_path: Path, trace: Trace):
    game = record_a_game(tmp_path / "game", Forgetful(PLAYER))
    found = trace("replay", "dealer@a:5050", "casino:forgetful", game)
    assert found.status == 1
    assert "DealMessage(count=3)" in found.lines[1]
    assert ", 0], time=" in found.lines[2].partition("now")[0]
    assert ", 1], time=" in found.lines[2].partition("now")[2]


@pytest.mark.usefixtures("casino")
def test_an_actor_of_another_version_asks_for_something_else(tmp_path: Path, trace: Trace):
    game = record_a_game(tmp_path / "game", Dealer(PLAYER))
    found = trace("replay", "dealer@a:5050", "casino:restless", game)
    assert found.status == 1
    assert "PauseMessage()" in found.lines[1]
    assert "it asks for the time, which it did not then" in found.lines[2]


@pytest.mark.usefixtures("casino")
def test_without_inputs_it_is_said(tmp_path: Path, trace: Trace):
    game = record_a_game(tmp_path / "game", Dealer(PLAYER), has_inputs=False)
    found = trace("replay", "dealer@a:5050", "casino:dealer", game)
    assert "does not tell what actors were told of time and chance" in found.lines[0]
    assert "it asks for" in found.text


@pytest.mark.usefixtures("casino")
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nobody@a:5050", "casino:dealer"], "no recording tells of the spawn of nobody@a:5050"),
        (["dealer", "casino:dealer"], "expected id@host:port, found 'dealer'"),
        (["dealer@a:5050", "casino"], "expected MODULE:FUNCTION, which makes the actor, found 'casino'"),
        (["dealer@a:5050", "casino:croupier"], "casino:croupier cannot be imported"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, trace: Trace, arguments: list[str], text: str):
    game = record_a_game(tmp_path / "game", Dealer(PLAYER))
    with pytest.raises(OperatorError, match=text.split("(")[0]):
        trace("replay", *arguments, game)
