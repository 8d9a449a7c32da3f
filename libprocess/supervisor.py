"""Supervisor: an actor that starts others, and starts those that fail again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from libprocess.lifecycle import TERMINATED
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process


class Supervisor(Process):
    """Spawns a child from each factory, and a new one under the same PID whenever a child fails.

        runtime.spawn(Supervisor([Worker, Worker, partial(Worker, speed=2)], restarts_max=5, within_seconds=60))

    A child that terminates is let go. When children failed more than `restarts_max` times within so many seconds, it is
    no accident: the supervisor ends all its children and fails itself, so that whoever is linked to it learns why. Mail
    that waited for a child when it failed is lost.
    """

    def __init__(
        self, factories: Iterable[Callable[[], Process]], restarts_max: int = 5, within_seconds: float = 60.0
    ) -> None:
        self.children: list[PID] = []
        """Those that live, in the order of their factories."""
        self.restarts = 0
        self._factories = list(factories)
        self._made_by: dict[PID, Callable[[], Process]] = {}
        self._restarts_max = restarts_max
        self._within_seconds = within_seconds
        self._failed_at: deque[float] = deque(maxlen=restarts_max + 1)

    def initialize(self) -> None:
        for factory in self._factories:
            pid = self.spawn(factory())
            self.link(pid)
            self._made_by[pid] = factory
            self.children.append(pid)

    def exited(self, message: ExitedMessage) -> None:
        if message.reason == TERMINATED:
            self._let_go(message.pid)
            return
        self._failed_at.append(self.now)
        if len(self._failed_at) > self._restarts_max and self.now - self._failed_at[0] <= self._within_seconds:
            self._give_up(message)
        self.restarts += 1
        self.spawn(self._made_by[message.pid](), message.pid.id)
        self.link(message.pid)

    def finalize(self) -> None:
        self._end_children()

    def _let_go(self, pid: PID) -> None:
        del self._made_by[pid]
        self.children.remove(pid)

    def _give_up(self, message: ExitedMessage) -> None:
        self._let_go(message.pid)
        self._end_children()
        raise RuntimeError(
            f"children failed {len(self._failed_at)} times within {self._within_seconds:g} s, "
            f"at last {message.pid}, which {message.reason}"
        )

    def _end_children(self) -> None:
        for pid in self.children:
            self.terminate(pid)
