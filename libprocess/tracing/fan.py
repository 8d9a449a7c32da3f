"""Fan: several traces of one node at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from libprocess.message import Message
from libprocess.pid import PID
from libprocess.ports import Envelope, Trace, Trail


class Fan:
    """A `ports.Trace` that tells others."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces

    @property
    def numbers_mail(self) -> bool:
        """Whether any of them wants it."""
        return any(trace.numbers_mail for trace in self._traces)

    def turn(self, mail: list[Envelope], times: list[float], end: float | None, trail: Trail | None = None) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.turn(mail, times, end, trail)

    def framed(self, mail: list[Envelope], first_id: int) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.framed(mail, first_id)

    def spawned(self, pid: PID) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.spawned(pid)

    def exited(self, pid: PID, reason: str) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.exited(pid, reason)

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.dropped(envelope, reason)

    def timer(self, pid: PID, seconds: float, message: Message, id: int, cause: int) -> None:
        """See `ports.Trace`."""
        for trace in self._traces:
            trace.timer(pid, seconds, message, id, cause)
