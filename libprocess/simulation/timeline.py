"""Virtual time: one timeline for a whole world, and each node's clock on it."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

EPOCH = 1_700_000_000.0
"""When a world begins, in seconds since 1970."""


class Alarm:
    """Something that will be called, unless it is cancelled or its node stops before."""

    __slots__ = ("_callback", "_clock")

    def __init__(self, callback: Callable[[], None], clock: SimClock | None) -> None:
        self._callback: Callable[[], None] | None = callback
        self._clock = clock

    def cancel(self) -> None:
        """Do not call."""
        self._callback = None

    def ring(self) -> bool:
        """Call, if it is to be; False if not."""
        callback, clock = self._callback, self._clock
        if callback is None or (clock is not None and clock.keeps(self)):
            return False
        self._callback = None
        callback()
        return True


class Timeline:
    """What is to happen, in order: by time, and what is due at one time in the order in which it was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds since the world began."""
        self._serial = 0
        self._heap: list[tuple[float, int, Alarm]] = []

    def at(self, time: float, callback: Callable[[], None], clock: SimClock | None = None) -> Alarm:
        """Call back at that time, or now if it has passed; not if the node whose clock is given stops before."""
        alarm = Alarm(callback, clock)
        self._set(time, alarm)
        return alarm

    def again(self, alarm: Alarm) -> None:
        """Let an alarm that was kept back ring now."""
        self._set(self.now, alarm)

    def _set(self, time: float, alarm: Alarm) -> None:
        self._serial += 1
        heappush(self._heap, (time if time > self.now else self.now, self._serial, alarm))

    def step(self, until: float) -> bool:
        """Let the next thing happen that is due by then; False if there is none."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, alarm = heappop(heap)
            if alarm.ring():
                return True
        return False


class SimClock:
    """A node's clock (see `ports.Clock`): right, but for a constant skew."""

    def __init__(self, timeline: Timeline, skew_seconds: float) -> None:
        self.stopped = False
        """The node is no more: nothing of it is called back."""
        self._kept: list[Alarm] | None = None  # what came due while the node was paused
        self._timeline = timeline
        self._offset = EPOCH + skew_seconds

    def now(self) -> float:
        """Seconds since 1970."""
        return self._offset + self._timeline.now

    def uptime(self) -> float:
        """Seconds since the world began."""
        return self._timeline.now

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back at this very time, after what is due already."""
        self._timeline.at(self._timeline.now, callback, self)

    def later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Call back after that many virtual seconds."""
        return self._timeline.at(self._timeline.now + seconds, callback, self)

    def keeps(self, alarm: Alarm) -> bool:
        """Whether an alarm must not ring now; if not ever, it is forgotten."""
        if self._kept is not None:
            self._kept.append(alarm)
            return True
        return self.stopped

    def pause(self) -> None:
        """Call nothing back for now; time goes on."""
        if self._kept is None:
            self._kept = []

    def resume(self) -> None:
        """Call back what came due meanwhile."""
        kept, self._kept = self._kept or [], None
        for alarm in kept:
            self._timeline.again(alarm)
