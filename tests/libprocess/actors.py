"""Actors that the tests of the runtime share: one that keeps what it is told, and one that does what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libprocess import PID, ExitedMessage, Message, Process


class TextMessage(Message, frozen=True):
    """To a Listener: something to keep. From an Echo: the same again."""

    text: str


class ActMessage(Message, frozen=True):
    """To a Puppet: take the act of that number."""

    number: int


class Listener(Process):
    """Keeps what it hears, in order, and from whom."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.senders: list[PID] = []
        self.ends: list[tuple[PID, str]] = []
        self.finals = 0

    def initialize(self) -> None:
        self.heard.append("begin")

    def text(self, message: TextMessage) -> None:
        self.heard.append(message.text)
        self.senders.append(self.sender)

    def exited(self, message: ExitedMessage) -> None:
        self.ends.append((message.pid, message.reason))

    def finalize(self) -> None:
        self.finals += 1
        self.heard.append("end")


class Echo(Process):
    """Says the same again to whoever says something."""

    def text(self, message: TextMessage) -> None:
        self.reply(message)


class Puppet(Listener):
    """Runs a test's code as its own, in turns of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[Callable[[Puppet], Any]] = []

    def act(self, message: ActMessage) -> None:
        self.acts[message.number](self)

    def will(self, act: Callable[[Puppet], Any]) -> ActMessage:
        """The message on which it does that."""
        self.acts.append(act)
        return ActMessage(len(self.acts) - 1)
