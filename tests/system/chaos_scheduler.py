"""A scheduler as a program of its own, to be killed: it launches what it is told to, and writes down what it hears.

Its arguments: the URL of the masters, the file to write to, the id of its framework or nothing, and then commands to
run as tasks, which are named by their numbers. When its standard input ends, so does it, and its framework with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mesos.detector import parse_master
from mesos.ids import FrameworkID
from mesos.scheduler import SchedulerCalls
from mesos.types import MasterInfo, TaskStatus
from tests.system.framework import Framework

RESOURCES = "cpus:0.2;mem:32"


class Writing(Framework):
    """Writes a line of JSON for all that it hears, before the driver acknowledges it."""

    heard: Path

    def write(self, line: dict[str, str]) -> None:
        with self.heard.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.write({"registered": framework_id})
        super().registered(driver, framework_id, master_info)

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self.write({"registered": self.id or ""})
        super().reregistered(driver, master_info)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        self.write({"task": status.task_id, "state": status.state.name, "uuid": status.uuid.hex()})
        super().status_update(driver, status)


def main() -> None:
    url, heard, framework_id, *lines = sys.argv[1:]
    known = FrameworkID(framework_id) if framework_id else None
    scheduler = Writing(parse_master(url), failover_timeout_seconds=600.0, id=known, checkpoint=True)
    scheduler.heard = Path(heard)
    with scheduler:
        for number, line in enumerate(lines):
            scheduler.run(str(number), line, RESOURCES)
        sys.stdin.read()


if __name__ == "__main__":
    main()
