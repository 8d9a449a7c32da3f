"""Clients that others wrote, unmodified, against a real cluster."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.clients.environment import client_python
from tools.local import LocalCluster

PROGRAMS = Path(__file__).parent / "clients"

# The first run makes the environment of the clients, from the package registry.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with LocalCluster(tmp_path_factory.mktemp("cluster"), agents=1, resources="cpus:4;mem:1024") as cluster:
        yield cluster


def run(program: str, *arguments: str) -> dict[str, Any]:
    """What a client's program prints, as JSON."""
    command = [str(client_python()), str(PROGRAMS / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    return printed


def test_pymesos_runs_commands_and_an_executor_of_its_own(cluster: LocalCluster):
    executor = f"{client_python()} {PROGRAMS / 'pymesos_executor.py'}"
    heard = run("pymesos_scheduler.py", str(cluster.address), executor, getpass.getuser())

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
    heard = run("mesoshttp_scheduler.py", f"http://{cluster.address}", getpass.getuser())
    assert heard["states"] == ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]
    assert heard["master"]["address"]["port"] == cluster.address.port


def _is_completed(cluster: LocalCluster, framework_id: str) -> bool:
    completed = cluster.get("/state")["completed_frameworks"]
    return framework_id in [framework["id"] for framework in completed]
