"""cgroups/mem: no container uses more memory than it was given; one that tries is ended, and why is told."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import dataclass

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Group, Groups
from agent.isolators.isolator import Isolator, Limitation, Report, limit_of
from agent.ports import ContainerConfig
from libprocess.units import format_bytes
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit

MEGABYTE = 1 << 20
LIMIT_BYTES_MIN = 32 * MEGABYTE
"""Less than that few programs can start with."""


@dataclass(frozen=True)
class Files:
    """What a version of control groups calls its settings."""

    hard: str
    soft: str
    unlimited: str
    events: str
    peak: str
    parts: tuple[str, ...]


FILES = {
    1: Files(
        hard="memory.limit_in_bytes",
        soft="memory.soft_limit_in_bytes",
        unlimited="-1",
        events="memory.oom_control",
        peak="memory.max_usage_in_bytes",
        parts=("rss", "cache"),
    ),
    2: Files(
        hard="memory.max",
        soft="memory.low",
        unlimited="max",
        events="memory.events",
        peak="memory.peak",
        parts=("anon", "file"),
    ),
}


class MemoryIsolator(Isolator):
    """Limits containers' memory, page cache included."""

    def __init__(self, groups: Groups) -> None:
        groups.check("memory")
        self._groups = groups
        self._files = FILES[groups.version]
        self._joined: dict[ContainerID, Group] = {}
        self._alarms: dict[ContainerID, int] = {}

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        group = self._joined[config.container_id] = self._groups.join(config.container_id, "memory", plan)
        if self._groups.version == 2:
            group.write("memory.oom.group", 1)  # the kernel ends all of it, and the rest is found at the end
        self.update(config.container_id, config.resources, config.limits)

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        group = self._joined[container_id]
        limit = limit_of("mem", resources, limits)
        group.write(self._files.soft, int(resources.scalar("mem") * MEGABYTE))
        hard = self._files.unlimited if limit is None else str(max(int(limit * MEGABYTE), LIMIT_BYTES_MIN))
        try:
            group.write(self._files.hard, hard)
        except OSError as error:
            if error.errno != errno.EBUSY:  # it uses more than that now, and the old limit holds
                raise

    def watch(self, container_id: ContainerID, report: Report) -> None:
        """See `Isolator`. In version 1 the kernel ends one process of the container, and tells that it does."""
        if self._groups.version == 1:
            alarm = self._alarms[container_id] = _alarm(self._joined[container_id])
            asyncio.get_running_loop().add_reader(alarm, self._ring, container_id, report)

    def _ring(self, container_id: ContainerID, report: Report) -> None:
        os.eventfd_read(self._alarms[container_id])
        report(container_id, self._limitation(self._joined[container_id]))

    def limitation(self, container_id: ContainerID) -> Limitation | None:
        """See `Isolator`."""
        group = self._joined.get(container_id)
        if group is None or not group.table(self._files.events)["oom_kill"]:
            return None
        return self._limitation(group)

    def _limitation(self, group: Group) -> Limitation:
        limit, peak = group.number(self._files.hard), group.number(self._files.peak)
        table = group.table("memory.stat")
        parts = ", ".join(f"{name} {format_bytes(table[name])}" for name in self._files.parts)
        return Limitation(
            Reason.REASON_CONTAINER_LIMITATION_MEMORY,
            f"memory limit exceeded: {format_bytes(limit)} are allowed, {format_bytes(peak)} were used; now {parts}",
            Resources.of(mem=limit / MEGABYTE),
        )

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        alarm = self._alarms.pop(container_id, None)
        if alarm is not None:
            asyncio.get_running_loop().remove_reader(alarm)
            os.close(alarm)
        self._joined.pop(container_id, None)
        self._groups.leave(container_id)


def _alarm(group: Group) -> int:
    """A descriptor that becomes readable when the kernel finds no memory for the group."""
    alarm = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    watched = os.open(f"{group.path}/memory.oom_control", os.O_RDONLY)
    try:
        group.write("cgroup.event_control", f"{alarm} {watched}")
    finally:
        os.close(watched)
    return alarm
