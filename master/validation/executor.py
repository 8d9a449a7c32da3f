"""Checks of executors that come with a task."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from master.records import AgentRecord, FrameworkRecord
from master.validation.command import check_command
from master.validation.common import check_seconds, first
from master.validation.container import check_container
from mesos.ids import check_id
from mesos.types import ExecutorInfo, ExecutorType

MIN_CPUS, MIN_MEM = 0.01, 32.0
"""What an executor should have at least. One that comes with a task may have less, as ever; one of a group may not."""


def check_executor(executor: ExecutorInfo, framework: FrameworkRecord, agent: AgentRecord) -> str | None:
    """Whether a task may bring that executor along."""
    return first(_complaints(executor, framework, agent))


def _complaints(executor: ExecutorInfo, framework: FrameworkRecord, agent: AgentRecord) -> Iterator[str | None]:
    yield check_id(executor.executor_id)
    if executor.framework_id not in (None, framework.id):
        yield f"expected the framework's own id {framework.id}, found {executor.framework_id}"
    yield _check_type(executor)
    yield check_command(executor.command) if executor.command else None
    yield check_container(executor.container) if executor.container else None
    yield check_seconds("shutdown_grace_period", executor.shutdown_grace_period_seconds)
    running = agent.executors.get((framework.id, executor.executor_id))
    if running is not None and normal(running) != normal(executor):
        yield f"expected {executor.executor_id} to be the same as the one that runs on the agent, found it changed"


def _check_type(executor: ExecutorInfo) -> str | None:
    if executor.type is ExecutorType.CUSTOM and executor.command is None:
        return "expected the command of a custom executor, found none"
    if executor.type is ExecutorType.DEFAULT and executor.command is not None:
        return "expected no command of a default executor, found one"
    if executor.type is ExecutorType.UNKNOWN:
        return "expected the type CUSTOM or DEFAULT, found one that this master does not know"
    return None


def normal(executor: ExecutorInfo) -> ExecutorInfo:
    """An executor without what the master adds to it: two that are equal then are the same."""
    return replace(executor, framework_id=None, resources=executor.resources.unallocate())
