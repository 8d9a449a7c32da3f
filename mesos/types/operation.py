"""Operations: what a framework does with the offers it accepts. They apply in order, each to what the last one left."""

from __future__ import annotations

from typing import TypeAlias

from mesos.ids import OperationID
from mesos.resources import Resource, Resources
from mesos.struct import Struct
from mesos.types.task import ExecutorInfo, TaskGroupInfo, TaskInfo


class Launch(Struct, frozen=True, tag="LAUNCH"):
    """Launch tasks, each on its own."""

    task_infos: tuple[TaskInfo, ...]
    id: OperationID | None = None


class LaunchGroup(Struct, frozen=True, tag="LAUNCH_GROUP"):
    """Launch a group of tasks under one executor, all or none."""

    executor: ExecutorInfo
    task_group: TaskGroupInfo
    id: OperationID | None = None


class Reserve(Struct, frozen=True, tag="RESERVE"):
    """Reserve `source` so that it becomes `resources`; without a source, from what is reserved one level less."""

    resources: Resources
    source: Resources = Resources()
    id: OperationID | None = None


class Unreserve(Struct, frozen=True, tag="UNRESERVE"):
    """Give up the uppermost reservation of these."""

    resources: Resources
    id: OperationID | None = None


class Create(Struct, frozen=True, tag="CREATE"):
    """Create persistent volumes."""

    volumes: Resources
    id: OperationID | None = None


class Destroy(Struct, frozen=True, tag="DESTROY"):
    """Destroy persistent volumes and what is on them."""

    volumes: Resources
    id: OperationID | None = None


class GrowVolume(Struct, frozen=True, tag="GROW_VOLUME"):
    """Make a persistent volume larger by the disk in `addition`."""

    volume: Resource
    addition: Resource
    id: OperationID | None = None


class ShrinkVolume(Struct, frozen=True, tag="SHRINK_VOLUME"):
    """Make a persistent volume smaller by so many thousandths of a megabyte."""

    volume: Resource
    subtract_thousandths: int
    id: OperationID | None = None


Operation: TypeAlias = Launch | LaunchGroup | Reserve | Unreserve | Create | Destroy | GrowVolume | ShrinkVolume
