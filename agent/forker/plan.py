"""The plan of a container: what the agent tells the forker, as JSON."""

from __future__ import annotations

from typing import TypedDict


class Plan(TypedDict, total=False):
    """How to start a container. Its steps are taken in the order in which they stand here."""

    id: str
    status_path: str
    """Where the init writes how the command ended; see `agent.forker.init`."""
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
    cgroups: list[str]
    """Files called cgroup.procs: the groups that the command joins, and the init does not."""
    user: tuple[int, int, list[int]]
    """The ids of the user, group and further groups that the command runs as."""
    arguments: list[str]
    """The program, looked for along the command's own PATH, and its arguments, the first being its name."""
    program: str
    environment: dict[str, str]
