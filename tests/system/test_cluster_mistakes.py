"""What operators get wrong: every program says in one line what it found, what it expected, and what to do."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.programs import MODULES, finished, started
from tools.local.cluster import free_ports


@pytest.fixture
def dead() -> str:
    """An address where nobody listens."""
    [port] = free_ports(1)
    return f"127.0.0.1:{port}"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def told(process: subprocess.CompletedProcess[str]) -> str:
    """The one line of a program that ended for its operator's mistake."""
    assert process.returncode == 2, process.stderr
    assert "Traceback" not in process.stderr
    [line] = process.stderr.splitlines()
    return line


COMMANDS = ("mesos-trace", "tools.cli")
"""Programs that do several things, each with options of its own."""


@pytest.mark.parametrize("program", [program for program in MODULES if program not in COMMANDS])
def test_an_unknown_flag_is_told_with_the_nearest(program: str):
    known = "--agents" if program == "mesos-local" else "--master" if program not in ("mesos-master",) else "--cluster"
    text = told(finished(program, f"{known}x=1"))
    assert text == f"{program}: there is no flag {known}x; did you mean {known}?; --help lists them all"


def test_an_unknown_option_of_a_command_is_told():
    text = told(finished("tools.cli", "explain", "--framework=f", "--masterx=1"))
    assert text == "python -m tools.cli: unrecognized arguments: --masterx=1; --help says more"


@pytest.mark.parametrize("program", MODULES)
def test_help_is_there_and_fits_the_screen(program: str):
    shown = finished(program, "--help")
    assert shown.returncode == 0
    assert max(map(len, shown.stdout.splitlines())) <= 120


@pytest.mark.parametrize("flag", ["port", "actor_port"])
def test_a_taken_port_is_told(taken: int, tmp_path: Path, flag: str):
    flags = {"port": 0, "actor_port": 0} | {flag: taken}
    text = told(finished("mesos-master", f"--work_dir={tmp_path}", *(f"--{name}={at}" for name, at in flags.items())))
    assert str(taken) in text
    assert "--actor_port" in text or "--port" in text


@pytest.mark.parametrize(
    ("resources", "problem"), [("cpus", "cpus:4"), ("cpus:many", "many"), ("ports:[9-1]", "9-1"), ("cpus:-1", "-1")]
)
def test_resources_that_cannot_be_read_are_told(tmp_path: Path, dead: str, resources: str, problem: str):
    flags = (f"--master={dead}", f"--work_dir={tmp_path}", f"--resources={resources}")
    text = told(finished("mesos-agent", *flags))
    assert text.startswith("mesos-agent: --resources: ")
    assert problem in text


@pytest.mark.parametrize(("program", "command"), [("mesos-batch", "echo"), ("mesos-run", "true")])
def test_a_dead_master_is_told_with_the_remedy(program: str, command: str, dead: str):
    text = told(finished(program, f"--master={dead}", command))
    assert text == (
        f"{program}: expected a master at {dead}, nobody answers: connection refused; "
        "start one with mesos-master or mesos-local, or name another with --master"
    )


def test_an_agent_whose_master_is_dead_says_so_once_and_waits(tmp_path: Path, dead: str):
    flags = (f"--master={dead}", f"--work_dir={tmp_path}", "--port=0", "--resources=cpus:1;mem:64")
    with started("mesos-agent", *flags) as agent:
        try:
            assert agent.stderr
            line = next(line for line in agent.stderr if "expected a master" in line)
            assert line.endswith(
                f"expected a master at {dead}, nobody answers: connection refused; trying again until it is there\n"
            )
            assert agent.poll() is None
        finally:
            agent.terminate()
            assert agent.wait(30) == 0


def test_a_batch_with_no_command_is_told(dead: str):
    assert told(finished("mesos-batch", f"--master={dead}")).startswith(
        "mesos-batch: expected a command after the flags"
    )
