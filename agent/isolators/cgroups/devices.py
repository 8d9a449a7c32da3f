"""cgroups/devices: the devices that every program expects, and no others."""

from __future__ import annotations

import os

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.cgroups.device_program import compile_rules
from agent.isolators.cgroups.groups import Groups
from agent.isolators.isolator import Isolator
from agent.ports import ContainerConfig
from mesos.ids import ContainerID

ALLOWED = (
    "c *:* m",  # to make nodes is harmless, what counts is to use them
    "b *:* m",
    "c 1:3 rwm",  # null
    "c 1:5 rwm",  # zero
    "c 1:7 rwm",  # full
    "c 1:8 rwm",  # random
    "c 1:9 rwm",  # urandom
    "c 5:0 rwm",  # tty
    "c 5:1 rwm",  # console
    "c 5:2 rwm",  # ptmx
    "c 136:* rwm",  # pts
    "c 10:200 rwm",  # tun
)


class DevicesIsolator(Isolator):
    """Keeps containers from the host's devices: by a list in version 1, by a program of eBPF in version 2."""

    def __init__(self, groups: Groups) -> None:
        groups.check("devices")
        self._groups = groups
        self._program = b""
        if groups.version == 2:
            self._program = compile_rules(ALLOWED)
            os.close(kernel.load_device_program(self._program))  # OSError if the kernel does not know of that

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        group = self._groups.plan(config.container_id, "devices", plan)
        if self._program:
            group["device_program"] = self._program.hex()
        else:
            group["settings"] += [("devices.deny", "a"), *(("devices.allow", rule) for rule in ALLOWED)]

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._groups.remove(container_id, "devices")
