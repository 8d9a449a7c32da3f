"""Frameworks that the stories run: as small as the story allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesos.executor import Executor, ExecutorCalls
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls
from mesos.types import (
    CommandInfo,
    ExecutorInfo,
    FrameworkCapability,
    FrameworkInfo,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskState,
    TaskStatus,
)

RESOURCES = Resources.parse("cpus:1;mem:64")


class Runner(Scheduler):
    """Launches one task for each of its commands, as soon as it is offered something, and notes all it is told."""

    def __init__(self, *commands: str, executor: ExecutorInfo | None = None, prefix: str = "t") -> None:
        self.waiting = [TaskID(f"{prefix}{number}") for number in range(1, len(commands) + 1)]
        self.commands = dict(zip(self.waiting, commands, strict=True))
        self.executor = executor
        self.id: FrameworkID | None = None
        self.states: dict[TaskID, list[TaskState]] = {}
        self.statuses: list[TaskStatus] = []
        self.offers: list[Offer] = []
        self.rescinded: list[OfferID] = []
        self.news: list[str] = []
        self.messages: list[bytes] = []

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.id = framework_id
        self.news.append("registered")

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self.news.append("reregistered")

    def disconnected(self, driver: SchedulerCalls) -> None:
        self.news.append("disconnected")

    def error(self, driver: SchedulerCalls, message: str) -> None:
        self.news.append(message)

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> None:
        self.news.append("agent lost")

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        self.offers += offers
        for offer in offers:
            left, tasks = offer.resources, []
            while self.waiting and left.unallocate().contains(RESOURCES):
                tasks.append(self.task(self.waiting.pop(0), offer))
                left = left.unallocate() - RESOURCES
            if tasks:
                driver.launch_tasks(offer.id, tasks)
            elif self.commands:
                driver.decline_offer(offer.id)

    def task(self, id: TaskID, offer: Offer) -> TaskInfo:
        what: dict[str, Any] = {"executor": self.executor} if self.executor else {}
        what = what or {"command": CommandInfo(self.commands[id])}
        return TaskInfo(id, id, offer.agent_id, RESOURCES, **what)

    def offer_rescinded(self, driver: SchedulerCalls, offer_id: OfferID) -> None:
        self.rescinded.append(offer_id)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        self.statuses.append(status)
        self.states.setdefault(status.task_id, []).append(status.state)

    def framework_message(
        self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, data: bytes
    ) -> None:
        self.messages.append(data)

    def state(self, task_id: str) -> TaskState | None:
        """The last that was heard of a task."""
        return self.states.get(TaskID(task_id), [None])[-1]


class Echo(Executor):
    """Its tasks run until they are killed; it says back what it is told."""

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_RUNNING))

    def kill_task(self, driver: ExecutorCalls, task_id: TaskID) -> None:
        driver.send_status_update(TaskStatus(task_id, TaskState.TASK_KILLED))

    def framework_message(self, driver: ExecutorCalls, data: bytes) -> None:
        driver.send_framework_message(data.upper())


def framework(**fields: Any) -> FrameworkInfo:
    """A framework that knows of partitions, and may be without a scheduler for a minute."""
    known: dict[str, Any] = {
        "user": "someone",
        "name": "stories",
        "failover_timeout_seconds": 60.0,
        "capabilities": (FrameworkCapability.PARTITION_AWARE,),
    }
    return FrameworkInfo(**(known | fields))
