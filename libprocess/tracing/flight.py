"""The flight recorder of a node that runs: dumped when an actor fails, or when somebody asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
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
    """Writes itself down when an actor fails, or when it is asked to: a bit at a time, since the node goes on."""

    __slots__ = ("_directory", "_dumps", "_node_runtime", "_under_way")

    def __init__(self, runtime: Runtime, seconds: float, directory: Path) -> None:
        super().__init__(runtime, seconds)
        self._node_runtime = runtime
        self._directory = directory
        self._dumps = 0
        self._under_way: list[Iterator[None]] = []

    def exited(self, pid: PID, reason: str) -> None:
        """See `ports.Trace`."""
        super().exited(pid, reason)
        if reason.startswith("failed: ") and self._dumps < DUMPS_MAX:
            # Once the turn is over, which ends with what failed.
            self._node_runtime.clock.soon(self.crashed)

    def crashed(self) -> None:
        """Something went wrong: write down what led to it."""
        self.dump_to_file(_log)

    def dump_to_file(self, done: Callable[[Path, OSError | None], None]) -> None:
        """Write what is there to a file of its own; `done` is told which, and what went wrong."""
        self._dumps += 1
        host, port = self._node_runtime.address
        path = self._directory / f"flight-{host}-{port}-{self._node_runtime.incarnation:x}-{self._dumps}.trace"
        steps = self._steps(path, done)
        self._under_way.append(steps)
        self._go_on(steps)

    def _go_on(self, steps: Iterator[None]) -> None:
        for _ in steps:
            self._node_runtime.clock.soon(partial(self._go_on, steps))
            return
        if steps in self._under_way:
            self._under_way.remove(steps)

    def _steps(self, path: Path, done: Callable[[Path, OSError | None], None]) -> Iterator[None]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            yield from self.dumping(BoundedFile(path, DUMP_BYTES_MAX))
            for old in sorted(self._directory.glob("flight-*.trace"), key=_age)[DUMPS_MAX:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            done(path, error)
        else:
            done(path, None)

    def close(self) -> None:
        """The node is closed: what is being written is written to its end."""
        for steps in self._under_way:
            for _ in steps:
                pass
        self._under_way.clear()


def _log(path: Path, error: OSError | None) -> None:
    if error is None:
        log.error("what happened before is in %s", path)
    else:
        log.error("what happened before could not be written down: %s", error)


def _age(path: Path) -> float:
    """Greater for older files."""
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
