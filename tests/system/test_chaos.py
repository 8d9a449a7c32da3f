"""One cluster, and one process of it after the other killed or stopped: its tasks do not notice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.system.framework import processes_with
from tests.system.masters import Masters
from tests.system.zookeeper import ZooKeeper

AGENTS = 5
TASKS = 50
FAILED = 1
PATIENT = ("--max_agent_ping_timeouts=30",)
"""A master waits for an agent longer than its start takes on a busy machine."""
STOPPED_SECONDS = 1.0
"""How long an agent is stopped: some pings are late then, but fewer than a master lets pass."""


class Survived(NamedTuple):
    """A fault, and what was found once all was well again."""

    fault: str
    seconds: float
    lost: int
    """Tasks that should live."""
    undead: int
    """Tasks that should not."""


class Cluster:
    """What faults are done to, with what must be true of it between them."""

    def __init__(self, zookeeper: ZooKeeper, work_dir: Path, marker: str) -> None:
        self.zookeeper = zookeeper
        self.url = zookeeper.url("chaos")
        self.masters = Masters(work_dir, self.url, agents=AGENTS, flags=PATIENT)
        self.survived: list[Survived] = []
        self.tasks = {str(number) for number in range(TASKS)}
        self.processes = set[psutil.Process]()
        self._marker = marker
        self._heard = work_dir / "heard"
        self._scheduler: subprocess.Popen[bytes] | None = None

    # The scheduler.

    def start_scheduler(self, framework_id: str = "", *lines: str) -> None:
        """Start it, for the first time or as the next of its framework."""
        command = [sys.executable, "-m", "tests.system.chaos_scheduler", self.url, str(self._heard), framework_id]
        self._scheduler = subprocess.Popen([*command, *lines], stdin=subprocess.PIPE)

    def kill_scheduler(self) -> None:
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.communicate()

    def end_scheduler(self) -> None:
        """Have it and its framework end."""
        assert self._scheduler is not None
        self._scheduler.communicate(timeout=30)

    @property
    def registrations(self) -> list[str]:
        """The framework's ids, one for each time that the scheduler was registered."""
        return [line["registered"] for line in self._lines() if "registered" in line]

    @property
    def updates(self) -> list[dict[str, str]]:
        """The updates that the schedulers were told, and had to acknowledge."""
        return [line for line in self._lines() if line.get("uuid")]

    def states(self, task: str) -> list[str]:
        return [update["state"] for update in self.updates if update["task"] == task]

    def _lines(self) -> list[dict[str, str]]:
        text = self._heard.read_text() if self._heard.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    # The tasks.

    def line(self, number: int) -> str:
        """The command of a task, which no other process has."""
        return f"sleep {self._marker}{number:02}"

    def living(self) -> set[psutil.Process]:
        """The processes of the tasks."""
        return {process for process in processes_with(f"sleep {self._marker}") if process.cmdline()[0] == "sleep"}

    def task_of(self, process: psutil.Process) -> str:
        return str(int(process.cmdline()[1].removeprefix(self._marker)))

    # Faults.

    @contextmanager
    def fault(self, name: str, is_over: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Do what the block does, and wait until it is over and all is well."""
        began = time.monotonic()
        yield
        self.masters.wait_until(
            lambda: self.start_ended() and is_over() and self.is_well(), f"all is well after {name}"
        )
        seconds, living = time.monotonic() - began, self.living()
        self.survived.append(Survived(name, seconds, len(self.processes - living), len(living - self.processes)))

    def is_well(self) -> bool:
        """Whether exactly one master leads, and knows all agents, the scheduler, and each task once, as running."""
        leaders = self.masters.leaders
        if len(leaders) != 1 or self.masters.metric(leaders[0], "master/slaves_active") != AGENTS:
            return False
        try:
            frameworks = self.masters.get(leaders[0], "/state")["frameworks"]
        except OSError:
            return False
        return [framework["active"] for framework in frameworks] == [True] and self.running(frameworks[0])

    def running(self, framework: dict[str, Any]) -> bool:
        """Whether a framework's tasks are those that should live."""
        running = [task["id"] for task in framework["tasks"] if task["state"] == "TASK_RUNNING"]
        return sorted(running) == sorted(self.tasks) and len(framework["tasks"]) == len(self.tasks)

    def writes(self) -> bool:
        """Whether a leader can write to the registry, which is in ZooKeeper: it has its session still, or again."""
        try:
            return [
                self.masters.send(leader, "PUT", "/weights", [{"role": "eng", "weight": 2.5}])
                for leader in self.masters.leaders
            ] == [200]
        except OSError:
            return False

    def agents_register_again(self) -> Callable[[], bool]:
        """Whether an agent was registered with the leader since now, or with another leader."""
        leader, name = self.masters.await_leader(), "master/slave_reregistrations"
        before = self.masters.metric(leader, name) or 0
        return lambda: self.masters.leaders != [leader] or (self.masters.metric(leader, name) or 0) > before

    def registers_again(self) -> Callable[[], bool]:
        """Whether the scheduler was registered since now."""
        before = len(self.registrations)
        return lambda: len(self.registrations) > before

    def start_ended(self) -> bool:
        """Start what has ended, as whoever watches over the programs of a cluster does. Always true."""
        for daemon in (*self.masters.masters, *self.masters.agents):
            if not daemon.is_running:
                daemon.start()
        return True


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    marker = f"600.{abs(hash(tmp_path)) % 10**9:09}"
    with ZooKeeper(tmp_path / "zookeeper") as zookeeper:
        cluster = Cluster(zookeeper, tmp_path / "cluster", marker)
        with cluster.masters:
            cluster.masters.await_agents(cluster.masters.await_leader())
            cluster.start_scheduler("", *(cluster.line(number) for number in range(TASKS)))
            try:
                yield cluster
            finally:
                cluster.kill_scheduler()
                for process in cluster.living():
                    process.kill()


@pytest.mark.timeout(300)
def test_any_process_dies_or_hangs_and_no_task_notices(cluster: Cluster, capsys: pytest.CaptureFixture[str]):
    masters, zookeeper = cluster.masters, cluster.zookeeper
    masters.wait_until(cluster.is_well, "all tasks run")
    masters.wait_until(lambda: len(cluster.updates) == 2 * TASKS, "all updates were told")
    masters.wait_until(lambda: len(cluster.living()) == TASKS, "all tasks sleep")
    cluster.processes = cluster.living()

    leader = masters.await_leader()
    with cluster.fault("kill -9 of the leading master", cluster.registers_again()):
        masters.masters[leader].signal(signal.SIGKILL)
        masters.masters[leader].wait(30)

    leader = masters.await_leader()
    with cluster.fault("SIGSTOP of the leading master", cluster.registers_again()):
        masters.masters[leader].signal(signal.SIGSTOP)
        masters.await_leader(other_than=leader)
        masters.masters[leader].signal(signal.SIGCONT)
        assert masters.masters[leader].wait(30) == FAILED

    masters.wait_until(lambda: zookeeper.leader is not None, "ZooKeeper has a leader")
    first = zookeeper.leader
    assert first is not None
    with cluster.fault("kill -9 of ZooKeeper's leader", lambda: zookeeper.leader is not None and cluster.writes()):
        zookeeper.restart(first)

    with cluster.fault("kill -9 of an agent", cluster.agents_register_again()):
        masters.agents[0].signal(signal.SIGKILL)
        masters.agents[0].wait(30)

    with cluster.fault("SIGSTOP of an agent, SIGCONT a second later"):
        masters.agents[1].signal(signal.SIGSTOP)
        until = time.monotonic() + STOPPED_SECONDS
        masters.wait_until(lambda: time.monotonic() > until, "it was stopped for long enough")
        masters.agents[1].signal(signal.SIGCONT)

    with cluster.fault("kill -9 of the scheduler", cluster.registers_again()):
        cluster.kill_scheduler()
        cluster.start_scheduler(cluster.registrations[0])

    victim = min(cluster.processes, key=cluster.task_of)
    task = cluster.task_of(victim)
    cluster.tasks.remove(task)
    cluster.processes.remove(victim)
    with cluster.fault("kill -9 of a task", lambda: cluster.states(task)[-1] == "TASK_FAILED"):
        victim.kill()

    with capsys.disabled():
        print("", *table(cluster.survived), sep="\n")
    assert sum(each.lost for each in cluster.survived) == 0
    assert sum(each.undead for each in cluster.survived) == 0
    assert len(set(cluster.registrations)) == 1
    assert len({update["uuid"] for update in cluster.updates}) == len(cluster.updates)
    begun = ["TASK_STARTING", "TASK_RUNNING"]
    assert all(cluster.states(alive) == begun for alive in cluster.tasks)
    assert cluster.states(task) == [*begun, "TASK_FAILED"]

    cluster.end_scheduler()
    masters.wait_until(lambda: not cluster.living(), "the tasks ended with their framework")


def table(survived: list[Survived]) -> Iterator[str]:
    """The faults, a line each, and the sum of them."""
    yield f"{'fault':44} {'seconds until all was well':>26} {'lost':>5} {'undead':>7}"
    for fault, seconds, lost, undead in survived:
        yield f"{fault:44} {seconds:26.1f} {lost:5} {undead:7}"
    lost, undead = sum(each.lost for each in survived), sum(each.undead for each in survived)
    yield f"{f'{len(survived)} faults of {TASKS} tasks on {AGENTS} agents':44} {'':26} {lost:5} {undead:7}"
