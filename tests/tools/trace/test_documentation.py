"""The worked story in docs/tracing.md: its commands print what stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tools.trace.conftest import Output

Trace = Callable[..., Output]

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "tracing.md"


def shown() -> Iterator[tuple[str, list[str]]]:
    """Each command, and the lines it is said to print."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.S):
        for command in re.split(r"^\$ mesos-trace ", block, flags=re.M)[1:]:
            first, *lines = command.rstrip("\n").split("\n")
            yield first, lines


@pytest.mark.parametrize(("command", "lines"), list(shown()), ids=[command for command, _ in shown()])
def test_a_command_prints_what_the_page_says(
    command: str, lines: list[str], trace: Trace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    printed = trace(*shlex.split(command)).lines
    if lines[-1] == "…":
        lines = lines[:-1]
        printed = printed[: len(lines)]
    assert [line.rstrip() for line in printed] == lines


def test_the_story_finds_the_queue():
    assert "longest: 62.7 ms of 63.3 ms: queue of launcher@" in PAGE.read_text()
