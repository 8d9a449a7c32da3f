"""What somebody must be allowed for what they ask: actions of access control lists, and their objects."""

from __future__ import annotations

from collections.abc import Iterable

from mesos.access.acls import Need
from mesos.resources import Resources
from mesos.roles import ANY_ROLE
from mesos.types import (
    Create,
    Destroy,
    ExecutorInfo,
    FrameworkInfo,
    GrowVolume,
    Operation,
    Reserve,
    ShrinkVolume,
    TaskInfo,
    Unreserve,
)


def to_register(info: FrameworkInfo) -> list[Need]:
    """What a framework needs to be admitted."""
    return [("register_frameworks", role) for role in info.all_roles]


def to_launch(task: TaskInfo, framework: FrameworkInfo) -> list[Need]:
    """What a framework needs to launch a task: to run all that it starts as the users that it names."""
    users = {task.command.user or framework.user} if task.command is not None else set()
    users |= {user_of(task.executor, framework)} if task.executor is not None else set()
    return [("run_tasks", user) for user in sorted(users)]


def to_operate(operation: Operation) -> list[Need]:
    """What somebody needs to change an agent's resources so."""
    match operation:
        case Reserve():
            gone: list[Need] = [("unreserve_resources", each) for each in _reservers(operation.source)]
            return [*gone, *(("reserve_resources", role) for role in _roles(operation.resources))]
        case Unreserve():
            return [("unreserve_resources", principal) for principal in _reservers(operation.resources)]
        case Create():
            return [("create_volumes", role) for role in _roles(operation.volumes)]
        case Destroy():
            return [("destroy_volumes", principal) for principal in _creators(operation.volumes)]
        case GrowVolume() | ShrinkVolume():
            return [("resize_volumes", role) for role in _roles(Resources.of(operation.volume))]
        case _:
            return []


def _roles(resources: Resources) -> list[str]:
    return sorted({kind.role for kind, _ in resources.items} or {ANY_ROLE})


def _reservers(resources: Resources) -> list[str | None]:
    uppermost = (kind.reservations[-1].principal for kind, _ in resources.items if kind.reservations)
    return _named(uppermost)


def _creators(volumes: Resources) -> list[str | None]:
    return _named(kind.disk.principal for kind, _ in volumes.items if kind.disk is not None)


def _named(principals: Iterable[str]) -> list[str | None]:
    """Principals, and None for whoever had no name."""
    return [principal or None for principal in sorted(set(principals))]


def user_of(executor: ExecutorInfo, framework: FrameworkInfo) -> str:
    """The user that an executor runs as."""
    return (executor.command.user if executor.command else "") or framework.user
