"""The traffic of containers that have a network of their own. In the host's network nobody can tell whose it is."""

from __future__ import annotations

import os

from agent.isolators.isolator import Isolator
from mesos.ids import ContainerID

LOOPBACK = "lo"

# The columns of /proc/PID/net/dev, after an interface's name.
_COLUMNS = {
    "net_rx_bytes": 0,
    "net_rx_packets": 1,
    "net_rx_errors": 2,
    "net_rx_dropped": 3,
    "net_tx_bytes": 8,
    "net_tx_packets": 9,
    "net_tx_errors": 10,
    "net_tx_dropped": 11,
}


class NetworkUsage(Isolator):
    """Adds up the interfaces in a container's network namespace. It isolates nothing."""

    def __init__(self) -> None:
        self._host = os.stat("/proc/self/ns/net").st_ino

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """See `Isolator`."""
        try:
            if os.stat(f"/proc/{init}/ns/net").st_ino == self._host:
                return {}
            with open(f"/proc/{init}/net/dev") as file:
                return traffic(file.read())
        except OSError:  # it has ended
            return {}


def traffic(text: str) -> dict[str, float]:
    """The sums over all interfaces but the loopback, by Mesos' names, out of a /proc/PID/net/dev."""
    interfaces = (line.partition(":") for line in text.splitlines() if ":" in line)
    rows = [counts.split() for name, _, counts in interfaces if name.strip() != LOOPBACK]
    return {name: float(sum(int(row[column]) for row in rows)) for name, column in _COLUMNS.items()}
