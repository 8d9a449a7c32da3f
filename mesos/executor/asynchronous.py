"""The driver for programs with an event loop: the executor is called back on that loop."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from libprocess.edge import open_node
from libprocess.message import Message
from libprocess.runtime import Runtime
from mesos.driver import DriverStatus, News
from mesos.executor.callbacks import Executor
from mesos.executor.calls import ExecutorCalls
from mesos.executor.place import ExecutorPlace
from mesos.executor.process import ExecutorProcess
from mesos.watchdog import PATIENCE_SECONDS, Watchdog


class AsyncExecutorDriver(ExecutorCalls):
    """Runs an executor, whose callbacks may be coroutines, for the agent that started this program.

        async with AsyncExecutorDriver(MyExecutor()) as driver:
            await driver.join()

    Its methods are for the loop's thread. A callback that raises ends the driver; `join` raises it again. One
    that does not return is named in the log (see `patience_seconds`).
    """

    patience_seconds = PATIENCE_SECONDS
    """A callback that takes longer is said to block."""

    def __init__(self, executor: Executor, place: ExecutorPlace | None = None) -> None:
        """Without a `place`, it is what the agent left in the environment."""
        super().__init__(executor)
        self._place = place or ExecutorPlace.from_environment()
        self._news: asyncio.Queue[News] = asyncio.Queue()
        self._over = asyncio.Event()
        self._error: Exception | None = None
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to register with the agent."""
        self._runtime: Runtime = await self._resources.enter_async_context(open_node(keys=self._place.keys))
        self._watchdog = Watchdog(self.patience_seconds)
        self._watchdog.start()
        self._resources.callback(self._watchdog.stop)
        self._reach(DriverStatus.RUNNING)
        self._pid = self._runtime.spawn(ExecutorProcess(self._place, self._news.put_nowait), "executor")
        self._runtime.when_exited(self._pid, self._ended)
        self._server = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        await self._runtime.wait(self._pid)
        self._server.cancel()
        await self._resources.aclose()

    async def join(self) -> DriverStatus:
        """Wait until the driver has stopped or aborted; raises what a callback raised."""
        await self._over.wait()
        if self._error is not None:
            raise self._error
        return self._status

    def abort(self) -> DriverStatus:
        """See `ExecutorCalls.abort`."""
        super().abort()
        self._over.set()
        return self._status

    def _tell(self, message: Message) -> None:
        self._runtime.send(self._pid, message)

    async def _serve(self) -> None:
        """Call back, one after another."""
        while True:
            news = await self._news.get()
            self._watchdog.began(self._name_of(news))
            try:
                result = self._call_back(news)
                if inspect.isawaitable(result):
                    self._watchdog.awaits(result)
                    await result
            except Exception as error:
                self._error = error
                self.stop()
            self._watchdog.ended()

    def _ended(self, reason: str) -> None:
        self._reach(DriverStatus.STOPPED)
        self._over.set()
