"""Where a scheduler lives: a node that nobody needs to dial, named so that no other scheduler's is mistaken for it."""

from __future__ import annotations

import getpass
import os
import random
import socket
from typing import Any

from msgspec.structs import replace

from libprocess.pid import Address
from mesos.detector import MasterPlace
from mesos.types import FrameworkInfo

LOOPBACK = "127.0.0.1"


def node_options(place: MasterPlace) -> dict[str, Any]:
    """What to open the node with. It listens to this machine alone: answers come over the links that it opens."""
    master = place if isinstance(place, Address) else place.servers[0]  # ZooKeeper is where the masters are
    return {"host": LOOPBACK, "advertise": _own_host(master)}


def scheduler_id() -> str:
    """An id that no other scheduler's actor has."""
    return f"scheduler-{random.SystemRandom().getrandbits(64):016x}"


def filled_in(framework: FrameworkInfo) -> FrameworkInfo:
    """A framework that says who it belongs to and where it lives, if it did not."""
    return replace(framework, user=framework.user or _own_user(), hostname=framework.hostname or socket.gethostname())


def _own_host(master: Address) -> str:
    """The address of this machine as the master's network sees it. Nothing is sent for this."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(*master, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError:
        return LOOPBACK


def _own_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody by that number, as in many a container
        return str(os.getuid())
