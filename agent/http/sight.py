"""Sight: the part of what is on this agent that a principal may see.

Whoever may see everything is shown the records themselves; anybody else copies without what is not theirs to see.
"""

from __future__ import annotations

from collections import deque
from copy import copy

from agent.records.executor import ExecutorRecord
from agent.records.framework import FrameworkRecord, Frameworks
from agent.records.task import TaskRecord
from mesos.access.acls import Acls
from mesos.types import CommandInfo

VIEWS = ("view_frameworks", "view_tasks", "view_executors")


class Sight:
    """What one principal may see."""

    def __init__(self, rights: Acls, principal: str | None) -> None:
        self._rights = rights
        self._principal = principal

    def of(self, frameworks: Frameworks) -> Frameworks:
        """The frameworks as that principal is shown them."""
        return frameworks.shown(self._framework) if self._rights.restrict(*VIEWS) else frameworks

    def container(self, executor: ExecutorRecord) -> bool:
        """Whether what an executor runs in may be seen."""
        return self._may("view_containers", executor.user)

    def _may(self, action: str, user: str) -> bool:
        return self._rights.allow(self._principal, action, user)

    def _framework(self, record: FrameworkRecord) -> FrameworkRecord | None:
        if not self._may("view_frameworks", record.info.user):
            return None
        seen = copy(record)
        seen.executors = {id_: self._executor(each) for id_, each in record.executors.items() if self._sees(each)}
        seen.owing = {id_: self._executor(each) for id_, each in record.owing.items() if self._sees(each)}
        seen.completed_executors = deque(
            self._executor(each) for each in record.completed_executors if self._sees(each)
        )
        return seen

    def _sees(self, executor: ExecutorRecord) -> bool:
        return self._may("view_executors", executor.user)

    def _executor(self, record: ExecutorRecord) -> ExecutorRecord:
        seen = copy(record)
        seen.tasks = {id_: task for id_, task in record.tasks.items() if self._task(task)}
        seen.completed_tasks = deque(task for task in record.completed_tasks if self._task(task))
        return seen

    def _task(self, record: TaskRecord) -> bool:
        command = record.info.command or CommandInfo()
        return self._may("view_tasks", command.user or record.executor.user)
