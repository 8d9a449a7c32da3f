"""Sharing: a cluster whose frameworks want more than there is, each in its own way, and an audit of who gets what.

There are roles with quotas, frameworks that hoard and that decline, one that takes all it can and reserves and makes
volumes, and one that wants little: at every allocation no quota is exceeded and nothing given twice, and whoever wants
less than its share does not wait for long.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from unittest.mock import patch

from master.allocator import actor, cycle
from master.allocator.agent import Agent
from master.allocator.bundle import is_plain, private
from master.allocator.cluster import Cluster as Books
from master.allocator.cycle import Lots
from mesos.ids import TaskID
from mesos.resources import Amount, DiskInfo, Kind, Mount, Reservation, ReservationType, Resource, Resources
from mesos.scheduler import Scheduler, SchedulerCalls
from mesos.states import terminal
from mesos.types import (
    CommandInfo,
    Create,
    Destroy,
    Filters,
    Launch,
    Offer,
    Operation,
    Reserve,
    TaskInfo,
    TaskStatus,
    Unreserve,
)
from tools.simulate.audit import BrokenPromiseError

AT_ONCE = Filters(0.0)
TASK = Resources.of(cpus=0.5, mem=64)
DISK_MEGABYTES = 10


# Who wants something.


class Hoarder(Scheduler):
    """Takes offers, and does nothing with them until they are taken back."""


class Decliner(Scheduler):
    """Wants nothing that it is offered, and is asked again soon."""

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """See `Scheduler`."""
        for offer in offers:
            driver.decline_offer(offer.id, Filters(1.0))


class Glutton(Scheduler):
    """Fills everything with short tasks; now and then it reserves what it gets, makes volumes, and gives both up."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._name = name
        self._chance = chance
        self._serial = 0
        self.launched = 0
        """How many tasks."""

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """See `Scheduler`."""
        for offer in offers:
            driver.accept_offers([offer.id], [*self._operations(offer), Launch(tuple(self._tasks(offer)))], AT_ONCE)

    def _operations(self, offer: Offer) -> Iterator[Operation]:
        """Something that can be done with the disk of an offer, one time out of four."""
        disk = offer.resources.filter(lambda kind: kind.name == "disk" and kind.disk is None)
        volumes = offer.resources.filter(lambda kind: kind.disk is not None)
        if self._chance.random() > 0.25:
            return
        if volumes:
            yield Destroy(volumes)
        elif disk.reserved():
            yield self._chance.choice((Unreserve(disk.reserved()), Create(self._volume(disk.reserved()))))
        elif disk.scalar("disk") >= DISK_MEGABYTES:
            mine = Reservation(offer.role, ReservationType.DYNAMIC)
            yield Reserve(Resources.of(disk=DISK_MEGABYTES).push_reservation(mine))

    def _volume(self, disk: Resources) -> Resources:
        ((kind, _),) = disk.items[:1]
        self._serial += 1
        info = DiskInfo(persistence_id=f"{self._name}-{self._serial}", volume=Mount("data"))
        return Resources.of(Resource.of(Kind("disk", reservations=kind.reservations, disk=info), DISK_MEGABYTES))

    def _tasks(self, offer: Offer) -> Iterator[TaskInfo]:
        left = offer.resources.unreserved()
        while left.contains(TASK):
            left -= TASK
            self._serial += 1
            self.launched += 1
            yield task(f"{self._name}-{self._serial}", offer, TASK, self._chance.uniform(2.0, 8.0))


class Modest(Scheduler):
    """Wants one short task at a time, and notes for how long it has to wait for each.

    It wants no more than what a task of others leaves when it ends: nothing is put together for who wants more.
    """

    def __init__(self, wanted: Resources, now: Callable[[], float]) -> None:
        self.waits: list[float] = []
        """How long it waited for each offer that was enough, in seconds."""
        self._wanted = wanted
        self._now = now
        self._since: float | None = now()
        """Since when it wants something; None while it has it."""

    @property
    def waits_for(self) -> float:
        """How long it has been waiting now, in seconds."""
        return 0.0 if self._since is None else self._now() - self._since

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """See `Scheduler`."""
        for offer in offers:
            if self._since is not None and offer.resources.unreserved().contains(self._wanted):
                self.waits.append(self.waits_for)
                self._since = None
                name = f"modest-{len(self.waits)}"
                driver.launch_tasks(offer.id, [task(name, offer, self._wanted, 1.0)], AT_ONCE)
            else:
                driver.decline_offer(offer.id, AT_ONCE)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        """See `Scheduler`."""
        if terminal(status.state) and status.task_id == f"modest-{len(self.waits)}":
            self._since = self._now()


def task(name: str, offer: Offer, resources: Resources, seconds: float) -> TaskInfo:
    """A task that runs for so long."""
    return TaskInfo(name, TaskID(name), offer.agent_id, resources, command=CommandInfo(f"sleep {seconds:.1f}"))


# Who gets it.


@dataclass
class Shares:
    """What was seen while allocations were audited."""

    allocations: int = 0
    """How many gave anything to anybody."""
    peaks: dict[str, dict[str, int]] = field(default_factory=dict)
    """The most that each role with a quota consumed, in thousandths."""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What an operator said, by role, in thousandths: it holds whether or not an allocator knows of it."""

    def look(self, books: Books, lots: Lots) -> None:
        """Check an allocation that was just made. BrokenPromiseError if it gave what it must not."""
        self.allocations += bool(lots)
        for agent_id in sorted({lot.agent_id for each in lots.values() for lot in each}):
            _check_once(books.agents[agent_id])
        known = {role: allowance.limits for role, allowance in books.quotas.by_role.items()}
        for role, limits in {**known, **self.limits}.items():
            self._check_limits(books, role, limits, lots)

    def _check_limits(self, books: Books, role: str, limits: Mapping[str, int], lots: Lots) -> None:
        peak = self.peaks.setdefault(role, {})
        given = [lot for client, each in lots.items() if _top_level(client.role) == role for lot in each]
        if not given:
            return
        consumed = consumption(books, role)
        for name, amount in consumed.items():
            peak[name] = max(peak.get(name, 0), amount)
        names = Resources.sum(lot.resources.filter(is_plain) for lot in given).quantities().keys()
        for name in sorted(names & limits.keys()):
            if consumed.get(name, 0) > limits[name]:
                raise BrokenPromiseError(f"role {role} has {consumed[name]} of {name}, its limit is {limits[name]}")


def _check_once(agent: Agent) -> None:
    held = Resources.sum(bundle.resources for _, each in agent.holdings for bundle in each.bundles)
    if not agent.total.resources.contains(private(held)):
        raise BrokenPromiseError(f"agent {agent.id} has {agent.total.resources}, and {held} of it was handed out")


def consumption(books: Books, role: str) -> Counter[str]:
    """What a role and those below it consume, counted anew from what everybody holds, in thousandths."""
    consumed: Counter[str] = Counter()
    for agent in books.agents.values():
        for kind, amount in agent.total.resources.items:
            if kind.reservations and _top_level(kind.role) == role:
                _count(consumed, kind, amount)
        for client in agent.holders:
            if _top_level(client.role) == role:
                for bundle in client.holdings[agent].bundles:
                    for kind, amount in bundle.resources.items:
                        if is_plain(kind):
                            _count(consumed, kind, amount)
    return consumed


def _count(consumed: Counter[str], kind: Kind, amount: Amount) -> None:
    if isinstance(amount, int):
        consumed[kind.name] += kind.size if kind.shared else (kind.size or 1) * amount


@lru_cache
def _top_level(role: str) -> str:
    return role.partition("/")[0]


@contextmanager
def audited(limits: Mapping[str, Mapping[str, int]] | None = None) -> Iterator[Shares]:
    """Have every allocation looked at, of every allocator that runs meanwhile."""
    shares, allocate = Shares(limits=limits or {}), cycle.allocate

    def looked_at(books: Books, now: float, rank: Callable[[Agent], float]) -> Lots:
        lots = allocate(books, now, rank)
        shares.look(books, lots)
        return lots

    with patch.object(actor, "allocate", looked_at):
        yield shares
