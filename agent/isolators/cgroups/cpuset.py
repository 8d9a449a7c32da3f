"""cgroups/cpuset: containers run on the processors and memory nodes that the group around them has."""

from __future__ import annotations

from itertools import pairwise, product

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
        way = groups.way("cpuset")
        self._around = way[-1]
        if groups.version == 1:  # where a new group has no processors at all
            for (above, below), name in product(pairwise(way), FILES):
                if not (below / name).read_text().strip():
                    (below / name).write_text((above / name).read_text())

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        group = self._groups.plan(config.container_id, "cpuset", plan)
        if self._groups.version == 1:
            group["settings"] += [(name, (self._around / name).read_text().strip()) for name in FILES]

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, "cpuset")
