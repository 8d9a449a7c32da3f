"""The kinds of tasks of a soak: short and long ones, some that fail, some that do not want to end, and so on."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mesos.ids import ExecutorID, TaskID
from mesos.resources import Resources
from mesos.types import (
    URI,
    CheckInfo,
    CheckType,
    CommandInfo,
    ContainerInfo,
    ContainerType,
    Environment,
    ExecutorInfo,
    KillPolicy,
    Offer,
    TaskInfo,
    TaskState,
    Volume,
)

REPOSITORY = Path(__file__).parents[3]
TASK = "SOAK_TASK"
"""The variable that names the task to whom a process belongs."""
FETCHED = "fetched"
FOR_EVER = 600
TASKS_PER_EXECUTOR = 20

FINISHED, FAILED, KILLED = TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED

ENDS = {
    "short": FINISHED,
    "failing": FAILED,
    "brief": FINISHED,
    "long": KILLED,
    "stubborn": KILLED,
    "forking": FINISHED,
    "fetching": FINISHED,
    "mounting": FINISHED,
    "checked": FINISHED,
    "executor": FINISHED,
}
"""How a task of each kind ends that nobody does anything to."""
WEIGHTS = (30, 10, 20, 12, 4, 8, 5, 4 * (os.geteuid() == 0), 4, 8)
"""How often they come; only root's agents mount something."""


class Kinds:
    """Makes tasks, of kinds that are drawn."""

    def __init__(self, chance: random.Random, place: Path) -> None:
        self._chance = chance
        self._place = place

    def task(self, serial: int, offer: Offer) -> tuple[TaskInfo, float | None]:
        """The task of this number, for an offer's agent; and after how many seconds it is to be killed, if at all."""
        kind = self._chance.choices(list(ENDS), WEIGHTS)[0]
        name = f"{kind}-{serial}"
        resources = Resources.of(cpus=0.1, mem=32).allocate(offer.role)
        task = TaskInfo(kind, TaskID(name), offer.agent_id, resources)
        if kind == "executor":
            number = serial // TASKS_PER_EXECUTOR
            return replace(task, executor=_executor(ExecutorID(f"executor-{number}"), offer.role)), None
        command = CommandInfo(self._line(kind), environment=Environment.of({TASK: name}))
        task = replace(replace(task, command=command), **self._more(kind, command))
        return task, self._chance.uniform(0.5, 6.0) if ENDS[kind] is KILLED else None

    def _line(self, kind: str) -> str:
        return {
            "short": "true",
            "failing": "exit 3",
            "brief": f"sleep {self._chance.uniform(0.5, 3.0):.2f}",
            "long": f"sleep {FOR_EVER}",
            "stubborn": "trap '' TERM; while true; do sleep 1; done",
            "forking": f"sleep {FOR_EVER} & setsid sleep {FOR_EVER} & sleep 0.3",
            "fetching": f"cat {FETCHED}",
            "mounting": f"cat there/{FETCHED}",
            "checked": "sleep 1",
        }[kind]

    def _more(self, kind: str, command: CommandInfo) -> dict[str, Any]:
        if kind == "stubborn":
            return {"kill_policy": KillPolicy(0.5)}
        if kind == "fetching":
            uri = URI(f"file://{self._place / FETCHED}", cache=self._chance.random() < 0.5)
            return {"command": replace(command, uris=(uri,))}
        if kind == "mounting":
            volume = Volume("there", host_path=str(self._place))
            return {"container": ContainerInfo(ContainerType.MESOS, volumes=(volume,))}
        if kind == "checked":
            probe = CommandInfo("true")
            return {"check": CheckInfo(CheckType.COMMAND, delay_seconds=0.1, interval_seconds=0.2, command=probe)}
        return {}


def _executor(id_: ExecutorID, role: str) -> ExecutorInfo:
    environment = Environment.of({"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]})
    line = f"exec {sys.executable} -m tests.system.soak.executor"
    resources = Resources.of(cpus=0.1, mem=96).allocate(role)
    return ExecutorInfo(id_, CommandInfo(line, environment=environment), resources)
