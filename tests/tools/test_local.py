"""The local cluster: one command, real processes, and none of them left whatever happens."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from libprocess.errors import OperatorError
from tests.system.framework import processes_with
from tests.system.programs import started
from tools.local import ClusterError, LocalCluster
from tools.local.__main__ import LocalFlags, check
from tools.local.cluster import free_ports


@contextmanager
def local(*flags: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m tools.local`, which is killed at the end if it still runs."""
    command = [sys.executable, "-m", "tools.local", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read_greeting(process: subprocess.Popen[str]) -> str:
    """What it prints once the cluster is there."""
    assert process.stdout
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], f"it ended: {process.stderr.read() if process.stderr else ''}"
    return "".join(lines)


def all_end(pids: list[int]) -> bool:
    """Whether these processes end, or have ended."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([descriptor], [], [], 30)
        os.close(descriptor)
        if not ended:
            return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_cluster_ends_with_its_command_however_that_ends(number: signal.Signals, tmp_path: Path):
    with local("--agents=2", "--port=0", f"--work_dir={tmp_path}", "--resources=cpus:1;mem:64") as process:
        greeting = read_greeting(process)
        pids = [int(pid) for pid in re.findall(r"pid (\d+)", greeting)]
        assert len(pids) == 3
        process.send_signal(number)
        assert process.wait(30) == (0 if number is not signal.SIGKILL else -number)
        assert all_end(pids)
    assert sorted(path.name for path in tmp_path.glob("*.log")) == ["agent-1.log", "agent-2.log", "master.log"]


def test_tasks_end_with_a_cluster_that_is_killed(tmp_path: Path):
    marker = f"600.{os.getpid()}"
    with local("--port=0", f"--work_dir={tmp_path}", "--resources=cpus:1;mem:64") as process:
        address = re.findall(r"http://(\S+)/", read_greeting(process))[0]
        with started("mesos-run", f"--master={address}", "--mem=32", f"--command=sleep {marker}") as run:
            assert run.stderr
            assert any("TASK_RUNNING" in line for line in run.stderr)
            tasks = [found.pid for found in processes_with(marker) if found.pid != run.pid]
            process.kill()
            assert all_end(tasks)
            run.kill()


def test_it_says_where_the_page_is(tmp_path: Path):
    [port, _] = free_ports(2)
    with local(f"--port={port}", f"--work_dir={tmp_path}") as process:
        assert f"http://127.0.0.1:{port}/" in read_greeting(process)


def test_a_taken_port_is_told_in_one_line(tmp_path: Path):
    with LocalCluster(tmp_path / "first", agents=0) as first:
        with local(f"--port={first.address.port}", f"--work_dir={tmp_path / 'second'}") as second:
            _, told = second.communicate(timeout=30)
        assert second.returncode == 2
        assert told.startswith("mesos-local: master ended with status 2: mesos-master: ")
        assert str(first.address.port) in told
        assert "Traceback" not in told
        assert len(told.splitlines()) == 1


def test_agents_share_the_ports_of_the_machine(tmp_path: Path):
    with LocalCluster(tmp_path, agents=2, resources="cpus:1") as cluster:
        ports = [agent["resources"]["ports"] for agent in cluster.get("/state")["slaves"]]
    assert sorted(ports) == ["[31000-31999]", "[32000-32999]"]


def test_a_cluster_whose_agents_cannot_start_leaves_nothing(tmp_path: Path):
    cluster = LocalCluster(tmp_path, resources="nonsense")
    with pytest.raises(ClusterError, match=r"agent-1 ended with status 2: .*nonsense"):
        cluster.start()
    assert not any(daemon.is_running for daemon in cluster.daemons)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--agents=0"], "--agents: expected 1 or more, found 0"),
        (["--resources=cpus"], "--resources: expected a resource such as cpus:4"),
    ],
)
def test_flags_that_make_no_sense_are_refused(argv: list[str], text: str):
    with pytest.raises(OperatorError, match=text):
        check(LocalFlags.load(argv, {}))
