"""What every test of this tree lives with: no processes left behind, nothing skipped in continuous integration, and
properties that do not watch the clock."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest

# A busy machine is no failure of the code under test, and a failure must come again when the test does.
hypothesis.settings.register_profile("mesolite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("mesolite")


@pytest.fixture(autouse=True, scope="module")
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test module that leaves child processes of this one behind, and end them."""
    before = children()
    yield
    left = children() - before
    names = [f"{process.pid} {line_of(process)}" for process in sorted_by_pid(left)]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=10)
    assert not names, f"{Path(str(request.path)).name} left running: {names}"


@pytest.fixture(autouse=True)
def usual_log() -> Iterator[None]:
    """What operators set in a test, the level of the program's log, is over with it."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed, a test that skips itself is a test that fails."""
    report = yield
    if report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


def children() -> set[psutil.Process]:
    """The children of this process that still run, theirs included."""
    return set(filter(runs, psutil.Process().children(recursive=True)))


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended, nor waits to be reaped."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def line_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:  # it has ended meanwhile
        return "that has ended by itself"


def sorted_by_pid(processes: set[psutil.Process]) -> list[psutil.Process]:
    return sorted(processes, key=lambda process: process.pid)
