"""A cluster that faults are done to, and what must be true of it after each.

Every program of it has a machine of its own, between which a network can be cut. All that its framework runs is known
here: the tasks that should live, by their processes, and short ones that end during each fault, one on each agent, so
that there is news on its way when something breaks.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

from tests.system.chaos.scheduler import Order
from tests.system.framework import processes_with
from tests.system.machines import HERE, Machine
from tests.system.masters import Masters
from tests.system.waiting import eventually
from tests.system.zookeeper import ZooKeeper

MASTERS, AGENTS, ZOOKEEPERS = 3, 5, 3
MASTER_NAMES = tuple(f"master-{number}" for number in range(MASTERS))
AGENT_NAMES = tuple(f"agent-{number}" for number in range(AGENTS))
ZOOKEEPER_NAMES = tuple(f"zookeeper-{number}" for number in range(ZOOKEEPERS))
MACHINES = (*MASTER_NAMES, *AGENT_NAMES, *ZOOKEEPER_NAMES, "scheduler")
COMMANDS = 46
EXECUTORS = ("doomed", "lasting")
TASKS_OF_EXECUTOR = 2
TASKS = COMMANDS + len(EXECUTORS) * TASKS_OF_EXECUTOR

SILENCE_SECONDS = 3.0
SILENCE = {"LIBPROCESS_SILENCE": f"{SILENCE_SECONDS:g}secs"}
PINGS_MAX = 12
MASTER_FLAGS = (f"--max_agent_ping_timeouts={PINGS_MAX}",)
AGENT_RESOURCES = "cpus:2;mem:512;ports:[];beds:10;cots:1"
"""Ten places for tasks that stay on each agent, and one for a task that does not."""
STAYING, PASSING = "cpus:0.1;mem:32;beds:1", "cpus:0.1;mem:32;cots:1"


class Survived(NamedTuple):
    """A fault, and what was found once all was well again."""

    fault: str
    seconds: float
    lost: int
    """Tasks that should live."""
    undead: int
    """Tasks that should not."""
    again: int
    """Updates that were told once more, since it got lost that they were acknowledged."""


class Cluster:
    """Its programs, and its tasks."""

    def __init__(self, zookeeper: ZooKeeper, work_dir: Path, marker: str, machines: Mapping[str, Machine]) -> None:
        self.zookeeper = zookeeper
        self.masters = Masters(
            work_dir, zookeeper.url("chaos"), MASTERS, AGENTS, MASTER_FLAGS, AGENT_RESOURCES, machines
        )
        self.survived: list[Survived] = []
        self.tasks: set[str] = set()
        """Those that should live."""
        self.processes = set[psutil.Process]()
        """Theirs."""
        self._marker = marker
        self.orders: dict[str, Order] = {}
        """What was ordered of executors."""
        self._machine = machines.get("scheduler", HERE)
        self._work_dir = work_dir
        self._heard = work_dir / "heard"
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._rounds = 0

    # The scheduler.

    def start_scheduler(self, framework_id: str = "") -> None:
        """Start it, for the first time or as the next of its framework."""
        arguments = [self.zookeeper.url("chaos"), str(self._heard), framework_id]
        command = [*self._machine.enter, sys.executable, "-m", "tests.system.chaos.scheduler", *arguments]
        self._scheduler = subprocess.Popen(command, stdin=subprocess.PIPE)

    def kill_scheduler(self) -> None:
        if self._scheduler is not None:
            self._scheduler.kill()
            self._scheduler.communicate()

    def signal_scheduler(self, number: int) -> None:
        assert self._scheduler is not None
        self._scheduler.send_signal(number)

    def order(self, order: Order) -> None:
        assert self._scheduler is not None
        assert self._scheduler.stdin is not None
        self._scheduler.stdin.write(msgspec.json.encode(order) + b"\n")
        self._scheduler.stdin.flush()

    @property
    def registrations(self) -> list[str]:
        """The framework's ids, one for each time that the scheduler was registered."""
        return [line["registered"] for line in self._lines() if "registered" in line]

    @property
    def executors_lost(self) -> list[str]:
        return [line["executor_lost"] for line in self._lines() if "executor_lost" in line]

    @property
    def updates(self) -> list[dict[str, str]]:
        """The updates that the schedulers were told, and had to acknowledge."""
        return [line for line in self._lines() if line.get("uuid")]

    @property
    def again(self) -> int:
        """How many of them were the same as one before."""
        return len(self.updates) - len({update["uuid"] for update in self.updates})

    def states(self, task: str) -> list[str]:
        """The states that a task was told to be in, each once."""
        told = {update["uuid"]: update["state"] for update in self.updates if update["task"] == task}
        return list(told.values())

    def reasons(self, task: str) -> list[str]:
        """The reasons of a task's updates."""
        return [update["reason"] for update in self.updates if update["task"] == task]

    def _lines(self) -> list[dict[str, str]]:
        text = self._heard.read_text() if self._heard.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    # The tasks.

    def begin(self) -> None:
        """Launch all tasks, and wait until they run."""
        names = [str(number) for number in range(TASKS)]
        lines = {name: f"sleep {self._marker}{number:02}" for number, name in enumerate(names)}
        self.tasks = set(names)
        for executor in EXECUTORS:
            group = [names.pop() for _ in range(TASKS_OF_EXECUTOR)]
            self.orders[executor] = Order(STAYING, {name: lines[name] for name in group}, self.executor(executor))
            self.order(self.orders[executor])
        self.order(Order(STAYING, {name: lines[name] for name in names}))
        eventually(lambda: len(self.living()) == TASKS, "all tasks sleep")
        self.processes = self.living()
        self._launch_passing()
        eventually(self.is_well, "all is well at first")

    def executor(self, name: str) -> str:
        """The id of an executor, which no other process has in its command line."""
        return f"{name}-{self._marker}"

    def process_of(self, executor: str) -> psutil.Process:
        """The process that is an executor."""
        running = processes_with(self.executor(executor))
        return next(each for each in running if "tests.system.chaos.executor" in each.cmdline() and each.exe())

    def living(self) -> set[psutil.Process]:
        """The processes of the tasks."""
        return {process for process in processes_with(f"sleep {self._marker}") if process.info["name"] == "sleep"}

    def task_of(self, process: psutil.Process) -> str:
        return str(int(process.info["cmdline"][1].removeprefix(self._marker)))

    def doom(self, *tasks: str) -> None:
        """From now on these should not live."""
        self.processes = {process for process in self.processes if self.task_of(process) not in tasks}
        self.tasks -= set(tasks)

    @property
    def _passing(self) -> set[str]:
        return {f"passing-{self._rounds}-{number}" for number in range(AGENTS)}

    @property
    def _sign(self) -> Path:
        return self._work_dir / f"sign-{self._rounds}"

    def _launch_passing(self) -> None:
        """Launch a task on each agent that ends when there is a sign."""
        self._rounds += 1
        line = f"until test -e {self._sign}; do sleep 0.2; done"
        self.order(Order(PASSING, dict.fromkeys(sorted(self._passing), line)))

    def _has_passed(self) -> bool:
        return all(self.states(task)[-1:] == ["TASK_FINISHED"] for task in self._passing)

    # Faults.

    @contextmanager
    def fault(self, name: str, is_over: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Do what the block does, and wait until it is over and all is well: what ended meanwhile has been told, and
        new tasks run on all agents. No task that should live was lost, and each was told of in order.
        """
        began, again = time.monotonic(), self.again
        self._sign.touch()
        yield
        self.wait_until(lambda: is_over() and self._has_passed(), f"{name} is over")
        self._launch_passing()
        self.wait_until(self.is_well, f"all is well after {name}")
        seconds, living = time.monotonic() - began, self.living()
        lost, undead = len(self.processes - living), len(living - self.processes)
        self.survived.append(Survived(name, seconds, lost, undead, self.again - again))
        assert (lost, undead) == (0, 0)
        assert len(set(self.registrations)) == 1
        assert self._misordered() == {}

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something to come true, and start what has ended, as whoever watches over a cluster's programs."""
        eventually(condition, what, meanwhile=self._start_what_ended)

    def _start_what_ended(self) -> None:
        for daemon in (*self.masters.masters, *self.masters.agents):
            if not daemon.is_running:
                daemon.start()

    def is_well(self) -> bool:
        """Whether exactly one master leads, to which the others send on, and it knows all agents, the scheduler, and
        each task once, as running; and whether all servers of ZooKeeper are there."""
        leaders = self.masters.leaders
        if len(leaders) != 1 or self.masters.metric(leaders[0], "master/slaves_active") != AGENTS:
            return False
        standbys = set(range(MASTERS)) - set(leaders)
        if {self.masters.sends_to(standby) for standby in standbys} != {self.masters.addresses[leaders[0]]}:
            return False
        try:
            frameworks = self.masters.get(leaders[0], "/state")["frameworks"]
        except OSError:
            return False
        if not self.zookeeper.is_whole:
            return False
        return [framework["active"] for framework in frameworks] == [True] and self._is_running(frameworks[0])

    def _is_running(self, framework: dict[str, Any]) -> bool:
        """Whether a framework's tasks are those that should live."""
        running = [task["id"] for task in framework["tasks"] if task["state"] == "TASK_RUNNING"]
        expected = self.tasks | self._passing
        return sorted(running) == sorted(expected) and len(framework["tasks"]) == len(expected)

    def writes(self) -> bool:
        """Whether a leader can write to the registry, which is in ZooKeeper: it has its session still, or again."""
        try:
            return [
                self.masters.send(leader, "PUT", "/weights", [{"role": "eng", "weight": 2.5}])
                for leader in self.masters.leaders
            ] == [200]
        except OSError:
            return False

    # What the leading master knows.

    def leading(self) -> str:
        """The name of the machine that it is on."""
        return MASTER_NAMES[self.masters.await_leader()]

    def standbys(self) -> list[str]:
        """The names of the others'."""
        leading = self.leading()
        return [name for name in MASTER_NAMES if name != leading]

    def leads_all(self, but: str) -> bool:
        """Whether another master than this one leads, and all agents are registered with it."""
        leaders = self.masters.leaders
        return len(leaders) == 1 and MASTER_NAMES[leaders[0]] != but and self._metric("slaves_active") == AGENTS

    def active_frameworks(self) -> float | None:
        return self._metric("frameworks_active")

    def unreachable_agents(self) -> float | None:
        return self._metric("slaves_unreachable")

    def disconnected_agents(self) -> float | None:
        return self._metric("slaves_disconnected")

    def _metric(self, name: str) -> float | None:
        leaders = self.masters.leaders
        return self.masters.metric(leaders[0], f"master/{name}") if leaders else None

    def noticed(self) -> tuple[object, ...]:
        """What changes when somebody notices something: who leads, and how often who registered."""
        return self.masters.await_leader(), self._metric("slave_reregistrations"), len(self.registrations)

    def agents_register_again(self, count: int = 1) -> Callable[[], bool]:
        """Whether so many agents were registered with the leader since now, or with another leader."""
        leader, name = self.masters.await_leader(), "master/slave_reregistrations"
        before = self.masters.metric(leader, name) or 0
        return lambda: self.masters.leaders != [leader] or (self.masters.metric(leader, name) or 0) >= before + count

    def registers_again(self) -> Callable[[], bool]:
        """Whether the scheduler was registered since now."""
        before = len(self.registrations)
        return lambda: len(self.registrations) > before

    # The end.

    def _misordered(self) -> dict[str, list[str]]:
        """What was told of tasks that is not that they began and, if they have, ended, in this order."""
        alive = self.tasks | self._passing
        states = {task: self.states(task) for task in {update["task"] for update in self.updates}}
        return {task: told for task, told in states.items() if not _is_life(told, is_over=task not in alive)}

    def end(self) -> None:
        """Have the scheduler and its framework end, and all tasks with it."""
        assert self._scheduler is not None
        self._scheduler.communicate(timeout=30)
        self._scheduler = None
        eventually(lambda: not self.living(), "the tasks ended with their framework")

    def close(self) -> None:
        """Leave nothing running."""
        self.kill_scheduler()
        self._sign.touch()
        for process in self.living():
            process.kill()


def _is_life(states: list[str], is_over: bool) -> bool:
    began, ends = ["TASK_STARTING", "TASK_RUNNING"], (["TASK_FINISHED"], ["TASK_FAILED"])
    states = [state for state in states if state != "TASK_DROPPED"]  # before it began: it was launched again then
    return states[:2] == began and (states[2:] in ends if is_over else not states[2:])


def table(survived: list[Survived]) -> Iterator[str]:
    """The faults, a line each, and the sum of them."""
    yield f"{'fault':62} {'seconds':>7} {'lost':>5} {'undead':>7} {'told again':>11}"
    for fault, seconds, lost, undead, again in survived:
        yield f"{fault:62} {seconds:7.1f} {lost:5} {undead:7} {again:11}"
    seconds, lost, undead, again = (sum(each[column] for each in survived) for column in (1, 2, 3, 4))
    title = f"{len(survived)} faults of {TASKS} tasks on {AGENTS} agents"
    yield f"{title:62} {seconds:7.1f} {lost:5} {undead:7} {again:11}"
