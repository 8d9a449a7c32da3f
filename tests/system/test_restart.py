"""A master that stands alone: killed and started again it has all back soon; and it empties an agent."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from libprocess.pid import Address
from mesos.ids import TaskID
from mesos.scheduler import SchedulerCalls
from mesos.types import InverseOffer, TaskState
from tests.system.framework import Framework, processes_with
from tests.system.programs import finished
from tests.system.waiting import eventually
from tools.local.cluster import free_ports
from tools.local.daemon import Daemon

AGENTS = 2
SECONDS = 60.0
BACK_SECONDS = 20.0
"""Two seconds by themselves; a machine with much else to do takes longer."""


class Lonely:
    """One master without ZooKeeper, and its agents."""

    def __init__(self, work_dir: Path) -> None:
        self.address = Address("127.0.0.1", free_ports(1)[0])
        self.master = self._daemon(work_dir, "master", f"--port={self.address.port}", "--actor_port=0")
        flags = (f"--master={self.address}", "--port=0", "--resources=cpus:2;mem:512;ports:[]")
        self.agents = [self._daemon(work_dir, "agent", *flags, number=number) for number in range(AGENTS)]

    @staticmethod
    def _daemon(work_dir: Path, module: str, *flags: str, number: int = 0) -> Daemon:
        name = f"{module}-{number}"
        return Daemon(name, module, [f"--work_dir={work_dir / name}", *flags], work_dir / f"{name}.log")

    def get(self, path: str) -> Any:
        """What the master says at a path; an empty object while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=1) as response:
                return json.load(response)
        except OSError:
            return {}

    def numbers(self, *names: str) -> list[float | None]:
        """Some of the master's metrics."""
        found = self.get("/metrics/snapshot")
        return [found.get(f"master/{name}") for name in names]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Lonely]:
    """One whose agents are registered; at the end nothing of it runs."""
    cluster = Lonely(tmp_path)
    daemons = (cluster.master, *cluster.agents)
    for daemon in daemons:
        daemon.start()
    try:
        eventually(lambda: cluster.numbers("slaves_active") == [AGENTS], "the agents are registered")
        yield cluster
    finally:
        for daemon in reversed(daemons):
            daemon.stop(SECONDS)


def test_all_are_back_soon_after_a_master_was_killed_and_started_again(cluster: Lonely):
    marker = f"600.{os.getpid():09}"

    def tasks() -> set[int]:
        return {process.pid for process in processes_with(f"sleep {marker}") if process.name() == "sleep"}

    with Framework(cluster.address, failover_timeout_seconds=600.0) as framework:
        for task_id in ("a", "b", "c"):
            framework.run(task_id, f"sleep {marker}", "cpus:0.8;mem:32")
        for task_id in ("a", "b", "c"):
            framework.wait_for(task_id, TaskState.TASK_RUNNING)
        eventually(lambda: len(tasks()) == 3, "the tasks sleep")
        before, ids = tasks(), {each["id"] for each in cluster.get("/slaves")["slaves"]}

        cluster.master.signal(signal.SIGKILL)
        eventually(lambda: not cluster.master.is_running, "the master is dead")
        began = time.monotonic()
        cluster.master.start()
        names = ("slaves_active", "frameworks_active", "tasks_running")
        eventually(lambda: cluster.numbers(*names) == [AGENTS, 1, 3], "all are back")
        seconds = time.monotonic() - began
        print(f"all were back after {seconds:.2f} s")
        assert seconds < BACK_SECONDS

        assert tasks() == before
        assert {each["id"] for each in cluster.get("/slaves")["slaves"]} == ids
        registry = cluster.get("/registrar(1)/registry")
        assert {each["info"]["id"]["value"] for each in registry["slaves"]["slaves"]} == ids
        for task_id in ("a", "b", "c"):
            framework.driver.kill_task(TaskID(task_id))
            framework.wait_for(task_id, TaskState.TASK_KILLED)


class Mover(Framework):
    """Runs its task elsewhere when it is told that an agent goes away."""

    moved = False

    def inverse_offers(self, driver: SchedulerCalls, inverse_offers: Sequence[InverseOffer]) -> None:
        driver.accept_inverse_offers([each.id for each in inverse_offers])
        if not self.moved:
            self.moved = True
            self.run("heir", "sleep 600")


def test_an_agent_is_emptied_by_a_command(cluster: Lonely):
    with Mover(cluster.address, failover_timeout_seconds=600.0) as framework:
        framework.run("a", "sleep 600")
        agent_id = framework.wait_for("a", TaskState.TASK_RUNNING).agent_id
        assert agent_id is not None
        words = ("drain", agent_id, f"--master={cluster.address}", "--within=5secs", "--wait")
        done = finished("tools.cli", *words)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"agent {agent_id} is drained")
        heir = framework.wait_for("heir", TaskState.TASK_RUNNING)
        assert heir.agent_id != agent_id
        killed = framework.wait_for("a", TaskState.TASK_KILLED)
        assert killed.timestamp >= heir.timestamp  # it had its time

        cluster.master.signal(signal.SIGKILL)
        eventually(lambda: not cluster.master.is_running, "the master is dead")
        cluster.master.start()
        eventually(lambda: cluster.numbers("slaves_active", "slaves_inactive") == [1, 1], "it is still drained")
