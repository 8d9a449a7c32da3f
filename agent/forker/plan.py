"""The plan of a container: what the agent tells the forker. Only types: the forker itself does not load them."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class GroupPlan(TypedDict):
    """A control group: the init makes it, the command joins it, the init removes it when nothing is left in it."""

    path: str
    settings: list[tuple[str, str]]
    """Files, and what is written to them before the command joins, in this order."""
    readings: list[str]
    """Files whose content is reported when the command has ended."""
    device_program: NotRequired[str]
    """Of version 2: decides which devices may be used; instructions of eBPF, in hexadecimal digits."""


class Trace(TypedDict):
    """What an init writes before it does anything: where its report will be, whoever looks for a container finds it."""

    init: int
    """Its process id, as the host has it."""
    began: int
    """When that process began, in the kernel's ticks since the machine was started."""
    plan: Plan


class Report(TypedDict, total=False):
    """What an init leaves behind, as JSON: how it was."""

    status: int
    """Of the command, as from waitpid(2)."""
    error: str
    """Why the command could not be started."""
    out_of_memory: bool
    """The container was ended since its group had no memory left."""
    readings: dict[str, str]
    peak_kilobytes: int
    """How much memory the largest process had that ended while the command ran."""


class Plan(TypedDict, total=False):
    """How to start a container. Its steps are taken in the order in which they stand here."""

    id: str
    status_path: str
    """Where the init writes its report."""
    leaves_trace: bool
    """Until then, there is a `Trace` in its place."""
    trace: str
    """The plan in the trace, as JSON: this one, if somebody may take the container up again."""
    visits: int
    """The init of a container that runs: the command runs in there, too, instead of in a container of its own."""
    enters: int
    """The namespaces of that container, as flags of unshare(2)."""
    namespaces: int
    """Flags of unshare(2) for the init, and with it the command."""
    ends_with_forker: bool
    """Kill it when the forker dies."""
    mounts: list[tuple[str, str, str, int, str]]
    """Source, target, type, flags and options, as for mount(2), in the container's own mount namespace."""
    stdout: str
    stderr: str
    """Files that the command's output is added to; they are made where they are missing."""
    directory: str
    """Where the command starts."""
    groups: list[GroupPlan]
    """The groups that the command joins, and the init does not."""
    memory_alarm: str
    """A group of version 1 whose lack of memory ends the container; by itself the kernel ends one of its processes."""
    rlimits: list[tuple[int, int, int]]
    """Resources, soft and hard limits, as for setrlimit(2)."""
    bounding: list[int]
    """The capabilities that neither the command nor anything that it starts can ever have more than."""
    effective: list[int]
    """The capabilities that the command has although root does not run it."""
    no_new_privileges: bool
    """No program that it starts gets more rights than it has itself."""
    user: tuple[int, int, list[int]]
    """The ids of the user, group and further groups that the command runs as."""
    arguments: list[str]
    """The program, looked for along the command's own PATH, and its arguments, the first being its name."""
    program: str
    environment: dict[str, str]
