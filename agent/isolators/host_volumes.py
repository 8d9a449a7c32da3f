"""volume/host_path, volume/sandbox_path: directories of the host, or of the sandbox, mounted into a container."""

from __future__ import annotations

import os

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.filesystem import separate_mounts
from agent.isolators.isolator import ContainerError, Isolator
from agent.ports import ContainerConfig
from mesos.resources.kind import VolumeMode
from mesos.types import SandboxOwner, Volume, VolumeSourceType


class HostPathIsolator(Isolator):
    """Mounts what containers ask for of the host's files; a host path that is relative lies in the sandbox."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        for volume in config.container.volumes if config.container else ():
            path = volume.host_path
            if volume.source is not None and volume.source.type is VolumeSourceType.HOST_PATH:
                path = volume.source.path
            if not path:
                continue
            source = path if os.path.isabs(path) else _inside(config.directory, path)
            if not os.path.isabs(path):
                _make(source, plan)
            elif not os.path.exists(source):
                raise ContainerError(f"the host path {source} is not there")
            bind(source, volume, config, plan)


class SandboxPathIsolator(Isolator):
    """Mounts a directory of the container's own sandbox at another place."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        for volume in config.container.volumes if config.container else ():
            if volume.source is None or volume.source.type is not VolumeSourceType.SANDBOX_PATH:
                continue
            if volume.source.sandbox is SandboxOwner.PARENT:
                raise ContainerError(f"{volume.container_path}: the container has no parent with a sandbox")
            source = _inside(config.directory, volume.source.path)
            _make(source, plan)
            bind(source, volume, config, plan)


def bind(source: str, volume: Volume, config: ContainerConfig, plan: Plan) -> None:
    """Mount a file or directory where the volume says: an absolute path, or one in the sandbox."""
    path = volume.container_path
    target = path if os.path.isabs(path) else _inside(config.directory, path)
    if not os.path.exists(target):
        if os.path.isabs(path) and not os.path.isdir(os.path.dirname(target)):
            raise ContainerError(f"there is no {os.path.dirname(target)} to mount {path} in")
        if os.path.isdir(source):
            _make(target, plan)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "x").close()
    separate_mounts(plan)
    plan["mounts"].append((source, target, "", kernel.MS_BIND | kernel.MS_REC, ""))
    if volume.mode is VolumeMode.RO:
        flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY
        plan["mounts"].append(("", target, "", flags, ""))


def _inside(sandbox: str, path: str) -> str:
    joined = os.path.normpath(os.path.join(sandbox, path))
    if not joined.startswith(f"{sandbox}/"):
        raise ContainerError(f"expected a path in the sandbox, found {path!r}")
    return joined


def _make(path: str, plan: Plan) -> None:
    os.makedirs(path, exist_ok=True)
    if "user" in plan:
        os.chown(path, plan["user"][0], plan["user"][1])
