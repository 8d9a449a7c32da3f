"""A node in a process of its own, for tests of what happens between processes."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

import psutil

from libprocess import PID, Message, Process

SECONDS = 30.0
"""How long anything is waited for. A machine may be busy; what never happens fails all the same."""


class TalkMessage(Message, frozen=True):
    """From a test to a Talker: something to keep, and to answer with how much it has kept."""

    text: str = ""
    filling: bytes = b""


class KeptMessage(Message, frozen=True):
    """From a Talker: the texts it has kept so far."""

    texts: tuple[str, ...]


class ReportMessage(Message, frozen=True):
    """From a test to a Talker: tell what you kept."""


class TellMessage(Message, frozen=True):
    """From a test to a Talker: tell somebody else so many things, numbered from 0."""

    to: PID
    count: int
    filling: bytes = b""


class Talker(Process):
    """Keeps the texts it is told, and tells others."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def talk(self, message: TalkMessage) -> None:
        self.texts.append(message.text)

    def report(self, message: ReportMessage) -> None:
        self.reply(KeptMessage(tuple(self.texts)))

    def tell(self, message: TellMessage) -> None:
        for number in range(message.count):
            self.send(message.to, TalkMessage(str(number), message.filling))


class FarNode:
    """The process. It ends with the `with` statement, whatever it is doing."""

    def __init__(self, **options: Any) -> None:
        """Takes what `open_node` takes, as far as JSON can say it."""
        command = [sys.executable, "-m", "tests.system.far_node", json.dumps(options)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.talker = PID.parse(self.process.stdout.readline().strip())

    @property
    def memory_bytes(self) -> int:
        """What the process takes now."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def kill(self) -> None:
        """End it as kill -9 does, and wait until it is gone."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
