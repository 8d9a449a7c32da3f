"""The mail that the runtime's benchmarks send, and the actors on both ends of it."""

from __future__ import annotations

import os
import time

from libprocess import PID, Message, Process


class TaskNewsMessage(Message, frozen=True):
    """From a teller to a sink: the size and shape of a status update, 79 bytes with 16 of data."""

    framework_id: str
    task_id: str
    state: int
    timestamp: float
    data: bytes

    @classmethod
    def of_size(cls, data_bytes: int) -> TaskNewsMessage:
        """One with that much data."""
        return cls("f" * 32, "t" * 14, 1, 1.7e9, os.urandom(data_bytes))


class WindowMessage(Message, frozen=True):
    """From a teller to its sink, before it tells: answer once after each that many messages."""

    messages: int


class TakenMessage(Message, frozen=True):
    """From a sink to its teller: another window of messages was taken."""


class EchoMessage(TaskNewsMessage, frozen=True):
    """To a sink, and back: the same news as a question, and as its answer."""


class CpuMessage(Message, frozen=True):
    """To a sink, and back: the cpu time that its process has used, in seconds."""

    seconds: float = 0


class Sink(Process):
    """Takes news, and says so once per window."""

    def initialize(self) -> None:
        self.taken = 0
        self.window_messages = 1 << 60
        self.teller = self.pid

    def window(self, message: WindowMessage) -> None:
        self.taken = 0
        self.teller = self.sender
        self.window_messages = message.messages

    def task_news(self, message: TaskNewsMessage) -> None:
        self.taken += 1
        if self.taken == self.window_messages:
            self.taken = 0
            self.send(self.teller, TakenMessage())

    def echo(self, message: EchoMessage) -> None:
        self.reply(message)

    def cpu(self, message: CpuMessage) -> None:
        self.reply(CpuMessage(time.process_time()))


class Teller(Process):
    """Sends a number of windows of news to a sink, two ahead of what was taken; ends when all were."""

    def __init__(self, to: PID, news: TaskNewsMessage, windows: int, window_messages: int) -> None:
        self.to = to
        self.news = news
        self.windows = windows
        self.window_messages = window_messages
        self.waiting = 0

    def initialize(self) -> None:
        self.send(self.to, WindowMessage(self.window_messages))
        self._tell()
        self._tell()

    def taken(self, message: TakenMessage) -> None:
        self.waiting -= 1
        self._tell()
        if not self.waiting:
            self.terminate()

    def _tell(self) -> None:
        if not self.windows:
            return
        self.windows -= 1
        self.waiting += 1
        self.tell()

    def tell(self) -> None:
        """Send one window of news."""
        send, to, news = self.send, self.to, self.news
        for _ in range(self.window_messages):
            send(to, news)


class Counter(Process):
    """Takes news, and does with it what the reference does: counts."""

    def initialize(self) -> None:
        self.count = 0

    def task_news(self, message: TaskNewsMessage) -> None:
        self.count += 1


class Neighbour(Process):
    """Sends windows of news to an actor of its own node, each when the one before was handled; then ends."""

    def __init__(self, to: PID, news: TaskNewsMessage, windows: int, window_messages: int) -> None:
        self.to = to
        self.news = news
        self.windows = windows
        self.window_messages = window_messages

    def initialize(self) -> None:
        self.send(self.pid, TakenMessage())

    def taken(self, message: TakenMessage) -> None:
        if not self.windows:
            self.terminate()
            return
        self.windows -= 1
        send, to, news = self.send, self.to, self.news
        for _ in range(self.window_messages):
            send(to, news)
        send(self.pid, message)  # its turn comes after theirs


class Asker(Process):
    """Sends a question to a sink again and again, so many on their way at any time; ends with the last answer."""

    def __init__(self, to: PID, asks: int, in_flight: int) -> None:
        self.to = to
        self.last = asks - in_flight
        self.in_flight = in_flight
        self.question = EchoMessage.of_size(16)
        self.took: list[float] = []
        """Seconds from each question to the next answer."""

    def initialize(self) -> None:
        self.asked = time.perf_counter()
        for _ in range(self.in_flight):
            self.send(self.to, self.question)

    def echo(self, message: EchoMessage) -> None:
        now = time.perf_counter()
        took = self.took
        took.append(now - self.asked)
        if len(took) <= self.last:
            self.asked = now
            self.send(self.to, self.question)
        elif len(took) == self.last + self.in_flight:
            self.terminate()


class Voice(Process):
    """One of many who tell the same sink."""


class Chorus(Teller):
    """A teller whose news comes from many actors in turn; a call prompts them, so that only their mail counts."""

    voices: list[Voice]

    def tell(self) -> None:
        """Have every voice send one piece of news."""
        for voice in self.voices:
            voice.send(self.to, self.news)
