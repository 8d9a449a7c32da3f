"""The scheduler's side of a carrier: puts together what one task writes, and knows what is still to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from frameworks.carrier.protocol import Chunk, Outcome, Read, Stream
from mesos.ids import TaskID

REMINDERS_MAX = 2
"""So often the last status may come again with no output in between: about half a minute."""


class Receiver:
    """Takes the chunks of a task's output, each byte once and in order, however often and whenever they come.

    A task's last status should be acknowledged only when `is_complete`: until then its agent sends it again, and each
    time `missing` can be asked for once more. So nothing gets lost, and nobody keeps time.
    """

    def __init__(self, task_id: TaskID, write: Callable[[Stream, bytes], None]) -> None:
        self._task_id = task_id
        self._write = write
        self._received = dict.fromkeys(Stream, 0)
        self._reminders = -1
        self.outcome: Outcome | None = None
        """How the task ended, once that is known."""

    def end(self, outcome: Outcome) -> bool:
        """Take note of the task's last status, whenever it comes. False if it came too often: its carrier is gone."""
        self.outcome = outcome
        self._reminders += 1
        return self._reminders <= REMINDERS_MAX

    def take(self, chunk: Chunk) -> bool:
        """Write what is new in a chunk; False if there was nothing new, or a gap before it."""
        received = self._received[chunk.stream]
        new = chunk.data[received - chunk.offset :]
        if chunk.offset > received or not new:
            return False
        self._reminders = min(self._reminders, 0)
        self._received[chunk.stream] += len(new)
        self._write(chunk.stream, new)
        return True

    def next(self, stream: Stream) -> Read:
        """Ask for what comes next, written yet or not."""
        return Read(self._task_id, stream, self._received[stream])

    def missing(self) -> Iterator[Read]:
        """Ask for what the task has written and is not here; nothing while its outcome is not known."""
        for stream in Stream:
            if self.outcome is not None and self._received[stream] < self.outcome.written(stream):
                yield self.next(stream)

    @property
    def is_complete(self) -> bool:
        """Whether the task has ended, and all that it wrote is here."""
        return self.outcome is not None and not any(self.missing())
