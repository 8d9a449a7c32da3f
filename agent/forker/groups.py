"""The control groups of one container, made and removed by its init, so that nobody else waits for the kernel."""

from __future__ import annotations

import os

from agent.forker import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.forker.plan import GroupPlan


def make(groups: list[GroupPlan]) -> None:
    """Make the groups, with their settings."""
    for group in groups:
        os.mkdir(group["path"])
        for name, value in group["settings"]:
            kernel.write(f"{group['path']}/{name}", value)
        if "device_program" in group:
            kernel.decide_on_devices(group["path"], bytes.fromhex(group["device_program"]))


def remove(groups: list[GroupPlan]) -> None:
    """Remove the groups; what cannot be removed is the agent's affair."""
    for group in groups:
        try:
            os.rmdir(group["path"])
        except OSError:
            pass


def readings(groups: list[GroupPlan]) -> dict[str, str]:
    """What the groups' files say at the end, by the files' names."""
    return {name: _read(f"{group['path']}/{name}") for group in groups for name in group["readings"]}


def memory_alarm(path: str) -> int:
    """A descriptor that becomes readable when the kernel finds no memory for a group of version 1."""
    alarm = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    watched = os.open(f"{path}/memory.oom_control", os.O_RDONLY)
    try:
        kernel.write(f"{path}/cgroup.event_control", f"{alarm} {watched}")
    finally:
        os.close(watched)
    return alarm


def _read(path: str) -> str:
    try:
        return kernel.read(path).strip()
    except OSError:
        return ""
