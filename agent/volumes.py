"""The directories of persistent volumes, on the agent's disk."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.trees import remove

log = logging.getLogger("agent.volumes")


class DiskVolumes:
    """See `agent.ports.Volumes`. What is removed is moved aside at once, and deleted while others work."""

    def __init__(self, work_dir: str) -> None:
        self._trash = Path(work_dir) / "volumes" / "removed"
        self._thread = ThreadPoolExecutor(1, "volumes")
        self._serial = 0
        if self._trash.exists():
            self._thread.submit(_delete, str(self._trash))

    def create(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        self.remove(path)
        self.keep(path)

    def keep(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            log.error("volume %s cannot be made, its tasks will fail: %s", path, error)

    def remove(self, path: str) -> None:
        """See `agent.ports.Volumes`."""
        if not os.path.isdir(path):
            return
        if os.path.ismount(path):
            self._empty(path)
            return
        aside = self._aside()
        try:
            os.rename(path, aside)
        except OSError:  # it is on another disk
            self._empty(path)
        else:
            self._thread.submit(_delete, str(aside))

    def _aside(self) -> Path:
        self._trash.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        return self._trash / f"{os.getpid()}-{self._serial}"

    def _empty(self, path: str) -> None:
        """Remove what is in a directory that is to stay."""
        for name in os.listdir(path):
            inside = f"{path}/{name}"
            if os.path.isdir(inside) and not os.path.islink(inside):
                _delete(inside)
            else:
                os.unlink(inside)

    def close(self) -> None:
        """Have everything removed that is to be."""
        self._thread.shutdown()


def _delete(path: str) -> None:
    try:
        remove(path)
    except OSError as error:
        log.warning("something is left of %s: %s", path, error)
