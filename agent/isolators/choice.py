"""Which isolators an agent uses: those that its operator names, or those that its machine allows."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.isolators.cgroups.blkio import BlkioIsolator
from agent.isolators.cgroups.cpu import CpuIsolator
from agent.isolators.cgroups.cpuset import CpusetIsolator
from agent.isolators.cgroups.devices import DevicesIsolator
from agent.isolators.cgroups.groups import Groups
from agent.isolators.cgroups.memory import MemoryIsolator
from agent.isolators.cgroups.pids import PidsIsolator
from agent.isolators.disk import DiskIsolator
from agent.isolators.filesystem import FilesystemIsolator
from agent.isolators.host_volumes import HostPathIsolator, SandboxPathIsolator
from agent.isolators.isolator import ContainerError, Isolator
from agent.isolators.namespaces import IpcNamespaceIsolator, PidNamespaceIsolator
from agent.isolators.ports import PortsIsolator
from agent.isolators.posix import PosixCpuIsolator, PosixMemoryIsolator
from agent.isolators.privileges import CapabilitiesIsolator, NoNewPrivilegesIsolator
from agent.isolators.rlimits import RlimitsIsolator
from libprocess.errors import OperatorError

log = logging.getLogger("agent.isolators")

Launcher = Literal["linux", "posix"]
"""Namespaces, or nothing but the tree of processes below a container's init."""


@dataclass(frozen=True)
class Settings:
    """What isolators are told by the agent's flags."""

    groups: Groups
    launcher: Launcher | None = None
    """What holds a container together; None is what this agent's rights allow."""
    cfs: bool = False
    limit_swap: bool = False
    pids_max: int = 4096
    enforce_disk: bool = False
    disk_interval_seconds: float = 15.0
    ports_interval_seconds: float = 30.0
    effective_capabilities: tuple[str, ...] | None = None
    bounding_capabilities: tuple[str, ...] | None = None


# In the order in which they prepare a container: what is mounted first, may be covered by what comes later.
ISOLATORS: dict[str, Callable[[Settings], Isolator]] = {
    "filesystem/linux": lambda settings: FilesystemIsolator(),
    "namespaces/pid": lambda settings: PidNamespaceIsolator(),
    "namespaces/ipc": lambda settings: IpcNamespaceIsolator(),
    "volume/host_path": lambda settings: HostPathIsolator(),
    "volume/sandbox_path": lambda settings: SandboxPathIsolator(),
    "cgroups/cpu": lambda settings: CpuIsolator(settings.groups, settings.cfs),
    "cgroups/mem": lambda settings: MemoryIsolator(settings.groups, settings.limit_swap),
    "cgroups/pids": lambda settings: PidsIsolator(settings.groups, settings.pids_max),
    "cgroups/devices": lambda settings: DevicesIsolator(settings.groups),
    "cgroups/blkio": lambda settings: BlkioIsolator(settings.groups),
    "cgroups/cpuset": lambda settings: CpusetIsolator(settings.groups),
    "posix/cpu": lambda settings: PosixCpuIsolator(),
    "posix/mem": lambda settings: PosixMemoryIsolator(),
    "posix/rlimits": lambda settings: RlimitsIsolator(),
    "disk/du": lambda settings: DiskIsolator(settings.enforce_disk, settings.disk_interval_seconds),
    "network/ports": lambda settings: PortsIsolator(settings.ports_interval_seconds),
    "linux/capabilities": lambda settings: CapabilitiesIsolator(
        settings.effective_capabilities, settings.bounding_capabilities
    ),
    "linux/nnp": lambda settings: NoNewPrivilegesIsolator(),
}

FOR_ALL = ("posix/rlimits", "disk/du")
FOR_NAMESPACES = ("filesystem/linux", "namespaces/pid", "volume/host_path", "volume/sandbox_path")
FOR_ROOT = (*FOR_NAMESPACES, "cgroups/cpu", "cgroups/mem", "cgroups/pids", *FOR_ALL)
FOR_USERS = ("posix/cpu", "posix/mem", *FOR_ALL)
"""What an agent uses that is told nothing, as far as the machine allows."""

TAKE_NAMESPACES = frozenset({*FOR_NAMESPACES, "namespaces/ipc"})
TAKE_ROOT = TAKE_NAMESPACES | {"linux/capabilities"} | {name for name in ISOLATORS if name.startswith("cgroups/")}


def choose_launcher(wanted: Launcher | None) -> Launcher:
    """The launcher that is wanted, or that this agent's rights allow. OperatorError if they do not allow it."""
    is_root = os.geteuid() == 0
    if wanted == "linux" and not is_root:
        raise OperatorError("--launcher=linux makes namespaces, which takes root; use --launcher=posix, or run as root")
    return wanted or ("linux" if is_root else "posix")


def choose(names: Sequence[str], settings: Settings) -> dict[str, Isolator]:
    """Make the isolators of these names, or those that work if there are none, in their order.

    OperatorError for a name that does not exist, or an isolator that does not work on this machine.
    """
    launcher = choose_launcher(settings.launcher)
    unknown = sorted(set(names) - ISOLATORS.keys())
    if unknown:
        raise OperatorError(f"--isolation: there is no {unknown[0]!r}; there are {', '.join(ISOLATORS)}")
    wanted = names or _defaults(launcher)
    made: dict[str, Isolator] = {}
    for name in (name for name in ISOLATORS if name in wanted):
        try:
            _check_rights(name, launcher)
            made[name] = ISOLATORS[name](settings)
        except (OSError, ContainerError) as error:
            fault = f"{name} does not work on this machine: {getattr(error, 'strerror', None) or error}"
            if names:
                raise OperatorError(f"--isolation: {fault}; leave it out") from None
            log.warning("%s; going without it", fault)
    return made


def _defaults(launcher: Launcher) -> Sequence[str]:
    if os.geteuid() != 0:
        log.warning(
            "not run by root: containers have no limits of cpus, memory and processes, see each other, "
            "and all run as this agent's user"
        )
        return FOR_USERS
    return FOR_ROOT if launcher == "linux" else [name for name in FOR_ROOT if name not in TAKE_NAMESPACES]


def _check_rights(name: str, launcher: Launcher) -> None:
    if name in TAKE_ROOT and os.geteuid() != 0:
        raise ContainerError("it takes root")
    if name in TAKE_NAMESPACES and launcher != "linux":
        raise ContainerError("it takes --launcher=linux")
