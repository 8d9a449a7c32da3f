"""Checks of containers: type and details fit together, and volumes come from one place each."""

from __future__ import annotations

from collections.abc import Iterator

from master.validation.common import first
from mesos.types import ContainerInfo, ContainerType, Volume

_DOCKER_SETS = ("name",)
"""Parameters of `docker run` that the agent sets itself."""


def check_container(container: ContainerInfo) -> str | None:
    """Whether an agent could make such a container."""
    return first(_complaints(container))


def _complaints(container: ContainerInfo) -> Iterator[str | None]:
    if container.type is ContainerType.DOCKER:
        yield "expected the docker details of a container of type DOCKER, found none" if not container.docker else None
    if container.type is ContainerType.MESOS:
        yield "expected no docker details in a container of type MESOS, found some" if container.docker else None
    yield from map(_check_volume, container.volumes)
    for parameter in container.docker.parameters if container.docker else ():
        yield (
            f"expected no docker parameter {parameter.key!r}: the agent sets it"
            if parameter.key in _DOCKER_SETS
            else None
        )


def shares_cgroups(container: ContainerInfo | None) -> bool:
    """Whether a task of a group is held to what its executor may use, and not to what is its own."""
    return container is None or container.linux_info is None or container.linux_info.share_cgroups


def _check_volume(volume: Volume) -> str | None:
    if not volume.container_path:
        return "expected the container_path of every volume, found ''"
    origins = [name for name in ("host_path", "image", "source") if getattr(volume, name)]
    if len(origins) > 1:
        return f"expected volume {volume.container_path} to have one origin, found {' and '.join(origins)}"
    return None
