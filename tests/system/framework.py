"""A framework for tests of whole clusters: launches what the test says, and lets it wait for what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import psutil

from libprocess import Address
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls, SchedulerDriver, pick
from mesos.types import (
    CommandInfo,
    FrameworkCapability,
    FrameworkInfo,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskState,
    TaskStatus,
)

SECONDS = 30.0
"""How long anything is waited for. A machine may be busy; what never happens fails all the same."""


class Framework(Scheduler):
    """Runs commands. Everything that it is told is kept, by task and as a whole."""

    def __init__(
        self,
        master: Address,
        failover_timeout_seconds: float = 0.0,
        id: FrameworkID | None = None,
        checkpoint: bool = False,
        capabilities: tuple[FrameworkCapability, ...] = (),
    ) -> None:
        info = FrameworkInfo(
            user="",
            name="test",
            id=id,
            failover_timeout_seconds=failover_timeout_seconds,
            checkpoint=checkpoint,
            capabilities=capabilities,
        )
        self.driver = SchedulerDriver(self, info, master)
        self.id = id
        self.updates: list[TaskStatus] = []
        self.registrations = 0
        self.agents_lost: list[AgentID] = []
        self._news = threading.Condition()
        self._wanted: list[tuple[TaskID, CommandInfo, Resources]] = []
        self._keeps_offers = False
        self._offers: list[Offer] = []

    # What the test does.

    def run(self, task_id: str, line: str, resources: str = "cpus:0.1;mem:32") -> TaskID:
        """Launch a command on the first offer that will hold it."""
        with self._news:
            self._wanted.append((TaskID(task_id), CommandInfo(line), Resources.parse(resources)))
        self.driver.revive_offers()
        return TaskID(task_id)

    def launch(self, task: TaskInfo, offer: Offer) -> None:
        """Launch a task as it is."""
        self.driver.launch_tasks(offer.id, [task])

    def next_offer(self) -> Offer:
        """Wait for an offer, and keep it."""
        self._keeps_offers = True
        self.driver.revive_offers()
        self.wait_until(lambda: bool(self._offers), "an offer")
        self._keeps_offers = False
        return self._offers.pop()

    def wait_for(self, task_id: str, state: TaskState) -> TaskStatus:
        """Wait until a task is told to be in this state."""
        self.wait_until(lambda: state in self.states(task_id), f"{task_id} is {state}, not {self.states(task_id)}")
        return next(each for each in self.updates if (each.task_id, each.state) == (task_id, state))

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        with self._news:
            assert self._news.wait_for(condition, SECONDS), f"within {SECONDS:g} s it did not come true: {what}"

    def states(self, task_id: str) -> list[TaskState]:
        """The states that a task was told to be in, in their order.

        One that was told again, since its agent was killed before it heard that it was acknowledged, counts once.
        """
        told = {status.uuid or number: status for number, status in enumerate(self.updates)}
        return [status.state for status in told.values() if status.task_id == task_id]

    def __enter__(self) -> Self:
        self.driver.start()
        self.wait_until(lambda: self.registrations > 0, "registered")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.driver.stop()
        self.driver.join()

    # What it is told.

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        with self._news:
            self.id = framework_id
            self.registrations += 1
            self._news.notify_all()

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        with self._news:
            self.registrations += 1
            self._news.notify_all()

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            tasks = self._tasks_for(offer)
            if not tasks and self._keeps_offers:
                with self._news:
                    self._offers.append(offer)
                    self._news.notify_all()
            else:
                driver.launch_tasks(offer.id, tasks)

    def _tasks_for(self, offer: Offer) -> list[TaskInfo]:
        tasks, left = list[TaskInfo](), offer.resources
        with self._news:
            for wanted in list(self._wanted):
                task_id, command, resources = wanted
                picked = pick(left, resources)
                if picked is not None:
                    self._wanted.remove(wanted)
                    left -= picked
                    tasks.append(TaskInfo(task_id, task_id, offer.agent_id, picked, command))
        return tasks

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        with self._news:
            self.updates.append(status)
            self._news.notify_all()

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> None:
        with self._news:
            self.agents_lost.append(agent_id)
            self._news.notify_all()


def processes_with(marker: str) -> list[psutil.Process]:
    """The processes that have this in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status", "name"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and marker in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found
