"""Checks of agents: when they register, and of what they report when they come back."""

from __future__ import annotations

from collections.abc import Iterator

from master.validation.common import check_unique, first
from mesos.conversions import with_lasting
from mesos.ids import check_id
from mesos.messages import RegisterAgentMessage, ReregisterAgentMessage
from mesos.types import AgentInfo


def check_agent(message: RegisterAgentMessage | ReregisterAgentMessage) -> str | None:
    """Whether an agent may register with that."""
    if isinstance(message, RegisterAgentMessage):
        return _check_info(message.agent) or _check_new(message.agent) or _check_lasting(message)
    return first(_complaints(message))


def _check_info(info: AgentInfo) -> str | None:
    if not info.hostname:
        return "expected the agent's hostname, found ''"
    if any(resource.kind.allocated_to for resource in info.resources):
        return f"expected an agent's resources not to be allocated, found {info.resources}"
    return None


def _check_new(info: AgentInfo) -> str | None:
    return None if info.id is None else f"expected an agent that registers to have no id yet, found {info.id}"


def _check_lasting(message: RegisterAgentMessage | ReregisterAgentMessage) -> str | None:
    try:
        with_lasting(message.agent.resources, message.checkpointed_resources)
    except ValueError as error:
        return f"its resources: {error}"
    return None


def _complaints(message: ReregisterAgentMessage) -> Iterator[str | None]:
    yield _check_info(message.agent)
    yield check_id(message.agent.id or "")
    yield _check_lasting(message)
    yield check_unique("framework", (framework.id for framework in message.frameworks))
    yield check_unique(
        "executor", ((executor.framework_id, executor.executor_id) for executor in message.executor_infos)
    )
    yield check_unique("task", ((task.framework_id, task.task_id) for task in message.tasks))
    known = {framework.id for framework in message.frameworks}
    missing = sorted({task.framework_id for task in message.tasks} - known)
    yield f"expected the framework of every task, found none of {', '.join(missing)}" if missing else None
