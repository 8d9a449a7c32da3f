"""Persistent volumes in containers: as links in the sandbox, or as mounts where the path is an absolute one."""

from __future__ import annotations

import os

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.filesystem import separate_mounts
from agent.isolators.isolator import ContainerError, Isolator
from agent.ports import ContainerConfig, VolumeMount


class VolumesIsolator(Isolator):
    """Lets a container see the volumes among its resources, and its user own those that nobody has used yet."""

    def __init__(self, mounts: bool = True) -> None:
        """Without `mounts` all that there can be are links."""
        self._mounts = mounts

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        for volume in config.volumes:
            if not os.path.isdir(volume.source):
                raise ContainerError(f"the volume at {volume.source} is gone")
            if "user" in plan and not os.listdir(volume.source):
                os.chown(volume.source, plan["user"][0], plan["user"][1])
            if volume.container_path.startswith("/"):
                if not self._mounts:
                    text = f"{volume.container_path} takes an agent with --launcher=linux; give a path in the sandbox"
                    raise ContainerError(text)
                _mount(volume, plan)
            else:
                _link(volume, config.directory)


def _mount(volume: VolumeMount, plan: Plan) -> None:
    os.makedirs(volume.container_path, exist_ok=True)
    separate_mounts(plan)
    plan["mounts"].append((volume.source, volume.container_path, "", kernel.MS_BIND, ""))
    if volume.is_read_only:
        flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY
        plan["mounts"].append(("", volume.container_path, "", flags, ""))


def _link(volume: VolumeMount, sandbox: str) -> None:
    link = os.path.normpath(f"{sandbox}/{volume.container_path}")
    if not link.startswith(f"{sandbox}/"):
        raise ContainerError(f"expected a container_path in the sandbox, found {volume.container_path!r}")
    os.makedirs(os.path.dirname(link), exist_ok=True)
    if not (os.path.islink(link) and os.readlink(link) == volume.source):  # as from a start that the agent did not see
        os.symlink(volume.source, link)
