"""The driver of a scheduler that lives inside its actor: no thread and no loop of its own, as in a simulation."""

from __future__ import annotations

from libprocess.message import Message
from mesos.access.credentials import Credential
from mesos.driver import DriverStatus, News
from mesos.scheduler.callbacks import Scheduler
from mesos.scheduler.calls import SchedulerCalls
from mesos.scheduler.process import SchedulerProcess
from mesos.scheduler.registration import Detect
from mesos.types import FrameworkInfo
from mesos.types.constraint import OfferConstraints


class LocalSchedulerDriver(SchedulerCalls):
    """Calls the scheduler back in the turns of `process`, an actor that somebody else spawns where it is to live."""

    def __init__(
        self,
        scheduler: Scheduler,
        framework: FrameworkInfo,
        detect: Detect,
        implicit_acknowledgements: bool = True,
        suppressed_roles: tuple[str, ...] = (),
        offer_constraints: tuple[OfferConstraints, ...] = (),
        credential: Credential | None = None,
    ) -> None:
        super().__init__(scheduler, implicit_acknowledgements)
        self.process = SchedulerProcess(
            framework, detect, self._deliver, suppressed_roles, offer_constraints, credential
        )
        self._reach(DriverStatus.RUNNING)

    def _tell(self, message: Message) -> None:
        self.process.send(self.process.pid, message)

    def _deliver(self, news: News) -> None:
        self._call_back(news)
        self._called_back(news)
