"""Small actors that the tests of the simulation let loose."""

from __future__ import annotations

from libprocess import PID, ExitedMessage, Message, Process


class NoteMessage(Message, frozen=True):
    """From anyone to a Notebook, or to a Writer who hands it on."""

    text: str


class CountMessage(Message, frozen=True):
    """From anyone to a Notebook: how many notes are there?"""


class CountedMessage(Message, frozen=True):
    """A Notebook's answer."""

    notes: int


class BeatMessage(Message, frozen=True):
    """From a Chatter to itself."""


class Notebook(Process):
    """Keeps what it is sent, and when, and who ended."""

    def initialize(self) -> None:
        self.notes: list[str] = []
        self.times: list[float] = []
        self.ends: list[str] = []

    def note(self, message: NoteMessage) -> None:
        self.notes.append(message.text)
        self.times.append(self.now)

    def count(self, message: CountMessage) -> None:
        self.reply(CountedMessage(len(self.notes)))

    def exited(self, message: ExitedMessage) -> None:
        self.ends.append(message.reason)


class Writer(Process):
    """Hands on what it is told to a notebook, and learns of its end."""

    def __init__(self, notebook: PID, links: bool = True) -> None:
        self.notebook = notebook
        self.links = links
        self.ends: list[str] = []

    def initialize(self) -> None:
        if self.links:
            self.link(self.notebook)

    def note(self, message: NoteMessage) -> None:
        self.send(self.notebook, message)

    def exited(self, message: ExitedMessage) -> None:
        self.ends.append(message.reason)


class Chatter(Process):
    """Writes to all others at times left to chance, and notes on its disk what it hears."""

    def __init__(self, others: tuple[PID, ...]) -> None:
        self.others = others
        self.heard: set[str] = set()

    def initialize(self) -> None:
        self.delay(self.chance.random(), BeatMessage())

    def beat(self, message: BeatMessage) -> None:
        for other in self.others:
            self.send(other, NoteMessage(f"{self.pid} {self.chance.random()}"))
        self.delay(self.chance.expovariate(1.0), BeatMessage())

    def note(self, message: NoteMessage) -> None:
        self.heard.add(message.text)
        self.storage.append("heard", message.text.encode())
        if len(self.heard) % 10 == 0:
            self.storage.sync("heard")
