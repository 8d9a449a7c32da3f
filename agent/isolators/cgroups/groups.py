"""The control groups of an agent's containers, whichever version the machine has.

Version 1 has a tree per controller, version 2 one tree for all. In each tree there is a group `mesos`, and in it one
for each container.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from agent.forker.plan import Plan
from mesos.ids import ContainerID

ROOT = "mesos"


class Group:
    """One control group: a directory of files that are its settings."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def write(self, name: str, value: str | int) -> None:
        """Change a setting."""
        descriptor = os.open(f"{self.path}/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, str(value).encode())
        finally:
            os.close(descriptor)

    def read(self, name: str) -> str:
        """A setting, without the newline."""
        with open(f"{self.path}/{name}") as file:
            return file.read().strip()

    def number(self, name: str) -> int:
        """A setting that is a number."""
        return int(self.read(name))

    def table(self, name: str) -> dict[str, int]:
        """A setting that is lines of a word and a number each."""
        lines = (line.split() for line in self.read(name).splitlines())
        return {words[0]: int(words[1]) for words in lines if len(words) == 2}


class Groups:
    """The trees of groups on this machine, and the groups of containers in them."""

    def __init__(self, mounts: str = "/proc/mounts") -> None:
        self._trees = _trees(mounts)
        self._ready: set[str] = set()
        self._made: dict[ContainerID, dict[str, Group]] = {}

    @property
    def version(self) -> int:
        """1 or 2."""
        return 1 if any(tree.is_alone for tree in self._trees.values()) else 2

    def check(self, controller: str) -> None:
        """OSError says why groups of this controller cannot be used."""
        tree = self._trees.get(controller)
        if tree is None:
            raise OSError(f"the controller {controller} is not mounted")
        self._make_ready(controller)

    def join(self, container_id: ContainerID, controller: str, plan: Plan) -> Group:
        """Have a container's command be in a group of this controller; returns the group."""
        self._make_ready(controller)
        path = f"{self._trees[controller].root}/{container_id}"
        made = self._made.setdefault(container_id, {})
        group = made.get(path)
        if group is None:
            group = made[path] = Group(path)
            os.mkdir(path)
            plan.setdefault("cgroups", []).append(f"{path}/cgroup.procs")
        return group

    def leave(self, container_id: ContainerID) -> None:
        """Remove the groups of a container, and kill what is left in them. Fine twice.

        OSError while something is left; try again soon.
        """
        made = self._made.get(container_id, {})
        for path, group in list(made.items()):
            try:
                os.rmdir(path)
            except FileNotFoundError:
                pass
            except OSError:
                _kill(group)
                raise
            del made[path]
        self._made.pop(container_id, None)

    def _make_ready(self, controller: str) -> None:
        """See to it that there is the group around all containers' groups."""
        if controller in self._ready:
            return
        tree = self._trees[controller]
        tree.root.mkdir(exist_ok=True)
        if not tree.is_alone:
            for parent in (tree.root.parent, tree.root):
                Group(str(parent)).write("cgroup.subtree_control", f"+{controller}")
        self._ready.add(controller)


def _kill(group: Group) -> None:
    for process_id in group.read("cgroup.procs").split():
        with suppress(ProcessLookupError):
            os.kill(int(process_id), signal.SIGKILL)


class _Tree:
    """Where the groups of a controller are."""

    def __init__(self, mount: str, is_alone: bool) -> None:
        self.root = Path(mount) / ROOT
        self.is_alone = is_alone
        """It is a tree of version 1, where a controller has a tree of its own, or with few others."""


def _trees(mounts: str) -> dict[str, _Tree]:
    trees: dict[str, _Tree] = {}
    unified = ""
    with open(mounts) as file:
        for _, mount, kind, options, *_ in map(str.split, file):
            if kind == "cgroup":
                trees |= dict.fromkeys(options.split(","), _Tree(mount, is_alone=True))
            elif kind == "cgroup2":
                unified = mount
    if unified:
        controllers = (Path(unified) / "cgroup.controllers").read_text().split()
        trees = dict.fromkeys(controllers, _Tree(unified, is_alone=False)) | trees
    return trees
