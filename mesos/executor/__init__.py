"""Writing an executor: subclass `Executor`, and hand it to a driver that runs it.

`ExecutorDriver` runs it on a thread, `AsyncExecutorDriver` on a loop that there is already, `LocalExecutorDriver`
inside its own actor, as a simulation does.
"""

from __future__ import annotations

from mesos.driver import DriverStatus
from mesos.executor.asynchronous import AsyncExecutorDriver
from mesos.executor.callbacks import Executor
from mesos.executor.calls import ExecutorCalls
from mesos.executor.local import LocalExecutorDriver
from mesos.executor.place import ExecutorPlace
from mesos.executor.process import ExecutorProcess
from mesos.executor.threaded import ExecutorDriver

__all__ = [
    "AsyncExecutorDriver",
    "DriverStatus",
    "Executor",
    "ExecutorCalls",
    "ExecutorDriver",
    "ExecutorPlace",
    "ExecutorProcess",
    "LocalExecutorDriver",
]
