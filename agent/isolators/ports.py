"""network/ports: a container listens on no ports but those it was given."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from agent.forker.tree import descendants
from agent.isolators.isolator import Isolator, Limitation, Tell
from agent.isolators.rounds import Rounds, Watched
from agent.ports import ContainerConfig
from mesos.ids import ContainerID
from mesos.resources import Ranges, Resources
from mesos.types import Reason, ResourceLimit


class PortsIsolator(Isolator):
    """Ends a container that listens on a port, of TCP, which is not among its resources."""

    def __init__(self, interval_seconds: float) -> None:
        self._rounds = Rounds(self._look, interval_seconds)
        self._given: dict[ContainerID, Ranges] = {}

    def watch(self, container_id: ContainerID, config: ContainerConfig, init: int, tell: Tell) -> None:
        """See `Isolator`."""
        self._given[container_id] = config.resources.ranges("ports")
        self._rounds.add(container_id, Watched(config, init, tell))

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """See `Isolator`."""
        self._given[container_id] = resources.ranges("ports")

    def _look(self, watched: Watched) -> Limitation | None:
        given = self._given.get(watched.config.container_id, Ranges())
        for port in listening(watched.init):
            if not given >= Ranges(((port, port),)):
                text = f"the container listens on port {port}, and was given {given or 'none'}"
                return Limitation(Reason.REASON_CONTAINER_LIMITATION, text)
        return None

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._rounds.remove(container_id)
        self._given.pop(container_id, None)


def listening(init: int) -> Iterator[int]:
    """The ports that the processes below an init listen on."""
    for process_id in list(descendants(init)):
        try:
            connections = psutil.Process(process_id).net_connections("tcp")
        except psutil.Error:
            continue
        yield from (each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN)
