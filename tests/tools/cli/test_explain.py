"""`python -m tools.cli explain`, against a master on a real port."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mesos.messages import (
    RegisterFrameworkMessage,
)
from mesos.types import FrameworkInfo
from tests.tools.cli.served import box, served
from tools.cli.__main__ import main


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A master's web address. Known there are an agent `box`, and two frameworks, `first` and `second`."""
    frameworks = (RegisterFrameworkMessage(FrameworkInfo("me", name)) for name in ("first", "second"))
    with served(str(tmp_path_factory.mktemp("master")), *frameworks, box("cpus:0.001")) as address:
        yield address


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["tools.cli", *words])
    assert main() == 0


def mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said of a mistake: one line."""
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *words)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_it_says_why(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "explain", "--master", address, "--framework", "first", "--agent", "box")
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].endswith("in role *")
    assert lines[1].endswith("(box)")
    told = "only cpus:0.001 is free there, less than an offer has to hold: cpus:0.01 or mem:32"
    assert lines[2].split(maxsplit=1) == ["MINIMUM", told]
    assert len(lines) == 3


def test_it_says_it_as_json(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "explain", "--master", address, "--framework", "second", "--json")
    answer = json.loads(capsys.readouterr().out)

    assert [agent["hostname"] for agent in answer["agents"]] == ["box"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--framework", "third"), "there is no framework 'third'; there are "),
        (("--framework", "first", "--agent", "crate"), "there is no agent 'crate'; there are "),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    text: str,
):
    assert text in mistake(monkeypatch, capsys, "explain", "--master", address, *words)


@pytest.mark.parametrize(
    ("master", "text"),
    [
        ("non/sense", "--master: expected a master's host:port such as 127.0.0.1:5050, or zk://host:port/path, found"),
        ("127.0.0.1:1", "no master answers at 127.0.0.1:1"),
    ],
)
def test_a_master_that_does_not_answer_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], master: str, text: str
):
    assert text in mistake(monkeypatch, capsys, "explain", "--master", master, "--framework", "f")
