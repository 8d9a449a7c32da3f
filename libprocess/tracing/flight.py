"""The flight recorder of a node that runs: dumped when an actor fails, or when somebody asks."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from libprocess.pid import PID
from libprocess.recording import BoundedFile, FlightRecorder

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

log = logging.getLogger("libprocess")

DUMP_BYTES_MAX = 64 << 20
DUMPS_MAX = 10
"""So many dumps one run of a node makes by itself, and so many there are in a directory, of whatever nodes: what fails
again and again must not fill the disk.
"""


class CrashRecorder(FlightRecorder):
    """Writes itself down when an actor fails."""

    __slots__ = ("_directory", "_dumps", "_node_runtime")

    def __init__(self, runtime: Runtime, seconds: float, directory: Path) -> None:
        super().__init__(runtime, seconds)
        self._node_runtime = runtime
        self._directory = directory
        self._dumps = 0

    def exited(self, pid: PID, reason: str) -> None:
        """See `ports.Trace`."""
        super().exited(pid, reason)
        if reason.startswith("failed: ") and self._dumps < DUMPS_MAX:
            # Once the turn is over, which ends with what failed.
            self._node_runtime.clock.soon(self.crashed)

    def crashed(self) -> None:
        """Something went wrong: write down what led to it."""
        try:
            log.error("what happened before is in %s", self.dump_to_file())
        except OSError as error:
            log.error("what happened before could not be written down: %s", error)

    def dump_to_file(self) -> Path:
        """Write what is there to a file of its own; returns where. OSError if that does not work."""
        self._dumps += 1
        host, port = self._node_runtime.address
        path = self._directory / f"flight-{host}-{port}-{self._node_runtime.incarnation:x}-{self._dumps}.trace"
        self._directory.mkdir(parents=True, exist_ok=True)
        self.dump(BoundedFile(path, DUMP_BYTES_MAX))
        for old in sorted(self._directory.glob("flight-*.trace"), key=_age)[DUMPS_MAX:]:
            old.unlink(missing_ok=True)
        return path


def _age(path: Path) -> float:
    """Greater for older files."""
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
