"""The files in tools/deploy: systemd takes the units, and under supervisord a program that is killed is there again."""

from __future__ import annotations

import configparser
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.system.waiting import eventually
from tools.local.cluster import free_ports

DEPLOY = Path(__file__).parents[2] / "tools" / "deploy"
BIN = Path(sys.executable).parent
SECONDS = 60.0


@pytest.mark.parametrize("name", ["mesos-master", "mesos-agent"])
def test_systemd_finds_nothing_wrong_with_a_unit(name: str, tmp_path: Path):
    text = (DEPLOY / f"{name}.service").read_text()
    assert f"ExecStart=/usr/bin/{name}\n" in text
    unit = tmp_path / f"{name}.service"
    unit.write_text(text.replace("/usr/bin/", f"{BIN}/").replace("User=mesos", "User=nobody"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--generators=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_units_bring_back_what_failed_and_not_what_an_operator_got_wrong():
    for name in ("mesos-master", "mesos-agent"):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(DEPLOY / f"{name}.service")
        assert unit["Service"]["Restart"] == "always"
        assert unit["Service"]["RestartPreventExitStatus"] == "2"
        assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["KillMode"] == "process", "an agent's tasks outlive it"


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[str]:
    """A master under supervisord; yields its web address."""
    port, actor_port = free_ports(2)
    text = (DEPLOY / "supervisord.conf").read_text().replace("/var/log/mesos", str(tmp_path))
    master_only = re.sub(r"\[program:mesos-agent\].*", "", text, flags=re.DOTALL)
    configuration = tmp_path / "supervisord.conf"
    head = f"[supervisord]\nnodaemon=true\nlogfile={tmp_path}/supervisord.log\npidfile={tmp_path}/supervisord.pid\n"
    user = "user=root\n" if os.geteuid() == 0 else ""
    configuration.write_text(f"{head}{user}\n{master_only}")
    flags = {"MESOS_WORK_DIR": str(tmp_path / "work"), "MESOS_PORT": str(port), "MESOS_ACTOR_PORT": str(actor_port)}
    daemon = subprocess.Popen(
        [BIN / "supervisord", "-c", configuration],
        env=os.environ | flags | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        daemon.terminate()
        daemon.wait(SECONDS)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def process_of(address: str) -> psutil.Process | None:
    """The program that is supervised."""
    own = psutil.Process().children(recursive=True)
    port = address.partition(":")[2]
    found = [each for each in own if each.is_running() and each.environ().get("MESOS_PORT") == port]
    return next((each for each in found if "mesos-master" in " ".join(each.cmdline())), None)


def test_a_master_that_is_killed_is_there_again(supervised: str):
    eventually(lambda: answers(supervised))
    first = process_of(supervised)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not first.is_running())
    eventually(lambda: answers(supervised))
    second = process_of(supervised)
    assert second is not None
    assert second.pid != first.pid
