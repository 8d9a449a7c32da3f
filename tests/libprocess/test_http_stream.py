"""Responses that go on, on real sockets: one chunk per message, bounded, and ended from either side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from libprocess import PID, Message, Process, Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.server import HttpServer
from libprocess.http.stream import HttpChunkMessage, HttpStream, HttpStreamEndMessage
from libprocess.process import ExitedMessage
from libprocess.system import DiskStorage, LoopClock
from tests.libprocess.test_http import NoNetwork


class SayMessage(Message, frozen=True):
    """To the radio: send this to all who listen; without data, end."""

    data: bytes = b""


class Radio(Process):
    """Streams what it is told to say."""

    def __init__(self, waiting_bytes_max: int = 1 << 20) -> None:
        self.waiting_bytes_max = waiting_bytes_max
        self.listeners: list[PID] = []
        self.changed = asyncio.Event()

    def initialize(self) -> None:
        self.route("/listen", self.listen)

    def listen(self, request: HttpRequest) -> HttpResponse:
        stream = self.spawn(HttpStream(self.waiting_bytes_max))
        self.link(stream)
        self.listeners.append(stream)
        self.send(stream, HttpChunkMessage(b"welcome"))
        self.changed.set()
        return HttpResponse.streamed(stream, "text/x-news", (("X-Station", "1"),))

    def say(self, message: SayMessage) -> None:
        for listener in self.listeners:
            self.send(listener, HttpChunkMessage(message.data) if message.data else HttpStreamEndMessage())

    def exited(self, message: ExitedMessage) -> None:
        self.listeners.remove(message.pid)
        self.changed.set()

    async def until(self, count: int) -> None:
        """Wait until so many listen."""
        while len(self.listeners) != count:
            self.changed.clear()
            await self.changed.wait()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Station:
    """A radio, served."""

    def __init__(self, directory: Path, waiting_bytes_max: int) -> None:
        clock, storage = LoopClock(asyncio.get_running_loop()), DiskStorage(directory)
        self.runtime = Runtime(clock=clock, network=NoNetwork(), chance=random.Random(1), storage=storage)
        self.radio = Radio(waiting_bytes_max)
        self.pid = self.runtime.spawn(self.radio)
        self.server = HttpServer(self.runtime, root=self.pid.id)

    def say(self, data: bytes = b"") -> None:
        self.runtime.send(self.pid, SayMessage(data))

    async def listen(self, version: str = "1.1") -> Connection:
        """A client that has read the head of the response."""
        reader, writer = await asyncio.open_connection(*self.server.address)
        writer.write(f"GET /listen HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        return reader, writer

    @property
    def dropped(self) -> int:
        return int(self.runtime.metrics.snapshot().get("http/streams_dropped", 0))


Story = Callable[[Station], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[..., None]:
    """Runs a story with a station, and ends both."""

    def run(story: Story, waiting_bytes_max: int = 1 << 20) -> None:
        async def told() -> None:
            station = Station(tmp_path, waiting_bytes_max)
            await station.server.start()
            try:
                async with asyncio.timeout(20):
                    await story(station)
            finally:
                await station.server.close()
                station.runtime.close()

        asyncio.run(told())

    return run


async def head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


async def chunk(reader: asyncio.StreamReader) -> bytes:
    size = int(await reader.readline(), 16)
    data = await reader.readexactly(size)
    assert await reader.readexactly(2) == b"\r\n"
    return data


def test_each_message_is_one_chunk_and_leaves_at_once(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen()
        start = await head(reader)
        assert start.startswith("HTTP/1.1 200 OK")
        assert "Content-Type: text/x-news\r\n" in start
        assert "X-Station: 1" in start
        assert await chunk(reader) == b"welcome"
        station.say(b"one")
        station.say(b"two")
        assert [await chunk(reader), await chunk(reader)] == [b"one", b"two"]
        writer.close()

    tell(story)


def test_a_stream_that_was_ended_ends_after_its_last_chunk(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen()
        await station.radio.until(1)
        station.say(b"bye")
        station.say()
        await head(reader)
        assert [await chunk(reader) for _ in range(3)] == [b"welcome", b"bye", b""]
        await station.radio.until(0)
        writer.close()

    tell(story)


def test_a_client_that_leaves_is_noticed(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen()
        await head(reader)
        writer.close()
        await station.radio.until(0)
        assert station.dropped == 0

    tell(story)


def test_a_client_that_says_that_it_sends_no_more_is_left(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen()
        await head(reader)
        await station.radio.until(1)
        writer.write_eof()
        await station.radio.until(0)
        writer.close()

    tell(story)


def test_a_client_that_does_not_read_is_dropped(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        _, writer = await station.listen()
        await station.radio.until(1)
        while station.dropped == 0:  # once the buffers of the system are full
            station.say(b"x" * 100_000)
            await asyncio.sleep(0)
        await station.radio.until(0)
        writer.close()

    tell(story, waiting_bytes_max=1_000_000)


def test_the_server_ends_its_streams_when_it_closes(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen()
        await head(reader)
        await station.server.close()
        await station.radio.until(0)
        writer.close()

    tell(story)


def test_a_client_of_http_1_0_gets_the_bytes_without_chunks(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        reader, writer = await station.listen("1.0")
        await station.radio.until(1)
        station.say(b" and bye")
        station.say()
        await head(reader)
        assert await reader.read() == b"welcome and bye"
        writer.close()

    tell(story)


def test_a_stream_whose_client_left_before_the_answer_is_ended(tell: Callable[..., None]):
    async def story(station: Station) -> None:
        answer = asyncio.ensure_future(station.runtime.routes.answer(HttpRequest("GET", "/listen")))
        await asyncio.sleep(0)
        answer.cancel()
        await station.radio.changed.wait()
        await station.radio.until(0)

    tell(story)
