"""One session with ZooKeeper, on the loop that uses it: kazoo works on threads of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import ConnectionLoss, OperationTimeoutError, SessionExpiredError
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol.serialization import Connect
from kazoo.security import CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

from mesos.detector.zookeeper.url import ZooKeeperUrl

RETRIES = {"max_tries": -1, "delay": 0.1, "backoff": 2, "max_delay": 1.0}
ANSWER_SECONDS_MIN = 0.5
"""However short a session, a server has so long to take it up."""

TICKS = 10
"""How often during its timeout a session looks at the clock."""

INTERRUPTED = (ConnectionLoss, OperationTimeoutError, SessionExpiredError)
"""A call that was under way when the connection broke; it may have come to pass or not."""

# At lower levels it writes credentials, and a line for each attempt to connect; what matters is told by who uses this.
kazoo_log = logging.getLogger("mesos.detector.kazoo")
kazoo_log.setLevel(logging.CRITICAL)


class _Handler(SequentialThreadingHandler):  # type: ignore[misc]
    """Gives up a server that cannot be reached so early that all others can be tried before the session is over.

    Of its time two thirds may have passed until a connection was found to be broken. kazoo would spend more than what
    is left on the first server it tries, which may be the very one that was lost.
    """

    def __init__(self, servers: int) -> None:
        super().__init__()
        self._servers = servers

    def create_connection(self, *arguments: Any, timeout: float, **options: Any) -> Any:
        """See kazoo, whose timeout is the session's."""
        return super().create_connection(*arguments, timeout=timeout / 3 / self._servers, **options)


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
        self._client = KazooClient(
            ",".join(map(str, url.servers)),
            timeout_seconds,
            connection_retry=RETRIES,
            auth_data=[("digest", url.credentials)] if url.credentials else None,
            default_acl=CREATOR_ALL_ACL + READ_ACL_UNSAFE if url.credentials else OPEN_ACL_UNSAFE,
            handler=_Handler(len(url.servers)),
            logger=kazoo_log,
        )
        self._look_into(self._client)
        self._client.add_listener(lambda state: self._from_thread(self._changed, state))
        self._client.start_async()

    def _look_into(self, client: KazooClient) -> None:
        """Learn what ZooKeeper allows, which kazoo hears in the answer that begins a session, and keeps to itself; and
        let nobody who is connected but does not answer use up what is left of a session that began elsewhere.
        """
        connection = client._connection
        invoke = connection._invoke

        def invoked(timeout: float, request: Any, **more: Any) -> Any:
            if not isinstance(request, Connect):
                return invoke(timeout, request, **more)
            if request.session_id:
                timeout = max(timeout / 3, ANSWER_SECONDS_MIN)
            outcome = invoke(timeout, request, **more)
            if outcome[0].time_out > 0:
                self._from_thread(setattr, self, "timeout_seconds", outcome[0].time_out / 1000)
            return outcome

        connection._invoke = invoked

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
