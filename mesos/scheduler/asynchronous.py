"""The driver for programs with an event loop: the scheduler is called back on that loop."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from libprocess.edge import open_node
from libprocess.message import Message
from libprocess.runtime import Runtime
from libprocess.zeromq import Keys
from mesos.access.credentials import Credential
from mesos.detector import MasterDetector, MasterPlace, master_finder, parse_master
from mesos.driver import DriverStatus, News
from mesos.scheduler.callbacks import Scheduler
from mesos.scheduler.calls import SchedulerCalls
from mesos.scheduler.place import filled_in, node_options, scheduler_id
from mesos.scheduler.process import SchedulerProcess
from mesos.types import FrameworkInfo
from mesos.types.constraint import OfferConstraints
from mesos.watchdog import PATIENCE_SECONDS, Watchdog


class AsyncSchedulerDriver(SchedulerCalls):
    """Runs a scheduler, whose callbacks may be coroutines, against the master at `master`: `host:port` or `zk://…`.

        async with AsyncSchedulerDriver(MyScheduler(), framework, "127.0.0.1:5050") as driver:
            await driver.join()

    At the end of the body the framework is stopped, unless it was before. Its methods are for the loop's thread. A
    callback that raises aborts the driver; `join` raises it again. One that does not return is named in the log (see
    `patience_seconds`).
    """

    patience_seconds = PATIENCE_SECONDS
    """A callback that takes longer is said to block."""

    def __init__(
        self,
        scheduler: Scheduler,
        framework: FrameworkInfo,
        master: str | MasterPlace,
        implicit_acknowledgements: bool = True,
        suppressed_roles: tuple[str, ...] = (),
        offer_constraints: tuple[OfferConstraints, ...] = (),
        credential: Credential | None = None,
        keys: Keys | None = None,
    ) -> None:
        super().__init__(scheduler, implicit_acknowledgements)
        self._framework = filled_in(framework)
        self._master = parse_master(master) if isinstance(master, str) else master
        self._keys = keys
        self._terms = (suppressed_roles, offer_constraints, credential)
        self._news: asyncio.Queue[News] = asyncio.Queue()
        self._over = asyncio.Event()
        self._error: Exception | None = None
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to look for the master and to register. OSError if there can be no node."""
        node = open_node(**node_options(self._master), keys=self._keys)
        self._runtime: Runtime = await self._resources.enter_async_context(node)
        finder = master_finder(self._runtime, self._master)
        process = SchedulerProcess(
            self._framework, lambda pid: MasterDetector(pid, finder), self._news.put_nowait, *self._terms
        )
        self._watchdog = Watchdog(self.patience_seconds)
        self._watchdog.start()
        self._resources.callback(self._watchdog.stop)
        self._reach(DriverStatus.RUNNING)
        self._pid = self._runtime.spawn(process, scheduler_id())
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
        """Wait until the driver is stopped or aborted; raises what a callback raised."""
        await self._over.wait()
        if self._error is not None:
            raise self._error
        return self._status

    def _tell(self, message: Message) -> None:
        self._runtime.send(self._pid, message)

    def _reach(self, status: DriverStatus) -> DriverStatus:
        super()._reach(status)
        is_called_back = status is DriverStatus.ABORTED and asyncio.current_task() is self._server
        if status in (DriverStatus.ABORTED, DriverStatus.STOPPED) and not is_called_back:
            self._over.set()
        return status

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
                self._called_back(news)
            except Exception as error:
                self._error = error
                self.abort()
            self._watchdog.ended()
            if self._status is DriverStatus.ABORTED:  # whoever joins would leave, and end the callback
                self._over.set()

    def _ended(self, reason: str) -> None:
        if self._status is not DriverStatus.STOPPED:
            self._error = RuntimeError(f"the scheduler's actor {reason}")
            self._reach(DriverStatus.STOPPED)
