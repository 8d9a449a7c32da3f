"""Workload: a framework that keeps a cluster busy, and remembers everything that it is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mesos.ids import AgentID, FrameworkID, OfferID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls
from mesos.states import terminal
from mesos.types import (
    CommandInfo,
    Filters,
    FrameworkCapability,
    FrameworkInfo,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)

OPEN_TASKS_MAX = 12
SECONDS_MEAN = 50.0


@dataclass
class Fate:
    """What a framework knows of one of its tasks."""

    agent_id: AgentID
    states: list[TaskState] = field(default_factory=lambda: [TaskState.TASK_STAGING])
    """In the order in which it was told of them, without repetitions."""
    uuids: dict[bytes, None] = field(default_factory=dict)
    """The updates it acknowledged, in order."""
    is_to_end: bool = False
    """The framework had it killed."""

    @property
    def state(self) -> TaskState:
        """The newest."""
        return self.states[-1]


@dataclass
class Ledger:
    """What a framework keeps when its scheduler dies: its id, and the fate of its tasks."""

    info: FrameworkInfo
    id: FrameworkID | None = None
    error: str = ""
    """Why it is over; empty while it is not."""
    is_closing: bool = False
    """It launches no more, and wants no more offers."""
    fates: dict[TaskID, Fate] = field(default_factory=dict)
    """All that it ever launched."""
    open: dict[TaskID, Fate] = field(default_factory=dict)
    """Those that have not ended, as far as it knows."""

    @property
    def partition_aware(self) -> bool:
        """Whether LOST is not the last word on a task that is out of reach."""
        return FrameworkCapability.PARTITION_AWARE in self.info.capabilities

    def is_over(self, state: TaskState) -> bool:
        """Whether a task in this state has ended: to who does not know of partitions, a lost one may come back."""
        return terminal(state) and (state is not TaskState.TASK_LOST or self.partition_aware)

    def begin(self, task_id: TaskID, agent_id: AgentID) -> None:
        """A task is about to be launched."""
        self.fates[task_id] = self.open[task_id] = Fate(agent_id)

    def note(self, status: TaskStatus) -> None:
        """There is news of a task."""
        fate = self.fates[status.task_id]
        if fate.state is not status.state:
            fate.states.append(status.state)
        if status.uuid:
            fate.uuids[status.uuid] = None
        if self.is_over(status.state):
            self.open.pop(status.task_id, None)
        else:
            self.open[status.task_id] = fate


class Workload(Scheduler):
    """Launches what fits, now and then what does not, keeps some offers for later, and asks again after every break."""

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self.ledger = ledger
        self._chance = chance
        self.is_usurped = False
        """The framework has another scheduler, by force."""
        self.when_told: Callable[[TaskStatus], None] = lambda _: None
        """Called with whatever it is told of a task."""
        self._kept: list[Offer] = []
        self._master_id = ""
        """Of the master that it registered with last."""

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        """See `Scheduler`."""
        self.ledger.id, self._master_id = framework_id, master_info.id
        self.reconcile(driver)

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        """See `Scheduler`."""
        self._kept.clear()
        self._master_id = master_info.id
        self.reconcile(driver)

    def disconnected(self, driver: SchedulerCalls) -> None:
        """See `Scheduler`."""
        self._kept.clear()

    def error(self, driver: SchedulerCalls, message: str) -> None:
        """See `Scheduler`."""
        if not self.is_usurped:
            self.ledger.error = message

    def reconcile(self, driver: SchedulerCalls) -> None:
        """Ask for what it holds for open, and for what the master does."""
        open_tasks = [TaskReference(task_id, fate.agent_id) for task_id, fate in self.ledger.open.items()]
        if open_tasks:
            driver.reconcile_tasks(open_tasks)
        driver.reconcile_tasks()

    def close(self, driver: SchedulerCalls) -> None:
        """Launch no more, and leave what there is to others."""
        self.ledger.is_closing = True
        for offer in self._kept:
            driver.decline_offer(offer.id)
        self._kept.clear()
        driver.suppress_offers()

    # Offers.

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """See `Scheduler`."""
        foreign = [offer.id for offer in offers if not offer.id.startswith(self._master_id)]
        assert not foreign, f"{self._master_id} is the master of {self.ledger.info.name}, which got offer {foreign[0]}"
        kept, self._kept = self._kept, []
        for offer in [*kept, *offers]:
            if not self.ledger.is_closing and self._chance.random() < 0.1:
                self._kept.append(offer)
            else:
                self._answer(driver, offer)

    def offer_rescinded(self, driver: SchedulerCalls, offer_id: OfferID) -> None:
        """See `Scheduler`. Now and then it did not listen."""
        if self._chance.random() < 0.9:
            self._kept = [offer for offer in self._kept if offer.id != offer_id]

    def _answer(self, driver: SchedulerCalls, offer: Offer) -> None:
        tasks = self._tasks(offer)
        refuse = Filters(self._chance.choice((0.0, 5.0, 30.0, 120.0, 120.0, 120.0)))
        if tasks:
            driver.launch_tasks(offer.id, tasks, refuse)
        else:
            driver.decline_offer(offer.id, refuse)

    def _tasks(self, offer: Offer) -> list[TaskInfo]:
        left = offer.resources.unallocate()
        tasks: list[TaskInfo] = []
        while self._may_launch() and self._chance.random() < 0.7:
            wanted = self._wanted(left)
            if wanted is None:
                break
            left -= wanted
            tasks.append(self._task(offer.agent_id, wanted))
        if tasks and self._chance.random() < 0.02:
            tasks.append(self._task(offer.agent_id, Resources.of(cpus=1000)))
        return tasks

    def _may_launch(self) -> bool:
        return not self.ledger.is_closing and len(self.ledger.open) < OPEN_TASKS_MAX

    def _wanted(self, left: Resources) -> Resources | None:
        wanted = Resources.of(cpus=self._chance.choice((0.25, 0.5, 1)), mem=self._chance.choice((32, 128, 1024)))
        wanted += self._some_port(left)
        return wanted if left.contains(wanted) else None

    def _some_port(self, left: Resources) -> Resources:
        ports = left.ranges("ports")
        if not ports or self._chance.random() < 0.5:
            return Resources()
        first, _ = ports.spans[0]
        return Resources.parse(f"ports:[{first}-{first}]")

    def _task(self, agent_id: AgentID, resources: Resources) -> TaskInfo:
        id_ = TaskID(f"{self.ledger.info.name}-{len(self.ledger.fates)}")
        self.ledger.begin(id_, agent_id)
        return TaskInfo(id_, id_, agent_id, resources, command=CommandInfo(self._command()))

    def _command(self) -> str:
        seconds = f"{self._chance.expovariate(1 / SECONDS_MEAN):.1f}"
        return self._chance.choice(
            (
                f"sleep {seconds}",
                f"sleep {seconds}",
                f"sleep {seconds}; exit 1",
                "sleep infinity",
                f"trap '' TERM; sleep {seconds}",
                "true",
            )
        )

    # Updates.

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        """See `Scheduler`."""
        self.when_told(status)
        self.ledger.note(status)


class Collector(Scheduler):
    """Takes every offer, and keeps it."""

    def __init__(self) -> None:
        self.offers: dict[OfferID, Offer] = {}

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """See `Scheduler`."""
        self.offers |= {offer.id: offer for offer in offers}

    def offer_rescinded(self, driver: SchedulerCalls, offer_id: OfferID) -> None:
        """See `Scheduler`."""
        self.offers.pop(offer_id, None)
