"""Plants of which nobody but a witness can tell: masters, agents and frameworks agree on what is not true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from unittest.mock import patch

from agent.dialogues.recovery import Recovery
from agent.records.executor import ExecutorRecord
from master.dialogues import losses
from master.dialogues.departures import Departures
from master.dialogues.frameworks import Frameworks
from master.records import AgentRecord, FrameworkRecord, TaskRecord
from master.records.framework import FrameworkState
from master.registrar.entries import Drain
from master.updates import Verdict, update_of_told
from mesos.types import StatusUpdate, TaskState


@contextmanager
def newest_state() -> Iterator[None]:
    """A master that is asked for a task tells of its newest state, whatever its agent still has to say before that."""
    with patch.object(TaskRecord, "told_state", property(lambda self: self.state)):
        yield


@contextmanager
def fresh_start() -> Iterator[None]:
    """An agent that is started again ends what ran, and says that it failed."""
    take_up = Recovery._take_up

    def afresh(self: Recovery, executors: list[ExecutorRecord]) -> None:
        take_up(self, executors)
        for executor in executors:
            self.containerizer.destroy(executor.container_id)

    with patch.object(Recovery, "_take_up", afresh):
        yield


@contextmanager
def early_grave() -> Iterator[None]:
    """A master says of what is out of reach that it is gone."""

    def bury(framework: FrameworkRecord, task: TaskRecord, verdict: Verdict, now: float) -> StatusUpdate:
        return update_of_told(framework, task, replace(verdict, state=TaskState.TASK_GONE), now)

    with patch.object(losses, "update_of_told", bury):
        yield


@contextmanager
def no_patience() -> Iterator[None]:
    """A master gives a framework up as soon as the link to its scheduler breaks."""

    def part(self: Frameworks, framework: FrameworkRecord, state: FrameworkState) -> None:
        self.remove_framework(framework, "its scheduler is away")

    with patch.object(Frameworks, "_part_from", part):
        yield


@contextmanager
def half_drained() -> Iterator[None]:
    """A master takes an agent for drained at once, whatever runs there."""

    def finish(self: Departures, agent: AgentRecord, drain: Drain) -> None:
        self._finish_draining(agent, drain)

    with patch.object(Departures, "_go_on_draining", finish):
        yield


WITNESS_PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "newest-state": newest_state,
    "fresh-start": fresh_start,
    "early-grave": early_grave,
    "no-patience": no_patience,
    "half-drained": half_drained,
}
