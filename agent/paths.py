"""Where things are below the agent's work_dir, and the ids of what is kept there."""

from __future__ import annotations

import random
import uuid

from mesos.ids import AgentID, ContainerID, ExecutorID, FrameworkID
from mesos.resources import DiskSourceType, Kind


def sandbox(
    work_dir: str, agent_id: AgentID, framework_id: FrameworkID, executor_id: ExecutorID, container_id: ContainerID
) -> str:
    """The directory that one run of an executor works in."""
    return f"{executor_directory(work_dir, agent_id, framework_id, executor_id)}/runs/{container_id}"


def executor_directory(work_dir: str, agent_id: AgentID, framework_id: FrameworkID, executor_id: ExecutorID) -> str:
    """The directory of all runs of an executor."""
    return f"{work_dir}/agents/{agent_id}/frameworks/{framework_id}/executors/{executor_id}"


def volume(work_dir: str, kind: Kind) -> str:
    """The directory of a persistent volume. One that has a whole mount to itself is that mount."""
    disk = kind.disk
    assert disk is not None
    if disk.source is not None and disk.source.type is DiskSourceType.MOUNT:
        return disk.source.root
    root = disk.source.root if disk.source is not None else work_dir
    return f"{root}/volumes/roles/{kind.role.replace('/', ' ')}/{disk.persistence_id}"  # no role has a blank in it


def new_container_id(chance: random.Random) -> ContainerID:
    """An id that no other container has."""
    return ContainerID(str(uuid.UUID(int=chance.getrandbits(128), version=4)))


def new_update_id(chance: random.Random) -> bytes:
    """An id that no other status update has."""
    return chance.getrandbits(128).to_bytes(16, "big")
