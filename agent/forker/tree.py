"""The processes below a process."""

from __future__ import annotations

import os
from collections.abc import Iterator

from agent.forker import kernel


def children(process_id: int) -> list[int]:
    """The processes that a process started and that live, or wait to be reaped. Empty if it is gone itself."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process_id}/task"):
            found.extend(map(int, kernel.read(f"/proc/{process_id}/task/{thread}/children").split()))
    except OSError:
        pass
    return found


def began(process_id: int | str) -> int:
    """When a process began, in the kernel's ticks: another one with its number began later. OSError if it is gone."""
    return int(_stat(process_id)[19])


def parent(process_id: int | str) -> int:
    """The parent of a process, as the host numbers it. OSError if it is gone."""
    return int(_stat(process_id)[1])


def _stat(process_id: int | str) -> list[str]:
    """What /proc says of a process, after its number and name."""
    return kernel.read(f"/proc/{process_id}/stat").rpartition(")")[2].split()


def descendants(process_id: int) -> Iterator[int]:
    """The children of a process, their children, and so on; each one before those below it."""
    for child in children(process_id):
        yield child
        yield from descendants(child)


def signal_all(process_id: int, number: int) -> None:
    """Send a signal to every descendant of a process."""
    for descendant in list(descendants(process_id)):
        try:
            os.kill(descendant, number)
        except ProcessLookupError:
            continue
