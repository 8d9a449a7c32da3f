"""cgroups/mem: no container uses more memory than it was given; one that tries is ended, and why is told."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from agent.forker.plan import Plan, Report
from agent.isolators.cgroups.groups import Groups, table
from agent.isolators.cgroups.pressure import PressureCounters, stalls
from agent.isolators.isolator import Isolator, Limitation, limit_of
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
    swap: str
    """In version 1 memory and swap together, in version 2 swap alone."""
    unlimited: str
    events: str
    peak: str
    now: str
    parts: dict[str, str]
    """Which line of memory.stat is what."""


FILES = {
    1: Files(
        hard="memory.limit_in_bytes",
        soft="memory.soft_limit_in_bytes",
        swap="memory.memsw.limit_in_bytes",
        unlimited="-1",
        events="memory.oom_control",
        peak="memory.max_usage_in_bytes",
        now="memory.usage_in_bytes",
        parts={"mem_rss_bytes": "rss", "mem_cache_bytes": "cache", "mem_swap_bytes": "swap"},
    ),
    2: Files(
        hard="memory.max",
        soft="memory.low",
        swap="memory.swap.max",
        unlimited="max",
        events="memory.events",
        peak="memory.peak",
        now="memory.current",
        parts={"mem_rss_bytes": "anon", "mem_cache_bytes": "file"},
    ),
}


class MemoryIsolator(Isolator):
    """Limits containers' memory, page cache included; with `limit_swap`, none of it may be put on a disk instead."""

    def __init__(self, groups: Groups, limit_swap: bool) -> None:
        groups.check("memory")
        self._groups = groups
        self._version = groups.version
        self._files = FILES[self._version]
        self._limit_swap = limit_swap
        if limit_swap and not (groups.way("memory")[-1] / self._files.swap).exists():
            raise OSError("the kernel does not count what is swapped; start it with swapaccount=1")
        self._pressure = PressureCounters()
        if self._version == 2:  # no group is spared more than the groups around it are
            for around in groups.way("memory")[1:]:
                (around / self._files.soft).write_text(self._files.unlimited)

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        group = self._groups.plan(config.container_id, "memory", plan)
        group["settings"] += self._settings(config.resources, config.limits)
        group["readings"] += [self._files.events, self._files.peak, self._files.hard]
        if self._version == 1:
            plan["memory_alarm"] = group["path"]
        else:
            group["settings"].append(("memory.oom.group", "1"))

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        settings = self._settings(resources, limits)
        try:
            before = self._groups.read(container_id, "memory", self._files.hard)
            if self._is_more(dict(settings)[self._files.hard], before):
                settings.reverse()  # the limit with swap is never below the other one
            self._groups.set(container_id, "memory", dict(settings))
        except OSError as error:
            if error.errno != errno.EBUSY:  # it uses more than that now, and the old limit holds
                raise

    def _settings(self, resources: Resources, limits: tuple[ResourceLimit, ...]) -> list[tuple[str, str]]:
        limit = limit_of("mem", resources, limits)
        hard = self._files.unlimited if limit is None else str(max(int(limit * MEGABYTE), LIMIT_BYTES_MIN))
        settings = [(self._files.soft, str(int(resources.scalar("mem") * MEGABYTE))), (self._files.hard, hard)]
        if self._limit_swap:
            settings.append((self._files.swap, hard if self._version == 1 or limit is None else "0"))
        return settings

    def _is_more(self, limit: str, before: str) -> bool:
        return limit == self._files.unlimited or (before.isdigit() and int(limit) > int(before))

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        files = self._files
        parts = table(self._groups.read(container_id, "memory", "memory.stat"))
        numbers = {
            "mem_total_bytes": self._groups.read(container_id, "memory", files.now),
            "mem_peak_bytes": self._groups.read(container_id, "memory", files.peak),
            "mem_limit_bytes": self._groups.read(container_id, "memory", files.hard),
            "mem_soft_limit_bytes": self._groups.read(container_id, "memory", files.soft),
        }
        shown = {name: float(text) for name, text in numbers.items() if text.isdigit()}
        shown |= {name: float(parts[part]) for name, part in files.parts.items() if part in parts}
        return shown | self._pressure_on(container_id)

    def _pressure_on(self, container_id: ContainerID) -> dict[str, float]:
        if self._version == 2:
            return stalls(self._groups.read(container_id, "memory", "memory.pressure"))
        try:
            return self._pressure.read(container_id, self._groups.path(container_id, "memory"))
        except OSError:  # it has just ended, or this agent has no descriptors left: then it goes uncounted
            return {}

    def limitation(self, container_id: ContainerID, report: Report) -> Limitation | None:
        """See `Isolator`."""
        readings = report.get("readings", {})
        killed = table(readings.get(self._files.events, "")).get("oom_kill", 0)
        if not killed and not report.get("out_of_memory"):
            return None
        limit, peak = int(readings[self._files.hard]), int(readings[self._files.peak])
        return Limitation(
            Reason.REASON_CONTAINER_LIMITATION_MEMORY,
            f"memory limit exceeded: {format_bytes(limit)} are allowed, and {format_bytes(peak)} were used",
            Resources.of(mem=limit / MEGABYTE),
        )

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, "memory")
        self._pressure.forget(container_id)  # not before: whoever measures finds the group as long as it is there
