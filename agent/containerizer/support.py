"""What the mesos containerizer cannot do: who asks for it is told, and is not given something else."""

from __future__ import annotations

from collections.abc import Container

from agent.isolators.isolator import ContainerError
from agent.ports import ContainerConfig
from mesos.types import Volume, VolumeSourceType

_ISOLATORS = {
    VolumeSourceType.HOST_PATH: "volume/host_path",
    VolumeSourceType.SANDBOX_PATH: "volume/sandbox_path",
}


def check(config: ContainerConfig, isolators: Container[str]) -> None:
    """ContainerError for a container that needs what there is not, on this agent or at all."""
    container = config.container
    if container is None:
        return
    if container.mesos is not None and container.mesos.image is not None:
        raise ContainerError("the container asks for an image, and this agent has no images")
    if container.tty_info is not None:
        raise ContainerError("the container asks for a terminal, and this agent has none")
    for volume in container.volumes:
        _check_volume(volume, isolators)
    if container.rlimits and "posix/rlimits" not in isolators:
        raise ContainerError("the container asks for rlimits, and this agent runs without --isolation=posix/rlimits")
    info = container.linux_info
    asks_capabilities = info and (info.effective_capabilities is not None or info.bounding_capabilities is not None)
    if asks_capabilities and "linux/capabilities" not in isolators:
        raise ContainerError(
            "the container asks for capabilities, and this agent runs without --isolation=linux/capabilities"
        )


def _check_volume(volume: Volume, isolators: Container[str]) -> None:
    if volume.image is not None:
        raise ContainerError(f"the volume {volume.container_path} is an image, and this agent has no images")
    kind = volume.source.type if volume.source is not None else VolumeSourceType.HOST_PATH
    isolator = _ISOLATORS.get(kind)
    if isolator is None:
        raise ContainerError(f"the volume {volume.container_path} is a {kind}, which this agent cannot mount")
    if isolator not in isolators:
        raise ContainerError(f"the volume {volume.container_path} takes an agent with --isolation={isolator}")
