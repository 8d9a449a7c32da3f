"""One session with ZooKeeper, on the loop that uses it: kazoo works on threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from kazoo.client import KazooState
from kazoo.exceptions import ConnectionLoss, OperationTimeoutError, SessionExpiredError

from mesos.detector.zookeeper.client import make_client
from mesos.detector.zookeeper.url import ZooKeeperUrl

TICKS = 10
"""How often during its timeout a session looks at the clock."""

INTERRUPTED = (ConnectionLoss, OperationTimeoutError, SessionExpiredError)
"""A call that was under way when the connection broke; it may have come to pass or not."""


class Session:
    """Begins at once, on the running loop, and connects as soon as it can.

    It is over when ZooKeeper says so, and by the own clock before that: a session that could not be kept alive ends
    here earlier than there, so nobody can have taken the place of who still believes to hold it.
    """

    def __init__(self, url: ZooKeeperUrl, timeout_seconds: float) -> None:
        self.over = ""
        """Why the session has ended; empty as long as it has not."""
        self._url = url
        self.timeout_seconds = timeout_seconds
        """After how long of silence ZooKeeper ends it: as was asked for, and then as ZooKeeper allows."""
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._is_connected = False
        self._was_connected = False
        self._deadline = self._ticked = self._loop.time()
        self._tick_timer: asyncio.TimerHandle | None = None
        self._client = make_client(url, timeout_seconds, lambda seconds: self._from_thread(self._allow, seconds))
        self._client.add_listener(lambda state: self._from_thread(self._changed, state))
        self._client.start_async()

    def _allow(self, seconds: float) -> None:
        self.timeout_seconds = seconds

    @property
    def id(self) -> int:
        """ZooKeeper's number for it."""
        return int(self._client.client_id[0])

    async def changes(self) -> AsyncIterator[None]:
        """A turn whenever it has connected, or something changed that was watched; until it is over."""
        while not self.over:
            self._news.clear()
            if self._is_connected:
                yield
            await self._news.wait()

    async def children(self) -> list[str]:
        """The names below the URL's path, none if there is no such path; changes of that are watched."""
        if await self._call(self._client.exists_async, self._url.path, self._watched) is None:
            return []
        return list(await self._call(self._client.get_children_async, self._url.path, self._watched))

    async def read(self, name: str) -> tuple[bytes, int]:
        """What stands there, and the id of the session that it lives with. NoNodeError if it is gone."""
        data, stat = await self._call(self._client.get_async, f"{self._url.path}/{name}")
        return data, stat.ephemeralOwner

    async def create(self, prefix: str, data: bytes) -> str:
        """Add an entry that lives with this session; its name is the prefix and the next number."""
        path = await self._call(
            lambda: self._client.create_async(
                f"{self._url.path}/{prefix}", data, ephemeral=True, sequence=True, makepath=True
            )
        )
        return str(path).rpartition("/")[2]

    def close(self) -> None:
        """Give it up, with what it created."""
        self._end("it was closed")
        # Taking leave of ZooKeeper takes a moment. The program may be over sooner, but not before it tried.
        self._loop.run_in_executor(None, self._stop)

    def _stop(self) -> None:
        with suppress(Exception):  # a connection that is broken cannot be closed in good order
            self._client.stop()
        self._client.close()

    async def _call(self, begin: Callable[..., Any], *arguments: Any) -> Any:
        """Wait for one of kazoo's asynchronous calls."""
        future: asyncio.Future[Any] = self._loop.create_future()
        begin(*arguments).rawlink(lambda result: self._from_thread(_settle, future, result))
        return await future

    def _watched(self, event: object) -> None:
        self._from_thread(self._news.set)

    def _from_thread(self, callback: Callable[..., object], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)

    # Being connected, and for how long.

    def _changed(self, state: str) -> None:
        if self.over:
            return
        self._is_connected = state == KazooState.CONNECTED
        if self._is_connected:
            self._was_connected = True
            self._keep_time()
            self._news.set()
        elif state == KazooState.SUSPENDED:
            # A broken connection shows after two thirds of the session's time at the latest: this is what is left.
            self._deadline = self._loop.time() + self.timeout_seconds / 3
        else:
            self._end("ZooKeeper ended the session" if self._was_connected else "ZooKeeper refuses the session")

    def _keep_time(self) -> None:
        if self._tick_timer is None:
            self._ticked = self._loop.time()
            self._tick_timer = self._loop.call_later(self.timeout_seconds / TICKS, self._tick)

    def _tick(self) -> None:
        now, before = self._loop.time(), self._ticked
        self._tick_timer = None
        if now - before > self.timeout_seconds * 2 / 3:  # it may not have been heard of for a third before that
            self._end(f"this program stood still for {now - before:.1f} s of a session's {self.timeout_seconds:g} s")
        elif not self._is_connected and now > self._deadline:
            self._end("ZooKeeper is out of reach")
        else:
            self._keep_time()

    def _end(self, reason: str) -> None:
        self.over = self.over or reason
        self._is_connected = False
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        self._news.set()


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():  # whoever waited was cancelled
        return
    if result.exception is None:
        future.set_result(result.value)
    else:
        future.set_exception(result.exception)
