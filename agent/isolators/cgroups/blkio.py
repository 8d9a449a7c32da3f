"""cgroups/blkio: how much a container reads from disks and writes to them."""

from __future__ import annotations

from agent.forker.plan import Plan
from agent.isolators.cgroups.groups import Groups
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig
from mesos.ids import ContainerID


class BlkioIsolator(Isolator):
    """Accounts for containers' traffic with disks."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._controller = "blkio" if groups.version == 1 else "io"
        groups.check(self._controller)

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        self._groups.plan(config.container_id, self._controller, plan)

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        if self._controller == "io":
            text = self._groups.read(container_id, "io", "io.stat")
            pairs = [word.split("=") for line in text.splitlines() for word in line.split()[1:]]
            read = sum(float(value) for name, value in pairs if name == "rbytes")
            written = sum(float(value) for name, value in pairs if name == "wbytes")
        else:
            text = self._groups.read(container_id, "blkio", "blkio.throttle.io_service_bytes")
            lines = [line.split() for line in text.splitlines()]
            read = sum(float(line[2]) for line in lines if line[1] == "Read")
            written = sum(float(line[2]) for line in lines if line[1] == "Write")
        return {"disk_read_bytes": read, "disk_written_bytes": written}

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, self._controller)
