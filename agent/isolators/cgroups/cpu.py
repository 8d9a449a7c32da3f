"""cgroups/cpu: a share of the processors for each container, and with `cfs` no more than that."""

from __future__ import annotations

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Group, Groups
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
        self._joined: dict[ContainerID, Group] = {}
        for controller in _controllers(groups):
            groups.check(controller)

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        for controller in _controllers(self._groups):
            group = self._groups.join(config.container_id, controller, plan)
            self._joined.setdefault(config.container_id, group)
        self.update(config.container_id, config.resources, config.limits)

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        group = self._joined[container_id]
        shares = max(int(resources.scalar("cpus") * SHARES_PER_CPU), SHARES_MIN)
        if self._groups.version == 1:
            group.write("cpu.shares", shares)
        else:
            group.write("cpu.weight", weight(shares))
        if self._cfs or any(limit.name == "cpus" for limit in limits):
            self._set_quota(group, limit_of("cpus", resources, limits))

    def _set_quota(self, group: Group, cpus: float | None) -> None:
        quota = max(int(cpus * PERIOD_MICROSECONDS), QUOTA_MICROSECONDS_MIN) if cpus is not None else None
        if self._groups.version == 1:
            group.write("cpu.cfs_period_us", PERIOD_MICROSECONDS)
            group.write("cpu.cfs_quota_us", -1 if quota is None else quota)
        else:
            group.write("cpu.max", f"{'max' if quota is None else quota} {PERIOD_MICROSECONDS}")

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._joined.pop(container_id, None)
        self._groups.leave(container_id)


def _controllers(groups: Groups) -> tuple[str, ...]:
    return ("cpu", "cpuacct") if groups.version == 1 else ("cpu",)


def weight(shares: int) -> int:
    """What version 2 calls shares: from 1 to 10,000 instead of from 2 to 262,144, with 39 for 1024."""
    return 1 + (min(shares, 262_144) - SHARES_MIN) * 9_999 // 262_142
