"""posix/cpu, posix/mem: what containers use, as far as it can be seen without control groups. They limit nothing."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from agent.forker.tree import descendants
from agent.isolators.isolator import Isolator
from mesos.ids import ContainerID


class PosixCpuIsolator(Isolator):
    """Adds up the processor time of a container's processes, those that have ended and were waited for included."""

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        user = system = 0.0
        for process in _processes(init):
            with_children = process.cpu_times()
            user += with_children.user + with_children.children_user
            system += with_children.system + with_children.children_system
        return {"cpus_user_time_secs": user, "cpus_system_time_secs": system}


class PosixMemoryIsolator(Isolator):
    """Adds up the memory of a container's processes; what they share counts for each."""

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        processes = list(_processes(init))
        memory = sum(process.memory_info().rss for process in processes)
        return {"mem_rss_bytes": float(memory), "mem_total_bytes": float(memory), "processes": float(len(processes))}


def _processes(init: int) -> Iterator[psutil.Process]:
    """The processes below an init that live."""
    for process_id in list(descendants(init)):
        try:
            process = psutil.Process(process_id)
            with process.oneshot():
                yield process
        except psutil.Error:
            continue
