"""Which isolators an agent uses: those that its operator names, or those that its machine allows."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.isolators.cgroups.cpu import CpuIsolator
from agent.isolators.cgroups.groups import Groups
from agent.isolators.cgroups.memory import MemoryIsolator
from agent.isolators.cgroups.pids import PidsIsolator
from agent.isolators.filesystem import FilesystemIsolator
from agent.isolators.isolator import Isolator
from agent.isolators.namespaces import IpcNamespaceIsolator, PidNamespaceIsolator
from libprocess.errors import OperatorError

log = logging.getLogger("agent.isolators")


@dataclass(frozen=True)
class Settings:
    """What isolators are told by the agent's flags."""

    groups: Groups
    cfs: bool
    pids_max: int


# In the order in which they prepare a container: what is mounted first, may be covered by what comes later.
ISOLATORS: dict[str, Callable[[Settings], Isolator]] = {
    "filesystem/linux": lambda settings: FilesystemIsolator(),
    "namespaces/pid": lambda settings: PidNamespaceIsolator(),
    "namespaces/ipc": lambda settings: IpcNamespaceIsolator(),
    "cgroups/cpu": lambda settings: CpuIsolator(settings.groups, settings.cfs),
    "cgroups/mem": lambda settings: MemoryIsolator(settings.groups),
    "cgroups/pids": lambda settings: PidsIsolator(settings.groups, settings.pids_max),
}

WANTED = ("filesystem/linux", "namespaces/pid", "cgroups/cpu", "cgroups/mem", "cgroups/pids")
"""What an agent uses that is told nothing, as far as the machine allows."""


def choose(names: Sequence[str], settings: Settings) -> dict[str, Isolator]:
    """Make the isolators of these names, or those that work if there are none, in their order.

    OperatorError for a name that does not exist, or an isolator that does not work on this machine.
    """
    unknown = sorted(set(names) - ISOLATORS.keys())
    if unknown:
        raise OperatorError(f"--isolation: there is no {unknown[0]!r}; there are {', '.join(ISOLATORS)}")
    if not names and os.geteuid() != 0:
        log.warning("not run by root: containers are kept apart by nothing but the rights of their users")
        return {}
    made: dict[str, Isolator] = {}
    for name in (name for name in ISOLATORS if name in (names or WANTED)):
        try:
            made[name] = ISOLATORS[name](settings)
        except OSError as error:
            fault = f"{name} does not work on this machine: {error.strerror or error}"
            if names:
                raise OperatorError(f"--isolation: {fault}; leave it out") from None
            log.warning("%s; going without it", fault)
    return made
