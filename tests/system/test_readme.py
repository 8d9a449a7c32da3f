"""What README.md shows is so: its framework runs, and the files it points to are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.local import LocalCluster

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
HELLO, TEST_OF_HELLO = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_framework_runs(tmp_path: Path):
    (tmp_path / "hello.py").write_text(HELLO)
    with LocalCluster(tmp_path / "cluster", resources="cpus:1;mem:128") as cluster:
        command = [sys.executable, "hello.py", str(cluster.address)]
        hello = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (hello.returncode, hello.stderr) == (0, "")
    assert hello.stdout.splitlines()[-1].startswith("hello-1 TASK_FINISHED")


def test_the_test_of_the_framework_passes(tmp_path: Path):
    (tmp_path / "hello.py").write_text(HELLO)
    (tmp_path / "test_hello.py").write_text(TEST_OF_HELLO)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert "5 passed" in tested.stdout.splitlines()[-1], tested.stdout


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_what_it_points_to_is_there(path: str):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("line", re.findall(r"^ {4}.*?(mesos-\w+ .*)$", README, re.MULTILINE))
def test_its_commands_have_such_flags(line: str):
    program, *words = re.split(r"\s+(?=--)", line)
    name, *rest = program.split()
    modules = {
        "mesos-master": "master",
        "mesos-agent": "agent",
        "mesos-local": "tools.local",
        "mesos-trace": "tools.trace",
    }
    command = [modules.get(name, f"frameworks.{name.removeprefix('mesos-')}")]
    command += rest[:1] if name == "mesos-trace" else []
    shown = subprocess.run(
        [sys.executable, "-m", *command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    for flag in re.findall(r"--(\w+)", " ".join(words)):
        assert re.search(rf"^  (-\w( \w+)?, )?--(\[no-\])?{flag}\b", shown, re.MULTILINE)
