"""The driver for programs without an event loop: the scheduler is called back on a thread of its own."""

from __future__ import annotations

import queue
import threading

from libprocess.edge import ThreadedNode
from libprocess.message import Message
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


class SchedulerDriver(SchedulerCalls):
    """Runs a scheduler against the master whose web page is at `master`, a `host:port`, or one found by a `zk://` URL.

        driver = SchedulerDriver(MyScheduler(), FrameworkInfo(user="", name="mine"), "127.0.0.1:5050")
        driver.run()

    Its methods are for any thread. A callback that takes long holds up the next ones, but nothing else. One that raises
    aborts the driver; `join` raises it again. One that does not return is named in the log (see `patience_seconds`).
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
        self._news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._error: Exception | None = None

    def start(self) -> DriverStatus:
        """Begin to look for the master and to register. OSError if there can be no node."""
        if self._status is not DriverStatus.NOT_STARTED:
            return self._status
        self._node = ThreadedNode(**node_options(self._master), keys=self._keys)
        finder = master_finder(self._node.runtime, self._master)
        process = SchedulerProcess(
            self._framework, lambda pid: MasterDetector(pid, finder), self._news.put, *self._terms
        )
        self._watchdog = Watchdog(self.patience_seconds)
        self._watchdog.start()
        self._reach(DriverStatus.RUNNING)
        self._pid = self._node.spawn(process, scheduler_id())
        self._threads = [
            threading.Thread(target=target, name=target.__qualname__, daemon=True)
            for target in (self._serve, self._see_it_end)
        ]
        for thread in self._threads:
            thread.start()
        return self._status

    def stop(self, failover: bool = False) -> DriverStatus:
        """See `SchedulerCalls.stop`. Called from outside a callback, it returns when the master has written it down."""
        status = super().stop(failover)
        if status is DriverStatus.STOPPED and threading.current_thread() not in self._threads:
            self._threads[1].join()
        return status

    def join(self) -> DriverStatus:
        """Wait until the driver is stopped or aborted; raises what a callback raised."""
        if self._status is not DriverStatus.NOT_STARTED:
            self._over.wait()
        if self._status is DriverStatus.STOPPED:
            for thread in self._threads:
                thread.join()
        if self._error is not None:
            raise self._error
        return self._status

    def run(self) -> DriverStatus:
        """Start, and wait for the end."""
        self.start()
        return self.join()

    def _tell(self, message: Message) -> None:
        try:
            self._node.send(self._pid, message)
        except RuntimeError:  # its loop is closed
            if self._status is DriverStatus.RUNNING:
                raise
            # Another thread stopped the driver after this one had looked: the call comes too late, as any later one.

    def _reach(self, status: DriverStatus) -> DriverStatus:
        super()._reach(status)
        is_called_back = status is DriverStatus.ABORTED and threading.current_thread() is self._threads[0]
        if status in (DriverStatus.ABORTED, DriverStatus.STOPPED) and not is_called_back:
            self._over.set()
        return status

    def _serve(self) -> None:
        """The thread of the callbacks."""
        while (news := self._news.get()) is not None:
            self._watchdog.began(self._name_of(news))
            try:
                self._call_back(news)
                self._called_back(news)
            except Exception as error:
                self._error = error
                self.abort()
            self._watchdog.ended()
            if self._status is DriverStatus.ABORTED:  # whoever joins would end the program, and the callback with it
                self._over.set()

    def _see_it_end(self) -> None:
        """The thread that cleans up once the actor has ended."""
        reason = self._node.wait(self._pid)
        if self._status is not DriverStatus.STOPPED:
            self._error = RuntimeError(f"the scheduler's actor {reason}")
            self._reach(DriverStatus.STOPPED)
        self._node.close()
        self._watchdog.stop()
        self._news.put(None)
