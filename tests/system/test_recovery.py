"""An agent that is killed or restarted: what runs goes on, what ended meanwhile is told, and nothing is told twice."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mesos.ids import ExecutorID, TaskID
from mesos.resources import Resources
from mesos.types import CommandInfo, ExecutorInfo, TaskInfo, TaskState
from tests.system.containers import needs_root
from tests.system.framework import Framework, processes_with
from tests.system.test_agent import groups_of
from tools.local import LocalCluster

STARTING, RUNNING = TaskState.TASK_STARTING, TaskState.TASK_RUNNING
FINISHED, FAILED, KILLED = TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED
RESOURCES = "cpus:4;mem:1024;disk:1024"
QUICK_MASTER = ("--agent_reregister_timeout=10secs",)
PATIENT_MASTER = ("--agent_reregister_timeout=10mins",)
"""For an agent that is started more than once before it is back."""
QUICK_AGENT = ("--executor_shutdown_grace_period=3secs", "--registration_backoff_factor=100ms")


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    flags = getattr(request, "param", QUICK_MASTER)
    with LocalCluster(tmp_path, resources=RESOURCES, master_flags=flags, agent_flags=QUICK_AGENT) as cluster:
        yield cluster
    assert groups_of(tmp_path) == []


@pytest.fixture
def framework(cluster: LocalCluster) -> Iterator[Framework]:
    with Framework(cluster.address, failover_timeout_seconds=60.0, checkpoint=True) as framework:
        yield framework


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A length of sleep in seconds that no other process has."""
    return f"600.{abs(hash(tmp_path)) % 10**9:09}"


def sleepers(marker: str) -> list[int]:
    """The processes that sleep so long."""
    return [process.pid for process in processes_with(marker) if process.info["name"] == "sleep"]


def end_agent(cluster: LocalCluster, number: int) -> None:
    agent = cluster.agents[0]
    agent.signal(number)
    agent.wait(30)


def restart(cluster: LocalCluster, number: int = signal.SIGKILL) -> None:
    """End the agent by a signal, and start it again."""
    end_agent(cluster, number)
    cluster.agents[0].start()
    cluster.wait_until(lambda: cluster.active_agents() == 1, "the agent is back")


def finish_on(path: Path, status: int = 0) -> str:
    """A command that ends when a file is there."""
    return f"until test -e {path}; do sleep 0.05; done; exit {status}"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_tasks_go_on_without_their_agent(
    cluster: LocalCluster, framework: Framework, marker: str, tmp_path: Path, number: int
):
    signs = [tmp_path / "sign-1", tmp_path / "sign-2"]
    framework.run("sleeps", f"sleep {marker}")
    framework.run("ends meanwhile", finish_on(signs[0], status=3))
    framework.run("ends later", finish_on(signs[1]))
    for task_id in ("sleeps", "ends meanwhile", "ends later"):
        framework.wait_for(task_id, RUNNING)
    cluster.wait_until(lambda: len(sleepers(marker)) == 1, "one sleeps")
    sleeping, agent_id = sleepers(marker), framework.updates[0].agent_id

    end_agent(cluster, number)
    waiting = processes_with(str(signs[0]))
    signs[0].touch()
    for process in waiting:
        process.wait(30)
    cluster.agents[0].start()

    assert "exited with status 3" in framework.wait_for("ends meanwhile", FAILED).message
    signs[1].touch()
    framework.wait_for("ends later", FINISHED)
    assert sleepers(marker) == sleeping
    framework.driver.kill_task(TaskID("sleeps"))
    framework.wait_for("sleeps", KILLED)
    assert sleepers(marker) == []
    assert {status.agent_id for status in framework.updates} == {agent_id}
    assert framework.states("sleeps") == [STARTING, RUNNING, KILLED]
    assert framework.states("ends meanwhile") == [STARTING, RUNNING, FAILED]
    assert framework.states("ends later") == [STARTING, RUNNING, FINISHED]


def test_what_is_not_to_outlive_the_agent_ends_with_it(cluster: LocalCluster, marker: str):
    with Framework(cluster.address, failover_timeout_seconds=60.0) as framework:
        framework.run("t", f"trap '' TERM; sleep {marker}; true")
        framework.wait_for("t", RUNNING)
        cluster.wait_until(lambda: bool(sleepers(marker)), "it sleeps")
        restart(cluster)
        cluster.wait_until(lambda: not sleepers(marker), "it is gone")
        framework.wait_for("t", TaskState.TASK_LOST)


def test_a_container_that_is_killed_while_the_agent_is_away_is_told_of(
    cluster: LocalCluster, framework: Framework, marker: str
):
    framework.run("t", f"sleep {marker}")
    framework.wait_for("t", RUNNING)
    cluster.wait_until(lambda: bool(sleepers(marker)), "it sleeps")
    end_agent(cluster, signal.SIGKILL)
    processes_with(marker)[0].parent().kill()  # its init, which leaves no report
    cluster.agents[0].start()
    assert "signal Killed" in framework.wait_for("t", FAILED).message
    assert sleepers(marker) == []


def test_an_agent_that_is_to_clean_up_ends_what_runs_and_is_another_one_next_time(
    cluster: LocalCluster, framework: Framework, marker: str, tmp_path: Path
):
    framework.run("t", f"sleep {marker}")
    framework.wait_for("t", RUNNING)
    cluster.wait_until(lambda: bool(sleepers(marker)), "it sleeps")
    end_agent(cluster, signal.SIGTERM)
    assert len(sleepers(marker)) == 1
    cleaner = cluster.agents[0].with_flags("--recover=cleanup")
    cleaner.start()
    assert cleaner.wait(30) == 0
    assert sleepers(marker) == []
    assert groups_of(tmp_path) == []

    cluster.agents[0].start()
    framework.wait_for("t", TaskState.TASK_LOST)
    framework.run("next", "true")
    assert framework.wait_for("next", FINISHED).agent_id != framework.updates[0].agent_id


def test_a_kill_goes_on_after_a_restart(cluster: LocalCluster, framework: Framework, marker: str, tmp_path: Path):
    sign = tmp_path / "told to end"
    task_id = framework.run("t", f"trap 'touch \"{sign}\"' TERM; while true; do sleep {marker}; done")
    framework.wait_for("t", RUNNING)
    cluster.wait_until(lambda: bool(sleepers(marker)), "it sleeps")
    framework.driver.kill_task(task_id)
    cluster.wait_until(sign.exists, "it is told to end")
    restart(cluster)
    framework.wait_for("t", KILLED)
    assert sleepers(marker) == []


PROGRAM = """
from mesos.executor import Executor, ExecutorDriver
from mesos.types import TaskState, TaskStatus

class Patient(Executor):
    def launch_task(self, driver, task):
        driver.send_status_update(TaskStatus(task.task_id, TaskState.TASK_RUNNING))

    def kill_task(self, driver, task_id):
        driver.send_status_update(TaskStatus(task_id, TaskState.TASK_KILLED))

ExecutorDriver(Patient()).run()
"""


def test_a_frameworks_executor_comes_back_to_its_agent_wherever_that_is_now(
    cluster: LocalCluster, framework: Framework, tmp_path: Path
):
    program = tmp_path / "patient.py"
    program.write_text(PROGRAM)
    offer = framework.next_offer()
    command = CommandInfo(f"exec {sys.executable} {program}")
    resources = Resources.of(cpus=0.1, mem=64).allocate(offer.role)
    executor = ExecutorInfo(ExecutorID("patient"), command, resources)
    framework.launch(TaskInfo("t", TaskID("t"), offer.agent_id, resources, executor=executor), offer)
    framework.wait_for("t", RUNNING)
    before = [process.pid for process in processes_with(str(program))]

    restart(cluster)
    assert [process.pid for process in processes_with(str(program))] == before
    framework.driver.kill_task(TaskID("t"))
    framework.wait_for("t", KILLED)
    told = dict.fromkeys(framework.states("t"))  # twice, if the agent was killed before it knew that it is known
    assert list(told) == [RUNNING, KILLED]


@pytest.mark.parametrize("cluster", [PATIENT_MASTER], indirect=True)
def test_an_agent_that_has_changed_is_refused_or_takes_its_tasks_with_it(
    cluster: LocalCluster, framework: Framework, marker: str
):
    framework.run("t", f"sleep {marker}")
    framework.wait_for("t", RUNNING)
    command = ["-m", "tools.cli", "reconfigure", "127.0.0.1", f"--master={cluster.address}", "--attributes=rack:r1"]
    said = subprocess.run([sys.executable, *command, "--resources=cpus:8"], capture_output=True, text=True, timeout=60)
    assert "has cpus:8;disk:1024;mem:1024;ports:[31000-31999], and the attributes rack:r1" in said.stdout, said.stderr
    framework.run("large", "true", resources="cpus:6;mem:32")
    framework.wait_for("large", FINISHED)

    end_agent(cluster, signal.SIGTERM)
    agent = cluster.agents[0]
    agent.start()
    assert agent.wait(30) == 2
    assert (
        "and is cpus:4;disk:1024;mem:1024;ports:[31000-31999] now; give it as before; for more," in agent.last_words()
    )

    larger = agent.with_flags("--resources=cpus:9;mem:1024;disk:1024;ports:[31000-31999]", "--attributes=rack:r1")
    cluster.agents[0] = larger.with_flags("--reconfiguration_policy=additive")
    cluster.agents[0].start()
    cluster.wait_until(lambda: cluster.active_agents() == 1, "the agent is back")
    assert len(sleepers(marker)) == 1
    assert framework.states("t") == [STARTING, RUNNING]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Where the agent lives: 8 MB."""
    disk = tmp_path / "agent-1"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@needs_root
@pytest.mark.parametrize("cluster", [PATIENT_MASTER], indirect=True)
def test_an_agent_whose_disk_is_full_says_so_and_loses_nothing(
    small_disk: Path, cluster: LocalCluster, framework: Framework, marker: str, tmp_path: Path
):
    framework.run("sleeps", f"sleep {marker}")
    framework.run("ends", finish_on(tmp_path / "sign", status=3))
    framework.wait_for("sleeps", RUNNING)
    framework.wait_for("ends", RUNNING)
    cluster.wait_until(lambda: len(sleepers(marker)) == 1, "one sleeps")
    sleeping, agent, filling = sleepers(marker), cluster.agents[0], small_disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass

    (tmp_path / "sign").touch()
    assert "exited with status 3" in framework.wait_for("ends", FAILED).message
    framework.run("large", f"true {'x' * 8192}")
    assert agent.wait(30) == 1
    agent.start()
    assert agent.wait(30) == 1
    assert "cannot be written: No space left on device" in agent.last_words()
    assert "Traceback" not in agent.log.read_text()

    filling.unlink()
    agent.start()
    framework.run("next", "true")
    framework.wait_for("next", FINISHED)
    assert sleepers(marker) == sleeping
    assert framework.states("sleeps") == [STARTING, RUNNING]
    assert STARTING not in framework.states("large"), "nothing was said of what was not written down"


def test_what_a_forker_has_not_started_when_its_agent_is_killed_is_started_once(
    cluster: LocalCluster, framework: Framework, tmp_path: Path
):
    framework.run("first", "true")
    framework.wait_for("first", FINISHED)
    [forker] = [child for child in psutil.Process(cluster.agents[0].pid).children() if child.is_running()]
    forker.suspend()
    runs, sign = tmp_path / "runs", tmp_path / "sign"
    framework.run("t", f"echo once >> {runs}; {finish_on(sign)}")
    framework.wait_for("t", STARTING)
    cluster.wait_until(
        lambda: any(tmp_path.glob("agent-1/agents/*/frameworks/*/executors/t/runs/*")), "it is asked for"
    )
    restart(cluster)
    framework.wait_for("t", RUNNING)
    forker.resume()
    forker.wait(30)
    restart(cluster)
    sign.touch()
    framework.wait_for("t", FINISHED)
    assert runs.read_text() == "once\n"


@pytest.mark.parametrize("lost", ["agent-1/meta", "agent-1"])
def test_what_nobody_knows_any_more_is_destroyed(tmp_path: Path, marker: str, lost: str):
    """Somebody made room on the disk. Another agent, with the same groups around its containers, keeps what it has."""
    cluster = LocalCluster(
        tmp_path, 2, resources="cpus:1;mem:512", master_flags=PATIENT_MASTER, agent_flags=QUICK_AGENT
    )
    with (
        cluster,
        Framework(cluster.address, failover_timeout_seconds=60.0, checkpoint=True) as framework,
    ):
        for task_id in ("t1", "t2"):
            framework.run(task_id, f"setsid sleep {marker} & sleep {marker}", resources="cpus:1;mem:32")
            framework.wait_for(task_id, RUNNING)
        cluster.wait_until(lambda: len(sleepers(marker)) == 4, "all sleep")
        for agent in cluster.agents:
            agent.signal(signal.SIGKILL)
            agent.wait(30)
        groups = groups_of(tmp_path / "agent-1")
        others = groups_of(tmp_path / "agent-2")
        shutil.rmtree(tmp_path / lost)
        for agent in cluster.agents:
            agent.start()
        cluster.wait_until(lambda: len(sleepers(marker)) == 2, "two are gone")
        cluster.wait_until(lambda: not any(group.exists() for group in groups), "so are their groups")
        cluster.wait_until(lambda: cluster.active_agents() == 2, "both agents are back")
        assert len(sleepers(marker)) == 2
        assert all(group.exists() for group in others)
