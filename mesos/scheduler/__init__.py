"""Writing a scheduler: subclass `Scheduler`, and hand it to a driver that runs it.

`SchedulerDriver` runs it on a thread, `AsyncSchedulerDriver` on a loop that there is already, `LocalSchedulerDriver`
inside its own actor, as a simulation does.
"""

from __future__ import annotations

from mesos.driver import DriverStatus
from mesos.scheduler.asynchronous import AsyncSchedulerDriver
from mesos.scheduler.callbacks import Scheduler
from mesos.scheduler.calls import SchedulerCalls
from mesos.scheduler.local import LocalSchedulerDriver
from mesos.scheduler.picking import pick
from mesos.scheduler.process import SchedulerProcess
from mesos.scheduler.threaded import SchedulerDriver

__all__ = [
    "AsyncSchedulerDriver",
    "DriverStatus",
    "LocalSchedulerDriver",
    "Scheduler",
    "SchedulerCalls",
    "SchedulerDriver",
    "SchedulerProcess",
    "pick",
]
