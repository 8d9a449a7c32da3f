"""disk/du: how much a container's sandbox takes on the disk, and an end for one that takes more than it was given."""

from __future__ import annotations

from agent.isolators.isolator import Isolator, Limitation, Tell
from agent.isolators.rounds import Rounds, Watched
from agent.ports import ContainerConfig
from agent.trees import disk_usage
from libprocess.units import format_bytes
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit

MEGABYTE = 1 << 20


class DiskIsolator(Isolator):
    """Measures sandboxes, persistent volumes not included; with `enforce`, a container may not exceed its disk."""

    def __init__(self, enforce: bool, interval_seconds: float) -> None:
        self._enforce = enforce
        self._rounds = Rounds(self._look, interval_seconds)
        self._allowed: dict[ContainerID, int] = {}
        self._used: dict[ContainerID, int] = {}

    def watch(self, container_id: ContainerID, config: ContainerConfig, init: int, tell: Tell) -> None:
        """See `Isolator`."""
        self._allowed[container_id] = _own_disk(config.resources)
        self._rounds.add(container_id, Watched(config, init, tell))

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        self._allowed[container_id] = _own_disk(resources)

    def _look(self, watched: Watched) -> Limitation | None:
        container_id = watched.config.container_id
        used = self._used[container_id] = disk_usage(watched.config.directory)
        allowed = self._allowed.get(container_id, 0)
        if not self._enforce or not allowed or used <= allowed:
            return None
        return Limitation(
            Reason.REASON_CONTAINER_LIMITATION_DISK,
            f"disk limit exceeded: {format_bytes(allowed)} are allowed, and {format_bytes(used)} were used",
            Resources.of(disk=allowed / MEGABYTE),
        )

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        numbers = {"disk_used_bytes": self._used, "disk_limit_bytes": self._allowed}
        return {name: float(known[container_id]) for name, known in numbers.items() if known.get(container_id)}

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._rounds.remove(container_id)
        self._allowed.pop(container_id, None)
        self._used.pop(container_id, None)


def _own_disk(resources: Resources) -> int:
    """The disk that is for the sandbox: volumes have their own."""
    return int(resources.filter(lambda kind: kind.name == "disk" and kind.disk is None).scalar("disk") * MEGABYTE)
