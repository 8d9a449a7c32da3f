"""The failover bench, with few agents: nobody is missing at the standby."""

from __future__ import annotations

import json

import pytest

from tools.bench.failover import main


def test_all_are_back_at_a_standby(capsys: pytest.CaptureFixture[str]):
    assert main(["--agents=20", "--tasks=5", "--json"]) in (0, 1)  # a busy machine may take longer than the bar
    found = json.loads(capsys.readouterr().out)
    assert (found["agents"], found["tasks"]) == (20, 100)
    assert set(found) == {"agents", "tasks", "back_seconds", "reference_ms"}
