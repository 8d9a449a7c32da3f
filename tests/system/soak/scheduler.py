"""A scheduler as a program of its own, to be killed: it launches tasks of all kinds without end, and writes down all
that it asks for and hears.

Its arguments: the URL of the masters, the directory of its files, a number that the tasks' kinds are drawn from, and
the id of its framework or nothing. One file in that directory is its ledger, a line of JSON for each launch and each
update; a scheduler that is started anew reads there which tasks have not ended. Another file says how many tasks are to
run at once: 0 is to kill all that run.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from mesos.detector import parse_master
from mesos.driver import DriverStatus
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls, SchedulerDriver, pick
from mesos.states import terminal
from mesos.types import (
    Filters,
    FrameworkCapability,
    FrameworkInfo,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskReference,
    TaskStatus,
)
from tests.system.soak.kinds import Kinds
from tests.system.soak.ledger import (
    LEDGER,
    WANTED,
    Launch,
    Ledger,
    kill_line,
    launch_line,
    registered_line,
    update_line,
)

LOOK_SECONDS = 0.1
KILL_AGAIN_SECONDS = 3.0
REFUSE = Filters(refuse_seconds=0.3)


class SoakScheduler(Scheduler):
    """Its callbacks come on the driver's thread; kills and the wish for more tasks on that of the program."""

    def __init__(self, place: Path, seed: int, ledger: Ledger) -> None:
        self._place = place
        self._kinds = Kinds(random.Random(f"{seed}/{len(ledger.launches)}"), place)
        self._serial = len(ledger.launches)
        self._open = dict(ledger.open)
        self._kills = {task: time.monotonic() for task, launch in self._open.items() if launch.kill_after is not None}
        self._lock = threading.Lock()
        self._file = os.open(place / LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, line: object) -> None:
        """Have something outlive this program, before it counts."""
        os.write(self._file, json.dumps(line).encode() + b"\n")

    # What is called back.

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.note(registered_line(framework_id))
        self._ask(driver)

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self._ask(driver)

    def _ask(self, driver: SchedulerCalls) -> None:
        """What became of the tasks of schedulers before this one, their driver cannot know."""
        with self._lock:
            asked = [TaskReference(TaskID(launch.task), AgentID(launch.agent)) for launch in self._open.values()]
        if asked:
            driver.reconcile_tasks(asked)

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            driver.launch_tasks(offer.id, self._tasks_for(offer), REFUSE)

    def _tasks_for(self, offer: Offer) -> list[TaskInfo]:
        tasks, left = list[TaskInfo](), offer.resources
        with self._lock:
            for _ in range(self.wanted() - len(self._open)):
                task, kill_after = self._kinds.task(self._serial, offer)
                picked = pick(left, needs(task))
                if picked is None:
                    break
                self._serial += 1
                left -= picked
                launch = Launch(task.task_id, task.name, offer.agent_id, kill_after)
                self.note(launch_line(launch))
                self._open[task.task_id] = launch
                if kill_after is not None:
                    self._kills[task.task_id] = time.monotonic() + kill_after
                tasks.append(task)
        return tasks

    def wanted(self) -> int:
        """How many tasks are to run at once."""
        return int((self._place / WANTED).read_text())

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        self.note(update_line(status))
        if terminal(status.state):
            with self._lock:
                self._open.pop(status.task_id, None)
                self._kills.pop(status.task_id, None)

    # What comes by itself.

    def look(self, driver: SchedulerCalls) -> None:
        """Kill what is to be killed by now. A kill may get lost: it is repeated."""
        now = time.monotonic()
        with self._lock:
            if self.wanted() == 0:
                self._kills = {task: self._kills.get(task, now) for task in self._open}
            due = [task for task, when in self._kills.items() if when <= now]
            self._kills |= dict.fromkeys(due, now + KILL_AGAIN_SECONDS)
        for task in due:
            self.note(kill_line(task))
            driver.kill_task(TaskID(task))


def needs(task: TaskInfo) -> Resources:
    """What a task and its executor take."""
    return task.resources + (task.executor.resources if task.executor else Resources())


def main() -> None:
    url, directory, seed, framework_id = sys.argv[1:]
    place = Path(directory)
    scheduler = SoakScheduler(place, int(seed), Ledger(place).refresh())
    framework = FrameworkInfo(
        user="",
        name="soak",
        id=FrameworkID(framework_id) if framework_id else None,
        failover_timeout_seconds=600.0,
        checkpoint=True,
        capabilities=(FrameworkCapability.PARTITION_AWARE,),
    )
    driver = SchedulerDriver(scheduler, framework, parse_master(url))
    driver.start()
    while driver.status is DriverStatus.RUNNING:
        time.sleep(LOOK_SECONDS)
        scheduler.look(driver)
    driver.join()


if __name__ == "__main__":
    main()
