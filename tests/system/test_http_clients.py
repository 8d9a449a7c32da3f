"""Clients that others wrote, unmodified, against a real cluster."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.system.clients.environment import DPARK, MESOSHTTP, PYMESOS, client_python
from tools.local import LocalCluster

PROGRAMS = Path(__file__).parent / "clients"

# The first run makes the environment of the clients, from the package registry.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """One agent, as a machine has; in a directory that normal users can reach."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        with LocalCluster(Path(directory), agents=1, resources="cpus:4;mem:4096") as cluster:
            yield cluster


def run(packages: tuple[str, ...], program: str, *arguments: str, user: str | None = None) -> Any:
    """What a client's program prints, from JSON. TimeoutExpired if that is nothing for too long."""
    command = [str(client_python(packages)), str(PROGRAMS / program), *arguments]
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o777)
        whose = {"HOME": home} | ({"USER": user, "LOGNAME": user} if user else {})
        try:
            done = subprocess.run(command, capture_output=True, timeout=60, cwd=home, env=os.environ | whose, user=user)
            told, complaints = done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:  # dpark does its work, and now and then does not end by itself
            if not late.stdout:
                raise
            told, complaints = late.stdout, late.stderr
    assert told, complaints
    return json.loads(told.splitlines()[0])


def test_pymesos_runs_commands_and_an_executor_of_its_own(cluster: LocalCluster):
    executor = f"{client_python(PYMESOS)} {PROGRAMS / 'pymesos_executor.py'}"
    heard = run(PYMESOS, "pymesos_scheduler.py", str(cluster.address), executor, getpass.getuser())

    started = ["TASK_STARTING", "TASK_RUNNING"]
    assert heard["states"] == {
        "good": [*started, "TASK_FINISHED"],
        "bad": [*started, "TASK_FAILED"],
        "long": [*started, "TASK_KILLED"],
        "echo1": ["TASK_RUNNING", "TASK_FINISHED"],
        "echo2": ["TASK_RUNNING", "TASK_FINISHED"],
    }
    assert heard["mail"] == ["mail hello", "task echo1", "task echo2"]
    assert heard["executors"] == 1
    assert all(resource["role"] == "*" for resource in heard["offer"]["resources"])
    cluster.wait_until(lambda: _is_completed(cluster, heard["framework_id"]), "the framework is torn down")


def test_mesoshttp_runs_a_command(cluster: LocalCluster):
    heard = run(MESOSHTTP, "mesoshttp_scheduler.py", f"http://{cluster.address}", getpass.getuser())
    assert heard["states"] == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
    assert heard["master"]["address"]["port"] == cluster.address.port


def test_dpark_runs_a_job_as_a_normal_user(cluster: LocalCluster):
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    sums = None
    while sums is None:
        # On a busy machine its executor may take a process that has just done its task for lost, before it has read
        # the result, and says so; and its scheduler then gives that task no more to that host for ten minutes.
        with suppress(subprocess.TimeoutExpired):
            sums = run(DPARK, "dpark_job.py", "-m", str(cluster.address), user=user)
    assert sums == [[digit, sum(range(digit, 10_000, 10))] for digit in range(10)]


def _is_completed(cluster: LocalCluster, framework_id: str) -> bool:
    completed = cluster.get("/state")["completed_frameworks"]
    return framework_id in [framework["id"] for framework in completed]
