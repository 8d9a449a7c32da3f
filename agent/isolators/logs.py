"""Rotation: the stdout and stderr of a container that runs for years do not grow for years."""

from __future__ import annotations

import os
import shutil

from agent.isolators.isolator import Isolator, Limitation, Tell
from agent.isolators.rounds import Rounds, Watched
from agent.ports import ContainerConfig
from mesos.ids import ContainerID

NAMES = ("stdout", "stderr")
KEPT = 9
"""Older parts of an output: stdout.1 is the newest of them."""


class LogRotation(Isolator):
    """Moves what a container has written aside when it is more than `bytes_max`, and in the end forgets the oldest.

    The command goes on writing to the same file, which is made empty: what it writes in the moment between the copy and
    that is lost.
    """

    def __init__(self, bytes_max: int, interval_seconds: float) -> None:
        self._bytes_max = bytes_max
        self._rounds = Rounds(self._look, interval_seconds)

    def watch(self, container_id: ContainerID, config: ContainerConfig, init: int, tell: Tell) -> None:
        """See `Isolator`."""
        self._rounds.add(container_id, Watched(config, init, tell))

    def _look(self, watched: Watched) -> Limitation | None:
        for name in NAMES:
            path = os.path.join(watched.config.directory, name)
            status = os.lstat(path)
            if status.st_size > self._bytes_max:
                rotate(path, status)
        return None

    def cleanup(self, container_id: ContainerID) -> None:
        """See `Isolator`."""
        self._rounds.remove(container_id)


def rotate(path: str, status: os.stat_result) -> None:
    """Move a file's content to PATH.1, that of PATH.1 to PATH.2, and so on; `status` is what lstat said of it.

    The sandbox belongs to its user, who might have put a link there: what is not the same file as before is left alone.
    """
    for number in range(KEPT - 1, 0, -1):
        if os.path.lexists(f"{path}.{number}"):
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
    source = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    with open(source, "rb+") as file:
        if not os.path.samestat(os.fstat(source), status):
            return
        target = os.open(f"{path}.1", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(target, "wb") as aside:
            os.fchown(target, status.st_uid, status.st_gid)
            shutil.copyfileobj(file, aside)
        file.truncate(0)
