"""The agent as a program: what an operator gets wrong, and what is left when it is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mesos.types import TaskState
from tests.system.framework import Framework
from tools.local.cluster import LocalCluster

OPERATORS_FAULT = 2
LIMIT_SECONDS = 30.0
POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(LIMIT_SECONDS / POLL_SECONDS)):
        if condition():
            return
        pause.wait(POLL_SECONDS)
    raise AssertionError("it never came true")


def running(word: str) -> list[int]:
    """The processes that have this word on their command line."""
    return [process.pid for process in psutil.process_iter(["cmdline"]) if word in (process.info["cmdline"] or ())]


def groups_of(work_dir: Path) -> list[Path]:
    """The control groups of the containers whose sandboxes are below a directory."""
    ids = [path.name for path in work_dir.glob("**/runs/*")]
    return [path for id_ in ids for path in Path("/sys/fs/cgroup").glob(f"**/mesos/{id_}")]


def fails(*flags: str) -> str:
    """What an agent says that cannot start; it must be one line."""
    command = [sys.executable, "-m", "agent", "--master=127.0.0.1:1", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert done.returncode == OPERATORS_FAULT, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--resources=cpus:many", "mesos-agent: --resources: cpus: expected a number"),
        ("--attributes=rack", "mesos-agent: --attributes: expected an attribute such as rack:abc, found 'rack'"),
        ("--isolation=cgroups/cup", "mesos-agent: --isolation: there is no 'cgroups/cup'; there are "),
        ("--ip=0.0.0.0", "mesos-agent: --ip=0.0.0.0 is no address that others can reach; give one with --advertise_ip"),
        ("--work_dir=/proc/no", "mesos-agent: --work_dir: /proc/no cannot be made: "),
        ("--gc_delay=soon", "mesos-agent: --gc_delay: expected a duration such as 15secs"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, flag: str, text: str):
    assert fails(f"--work_dir={tmp_path}", "--port=0", flag).startswith(text)


def test_nothing_is_left_of_an_agent_that_is_killed(tmp_path: Path):
    with (
        LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:512") as cluster,
        Framework(cluster.address) as framework,
    ):
        task_id = framework.run("t1", "setsid sleep 4321 & trap '' TERM; sleep 4321; sleep 4321")
        framework.wait_for(task_id, TaskState.TASK_RUNNING)
        wait_until(lambda: len(running("4321")) == 2)
        psutil.Process(cluster.agents[0].pid).kill()

        wait_until(lambda: running("4321") == [])
        wait_until(lambda: groups_of(tmp_path) == [])
