"""Status-update streams: how a task's updates reach its scheduler, each one, once per acknowledgement, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from libprocess.timers import Timer
from mesos.ids import FrameworkID, TaskID
from mesos.types import StatusUpdate

RETRY_SECONDS = 10.0
"""After so long without an acknowledgement an update is sent again; then after twice as long, and so on."""

RETRY_SECONDS_MAX = 600.0


class UpdateStream:
    """The updates of one task that are not acknowledged yet. The first is under way, the others wait for it."""

    __slots__ = ("_known", "_pending", "is_kept", "retry", "retry_seconds")

    def __init__(self, is_kept: bool = False) -> None:
        self.is_kept = is_kept
        """Its framework wants it to outlive the agent."""
        self._pending: deque[StatusUpdate] = deque()
        self._known: set[bytes] = set()
        self.retry: Timer | None = None
        """Runs while the first update is under way."""
        self.retry_seconds = RETRY_SECONDS

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[StatusUpdate]:
        return iter(self._pending)

    def knows(self, uuid: bytes) -> bool:
        """Whether this update was added before."""
        return uuid in self._known

    def add(self, update: StatusUpdate) -> None:
        """Put an update at the end."""
        self._known.add(update.status.uuid)
        self._pending.append(update)

    @property
    def first(self) -> StatusUpdate | None:
        """The update that is under way, or that is to be sent."""
        return self._pending[0] if self._pending else None

    @property
    def last(self) -> StatusUpdate | None:
        """The newest update."""
        return self._pending[-1] if self._pending else None

    def acknowledge(self, uuid: bytes) -> bool:
        """Strike the first update; False if the acknowledgement is for another one, an old one say."""
        if not self._pending or self._pending[0].status.uuid != uuid:
            return False
        self.rest()
        self._pending.popleft()
        return True

    def clear(self) -> None:
        """Send nothing any more."""
        self.rest()
        self._pending.clear()

    def rest(self) -> None:
        """Send nothing again for now, and begin with the shortest wait next time."""
        if self.retry is not None:
            self.retry.cancel()
            self.retry = None
        self.retry_seconds = RETRY_SECONDS

    def back_off(self) -> float:
        """How long to wait for the acknowledgement this time, in seconds; the next time it is twice as long."""
        wait_seconds = self.retry_seconds
        self.retry_seconds = min(wait_seconds * 2, RETRY_SECONDS_MAX)
        return wait_seconds


class Streams(dict[tuple[FrameworkID, TaskID], UpdateStream]):
    """The streams that hold something, also of tasks that never were."""

    def add(self, update: StatusUpdate, stream: UpdateStream) -> None:
        """Put an update at the end of its stream."""
        stream.add(update)
        self[update.framework_id, update.status.task_id] = stream

    def acknowledge(self, key: tuple[FrameworkID, TaskID], uuid: bytes) -> bool:
        """Strike a stream's first update; False if it is another one, or there is none."""
        stream = self.get(key)
        if stream is None or not stream.acknowledge(uuid):
            return False
        if not stream:
            del self[key]
        return True

    def forget(self, framework_id: FrameworkID) -> None:
        """Nobody is there any more who would acknowledge updates of this framework."""
        for key in [key for key in self if key[0] == framework_id]:
            self.pop(key).clear()
