"""Plants in what operators are promised: what they said is done by half, or forgotten by somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from agent.agent import Agent
from agent.dialogues.base import AgentState
from agent.dialogues.recovery import Recovery
from agent.http import reconfiguration
from agent.http.reconfiguration import Reconfiguration
from agent.records.executor import ExecutorRecord
from master.records import Cluster
from mesos.messages import ShutdownFrameworkMessage


@contextmanager
def survivors() -> Iterator[None]:
    """An agent does not hear that a framework is over."""
    with patch.dict(Agent._table, {ShutdownFrameworkMessage: lambda _, __: None}):
        yield


@contextmanager
def poisoned_id() -> Iterator[None]:
    """A master forgets for later ones that a framework ended, and knows it still."""
    with patch.object(Cluster, "forget_framework", lambda *_: None):
        yield


@contextmanager
def half_clean() -> Iterator[None]:
    """An agent that is to clean up leaves behind what was there."""

    def leave(self: Recovery, executors: list[ExecutorRecord]) -> None:
        self.containers.clear()
        self.state = AgentState.TERMINATING
        self._end_when_idle()

    with patch.object(Recovery, "_clean_up", leave):
        yield


@contextmanager
def untold_change() -> Iterator[None]:
    """An agent that has something else to give keeps that to itself."""
    reconfigure: Callable[..., Any] = Reconfiguration._reconfigure

    def silently(self: Reconfiguration, *arguments: Any) -> Any:
        with patch.object(self, "_tell_master", lambda _: None):
            return reconfigure(self, *arguments)

    with patch.object(Reconfiguration, "_reconfigure", silently):
        yield


@contextmanager
def forgotten_change() -> Iterator[None]:
    """An agent that has something else to give does not write that down."""
    with patch.object(reconfiguration, "remember_agent", lambda *_: None):
        yield


OPERATOR_PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "survivors": survivors,
    "poisoned-id": poisoned_id,
    "half-clean": half_clean,
    "untold-change": untold_change,
    "forgotten-change": forgotten_change,
}
