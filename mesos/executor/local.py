"""The driver of an executor that lives inside its actor: no thread and no loop of its own, as in a simulation."""

from __future__ import annotations

from libprocess.message import Message
from mesos.driver import DriverStatus, News
from mesos.executor.callbacks import Executor
from mesos.executor.calls import ExecutorCalls
from mesos.executor.place import ExecutorPlace
from mesos.executor.process import ExecutorProcess


class LocalExecutorDriver(ExecutorCalls):
    """Calls the executor back in the turns of `process`, an actor that somebody else spawns where it is to live."""

    def __init__(self, executor: Executor, place: ExecutorPlace) -> None:
        super().__init__(executor)
        self.process = ExecutorProcess(place, self._deliver)
        self._reach(DriverStatus.RUNNING)

    def _tell(self, message: Message) -> None:
        self.process.send(self.process.pid, message)

    def _deliver(self, news: News) -> None:
        self._call_back(news)
