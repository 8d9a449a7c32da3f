"""What a machine has to give: as its operator says, and as it is found where the operator says nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from libprocess.errors import OperatorError
from mesos.resources import Ranges, Resource, Resources
from mesos.resources.kind import Kind
from mesos.resources.text import parse_resources, reservations_for

MEGABYTE = 1 << 20
PORTS = Ranges(((31000, 32000),))


@dataclass(frozen=True)
class Machine:
    """A machine's size."""

    cpus: int
    memory_bytes: int
    disk_bytes: int
    """Of the file system that sandboxes are on."""


def this_machine(work_dir: str) -> Machine:
    """The machine that this program runs on. `work_dir` need not be there yet."""
    directory = Path(work_dir).absolute()
    existing = next(path for path in (directory, *directory.parents) if path.is_dir())
    cpus = len(os.sched_getaffinity(0))
    return Machine(cpus, psutil.virtual_memory().total, psutil.disk_usage(str(existing)).total)


def resources(text: str, default_role: str, machine: Machine) -> Resources:
    """What `--resources` says, and what was found of the kinds that it does not name.

    Something is kept back for the system and the agent. OperatorError says in one line what is wrong with the text.
    """
    try:
        given = parse_resources(text, default_role)
        reservations = reservations_for(default_role)
    except ValueError as error:
        raise OperatorError(f"--resources: {error}") from None
    named = {resource.name for resource in given}
    found = (
        Resource.of(Kind(name, reservations=reservations), value)
        for name, value in _found(machine).items()
        if name not in named
    )
    return Resources.of(*given, *found)


def _found(machine: Machine) -> dict[str, float | Ranges]:
    return {
        "cpus": machine.cpus,
        "mem": _without_reserve(machine.memory_bytes // MEGABYTE, 1024),
        "disk": _without_reserve(machine.disk_bytes // MEGABYTE, 5 * 1024),
        "ports": PORTS,
    }


def _without_reserve(megabytes: int, reserve_megabytes: int) -> int:
    """What is left of a large amount without the reserve, or half of a small one."""
    return megabytes - reserve_megabytes if megabytes >= 2 * reserve_megabytes else megabytes // 2
