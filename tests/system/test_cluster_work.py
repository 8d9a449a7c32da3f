"""mesos-batch and mesos-run on a cluster of real processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.framework import processes_with
from tests.system.programs import SECONDS, command, finished, started
from tools.local import LocalCluster

RESOURCES = "cpus:4;mem:1024"
AGENT_FLAGS = ("--executor_shutdown_grace_period=3secs", "--registration_backoff_factor=100ms")
MASTER_FLAGS = ("--agent_ping_timeout=200ms", "--max_agent_ping_timeouts=3", "--agent_reregister_timeout=1secs")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    directory = tmp_path_factory.mktemp("cluster")
    with LocalCluster(directory, agents=2, resources=RESOURCES, agent_flags=AGENT_FLAGS) as cluster:
        yield cluster


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A length of sleep in seconds that no other process has, so that a task can be found among all processes."""
    return f"600.{abs(hash(tmp_path)) % 10**9:09}"


def lines(count: int) -> str:
    return "".join(f"{number}\n" for number in range(count))


# mesos-batch.


def test_outputs_come_in_the_order_of_the_inputs(cluster: LocalCluster):
    master = f"--master={cluster.address}"
    # The first ones take longest.
    batch = finished("mesos-batch", master, "--cpus=0.25", "sleep 0.$((20 - {})); echo got {}", input=lines(20))
    assert batch.returncode == 0
    assert batch.stdout == "".join(f"got {number}\n" for number in range(20))
    assert "mesos-batch: 20 of 20 inputs done on " in batch.stderr


def test_failures_are_told_at_the_end_and_by_the_exit_status(cluster: LocalCluster):
    line = 'echo "out {}"; [ {} != 3 ] || { echo "no {}!" >&2; exit 7; }'
    batch = finished("mesos-batch", f"--master={cluster.address}", "--cpus=0.25", line, input=lines(5))
    assert batch.returncode == 1
    assert batch.stdout == "".join(f"out {number}\n" for number in range(5))
    assert "mesos-batch: '3' failed on 127.0.0.1: exit status 7\n    no 3!\n" in batch.stderr
    assert batch.stderr.splitlines()[-1].endswith(", 1 failed")


def test_outputs_of_any_size_come_whole(cluster: LocalCluster):
    line = "head -c {} /dev/zero | tr '\\0' x"
    sizes = [0, 1, 131071, 131072, 131073, 5_000_000]
    inputs = "".join(f"{size}\n" for size in sizes)
    batch = finished("mesos-batch", f"--master={cluster.address}", "--cpus=0.5", line, input=inputs)
    assert batch.returncode == 0
    assert len(batch.stdout) == sum(sizes)


def test_outputs_are_kept_in_a_directory(cluster: LocalCluster, tmp_path: Path):
    output = tmp_path / "output"
    flags = (f"--master={cluster.address}", f"--output={output}", "--cpus=0.25")
    batch = finished("mesos-batch", *flags, "echo {}; [ {} = b ] || echo {} >&2", input="a\nb\n")
    assert (batch.returncode, batch.stdout) == (0, "")
    written = {path.name: path.read_text() for path in output.glob("*.std*")}
    assert written == {"1.stdout": "a\n", "1.stderr": "a\n", "2.stdout": "b\n"}
    rows = [json.loads(row) for row in (output / "results.jsonl").read_text().splitlines()]
    assert [(row["input"], row["exit_status"]) for row in rows] == [("a", 0), ("b", 0)]


def test_progress_shows_on_a_terminal(cluster: LocalCluster):
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    command_line = command("mesos-batch", f"--master={cluster.address}", "--cpus=0.25", "echo")
    batch = subprocess.run(
        command_line, input=lines(10), stdout=subprocess.PIPE, stderr=end, text=True, timeout=SECONDS
    )
    os.close(end)
    assert (batch.returncode, batch.stdout) == (0, lines(10))
    shown = os.read(terminal, 1 << 20).decode()
    os.close(terminal)
    assert "/10 [" in shown
    assert shown.splitlines()[-1].startswith("mesos-batch: 10 of 10 inputs done")


def test_commands_start_where_the_user_is(cluster: LocalCluster, tmp_path: Path):
    (tmp_path / "here.txt").write_text("one two\n")
    flags = (f"--master={cluster.address}", "--cpus=0.25", "--", "wc", "-w")
    assert finished("mesos-batch", *flags, input="here.txt\n", cwd=tmp_path).stdout == "2 here.txt\n"


def test_an_interrupt_kills_what_runs(cluster: LocalCluster, marker: str):
    with started("mesos-batch", f"--master={cluster.address}", "--cpus=0.25", f"sleep {marker}; true") as batch:
        assert batch.stdin
        batch.stdin.write("a\nb\n")
        batch.stdin.close()
        cluster.wait_until(lambda: len(processes_with(f"sleep {marker}")) >= 2, "tasks run")
        batch.send_signal(signal.SIGINT)
        assert batch.wait(30) == 130
        assert batch.stderr
        assert "mesos-batch: 0 of 2 inputs done" in batch.stderr.read()
    cluster.wait_until(lambda: not processes_with(marker), "its tasks are gone")


@contextmanager
def held_batch(cluster: LocalCluster, directory: Path) -> Iterator[None]:
    """A batch whose tasks all run until the end of the body, after which they all have to succeed."""
    hold = directory / "hold"
    hold.touch()
    line = f"while [ -e {hold} ]; do sleep 0.05; done; echo {{}}"
    with started("mesos-batch", f"--master={cluster.address}", "--cpus=0.5", line) as batch:
        try:
            assert batch.stdin
            batch.stdin.write(lines(12))
            batch.stdin.close()
            cluster.wait_until(lambda: running(cluster) == 12, "all tasks run, on both agents")
            yield
            hold.unlink()
            assert batch.wait(60) == 0
            assert batch.stdout
            assert batch.stdout.read() == lines(12)
        finally:
            batch.kill()


def test_tasks_that_are_lost_with_their_agent_run_again(tmp_path: Path):
    with LocalCluster(tmp_path / "cluster", 2, resources=RESOURCES, master_flags=MASTER_FLAGS) as cluster:
        with held_batch(cluster, tmp_path):
            cluster.agents[1].signal(signal.SIGSTOP)
            cluster.wait_until(lambda: cluster.active_agents() == 1, "an agent is lost")
        cluster.agents[1].signal(signal.SIGCONT)


def test_tasks_that_are_lost_with_their_executor_run_again(cluster: LocalCluster, tmp_path: Path):
    with held_batch(cluster, tmp_path):
        processes_with("frameworks.carrier.executor")[0].kill()


def test_a_batch_goes_on_when_its_master_was_restarted(tmp_path: Path):
    cluster = LocalCluster(tmp_path / "cluster", 2, resources=RESOURCES, agent_flags=AGENT_FLAGS)
    with cluster, held_batch(cluster, tmp_path):
        cluster.master.signal(signal.SIGKILL)
        cluster.master.stop(10)
        cluster.start_master()
        cluster.wait_until(lambda: cluster.active_agents() == 2, "the agents are back")


def running(cluster: LocalCluster) -> int:
    """How many tasks run, as the master sees it."""
    frameworks = cluster.get("/state")["frameworks"]
    return sum(task["state"] == "TASK_RUNNING" for each in frameworks for task in each["tasks"])


# mesos-run.


def test_a_run_exits_as_its_command_does(cluster: LocalCluster):
    master = f"--master={cluster.address}"
    assert finished("mesos-run", master, "--command=exit 5").returncode == 5
    assert finished("mesos-run", master, "--command=kill -9 $$").returncode == 128 + signal.SIGKILL
    run = finished("mesos-run", master, "--env=WHO=world", "--command", '[ "$WHO" = world ]')
    assert run.returncode == 0
    assert "mesos-run: run-1 on 127.0.0.1: TASK_FINISHED" in run.stderr


def test_a_program_that_is_not_there_is_told(cluster: LocalCluster):
    run = finished("mesos-run", f"--master={cluster.address}", "--follow", "--", "/no/such")
    assert run.returncode == 127
    assert "cannot run /no/such" in run.stderr


def test_what_is_followed_is_printed_while_it_runs(cluster: LocalCluster, tmp_path: Path):
    go = tmp_path / "go"
    line = f"echo ready; while [ ! -e {go} ]; do sleep 0.05; done; echo 'the end' >&2; exit 6"
    with started("mesos-run", f"--master={cluster.address}", "--follow", f"--command={line}") as run:
        assert run.stdout
        assert run.stderr
        assert run.stdout.readline() == "ready\n"
        go.touch()
        assert run.wait(30) == 6
        assert "the end\n" in run.stderr.read()


def test_instances_run_side_by_side_and_are_told_apart(cluster: LocalCluster):
    flags = (f"--master={cluster.address}", "--name=side", "--instances=3", "--cpus=0.5", "--follow")
    run = finished("mesos-run", *flags, "--command=echo one; echo two")
    assert run.returncode == 0
    assert sorted(run.stdout.splitlines()) == sorted(f"side-{i}: {word}" for i in (1, 2, 3) for word in ("one", "two"))


def test_an_interrupted_run_kills_its_command(cluster: LocalCluster, marker: str):
    with started("mesos-run", f"--master={cluster.address}", f"--command=sleep {marker}; true") as run:
        cluster.wait_until(lambda: bool(processes_with(f"sleep {marker}")[1:]), "it runs")
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 130
    cluster.wait_until(lambda: not processes_with(marker), "its task is gone")
