"""The examples run, say what they should, and stay short."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name != "__init__.py")


def start(name: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"examples.{name}", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_fewer_than_sixty_lines(path: Path):
    assert len(path.read_text().splitlines()) < 60


def test_the_counter_counts():
    assert output(start("counter")) == "SumMessage(value=1)\nSumMessage(value=11)\nSumMessage(value=111)\n"


def test_the_pool_outlives_a_mistake():
    lines = output(start("worker_pool")).splitlines()
    assert [line for line in lines if line.startswith("Quotient")] == [
        f"QuotientMessage(value={value})" for value in (100.0, 50.0, 25.0, 20.0)
    ]
    assert lines[2].startswith("100 / 0: pool(1)@")
    assert lines[-1] == "2 workers, 1 started again"


def test_two_processes_play_until_one_ends_the_game():
    first = start("ping_pong")
    assert first.stdout is not None
    address = first.stdout.readline().strip()
    second = start("ping_pong", address, "100")
    outs = output(second) + output(first)
    assert "is gone: terminated" in outs


def test_a_player_learns_that_the_other_was_killed():
    first = start("ping_pong")
    assert first.stdout is not None
    address = first.stdout.readline().strip()
    second = start("ping_pong", address, str(1 << 40))
    assert second.stdout is not None
    second.stdout.readline()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert f"{address} is gone: " in output(second)
