"""The records of a batch: every input, and how far it got. They keep the rules, and send nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from frameworks.carrier.protocol import Outcome
from frameworks.carrier.receiver import Receiver
from mesos.ids import AgentID, ExecutorID, TaskID
from mesos.types import TaskStatus

LOSSES_MAX = 5
"""So often an input may be lost with its executor or agent; once more, and it is likely to be the cause itself."""


@dataclass(slots=True)
class Attempt:
    """One task that was launched for an input."""

    task_id: TaskID
    agent_id: AgentID
    executor_id: ExecutorID
    receiver: Receiver
    launched_at: float
    running_at: float | None = None
    ended_at: float | None = None
    last_status: TaskStatus | None = None
    """The one that waits to be acknowledged until all output is here."""


@dataclass(slots=True)
class Item:
    """An input."""

    index: int
    input: str
    hostname: str = ""
    """Of the agent that it ran on last."""
    losses: int = 0
    attempt: Attempt | None = None
    outcome: Outcome | None = None
    problem: str = ""
    """Why there is no outcome."""
    starting_seconds: float = 0.0
    """From its launch until it ran."""
    reporting_seconds: float = 0.0
    """From the news of its end until all of its output was here."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more will be done for it."""
        return self.outcome is not None or bool(self.problem)

    @property
    def is_failed(self) -> bool:
        """Whether it is done, and did not succeed."""
        return bool(self.problem) or (self.outcome is not None and self.outcome.exit_status != 0)


@dataclass(slots=True)
class Ledger:
    """All inputs of a batch: those that wait, those that run, and those that are done."""

    items: list[Item]
    _waiting: deque[Item] = field(default_factory=deque)
    _running: dict[TaskID, Item] = field(default_factory=dict)
    _done: int = 0

    @classmethod
    def of(cls, inputs: Iterable[str]) -> Ledger:
        """A batch that has not begun."""
        items = [Item(index, text) for index, text in enumerate(inputs)]
        return cls(items, deque(items))

    @property
    def next(self) -> Item | None:
        """The input to launch next."""
        return self._waiting[0] if self._waiting else None

    @property
    def is_done(self) -> bool:
        """Whether every input is done."""
        return self._done == len(self.items)

    @property
    def running_count(self) -> int:
        """How many tasks were launched and are not done."""
        return len(self._running)

    def running(self, agent_id: AgentID | None = None) -> Iterator[tuple[Item, Attempt]]:
        """What runs, on that agent or on any; may be changed meanwhile."""
        for item in list(self._running.values()):
            if item.attempt is not None and agent_id in (None, item.attempt.agent_id):
                yield item, item.attempt

    def find(self, task_id: TaskID) -> tuple[Item, Attempt] | None:
        """Who a task runs for; None for one that was given up or is done."""
        item = self._running.get(task_id)
        return (item, item.attempt) if item is not None and item.attempt is not None else None

    def launch(self, hostname: str, make: Callable[[Item], Attempt]) -> Item:
        """Take the next input off the queue, for a task on that agent."""
        item = self._waiting.popleft()
        item.hostname = hostname
        item.attempt = make(item)
        self._running[item.attempt.task_id] = item
        return item

    def lose(self, item: Item, why: str) -> bool:
        """Its task came to nothing, by no fault of its own: it is the next again. False once that was too often."""
        item.losses += 1
        if item.losses > LOSSES_MAX:
            self.fail(item, f"came to nothing {item.losses} times, the last time: {why}")
            return False
        self._end_attempt(item)
        self._waiting.appendleft(item)
        return True

    def fail(self, item: Item, problem: str) -> None:
        """It cannot be done."""
        item.problem = problem
        self._end_attempt(item)
        self._done += 1

    def finish(self, item: Item, outcome: Outcome, now: float) -> None:
        """Its command ended, and all its output is here."""
        item.outcome = outcome
        if item.attempt is not None:
            ended_at = item.attempt.ended_at or now
            item.starting_seconds = (item.attempt.running_at or ended_at) - item.attempt.launched_at
            item.reporting_seconds = now - ended_at
        self._end_attempt(item)
        self._done += 1

    def _end_attempt(self, item: Item) -> None:
        if item.attempt is not None:
            del self._running[item.attempt.task_id]
            item.attempt = None
