"""cgroups/pids: no container has more processes and threads than so many: a fork bomb stops there."""

from __future__ import annotations

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Groups
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig
from mesos.ids import ContainerID


class PidsIsolator(Isolator):
    """Limits containers' processes and threads."""

    def __init__(self, groups: Groups, limit: int) -> None:
        groups.check("pids")
        self._groups = groups
        self._limit = limit

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        self._groups.plan(config.container_id, "pids", plan)["settings"].append(("pids.max", str(self._limit)))

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        current = self._groups.read(container_id, "pids", "pids.current")
        return {"processes": float(current)} if current else {}

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, "pids")
