"""Checks of tasks: each against its framework, its agent, and what is left of the offers it is launched on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from master.records import AgentRecord, FrameworkRecord
from master.validation.command import check_command
from master.validation.common import check_seconds, check_unique, first, named
from master.validation.container import check_container, shares_cgroups
from master.validation.executor import check_executor
from master.validation.probes import check_probe
from mesos.ids import OfferID, check_id
from mesos.resources import Resources
from mesos.resources.kind import Kind
from mesos.types import AgentCapability, ExecutorInfo, ExecutorType, KillPolicy, TaskInfo

LIMITED = ("cpus", "mem")


@dataclass(frozen=True)
class Stake:
    """What tasks are launched on: the accepted offers together, as a whole and what is left; allocated to nobody."""

    offer_ids: tuple[OfferID, ...]
    role: str
    whole: Resources
    left: Resources

    def convert(self, before: Resources, after: Resources) -> Stake:
        """The same when some of what is left has become something else."""
        return replace(self, whole=self.whole - before + after, left=self.left - before + after)

    def copies(self, asked: Resources) -> Resources:
        """What of something shared is missing for this: who was offered it may have several tasks use it at a time."""
        offered, left = {kind for kind, _ in self.whole.items if kind.shared}, dict(self.left.items)
        pairs = ((kind, amount, left.get(kind, 0)) for kind, amount in asked.items if kind in offered)
        return Resources(tuple((kind, amount - have) for kind, amount, have in pairs if amount > have))  # type: ignore[operator]

    def less(self, left: Resources) -> Stake:
        """The same when only this is left."""
        return replace(self, left=left)


def check_task(task: TaskInfo, framework: FrameworkRecord, agent: AgentRecord, stake: Stake) -> str | None:
    """Whether a task can be launched there."""
    wrong = check_id(task.task_id)
    if wrong is not None:
        return f"task id: {wrong}"
    wrong = first(_complaints(task, framework, agent, stake))
    return None if wrong is None else f"task {task.task_id} {wrong}"


def _complaints(task: TaskInfo, framework: FrameworkRecord, agent: AgentRecord, stake: Stake) -> Iterator[str | None]:
    yield _check_way(task)
    yield from complaints_of_any(task, framework, agent, stake)
    if not shares_cgroups(task.container):
        yield "is not valid: container: expected share_cgroups to be false only in a task group, found it here"
    executor = task.executor
    if executor is not None:
        yield _about("executor", _check_custom(executor) or check_executor(executor, framework, agent))
        yield _about("executor's resources", check_parts(executor.resources, stake.role))
        yield _about("resources", check_together([task.resources], executor.resources))
    yield fits(needed(task, framework, agent), stake)


def complaints_of_any(
    task: TaskInfo, framework: FrameworkRecord, agent: AgentRecord, stake: Stake
) -> Iterator[str | None]:
    """What can be wrong with a task that is launched for itself, or in a group."""
    yield _about("task id", check_id(task.task_id))
    yield _check_new(task, framework)
    yield _check_agent(task, agent)
    yield _about("kill_policy", _check_grace(task.kill_policy)) if task.kill_policy else None
    yield _about("task", check_seconds("max_completion_time", task.max_completion_time_seconds))
    yield _about("resources", check_resources(task.resources, stake.role))
    yield _about("limits", _check_limits(task, agent))
    yield _about("command", check_command(task.command)) if task.command else None
    yield _about("container", check_container(task.container)) if task.container else None
    yield _about("health_check", check_probe(task.health_check)) if task.health_check else None
    yield _about("check", check_probe(task.check)) if task.check else None


def _about(part: str, wrong: str | None) -> str | None:
    return None if wrong is None else f"is not valid: {part}: {wrong}"


def _check_grace(policy: KillPolicy) -> str | None:
    return check_seconds("grace_period", policy.grace_period_seconds)


def _check_new(task: TaskInfo, framework: FrameworkRecord) -> str | None:
    if task.task_id in framework.tasks or task.task_id in framework.unreachable_tasks:
        return "has the id of another task of its framework; give every task an id of its own"
    return None


def _check_agent(task: TaskInfo, agent: AgentRecord) -> str | None:
    if task.agent_id != agent.id:
        return f"is meant for agent {task.agent_id or '(none)'} but its offers are of agent {agent.id}"
    return None


def _check_custom(executor: ExecutorInfo) -> str | None:
    if executor.type is ExecutorType.DEFAULT:
        return "expected the type CUSTOM, found DEFAULT; a default executor runs task groups"
    return None


def _check_way(task: TaskInfo) -> str | None:
    if (task.command is None) is (task.executor is None):
        found = "neither" if task.command is None else "both"
        return f"must have either a command or an executor; it has {found}"
    return None


# Resources.


def check_resources(resources: Resources, role: str, required: bool = True) -> str | None:
    """Whether something can be asked for that way, however much of it there is."""
    if required and not resources:
        return "expected at least one resource, found none"
    kinds = [kind for kind, _ in resources.items]
    return first(
        (
            _check_allocated(kinds, role),
            _check_not_mixed(kinds),
            check_unique("persistent volume", (kind.disk.persistence_id for kind in kinds if _is_volume(kind))),  # type: ignore[union-attr]
            _check_whole_gpus(resources),
        )
    )


def check_parts(resources: Resources, role: str) -> str | None:
    """Whether an executor can ask for that, however much of it there is."""
    shared = [kind for kind, _ in resources.items if kind.shared]
    return check_resources(resources, role, required=False) or (
        f"expected nothing shared, found {shared[0]}" if shared else None
    )


def check_together(tasks: list[Resources], executor: Resources) -> str | None:
    """Whether tasks and their executor can ask for these at a time: each port once, each volume once."""
    parts = [part.unallocate() for part in (*tasks, executor)]
    kinds = [kind for part in parts for kind, _ in part.items]
    return first(
        (
            _check_not_mixed(kinds),
            check_unique(
                "persistent volume",
                (kind.disk.persistence_id for kind in kinds if _is_volume(kind) and not kind.shared),  # type: ignore[union-attr]
            ),
            _check_apart(parts),
        )
    )


def _check_apart(parts: list[Resources]) -> str | None:
    seen: dict[Kind, Any] = {}
    for kind, amount in (item for part in parts for item in part.items):
        if isinstance(amount, int):
            continue
        before = seen.get(kind)
        if before is not None and before - amount != before:
            return f"expected each of {kind.name} to be asked for once, found {amount} asked for again"
        seen[kind] = amount if before is None else before + amount
    return None


def _is_volume(kind: Kind) -> bool:
    return kind.disk is not None and bool(kind.disk.persistence_id)


def _check_allocated(kinds: list[Kind], role: str) -> str | None:
    others = sorted({kind.allocated_to for kind in kinds} - {"", role})
    return f"expected resources allocated to {role}, found them allocated to {', '.join(others)}" if others else None


def _check_not_mixed(kinds: list[Kind]) -> str | None:
    mixed = sorted(
        {kind.name for kind in kinds if kind.revocable} & {kind.name for kind in kinds if not kind.revocable}
    )
    return f"expected {mixed[0]} to be revocable or not, found some of both" if mixed else None


def _check_whole_gpus(resources: Resources) -> str | None:
    if resources.thousandths("gpus") % 1000:
        return f"expected a whole number of gpus, found {resources.scalar('gpus'):g}"
    return None


def _check_limits(task: TaskInfo, agent: AgentRecord) -> str | None:
    if task.limits and AgentCapability.TASK_RESOURCE_LIMITS not in agent.capabilities:
        return "the agent knows no limits beyond resources"
    for limit in task.limits:
        if limit.name not in LIMITED:
            return f"expected a limit of {' or '.join(LIMITED)}, found {limit.name!r}"
        if not task.resources.scalar(limit.name):
            return f"expected {limit.name} to be asked for where it has a limit, found none"
        if not limit.value >= task.resources.scalar(limit.name):
            asked = task.resources.scalar(limit.name)
            return f"expected a limit of at least the {limit.name}:{asked:g} asked for, found {limit.value:g}"
    return check_unique("limit", (limit.name for limit in task.limits))


def needed(task: TaskInfo, framework: FrameworkRecord, agent: AgentRecord) -> Resources:
    """What a launch takes: the task's resources, and its executor's unless that runs already. Not allocated."""
    resources = task.resources.unallocate()
    executor = task.executor
    if executor is None or (framework.id, executor.executor_id) in agent.executors:
        return resources
    return resources + executor.resources.unallocate()


def fits(asked: Resources, stake: Stake) -> str | None:
    """Whether there is as much left."""
    if (stake.left + stake.copies(asked)).contains(asked):
        return None
    short = _lacking(asked, stake.left)
    held = stake.whole.filter(lambda kind: kind in short)
    text = f"asks for {asked.filter(lambda kind: kind in short)} but {named('offer', stake.offer_ids)} hold"
    text += "s" if len(stake.offer_ids) == 1 else ""
    text += f" {held or 'none of it'}"
    left = stake.left.filter(lambda kind: kind in short)
    return text if left == held else f"{text}, of which {left or 'nothing'} is left"


def _lacking(asked: Resources, left: Resources) -> set[Kind]:
    """The kinds of which too little is left."""
    return {kind for kind, _ in asked.items if not left.contains(asked.filter(lambda other, kind=kind: other == kind))}  # type: ignore[misc]
