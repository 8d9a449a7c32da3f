"""The disk that sandboxes are on, as the janitor uses it."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path

from agent.janitor import SandboxRemovedMessage
from agent.trees import remove
from libprocess.pid import PID
from libprocess.runtime import Runtime

_AROUND = (
    "agents/*/frameworks/*/executors/*/runs",
    "agents/*/frameworks/*/executors/*",
    "agents/*/frameworks/*/executors",
    "agents/*/frameworks/*",
    "agents/*/frameworks",
    "agents/*",
)
"""The directories around sandboxes, the innermost first."""


class SandboxDisk:
    """See `agent.janitor.Disk`. Directories are removed one at a time, by a thread."""

    def __init__(self, runtime: Runtime, work_dir: str) -> None:
        self._runtime = runtime
        self._work_dir = work_dir
        self._one_at_a_time = asyncio.Lock()
        self._removals: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected

    def found(self) -> list[tuple[str, float]]:
        """The sandboxes that there are, with the times of their last change.

        What an agent that was killed left empty goes: nobody would ever look for it.
        """
        for pattern in _AROUND:
            for path in Path(self._work_dir).glob(pattern):
                with suppress(OSError):
                    path.rmdir()
        sandboxes = Path(self._work_dir).glob("agents/*/frameworks/*/executors/*/runs/*")
        return [(str(path), path.lstat().st_mtime) for path in sandboxes if path.is_dir() and not path.is_symlink()]

    def usage(self) -> float:
        """See `agent.janitor.Disk`."""
        disk = shutil.disk_usage(self._work_dir)
        return disk.used / disk.total

    def remove(self, asker: PID, path: str) -> None:
        """See `agent.janitor.Disk`."""
        removal = asyncio.get_running_loop().create_task(self._remove(asker, path))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    async def _remove(self, asker: PID, path: str) -> None:
        error = ""
        async with self._one_at_a_time:
            try:
                await asyncio.to_thread(_remove_tree, path)
            except OSError as fault:
                error = fault.strerror or str(fault)
        self._runtime.send(asker, SandboxRemovedMessage(path, error))


def _remove_tree(path: str) -> None:
    """Remove a sandbox, and the directories above it that held nothing else."""
    remove(path)
    with suppress(OSError):
        for _ in _AROUND:
            path = os.path.dirname(path)
            os.rmdir(path)
