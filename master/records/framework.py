"""One framework: its scheduler, its tasks and executors, what it is offered, and what became of its tasks."""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import Enum

from libprocess.pid import PID
from libprocess.timers import Timer
from master.records.holdings import Holdings
from master.records.operation import OperationRecord
from master.records.task import TaskRecord
from master.records.watched import Watched
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, OperationID, TaskID
from mesos.resources import Resources
from mesos.types import ExecutorInfo, FrameworkCapability, FrameworkInfo, Offer
from mesos.types.constraint import OfferConstraints


class FrameworkState(Enum):
    """How its scheduler stands to this master."""

    RECOVERED = "known from agents only; its scheduler has not come yet"
    ACTIVE = "its scheduler is connected and gets offers"
    INACTIVE = "its scheduler is connected and gave up"
    DISCONNECTED = "its scheduler is gone, and may come back"
    COMPLETED = "it ended, and cannot come back"


class FrameworkRecord(Watched):
    """A framework, from its registration, or from the first agent that reports it, until its history is forgotten."""

    def __init__(
        self,
        id: FrameworkID,
        info: FrameworkInfo,
        pid: PID | None,
        now: float,
        *,
        completed_tasks_max: int,
        unreachable_tasks_max: int,
    ) -> None:
        self.id = id
        self.info = info
        self.pid = pid
        """Its scheduler; None if that has not come yet."""
        self.state = FrameworkState.RECOVERED if pid is None else FrameworkState.ACTIVE
        self.registered_time = now
        self.reregistered_time: float | None = None
        self.unregistered_time: float | None = None
        self.suppressed_roles: frozenset[str] = frozenset()
        self.tasks: dict[TaskID, TaskRecord] = {}
        self.unreachable_tasks: OrderedDict[TaskID, TaskRecord] = OrderedDict()
        self.completed_tasks: deque[TaskRecord] = deque(maxlen=completed_tasks_max)
        self.executors: dict[tuple[AgentID, ExecutorID], ExecutorInfo] = {}
        self.offers: dict[OfferID, Offer] = {}
        self.operations: dict[OperationID, OperationRecord] = {}
        """Those of which it wants to know what becomes of them, and has not acknowledged it yet."""
        self.constraints: tuple[OfferConstraints, ...] = ()
        """What it demands of agents."""
        self.used: Holdings[AgentID] = Holdings()
        """What its tasks and executors hold, by agent."""
        self.on_offer: Holdings[OfferID] = Holdings()
        """What each of its offers holds."""
        self.patience: Timer | None = None
        """While its scheduler is gone: comes due when the failover timeout is over."""
        self._unreachable_tasks_max = unreachable_tasks_max

    @property
    def connected(self) -> bool:
        """Whether its scheduler can be told things."""
        return self.state in (FrameworkState.ACTIVE, FrameworkState.INACTIVE)

    @property
    def is_orphan(self) -> bool:
        """Whether it is known from agents only."""
        return self.state is FrameworkState.RECOVERED

    @property
    def active(self) -> bool:
        """Whether it gets offers."""
        return self.state is FrameworkState.ACTIVE

    @property
    def offered(self) -> Resources:
        """What it is offered."""
        return self.on_offer.total()

    @property
    def partition_aware(self) -> bool:
        """Whether it knows the states that tell apart how a task was lost."""
        return FrameworkCapability.PARTITION_AWARE in self.info.capabilities

    def agent_ids(self) -> list[AgentID]:
        """The agents where it has something running."""
        return sorted({task.agent_id for task in self.tasks.values()} | {agent_id for agent_id, _ in self.executors})

    def subscribe(self, info: FrameworkInfo, now: float) -> None:
        """Its scheduler is back, perhaps another one than before."""
        self.info = info
        self.state = FrameworkState.ACTIVE
        self.reregistered_time = now
        self.stop_waiting()

    def restrict(self, suppressed_roles: tuple[str, ...], constraints: tuple[OfferConstraints, ...]) -> None:
        """What its scheduler does not want to be offered."""
        self.suppressed_roles = frozenset(suppressed_roles)
        self.constraints = constraints

    def leave(self, state: FrameworkState) -> None:
        """Its scheduler gave up, or is gone."""
        self.state = state

    def complete(self, now: float) -> None:
        """It ended."""
        self.state = FrameworkState.COMPLETED
        self.unregistered_time = now
        self.stop_waiting()

    def stop_waiting(self) -> None:
        """Whether its scheduler comes back in time does not matter any more."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    def remember_unreachable(self, task: TaskRecord) -> None:
        """Keep a task whose agent is out of reach; the oldest gives way."""
        self.unreachable_tasks[task.task_id] = task
        if len(self.unreachable_tasks) > self._unreachable_tasks_max:
            self.unreachable_tasks.popitem(last=False)
