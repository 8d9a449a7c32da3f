"""Memory pressure: how often, or for how long, a container had to wait for memory that the kernel first had to free."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from mesos.ids import ContainerID

LEVELS = ("low", "medium", "critical")


class PressureCounters:
    """Version 1: the kernel counts into descriptors, one for each level. Its methods may be called on any thread.

    They are made when a container is measured for the first time: those that live for a moment never need them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptors: dict[ContainerID, dict[str, int]] = {}
        self._counted: dict[ContainerID, dict[str, int]] = {}

    def read(self, container_id: ContainerID, group: str) -> dict[str, float]:
        """How often the container came under pressure since it was measured first, by Mesos' names."""
        with self._lock:
            if container_id not in self._descriptors:
                if not os.path.isdir(group):  # it has ended
                    return {}
                self._descriptors[container_id] = {level: _listen(group, level) for level in LEVELS}
                self._counted[container_id] = dict.fromkeys(LEVELS, 0)
            counted = self._counted[container_id]
            for level, descriptor in self._descriptors[container_id].items():
                with suppress(BlockingIOError):
                    counted[level] += os.eventfd_read(descriptor)
            return {f"mem_{level}_pressure_counter": float(count) for level, count in counted.items()}

    def forget(self, container_id: ContainerID) -> None:
        """The container has ended."""
        with self._lock:
            self._counted.pop(container_id, None)
            for descriptor in self._descriptors.pop(container_id, {}).values():
                os.close(descriptor)


def _listen(group: str, level: str) -> int:
    """A descriptor that the kernel counts into whenever a group comes under pressure of that level."""
    counter = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        watched = os.open(f"{group}/memory.pressure_level", os.O_RDONLY | os.O_CLOEXEC)
        try:
            control = os.open(f"{group}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(control, f"{counter} {watched} {level}".encode())
            finally:
                os.close(control)
        finally:
            os.close(watched)
    except OSError:
        os.close(counter)
        raise
    return counter


def stalls(text: str) -> dict[str, float]:
    """Version 2: the seconds in which some or all of a group's processes waited, out of its memory.pressure."""
    lines = (line.split() for line in text.splitlines())
    totals = {words[0]: words[-1].removeprefix("total=") for words in lines if words}
    return {f"mem_pressure_{kind}_secs": int(total) / 1e6 for kind, total in totals.items() if total.isdigit()}
