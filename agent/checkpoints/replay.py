"""From facts to records, and back: what a journal says is what the agent knew of the frameworks that want it kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from agent.checkpoints.facts import (
    AcknowledgedFact,
    AnyFact,
    EndedFact,
    EndingFact,
    ExecutorFact,
    Fact,
    FrameworkEndedFact,
    FrameworkFact,
    KillFact,
    LaunchedFact,
    RegisteredFact,
    TaskFact,
    UpdateFact,
    WaitingFact,
)
from agent.records.executor import ExecutorRecord
from agent.records.framework import FrameworkRecord, Frameworks
from agent.records.task import TaskRecord
from agent.records.updates import Streams, UpdateStream
from mesos.ids import ContainerID, FrameworkID
from mesos.messages import RunTaskMessage
from mesos.types import StatusUpdate


class Replay:
    """Lets records live through what facts say. What is said of somebody who is not known any more is over."""

    def __init__(self, frameworks: Frameworks, streams: Streams) -> None:
        self._frameworks = frameworks
        self._streams = streams
        self._executors: dict[ContainerID, ExecutorRecord] = {}

    def play(self, facts: Iterable[AnyFact]) -> None:
        """Take facts in their order."""
        for fact in facts:
            _PLAYS[type(fact)](self, fact)

    def _framework(self, fact: FrameworkFact) -> None:
        assert fact.info.id is not None
        self._frameworks.known(fact.info.id, fact.info, fact.pid)

    def _executor(self, fact: ExecutorFact) -> None:
        framework = self._frameworks.get(fact.framework_id)
        if framework is not None:
            executor = ExecutorRecord(framework, fact.info, fact.container_id, fact.directory, fact.is_command)
            self._executors[fact.container_id] = executor
            framework.add(executor)

    def _task(self, fact: TaskFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            framework = executor.framework
            task = executor.add_task(RunTaskMessage(framework.info, fact.task, framework.pid))
            task.running_since = fact.running_since
            if executor.is_command:
                task.order = None

    def _waiting(self, fact: WaitingFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            executor.waits_until = fact.until
            framework = executor.framework
            for task in executor.tasks.values() if executor.is_command else ():
                waits = fact.until is not None
                task.order = RunTaskMessage(framework.info, task.info, framework.pid) if waits else None

    def _launched(self, fact: LaunchedFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            executor.process_id = fact.process_id

    def _registered(self, fact: RegisteredFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            executor.was_registered, executor.former_pid = True, fact.pid

    def _kill(self, fact: KillFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            executor.kill = (fact.deadline, fact.reason)

    def _update(self, fact: UpdateFact) -> None:
        update = fact.update
        task = self._frameworks.task(update.framework_id, update.status.task_id)
        if task is None:
            key = (update.framework_id, update.status.task_id)
            self._streams.add(update, self._streams.get(key) or UpdateStream(is_kept=True))
        elif task.executor.advance(task, update.status):
            task.order = None
            self._streams.add(update, task.updates)

    def _acknowledged(self, fact: AcknowledgedFact) -> None:
        key = (fact.framework_id, fact.task_id)
        if self._streams.acknowledge(key, fact.uuid):
            self._frameworks.settle(*key)

    def _ending(self, fact: EndingFact) -> None:
        executor = self._executors.get(fact.container_id)
        if executor is not None:
            executor.is_told_to_end = True

    def _ended(self, fact: EndedFact) -> None:
        executor = self._executors.pop(fact.container_id, None)
        if executor is not None:
            self._frameworks.end(executor)

    def _framework_ended(self, fact: FrameworkEndedFact) -> None:
        self._streams.forget(fact.framework_id)
        framework = self._frameworks.get(fact.framework_id)
        if framework is not None:
            self._frameworks.give_up(framework)


_PLAYS: Mapping[type[Fact], Callable[[Replay, Any], None]] = {
    FrameworkFact: Replay._framework,
    ExecutorFact: Replay._executor,
    TaskFact: Replay._task,
    WaitingFact: Replay._waiting,
    LaunchedFact: Replay._launched,
    RegisteredFact: Replay._registered,
    KillFact: Replay._kill,
    UpdateFact: Replay._update,
    AcknowledgedFact: Replay._acknowledged,
    EndingFact: Replay._ending,
    EndedFact: Replay._ended,
    FrameworkEndedFact: Replay._framework_ended,
}


COMPLETED_KEPT = 100
"""So many executors that ended are shown by the next agent, too."""
COMPLETED_TASKS_KEPT = 20
"""So many completed tasks of each executor."""


def facts_of(frameworks: Frameworks, streams: Streams) -> Iterator[AnyFact]:
    """The fewest facts that records can be had from again. Of what is kept only to be shown it is the newest."""
    yield from _facts_of_completed(frameworks)
    for framework in frameworks:
        if framework.is_kept:
            yield FrameworkFact(framework.info, framework.pid)
            for executor in (*framework.owing.values(), *framework.executors.values()):
                yield from _facts_of_executor(framework, executor)
            if framework.is_terminating:
                yield FrameworkEndedFact(framework.id)
    for (framework_id, task_id), stream in streams.items():
        if stream.is_kept and frameworks.task(framework_id, task_id) is None:
            yield from (UpdateFact(update) for update in stream)


def _facts_of_completed(frameworks: Frameworks) -> Iterator[AnyFact]:
    completed = [
        (framework, executor)
        for framework in (*frameworks.completed, *frameworks)
        if framework.is_kept
        for executor in framework.completed_executors
    ]
    for framework, executor in completed[-COMPLETED_KEPT:]:
        yield FrameworkFact(framework.info, framework.pid)  # each time, as it has nothing else then
        yield from _facts_of_executor(framework, executor)
        if framework.is_terminating or not all(task.is_terminal for task in executor.completed_tasks):
            yield FrameworkEndedFact(framework.id)  # whose tasks have no last update: it was shut down, and came again
        yield EndedFact(executor.container_id)


def _facts_of_executor(framework: FrameworkRecord, executor: ExecutorRecord) -> Iterator[AnyFact]:
    id_ = executor.container_id
    yield ExecutorFact(framework.id, executor.info, id_, executor.directory, executor.is_command)
    if executor.process_id is not None:
        yield LaunchedFact(id_, executor.process_id)
    if executor.was_registered:
        yield RegisteredFact(id_, executor.former_pid)
    for task in (*[*executor.completed_tasks][-COMPLETED_TASKS_KEPT:], *executor.tasks.values()):
        yield TaskFact(id_, task.info, task.running_since)
        yield from _facts_of_updates(framework.id, executor, task)
    if executor.waits_until is not None:
        yield WaitingFact(id_, executor.waits_until)
    if executor.kill is not None:
        yield KillFact(id_, *executor.kill)
    if executor.is_told_to_end:
        yield EndingFact(id_)
    if executor.container_id in framework.owing:
        yield EndedFact(id_)


def _facts_of_updates(framework_id: FrameworkID, executor: ExecutorRecord, task: TaskRecord) -> Iterator[AnyFact]:
    pending = {update.status.uuid for update in task.updates}
    for status in task.statuses:
        if status.uuid not in pending:
            yield UpdateFact(StatusUpdate(framework_id, status, status.agent_id, executor.id))
            yield AcknowledgedFact(framework_id, task.id, status.uuid)
    yield from (UpdateFact(update) for update in task.updates)
