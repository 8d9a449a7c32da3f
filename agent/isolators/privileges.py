"""linux/capabilities, linux/nnp: how much of root's power a container has."""

from __future__ import annotations

from collections.abc import Iterable

from agent.forker import kernel
from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError, Isolator
from agent.ports import ContainerConfig

# In the order of their numbers.
NAMES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
)


class CapabilitiesIsolator(Isolator):
    """Gives containers the capabilities that they ask for, within what the operator allows."""

    def __init__(self, effective: Iterable[str] | None, bounding: Iterable[str] | None) -> None:
        """`effective` is for containers that ask for nothing; `bounding` is what none may go beyond; None is all."""
        self._allowed = frozenset(range(kernel.last_capability() + 1)) if bounding is None else _numbers(bounding)
        self._default = None if effective is None else _numbers(effective)

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        info = config.container.linux_info if config.container else None
        effective = self._default
        if info is not None and info.effective_capabilities is not None:
            effective = _numbers(info.effective_capabilities)
        bounding = self._allowed if effective is None else effective
        if info is not None and info.bounding_capabilities is not None:
            bounding = _numbers(info.bounding_capabilities)
        excess = ((effective or frozenset()) | bounding) - self._allowed
        if excess:
            raise ContainerError(f"the capability {NAMES[min(excess)]} is beyond what this agent allows")
        if effective is not None and not effective <= bounding:
            missing = NAMES[min(effective - bounding)]
            raise ContainerError(f"the effective capability {missing} is not among the bounding ones")
        plan["bounding"] = sorted(bounding)
        if effective is not None:
            plan["effective"] = sorted(effective)


def _numbers(names: Iterable[str]) -> frozenset[int]:
    names = tuple(names)
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None:
        raise ContainerError(f"there is no capability {unknown!r}; they are called like {NAMES[0]} and {NAMES[12]}")
    return frozenset(map(NAMES.index, names))


class NoNewPrivilegesIsolator(Isolator):
    """Lets no program of a container, setuid or not, have more rights than the container's user."""

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """See `Isolator`."""
        plan["no_new_privileges"] = True
