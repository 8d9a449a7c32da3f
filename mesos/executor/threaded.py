"""The driver for programs without an event loop: the executor is called back on a thread of its own."""

from __future__ import annotations

import queue
import threading

from libprocess.edge import ThreadedNode
from libprocess.message import Message
from mesos.driver import DriverStatus, News
from mesos.executor.callbacks import Executor
from mesos.executor.calls import ExecutorCalls
from mesos.executor.place import ExecutorPlace
from mesos.executor.process import ExecutorProcess
from mesos.watchdog import PATIENCE_SECONDS, Watchdog


class ExecutorDriver(ExecutorCalls):
    """Runs an executor for the agent that started this program.

        ExecutorDriver(MyExecutor()).run()

    Its methods are for any thread. A callback that takes long holds up the next ones, but nothing else. One that raises
    ends the driver; `join` raises it again. One that does not return is named in the log (see `patience_seconds`).
    """

    patience_seconds = PATIENCE_SECONDS
    """A callback that takes longer is said to block."""

    def __init__(self, executor: Executor, place: ExecutorPlace | None = None) -> None:
        """Without a `place`, it is what the agent left in the environment."""
        super().__init__(executor)
        self._place = place or ExecutorPlace.from_environment()
        self._news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._error: Exception | None = None

    def start(self) -> DriverStatus:
        """Begin to register with the agent."""
        if self._status is not DriverStatus.NOT_STARTED:
            return self._status
        self._node = ThreadedNode(keys=self._place.keys)
        self._watchdog = Watchdog(self.patience_seconds)
        self._watchdog.start()
        self._reach(DriverStatus.RUNNING)
        self._pid = self._node.spawn(ExecutorProcess(self._place, self._news.put), "executor")
        for target in (self._serve, self._see_it_end):
            threading.Thread(target=target, name=target.__qualname__, daemon=True).start()
        return self._status

    def join(self) -> DriverStatus:
        """Wait until the driver has stopped or aborted; raises what a callback raised."""
        if self._status is not DriverStatus.NOT_STARTED:
            self._over.wait()
        if self._error is not None:
            raise self._error
        return self._status

    def run(self) -> DriverStatus:
        """Start, and wait for the end."""
        self.start()
        return self.join()

    def abort(self) -> DriverStatus:
        """See `ExecutorCalls.abort`."""
        super().abort()
        self._over.set()
        return self._status

    def _tell(self, message: Message) -> None:
        try:
            self._node.send(self._pid, message)
        except RuntimeError:  # its loop is closed
            if self._status is DriverStatus.RUNNING:
                raise
            # The actor has ended after this thread had looked: the call comes too late, as any later one.

    def _serve(self) -> None:
        """The thread of the callbacks."""
        while (news := self._news.get()) is not None:
            self._watchdog.began(self._name_of(news))
            try:
                self._call_back(news)
            except Exception as error:
                self._error = error
                self.stop()
            self._watchdog.ended()

    def _see_it_end(self) -> None:
        """The thread that cleans up once the actor has ended."""
        self._node.wait(self._pid)
        self._reach(DriverStatus.STOPPED)
        self._watchdog.stop()
        self._news.put(None)
        self._node.close()
        self._over.set()
