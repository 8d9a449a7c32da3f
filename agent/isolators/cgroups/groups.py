"""The control groups of an agent's containers, whichever version the machine has.

Version 1 has a tree per controller, version 2 one tree for all. In each tree there is a group, called `mesos` by
default, and in it one for each container, which the container's init makes and removes.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agent.forker.plan import GroupPlan, Plan
from mesos.ids import ContainerID

ROOT = "mesos"

PROGRAMS = "devices"
"""In version 2 no controller: any group can have programs, of which one decides on devices."""


class Groups:
    """The trees of groups on this machine, and the groups of containers in them."""

    def __init__(self, root: str = ROOT, mounts: str = "/proc/mounts") -> None:
        """`root` is the group around those of all containers; `/` goes from a group to one in it."""
        self._trees = _trees(mounts, root)

    @property
    def version(self) -> int:
        """1 or 2."""
        return 1 if any(tree.is_alone for tree in self._trees.values()) else 2

    def check(self, controller: str) -> None:
        """See to it that there is the group around all containers' groups; OSError says why there cannot be."""
        tree = self._trees.get(controller)
        if tree is None:
            raise OSError(f"the kernel has no controller {controller}, or it is not mounted")
        tree.root.mkdir(parents=True, exist_ok=True)
        if not tree.is_alone and controller != PROGRAMS:
            for parent in tree.path:
                _hand_down(controller, parent)

    def way(self, controller: str) -> list[Path]:
        """The groups from the uppermost of a tree down to the one around containers'."""
        return self._trees[controller].path

    def plan(self, container_id: ContainerID, controller: str, plan: Plan) -> GroupPlan:
        """The plan of a container's group of this controller, which may be one with that of another controller."""
        path = self.path(container_id, controller)
        groups = plan.setdefault("groups", [])
        group = next((group for group in groups if group["path"] == path), None)
        if group is None:
            group = GroupPlan(path=path, settings=[], readings=[])
            groups.append(group)
        return group

    def path(self, container_id: ContainerID, controller: str) -> str:
        """The directory of a container's group."""
        return f"{self._trees[controller].root}/{container_id}"

    def read(self, container_id: ContainerID, controller: str, name: str) -> str:
        """What a file of a group says; empty if the group is gone."""
        try:
            with open(f"{self.path(container_id, controller)}/{name}") as file:
                return file.read().strip()
        except OSError:
            return ""

    def set(self, container_id: ContainerID, controller: str, settings: Mapping[str, str]) -> None:
        """Change the settings of a group that there is."""
        path = self.path(container_id, controller)
        for name, value in settings.items():
            descriptor = os.open(f"{path}/{name}", os.O_WRONLY)
            try:
                os.write(descriptor, value.encode())
            finally:
                os.close(descriptor)

    def remove(self, container_id: ContainerID, controller: str) -> None:
        """Remove a group that an init left behind, and kill what is in it. OSError while that has not all ended."""
        path = self.path(container_id, controller)
        try:
            os.rmdir(path)
        except FileNotFoundError:
            pass
        except OSError:
            _kill(path)
            raise


def table(text: str) -> dict[str, int]:
    """What a file says whose lines are a word and a number each."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}


def _hand_down(controller: str, parent: Path) -> None:
    """Let the groups in this one have a controller of version 2."""
    try:
        (parent / "cgroup.subtree_control").write_text(f"+{controller}")
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise OSError(f"{parent} has processes of its own; move them into a group beside those in it") from None


def _kill(path: str) -> None:
    for process_id in Path(path, "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(process_id), signal.SIGKILL)


class _Tree:
    """Where the groups of a controller are."""

    def __init__(self, mount: str, root: str, is_alone: bool) -> None:
        self.root = Path(mount) / root
        steps = self.root.relative_to(mount).parts
        self.path = [Path(mount, *steps[:count]) for count in range(len(steps) + 1)]
        """The groups from the uppermost down to the one around containers'."""
        self.is_alone = is_alone
        """It is a tree of version 1, where a controller has a tree of its own, or with few others."""


def _trees(mounts: str, root: str) -> dict[str, _Tree]:
    trees: dict[str, _Tree] = {}
    unified = ""
    with open(mounts) as file:
        for _, mount, kind, options, *_ in map(str.split, file):
            if kind == "cgroup":
                trees |= dict.fromkeys(options.split(","), _Tree(mount, root, is_alone=True))
            elif kind == "cgroup2":
                unified = mount
    if unified:
        controllers = (Path(unified) / "cgroup.controllers").read_text().split()
        trees = dict.fromkeys((*controllers, PROGRAMS), _Tree(unified, root, is_alone=False)) | trees
    return trees
