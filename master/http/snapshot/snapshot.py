"""A snapshot of the cluster's records as one kind of read shows them: encoded, in pieces, and told of every change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from libprocess.http.exchange import to_json
from master.http.snapshot.framework import FrameworkSnapshot
from master.http.snapshot.roll import Roll
from master.http.snapshot.shapes import Shapes
from master.records import AgentRecord, Cluster, FrameworkRecord
from mesos.ids import FrameworkID


class Snapshot:
    """Agents and frameworks, living ones and those that ended, in their order."""

    def __init__(self, shapes: Shapes, cluster: Cluster) -> None:
        self.version = 0
        """Higher after every change."""
        self.agents: Roll[AgentRecord] = Roll(lambda record: to_json(shapes.agent(record)))
        self.living: dict[FrameworkID, FrameworkSnapshot] = {}
        self.ended: dict[FrameworkID, FrameworkSnapshot] = {}
        self.recovered = cluster.recovered
        """Agents of former masters that are not back yet. They only get fewer."""
        self._shapes = shapes
        self._due: dict[FrameworkSnapshot, None] = {}
        for agent in cluster.agents.values():
            self.agent_changed(agent)
        for framework in (*cluster.completed.values(), *cluster.frameworks.values()):
            self.framework_changed(framework)
            self._list_all(framework)
        for framework in cluster.completed.values():
            self.framework_completed(framework)

    def _list_all(self, framework: FrameworkRecord) -> None:
        lists: dict[str, Iterable[Any]] = {
            "tasks": framework.tasks.values(),
            "unreachable_tasks": framework.unreachable_tasks.values(),
            "completed_tasks": framework.completed_tasks,
            "offers": framework.offers,
            "executors": framework.executors,
        }
        for name in self._shapes.lists:
            for item in lists[name]:
                self.listed(framework.id, name, item)

    # What it is told: see `master.http.watched`.

    def agent_changed(self, agent: AgentRecord) -> None:
        self.agents.touch(agent)
        self.version += 1

    def agent_removed(self, agent: AgentRecord) -> None:
        self.agents.drop(agent)
        self.version += 1

    def framework_changed(self, framework: FrameworkRecord) -> None:
        shown = self.living.get(framework.id)
        if shown is None or shown.record is not framework:
            shown = self.living[framework.id] = FrameworkSnapshot(framework, self._shapes)
        shown.touch()
        self._is_due(shown)

    def framework_completed(self, framework: FrameworkRecord) -> None:
        shown = self.living.pop(framework.id)
        self.ended[framework.id] = shown
        shown.touch()
        self._is_due(shown)

    def framework_forgotten(self, framework: FrameworkRecord) -> None:
        shown = self.ended.pop(framework.id)
        self._due.pop(shown, None)
        self.version += 1

    def listed(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        if name in self._shapes.lists:
            shown = self.living.get(framework_id) or self.ended[framework_id]
            shown.listed(name, item)
            self._is_due(shown)

    def unlisted(self, framework_id: FrameworkID, name: str, item: Any) -> None:
        if name in self._shapes.lists:
            shown = self.living[framework_id]
            shown.unlisted(name, item)
            self._is_due(shown)

    def _is_due(self, shown: FrameworkSnapshot) -> None:
        self._due[shown] = None
        self.version += 1

    # Reading.

    def refresh(self, budget: int) -> bool:
        """Encode what is due, and no more than so many pieces; returns whether all is done."""
        budget = self.agents.refresh(budget)
        while self._due and budget > 0:
            shown = next(iter(self._due))
            budget = shown.refresh(budget)
            if not shown.is_fresh:
                return False
            del self._due[shown]
        return self.agents.is_fresh and not self._due


def together(shown: Iterable[FrameworkSnapshot]) -> Iterator[bytes]:
    """A list of frameworks, in parts; all must be fresh."""
    yield b"["
    for index, each in enumerate(shown):
        if index:
            yield b","
        yield from each.parts()
    yield b"]"
