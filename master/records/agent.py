"""One agent: what it has, what runs there, what is on offer, and whether it can be reached."""

from __future__ import annotations

from libprocess.pid import PID
from libprocess.timers import Timer
from master.records.holdings import Holdings
from master.records.operation import OperationRecord
from master.records.task import TaskRecord
from master.records.watched import Watched
from master.registrar.entries import Drain
from mesos.conversions import with_lasting
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.messages import KillTaskMessage
from mesos.resources import Resources
from mesos.types import AgentCapability, AgentInfo, ExecutorInfo, Offer

NOTHING = Resources()


class AgentRecord(Watched):
    """An agent that is registered. It is offered while it is `active`, which a disconnected one never is."""

    def __init__(
        self,
        id: AgentID,
        pid: PID,
        info: AgentInfo,
        version: str,
        capabilities: tuple[AgentCapability, ...],
        observer: PID,
        now: float,
        lasting: Resources = NOTHING,
    ) -> None:
        """`lasting` is what was reserved there before, and the volumes that were made. ValueError if it has less."""
        self.id = id
        self.pid = pid
        self.info = info
        self.total = with_lasting(info.resources, lasting)
        """All it has, with its reservations and volumes."""
        self.version = version
        self.capabilities = capabilities
        self.observer = observer
        """The actor that pings it."""
        self.registered_time = now
        self.reregistered_time: float | None = None
        self.connected = True
        self.drain: Drain | None = None
        """An operator wants it to be empty."""
        self.killed_at: float | None = None
        """When what was left there was last told to end, for that."""
        self.finishing: Drain | None = None
        """It is empty, for that, which is being written down."""
        self.is_deactivated = False
        """An operator does not want it to be offered."""
        self.serial = 0
        """How many agents had been announced to the allocator when this one was."""
        self.tasks: dict[tuple[FrameworkID, TaskID], TaskRecord] = {}
        self.executors: dict[tuple[FrameworkID, ExecutorID], ExecutorInfo] = {}
        self.ending: set[FrameworkID] = set()
        """Frameworks that were shut down, of which something may still run there."""
        self.offers: dict[OfferID, Offer] = {}
        self.used: Holdings[FrameworkID] = Holdings()
        """What tasks and executors hold there, by framework."""
        self.kills_to_send: dict[tuple[FrameworkID, TaskID], KillTaskMessage] = {}
        """Orders that came while it was disconnected."""
        self.operations: dict[bytes, OperationRecord] = {}
        """Those it was told to apply, in order, until what became of them is acknowledged; by their uuids."""
        self.patience: Timer | None = None
        """While it is disconnected: comes due when it has stayed away for too long."""

    @property
    def active(self) -> bool:
        """Whether its resources may be offered."""
        return self.connected and not self.is_deactivated

    @property
    def offered(self) -> Resources:
        """What is on offer, to whomever."""
        return Resources.sum(offer.resources for offer in self.offers.values())

    def framework_ids(self) -> list[FrameworkID]:
        """The frameworks that have something running there."""
        return sorted({framework_id for framework_id, _ in (*self.tasks, *self.executors)})

    def is_same_machine(self, pid: PID, info: AgentInfo) -> bool:
        """Whether an agent that calls itself this one can be it: an id does not move to another machine."""
        return self.pid.host == pid.host and self.info.hostname == info.hostname

    def disconnect(self) -> None:
        """It cannot be reached; what runs there may run on."""
        self.connected = False

    def convert(self, before: Resources, after: Resources) -> None:
        """Some of what it has becomes something else. ValueError if it has less."""
        self.total = self.total - before + after

    def reconnect(
        self,
        info: AgentInfo,
        version: str,
        capabilities: tuple[AgentCapability, ...],
        now: float,
        lasting: Resources = NOTHING,
    ) -> None:
        """It is back, perhaps started anew, perhaps with other resources."""
        self.info = info
        self.total = with_lasting(info.resources, lasting)
        self.version = version
        self.capabilities = capabilities
        self.connected = True
        self.reregistered_time = now
        self.stop_waiting()

    def stop_waiting(self) -> None:
        """Whether it comes back in time does not matter any more."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None
