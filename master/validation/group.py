"""Checks of task groups: tasks that one executor launches together. All of them are fine, or none is launched."""

from __future__ import annotations

from collections.abc import Iterator

from master.records import AgentRecord, FrameworkRecord
from master.validation.common import check_unique, first
from master.validation.container import shares_cgroups
from master.validation.executor import MIN_CPUS, MIN_MEM, check_executor, normal
from master.validation.task import Stake, check_parts, check_together, complaints_of_any, fits
from mesos.resources import Resources
from mesos.types import CheckType, ContainerInfo, ContainerType, ExecutorInfo, ExecutorType, LaunchGroup, TaskInfo

PROBED_OVER_NETWORK = {CheckType.HTTP, CheckType.TCP}


def check_group(group: LaunchGroup, framework: FrameworkRecord, agent: AgentRecord, stake: Stake) -> str | None:
    """Whether a group can be launched there."""
    wrong = first(_complaints(group, framework, agent, stake))
    return None if wrong is None else f"the task group is not valid: {wrong}"


def _complaints(
    group: LaunchGroup, framework: FrameworkRecord, agent: AgentRecord, stake: Stake
) -> Iterator[str | None]:
    tasks, executor = group.task_group.tasks, group.executor
    yield None if tasks else "expected at least one task, found none"
    yield check_unique("task", (task.task_id for task in tasks))
    for task in tasks:
        wrong = first(complaints_of_any(task, framework, agent, stake)) or first(_complaints_of_task(task, executor))
        yield f"task {task.task_id} {wrong}" if wrong else None
    wrong = check_executor(executor, framework, agent) or first(_complaints_of_executor(executor, stake))
    yield f"executor {executor.executor_id}: {wrong}" if wrong else None
    yield check_together([task.resources for task in tasks], executor.resources)
    yield _check_cgroups(tasks)
    wrong = fits(needed_by_group(group, framework, agent), stake)
    yield f"it {wrong}" if wrong else None


def _complaints_of_task(task: TaskInfo, executor: ExecutorInfo) -> Iterator[str | None]:
    if task.executor is not None and normal(task.executor) != normal(executor):
        yield f"is not valid: expected the executor of its group, {executor.executor_id}, found another one"
    container = task.container
    if _is_docker(container):
        yield "is not valid: expected a container of type MESOS in a group, found DOCKER"
    if container is not None and container.network_infos:
        kinds = [probe.type for probe in (task.health_check, task.check) if probe and probe.type in PROBED_OVER_NETWORK]
        yield (
            f"is not valid: expected no {kinds[0]} probe of a task with networks of its own, found one"
            if kinds
            else None
        )
    if task.limits and shares_cgroups(container):
        yield "is not valid: expected limits only with share_cgroups set to false, found them with true"


def _is_docker(container: ContainerInfo | None) -> bool:
    return container is not None and container.type is ContainerType.DOCKER


def _complaints_of_executor(executor: ExecutorInfo, stake: Stake) -> Iterator[str | None]:
    yield "expected a container of type MESOS, found DOCKER" if _is_docker(executor.container) else None
    if executor.type is ExecutorType.DEFAULT and executor.container and executor.container.mesos:
        yield "expected no image of a default executor, found one" if executor.container.mesos.image else None
    yield check_parts(executor.resources, stake.role)
    cpus, mem = executor.resources.scalar("cpus"), executor.resources.scalar("mem")
    yield f"expected at least cpus:{MIN_CPUS:g}, found {cpus:g}" if cpus < MIN_CPUS else None
    yield f"expected at least mem:{MIN_MEM:g}, found {mem:g}" if mem < MIN_MEM else None
    yield "expected some disk, found none" if not executor.resources.scalar("disk") else None


def _check_cgroups(tasks: tuple[TaskInfo, ...]) -> str | None:
    if len({shares_cgroups(task.container) for task in tasks}) > 1:
        return "expected the same share_cgroups of all tasks, found both"
    return None


def needed_by_group(group: LaunchGroup, framework: FrameworkRecord, agent: AgentRecord) -> Resources:
    """What a launch takes: all tasks' resources, and the executor's unless that runs already. Not allocated."""
    resources = Resources.sum(task.resources.unallocate() for task in group.task_group.tasks)
    if (framework.id, group.executor.executor_id) in agent.executors:
        return resources
    return resources + group.executor.resources.unallocate()
