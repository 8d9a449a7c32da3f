"""The failover bench, with few agents: nobody is missing at the standby."""

from __future__ import annotations

import json

import pytest

from libprocess import run
from mesos.messages import AgentReregisteredMessage
from tools.bench.failover import BenchAgent, BrokenError, Crowd, main, measure


def test_all_are_back_at_a_standby(capsys: pytest.CaptureFixture[str]):
    assert main(["--agents=20", "--tasks=5", "--json"]) in (0, 1)  # a busy machine may take longer than the bar
    found = json.loads(capsys.readouterr().out)
    assert (found["agents"], found["tasks"]) == (20, 100)
    assert set(found) == {"agents", "tasks", "back_seconds", "reference_ms"}


class FrailAgent(BenchAgent):
    """Fails when it is welcomed back."""

    def agent_reregistered(self, message: AgentReregisteredMessage) -> None:
        raise RuntimeError("too old for this")


class FrailCrowd(Crowd):
    agent_type = FrailAgent


def test_an_agent_that_fails_ends_it_with_a_word_about_that():
    with pytest.raises(BrokenError, match=r"all are back: agent-.* ended: failed: RuntimeError: too old for this"):
        run(measure(2, 1, FrailCrowd))
