"""The life of a task, end to end, through real processes, and what happens when some of these die."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesos.ids import TaskID
from mesos.resources import Resources
from mesos.types import CommandInfo, Reason, TaskInfo, TaskState
from tests.system.framework import Framework, processes_with
from tools.local import LocalCluster

RESOURCES = "cpus:2;mem:512"
QUICK_MASTER = ("--agent_ping_timeout=200ms", "--max_agent_ping_timeouts=3", "--agent_reregister_timeout=10secs")
QUICK_AGENT = ("--executor_shutdown_grace_period=3secs", "--registration_backoff_factor=100ms")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster that the tests share, and leave as they found it."""
    directory = tmp_path_factory.mktemp("cluster")
    with LocalCluster(directory, resources=RESOURCES, master_flags=QUICK_MASTER, agent_flags=QUICK_AGENT) as cluster:
        yield cluster


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A cluster for one test that kills parts of it."""
    with LocalCluster(tmp_path, resources=RESOURCES, master_flags=QUICK_MASTER, agent_flags=QUICK_AGENT) as cluster:
        yield cluster


@pytest.fixture
def framework(cluster: LocalCluster) -> Iterator[Framework]:
    with Framework(cluster.address) as framework:
        yield framework


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A length of sleep in seconds that no other process has, so that a task can be found among all processes."""
    return f"600.{abs(hash(tmp_path)) % 10**9:09}"


def gone(marker: str) -> Callable[[], bool]:
    return lambda: not processes_with(marker)


# Ends.


def test_a_task_runs_and_finishes(framework: Framework):
    framework.run("t", "true")
    status = framework.wait_for("t", TaskState.TASK_FINISHED)
    assert framework.states("t") == [TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FINISHED]
    assert status.agent_id is not None


def test_a_task_runs_and_fails(framework: Framework):
    framework.run("t", "exit 3")
    assert "exited with status 3" in framework.wait_for("t", TaskState.TASK_FAILED).message


def test_a_task_is_killed_with_all_its_processes(cluster: LocalCluster, framework: Framework, marker: str):
    task_id = framework.run("t", f"sleep {marker} & sleep {marker}; true")
    framework.wait_for("t", TaskState.TASK_RUNNING)
    cluster.wait_until(lambda: len(processes_with(f"sleep {marker}")) >= 2, "both sleep")
    framework.driver.kill_task(task_id)
    framework.wait_for("t", TaskState.TASK_KILLED)
    cluster.wait_until(gone(marker), "its processes are gone")


def test_a_task_that_ignores_sigterm_is_killed_after_its_grace_period(framework: Framework, marker: str):
    task_id = framework.run("t", f"trap '' TERM; echo; while true; do sleep {marker}; done")
    framework.wait_for("t", TaskState.TASK_RUNNING)
    framework.driver.kill_task(task_id)
    framework.wait_for("t", TaskState.TASK_KILLED)
    assert gone(marker)()


def test_a_task_that_asks_for_more_than_its_offer_is_refused_with_the_reason(framework: Framework):
    offer = framework.next_offer()
    task = TaskInfo("big", TaskID("big"), offer.agent_id, Resources.of(cpus=100, mem=32), CommandInfo("true"))
    framework.launch(task, offer)
    status = framework.wait_for("big", TaskState.TASK_ERROR)
    assert status.reason is Reason.REASON_TASK_INVALID
    assert status.message == f"task big asks for cpus:100 but offer {offer.id} holds cpus:2"


def test_a_task_on_an_offer_that_does_not_exist_is_lost(framework: Framework):
    offer = framework.next_offer()
    framework.driver.decline_offer(offer.id)
    framework.launch(TaskInfo("late", TaskID("late"), offer.agent_id, Resources.of(cpus=0.1)), offer)
    assert framework.wait_for("late", TaskState.TASK_LOST).reason is Reason.REASON_INVALID_OFFERS


# Deaths.


def test_the_tasks_of_an_agent_that_dies_are_lost(own_cluster: LocalCluster, marker: str):
    with Framework(own_cluster.address) as framework:
        framework.run("t", f"sleep {marker}")
        framework.wait_for("t", TaskState.TASK_RUNNING)
        own_cluster.agents[0].signal(signal.SIGSTOP)  # it neither answers nor hangs up
        framework.wait_for("t", TaskState.TASK_LOST)
        framework.wait_until(lambda: len(framework.agents_lost) == 1, "the agent is lost")
        own_cluster.agents[0].signal(signal.SIGCONT)


def test_the_tasks_of_a_scheduler_that_dies_are_killed(own_cluster: LocalCluster, marker: str):
    command = [sys.executable, "-m", "frameworks.run", f"--master={own_cluster.address}", f"--command=sleep {marker}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as scheduler:
        own_cluster.wait_until(lambda: bool(processes_with(f"sleep {marker}")[1:]), "its task runs")
        scheduler.kill()
    own_cluster.wait_until(gone(marker), "its task is gone")


def test_the_tasks_of_a_scheduler_that_is_away_live_until_its_failover_timeout(own_cluster: LocalCluster, marker: str):
    with Framework(own_cluster.address, failover_timeout_seconds=3.0) as framework:
        framework.run("t", f"sleep {marker}")
        framework.wait_for("t", TaskState.TASK_RUNNING)
        own_cluster.wait_until(lambda: bool(processes_with(marker)), "its task sleeps")
        framework.driver.stop(failover=True)
    with Framework(own_cluster.address, failover_timeout_seconds=3.0, id=framework.id) as successor:
        assert not gone(marker)()
        successor.driver.reconcile_tasks()
        successor.wait_for("t", TaskState.TASK_RUNNING)
        successor.driver.stop(failover=True)
    own_cluster.wait_until(gone(marker), "its task is gone")


def test_agents_and_schedulers_come_back_to_a_master_that_was_restarted(own_cluster: LocalCluster, marker: str):
    with Framework(own_cluster.address, failover_timeout_seconds=600.0) as framework:
        framework.run("before", f"sleep {marker}")
        framework.wait_for("before", TaskState.TASK_RUNNING)
        own_cluster.master.signal(signal.SIGKILL)
        own_cluster.master.stop(10)
        own_cluster.start_master()
        own_cluster.wait_until(lambda: own_cluster.active_agents() == 1, "the agent is back")
        framework.wait_until(lambda: framework.registrations == 2, "the scheduler is back")
        framework.run("after", "true")
        framework.wait_for("after", TaskState.TASK_FINISHED)
        framework.driver.kill_task(TaskID("before"))
        framework.wait_for("before", TaskState.TASK_KILLED)
    own_cluster.wait_until(gone(marker), "its task is gone")
