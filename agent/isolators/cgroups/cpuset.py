"""cgroups/cpuset: containers run on the processors and memory nodes that the group around them has."""

from __future__ import annotations

from pathlib import Path

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Groups
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig
from mesos.ids import ContainerID

FILES = ("cpuset.cpus", "cpuset.mems")


class CpusetIsolator(Isolator):
    """Puts containers into groups by which an operator can bind them to processors, one by one or, around, all."""

    def __init__(self, groups: Groups) -> None:
        groups.check("cpuset")
        self._groups = groups
        self._around = Path(groups.path(ContainerID("any"), "cpuset")).parent
        if groups.version == 1:  # where a new group has no processors at all
            for name in FILES:
                if not (self._around / name).read_text().strip():
                    (self._around / name).write_text((self._around.parent / name).read_text())

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        group = self._groups.plan(config.container_id, "cpuset", plan)
        if self._groups.version == 1:
            group["settings"] += [(name, (self._around / name).read_text().strip()) for name in FILES]

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, "cpuset")
