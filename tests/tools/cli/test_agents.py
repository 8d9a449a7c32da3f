"""`python -m tools.cli drain` and its kin, against a master on a real port."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mesos.ids import FrameworkID
from mesos.scheduler import Scheduler, SchedulerDriver
from mesos.types import FrameworkInfo
from tests.tools.cli.served import box, served
from tools.cli.__main__ import main


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The web address of a master that knows one agent, `box`."""
    with served(str(tmp_path_factory.mktemp("master")), box("cpus:1;mem:64")) as address:
        yield address


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    monkeypatch.setattr("sys.argv", ["tools.cli", *words])
    assert main() == 0
    return capsys.readouterr().out.splitlines()


def test_a_drain_is_followed_to_its_end(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = run(monkeypatch, capsys, "drain", "box", "--master", address, "--within=10mins", "--wait")
    assert said[-1].endswith(" is drained")
    (shown,) = run(monkeypatch, capsys, "drain", "box", "--master", address, "--watch", "--json")
    assert json.loads(shown)["drain_info"]["config"]["max_grace_period"] == {"nanoseconds": 600_000_000_000}

    (said,) = [run(monkeypatch, capsys, "undrain", "box", "--master", address)]
    assert said[0].endswith(" stays")
    assert run(monkeypatch, capsys, "drain", "box", "--master", address, "--watch")[0].endswith("is not being drained")


def test_a_drain_that_gives_an_agent_up_is_followed_until_it_is_gone(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = run(monkeypatch, capsys, "drain", "box", "--master", address, "--gone", "--wait")
    assert said[-1].endswith(" is gone for good")


def test_the_others_say_what_they_did(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for command, done in (
        ("deactivate", "is not offered any more"),
        ("reactivate", "is offered again"),
        ("gone", "is gone for good"),
    ):
        (said,) = run(monkeypatch, capsys, command, "box", "--master", address)
        assert said.endswith(done)
    (away,) = run(monkeypatch, capsys, "agents", "--away", "--master", address)
    assert " is gone for good since 20" in away


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("drain", "crate", "--watch"), "no agent crate is registered; `agents --away` lists those that were"),
        (("drain", "crate"), "answers 400: Failed to drain agent: no agent crate is known"),
        (("drain", "box", "--within=soon"), "--within: expected a "),
        (("history", "--state=faild"), "there is no state 'faild' of a task; did you mean failed?"),
    ],
)
def test_mistakes_are_told_in_one_line(
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, *words, "--master", address)
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
    assert told in said


def test_who_is_there_is_listed(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (agent,) = run(monkeypatch, capsys, "agents", "--master", address)
    assert agent.endswith(" box active: 0 tasks, cpus 0 of 1, mem 0 of 64")
    run(monkeypatch, capsys, "deactivate", "box", "--master", address)
    (agent,) = run(monkeypatch, capsys, "agents", "--master", address)
    assert " box deactivated: " in agent
    (whole,) = run(monkeypatch, capsys, "agents", "--master", address, "--json")
    assert [each["hostname"] for each in json.loads(whole)["agents"]] == ["box"]
    for nobody in (("frameworks", "--ended"), ("history", "--state=failed")):
        assert run(monkeypatch, capsys, *nobody, "--master", address) == ["there are none"]


def test_a_framework_is_listed_torn_down_and_adopted(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    registered = threading.Event()

    class Idle(Scheduler):
        def registered(self, driver: Any, framework_id: FrameworkID, master: Any) -> None:
            registered.set()

    driver = SchedulerDriver(Idle(), FrameworkInfo("somebody", "idle"), address)
    driver.start()
    assert registered.wait(30)

    (listed,) = run(monkeypatch, capsys, "frameworks", "--master", address)
    id_ = listed.split()[0]
    assert listed == f"{id_} idle is active: 0 tasks"
    assert run(monkeypatch, capsys, "teardown", "idle", "--master", address) == [f"framework {id_} is over"]
    driver.join()

    (ended,) = run(monkeypatch, capsys, "frameworks", "--ended", "--master", address)
    assert ended.startswith(f"{id_} idle ended ")
    adopted = run(monkeypatch, capsys, "adopt", "idle", "--master", address)
    assert adopted == [f"{id_} (idle) may register again"]
