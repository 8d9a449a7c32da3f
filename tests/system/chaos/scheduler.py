"""A scheduler as a program of its own, to be killed: it launches what it is told to, and writes down what it hears.

Its arguments: the URL of the masters, the file to write to, and the id of its framework or nothing. Each line of its
standard input is an order to launch, see `Order`. When that ends, so does it, and its framework with it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from mesos.detector import MasterPlace, parse_master
from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.scheduler import SchedulerCalls, pick
from mesos.types import (
    CommandInfo,
    Environment,
    ExecutorInfo,
    FrameworkCapability,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from tests.system.framework import Framework


class Order(msgspec.Struct, frozen=True):
    """Tasks to launch, by their names, each with its command line; with an `executor`, all in one of that name."""

    resources: str
    """Of each task."""
    tasks: dict[str, str]
    executor: str = ""


class Writing(Framework):
    """Writes a line of JSON for all that it hears, before the driver acknowledges it."""

    heard: Path

    def __init__(self, master: MasterPlace, **options: Any) -> None:
        super().__init__(master, **options)
        self._groups: list[Order] = []
        self._orders: dict[str, Order] = {}

    def obey(self, order: Order) -> None:
        """Launch what is ordered, when there is an offer for it."""
        if not order.executor:
            for task_id, line in order.tasks.items():
                self._orders[task_id] = order
                self.run(task_id, line, order.resources)
            return
        with self._news:
            self._groups.append(order)
        self.driver.revive_offers()

    def write(self, **line: str) -> None:
        with self.heard.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.write(registered=framework_id)
        super().registered(driver, framework_id, master_info)

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self.write(registered=self.id or "")
        super().reregistered(driver, master_info)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        reason = status.reason.name if status.reason is not None else ""
        self.write(task=status.task_id, state=status.state.name, uuid=status.uuid.hex(), reason=reason)
        super().status_update(driver, status)
        order = self._orders.get(status.task_id)
        if status.state is TaskState.TASK_DROPPED and order is not None:  # its offer was taken back just then
            self.run(status.task_id, order.tasks[status.task_id], order.resources)

    def executor_lost(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, status: int) -> None:
        self.write(executor_lost=executor_id)

    def _tasks_for(self, offer: Offer) -> list[TaskInfo]:
        for order in self._groups:
            picks, left = list[Resources](), offer.resources
            for _ in order.tasks:
                picked = pick(left, Resources.parse(order.resources))
                if picked is not None:
                    picks.append(picked)
                    left -= picked
            if len(picks) == len(order.tasks):
                self._groups.remove(order)
                return self._in_one_executor(order, picks, offer)
        return super()._tasks_for(offer)

    def _in_one_executor(self, order: Order, picks: list[Resources], offer: Offer) -> list[TaskInfo]:
        line = f"exec {sys.executable} -m tests.system.chaos.executor {order.executor}"
        command = CommandInfo(line, environment=Environment.of({"PYTHONPATH": os.getcwd()}))
        executor = ExecutorInfo(ExecutorID(order.executor), command)
        return [
            TaskInfo(name, TaskID(name), offer.agent_id, picked, executor=executor, data=line.encode())
            for (name, line), picked in zip(order.tasks.items(), picks, strict=True)
        ]


def main() -> None:
    url, heard, framework_id = sys.argv[1:]
    known = FrameworkID(framework_id) if framework_id else None
    scheduler = Writing(
        parse_master(url),
        failover_timeout_seconds=600.0,
        id=known,
        checkpoint=True,
        capabilities=(FrameworkCapability.PARTITION_AWARE,),
    )
    scheduler.heard = Path(heard)
    with scheduler:
        for line in sys.stdin:
            scheduler.obey(msgspec.json.decode(line, type=Order))


if __name__ == "__main__":
    main()
