"""A cluster that lives long: tasks are launched and killed all the time, any process is killed at any moment, and in
the end every task has come to one end, and there is no more of anything than there was at the beginning.

`pytest -m slow tests/system/test_soak.py` is the long form. SOAK_SECONDS says how long processes are killed, and
SOAK_SEED which, and when.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.soak.cluster import Soak, adopting_orphans
from tests.system.soak.faults import Faults
from tests.system.soak.figures import Figures, figures
from tests.system.soak.leftovers import leftovers
from tests.system.soak.report import faults_of_tasks, growths, table

TASKS_AT_ONCE = 12
ROUND_SECONDS = 150.0
"""After so long of faults it is looked what is left."""


@pytest.fixture
def soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Soak]:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with adopting_orphans(), Soak(tmp_path, seed=int(os.environ.get("SOAK_SEED", "1"))) as soak:
        yield soak


@pytest.mark.timeout(600)
def test_two_minutes_of_launches_and_kills_leave_nothing_behind(soak: Soak, capsys: pytest.CaptureFixture[str]):
    live_through(soak, seconds=35, tasks=40, capsys=capsys)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_half_an_hour_of_launches_and_kills_leaves_nothing_behind(soak: Soak, capsys: pytest.CaptureFixture[str]):
    live_through(soak, seconds=25 * 60, tasks=500, capsys=capsys)


def live_through(soak: Soak, seconds: float, tasks: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Tasks alone, then faults for so many seconds, and then so many tasks alone, twice."""
    faults = Faults(soak)
    shown = [launch(soak, tasks=30)]
    left_seconds = float(os.environ.get("SOAK_SECONDS", seconds))
    while left_seconds > 0:
        disturb(soak, faults, min(left_seconds, ROUND_SECONDS))
        left_seconds -= ROUND_SECONDS
        shown.append(calm(soak))
    before = set(soak.ledger.launches)
    steady = [launch(soak, tasks), launch(soak, tasks)]
    shown += steady
    undisturbed = set(soak.ledger.launches) - before

    with capsys.disabled():
        print("", f"seed {soak.seed}", *table(soak.ledger, faults, shown), sep="\n")
    assert faults_of_tasks(soak.ledger, faults.hit, undisturbed) == []
    assert growths(shown, steady) == []
    assert soak.complaints() == []


def launch(soak: Soak, tasks: int) -> Figures:
    """Have so many tasks more launched."""
    goal = len(soak.ledger.refresh().launches) + tasks
    soak.want(TASKS_AT_ONCE)
    while (count := len(soak.ledger.refresh().launches)) < goal:
        soak.wait_until(lambda count=count: len(soak.ledger.refresh().launches) > count, "one more task is launched")
    return calm(soak)


def disturb(soak: Soak, faults: Faults, seconds: float) -> None:
    """Have tasks launched, and faults done."""
    until = time.monotonic() + seconds
    soak.want(TASKS_AT_ONCE)
    while time.monotonic() < until:
        soak.tend_for(faults.pause())
        faults.go_on()
        faults.do()
    faults.go_on(all_of_them=True)


def calm(soak: Soak) -> Figures:
    """Have all tasks end, and see to it that nothing is left of them."""
    soak.want(0)
    soak.wait_until(lambda: not leftovers(soak), lambda: f"there is nothing but {leftovers(soak)}")
    return figures(soak)
