"""Inits without traces are told from all that only looks like them: others' containers are not to be touched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.containerizer.strays import strays
from tests.system.containers import needs_root

Start = Callable[..., int]

PROGRAM = "# agent.forker.main\nimport sys; print(); sys.stdout.flush(); sys.stdin.read()"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts what has an init's command line, and returns its process id; all of it ends with the test."""

    def start(directory: Path, *before: str, leads_session: bool = True) -> int:
        command = [*before, sys.executable, "-c", PROGRAM, "7", str(directory)]
        process = started.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=leads_session)
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    with ExitStack() as started:
        yield start


def test_an_init_without_its_trace_is_found(start: Start, tmp_path: Path):
    stray = start(tmp_path)
    assert list(strays(str(tmp_path), ())) == [stray]
    assert list(strays(str(tmp_path), {stray})) == []
    assert list(strays(str(tmp_path.parent), ())) == []


def test_a_forker_is_left_alone(start: Start, tmp_path: Path):
    start(tmp_path, leads_session=False)
    assert list(strays(str(tmp_path), ())) == []


@needs_root
def test_an_init_that_means_another_place_by_the_same_words_is_left_alone(start: Start, tmp_path: Path):
    mounts = f'mount -t tmpfs none {tmp_path}; exec "$@"'
    start(tmp_path, "unshare", "--mount", "sh", "-c", mounts, "sh")
    assert list(strays(str(tmp_path), ())) == []
