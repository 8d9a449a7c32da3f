"""The master as a program: real sockets, real signals, and what an operator sees."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from libprocess import PID
from libprocess.edge import ThreadedNode
from mesos.messages import FrameworkRegisteredMessage, RegisterFrameworkMessage
from mesos.types import FrameworkInfo

OPERATORS_FAULT = 2


@contextmanager
def program(work_dir: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A master that runs, and the address of its page."""
    command = [sys.executable, "-m", "master", f"--work_dir={work_dir}", "--port=0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def read(page: str, path: str) -> Any:
    with urllib.request.urlopen(f"{page}{path}", timeout=10) as response:
        return json.load(response)


def fails(*flags: str) -> str:
    """What a master says that cannot start; it must be one line."""
    done = subprocess.run([sys.executable, "-m", "master", *flags], capture_output=True, text=True, timeout=30)
    assert done.returncode == OPERATORS_FAULT, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def test_a_scheduler_finds_the_master_from_its_web_address_and_registers(tmp_path: Path):
    with program(tmp_path) as (_, page), ThreadedNode() as node:
        pid = PID.parse(read(page, "/master/pid")["pid"])
        framework = FrameworkInfo("somebody", "tests", failover_timeout_seconds=60)  # its asker is gone once answered
        answer = node.ask(pid, RegisterFrameworkMessage(framework), timeout=10)

        assert isinstance(answer, FrameworkRegisteredMessage)
        assert [framework["id"] for framework in read(page, "/state")["frameworks"]] == [answer.framework_id]
        assert read(page, "/metrics/snapshot")["master/elected"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order(tmp_path: Path, number: signal.Signals):
    with program(tmp_path) as (process, _):
        process.send_signal(number)

        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert said.splitlines()[-1].endswith("INFO master: told to end")
        assert "Traceback" not in said


def test_a_taken_port_is_told_with_the_remedy(tmp_path: Path):
    with program(tmp_path) as (_, page):
        port = page.rpartition(":")[2]
        text = fails(f"--work_dir={tmp_path}", f"--port={port}", "--actor_port=0")

    assert text == (
        f"mesos-master: port {port} of 127.0.0.1 is taken: another program listens there; "
        "end it, or choose another with --port"
    )


def test_a_taken_port_for_actors_is_told_with_its_flag(tmp_path: Path):
    with program(tmp_path) as (_, page):
        port = read(page, "/master/pid")["pid"].rpartition(":")[2]
        text = fails(f"--work_dir={tmp_path}", "--port=0", f"--actor_port={port}")

    assert text.startswith(f"mesos-master: --actor_port (1000 above --port unless given): 127.0.0.1:{port} is taken")


def test_an_address_that_leads_nowhere_is_refused(tmp_path: Path):
    text = fails(f"--work_dir={tmp_path}", "--ip=0.0.0.0")

    assert text == "mesos-master: --ip=0.0.0.0 is no address that others can reach; give one with --advertise_ip"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--ip=localhost"], "--ip: expected an address such as 127.0.0.1, found 'localhost'; --help says more"),
        (["--ip=192.0.2.1"], "; give --keys, or --insecure if the network is trusted"),
        (
            ["--ip=192.0.2.1", "--insecure", "--port=0"],
            "--ip: cannot listen at 192.0.2.1: Cannot assign requested address; give an address of this machine",
        ),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_told_with_its_flag(tmp_path: Path, flags: list[str], told: str):
    assert fails(f"--work_dir={tmp_path}", *flags).endswith(told)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    text = fails(f"--work_dir={tmp_path}/file/below", "--port=0")

    assert text == (
        f"mesos-master: --work_dir: {tmp_path}/file/below cannot be made: Not a directory; give a directory to write to"
    )


def test_an_unknown_flag_is_told_with_the_nearest(tmp_path: Path):
    assert "did you mean --weights?" in fails(f"--work_dir={tmp_path}", "--weigths=a=1")
