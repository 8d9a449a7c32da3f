"""cgroups/cpu: a share of the processors for each container, and with `cfs` no more than that."""

from __future__ import annotations

import os

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Groups, table
from agent.isolators.isolator import Isolator, limit_of
from agent.ports import ContainerConfig
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import ResourceLimit

SHARES_PER_CPU = 1024
SHARES_MIN = 2
PERIOD_MICROSECONDS = 100_000
QUOTA_MICROSECONDS_MIN = 1_000


class CpuIsolator(Isolator):
    """Gives containers processor time in proportion to their cpus when it is short.

    A container gets no more than its cpus at any time if `cfs` is set, or if its task has a limit.
    """

    def __init__(self, groups: Groups, cfs: bool) -> None:
        self._groups = groups
        self._cfs = cfs
        self._version = groups.version
        self._controllers = ("cpu", "cpuacct") if self._version == 1 else ("cpu",)
        for controller in self._controllers:
            groups.check(controller)

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        for controller in self._controllers:
            group = self._groups.plan(config.container_id, controller, plan)
            if controller == "cpu":
                group["settings"] += self._settings(config.resources, config.limits).items()
        group["readings"].append("cpuacct.usage" if self._version == 1 else "cpu.stat")

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        settings = self._quota(None) | self._settings(resources, limits)  # a limit may be over, too
        self._groups.set(container_id, "cpu", settings)

    def _settings(self, resources: Resources, limits: tuple[ResourceLimit, ...]) -> dict[str, str]:
        shares = max(int(resources.scalar("cpus") * SHARES_PER_CPU), SHARES_MIN)
        settings = {"cpu.shares": str(shares)} if self._version == 1 else {"cpu.weight": str(weight(shares))}
        if self._cfs or any(limit.name == "cpus" for limit in limits):
            settings |= self._quota(limit_of("cpus", resources, limits))
        return settings

    def _quota(self, cpus: float | None) -> dict[str, str]:
        quota = max(int(cpus * PERIOD_MICROSECONDS), QUOTA_MICROSECONDS_MIN) if cpus is not None else None
        if self._version == 2:
            return {"cpu.max": f"{'max' if quota is None else quota} {PERIOD_MICROSECONDS}"}
        return {"cpu.cfs_period_us": str(PERIOD_MICROSECONDS), "cpu.cfs_quota_us": str(-1 if quota is None else quota)}

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        stat = table(self._groups.read(container_id, "cpu", "cpu.stat"))
        shown = {f"cpus_{name}": float(stat[name]) for name in ("nr_periods", "nr_throttled") if name in stat}
        if self._version == 1:
            used = table(self._groups.read(container_id, "cpuacct", "cpuacct.stat"))
            ticks = os.sysconf("SC_CLK_TCK")
            shown |= {f"cpus_{name}_time_secs": used[name] / ticks for name in ("user", "system") if name in used}
            return shown | {"cpus_throttled_time_secs": stat.get("throttled_time", 0) / 1e9}
        parts = {"user": "user_usec", "system": "system_usec", "throttled": "throttled_usec"}
        return shown | {f"cpus_{name}_time_secs": stat.get(part, 0) / 1e6 for name, part in parts.items()}

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        for controller in self._controllers:
            self._groups.remove(container_id, controller)


def weight(shares: int) -> int:
    """What version 2 calls shares: from 1 to 10,000 instead of from 2 to 262,144, with 39 for 1024."""
    return 1 + (min(shares, 262_144) - SHARES_MIN) * 9_999 // 262_142
