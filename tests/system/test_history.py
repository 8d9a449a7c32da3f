"""What became of tasks is known after the master was killed, and after its files are gone, too."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mesos.types import TaskState
from tests.system.framework import Framework
from tools.cli.__main__ import main
from tools.local import LocalCluster

SECONDS = 30.0
COMPLAINT = "no such file: /the/input"

Ask = Callable[..., list[str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(cluster: LocalCluster, *words: str) -> list[str]:
        monkeypatch.setattr("sys.argv", ["tools.cli", "history", "--master", str(cluster.address), *words])
        assert main() == 0
        return capsys.readouterr().out.splitlines()

    return ask


def test_the_history_of_tasks_outlives_masters(tmp_path: Path, ask: Ask):
    with (
        LocalCluster(tmp_path, resources="cpus:2;mem:512") as cluster,
        Framework(cluster.address, failover_timeout_seconds=60.0) as framework,
    ):
        framework.run("fine", "echo well done")
        framework.run("broken", f"echo beginning; echo '{COMPLAINT}' >&2; exit 3")
        framework.run("shot", "kill -9 $$")
        framework.wait_for("fine", TaskState.TASK_FINISHED)
        framework.wait_for("broken", TaskState.TASK_FAILED)
        framework.wait_for("shot", TaskState.TASK_FAILED)
        cluster.wait_until(lambda: len(ask(cluster)) == 3, "all three are written down")

        _kill_and_start_again(cluster)
        (broken, complaint) = ask(cluster, "--task=broken", "--lines")
        assert "TASK_FAILED broken of test on 127.0.0.1: Command exited with status 3 (" in broken
        assert broken.endswith(" at most)")
        assert complaint == f"    {COMPLAINT}"
        assert [line.split()[3] for line in ask(cluster, "--state=failed", "--text=signal")] == ["shot"]

        for file in (tmp_path / "master").glob("history.*"):
            file.unlink()
        _kill_and_start_again(cluster)
        cluster.wait_until(lambda: len(ask(cluster)) == 3, "the agent has told what ended there")
        assert ask(cluster, "--task=fine", "--lines")[1:] == ["    well done"]


def _kill_and_start_again(cluster: LocalCluster) -> None:
    cluster.master.signal(signal.SIGKILL)
    cluster.master.stop(SECONDS)
    cluster.start_master()
