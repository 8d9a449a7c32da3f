"""Strays: containers of an earlier agent here that left no trace, since somebody emptied its directory meanwhile.

What is left of them is their inits. These have the forker's command line, with the directory of their traces at its
end. Those of other agents have another one there, or mean another place by it, in a mount namespace of their own.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator

from agent.forker import main

_FORKER = main.__name__.encode()


def strays(directory: str, traced: Container[int]) -> Iterator[int]:
    """The inits that have left their traces in a directory, but for those whose traces still are there."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in traced and _is_init(int(name), directory):
            yield int(name)


def _is_init(process_id: int, directory: str) -> bool:
    try:
        with open(f"/proc/{process_id}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
        return (
            words[-1] == os.fsencode(directory)
            and any(_FORKER in word for word in words)
            and os.getsid(process_id) == process_id  # a forker is in its agent's session
            and os.path.samefile(f"/proc/{process_id}/root{directory}", directory)
        )
    except OSError:  # it has ended, or is somebody else's
        return False
