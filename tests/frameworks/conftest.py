"""A driver that keeps what a scheduler asks for, so that a test can look at it and play the cluster."""

from __future__ import annotations

from typing import TypeVar

import pytest

from libprocess import Message
from mesos.driver import DriverStatus, News
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID
from mesos.messages import AcceptOffersMessage, FrameworkToExecutorMessage
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls
from mesos.types import Launch, Offer, TaskInfo, TaskState, TaskStatus

M = TypeVar("M", bound=Message)
FRAMEWORK = FrameworkID("F")


class Stage(SchedulerCalls):
    """Both ends of a scheduler's driver: its calls are kept, its news come from the test."""

    def __init__(self) -> None:
        super().__init__(Scheduler(), implicit_acknowledgements=False)
        self._calls: list[Message] = []
        self._offers = 0
        self._updates = 0
        self._executors: set[ExecutorID] = set()
        self._reach(DriverStatus.RUNNING)

    def enter(self, scheduler: Scheduler) -> None:
        """Let a scheduler play."""
        self._callbacks = scheduler

    def _tell(self, message: Message) -> None:
        self._calls.append(message)

    def tell(self, callback: str, *arguments: object) -> None:
        """Call the scheduler back."""
        self._call_back(News(callback, arguments))

    def offer(self, text: str, agent: str = "A1") -> list[TaskInfo]:
        """Offer resources of an agent; returns what the scheduler launches on them."""
        self._offers += 1
        resources = Resources.parse(text).allocate("*")
        offer = Offer(
            OfferID(f"O{self._offers}"),
            FRAMEWORK,
            AgentID(agent),
            f"host-{agent}",
            "*",
            resources,
            executor_ids=tuple(sorted(self._executors)),
        )
        self.tell("resource_offers", (offer,))
        launched: list[TaskInfo] = []
        for accepted in self.take(AcceptOffersMessage):
            launched += [task for each in accepted.operations if isinstance(each, Launch) for task in each.task_infos]
        assert resources.contains(self._cost(launched))
        return launched

    def _cost(self, tasks: list[TaskInfo]) -> Resources:
        """What tasks take, with each new executor among them."""
        executors = {task.executor.executor_id: task.executor.resources for task in tasks if task.executor}
        new = executors.keys() - self._executors
        self._executors |= new
        return Resources.sum([*(task.resources for task in tasks), *(executors[each] for each in new)])

    def update(
        self, task: TaskInfo, state: TaskState, data: bytes = b"", message: str = "", is_reliable: bool = True
    ) -> TaskStatus:
        """Tell the state of a task."""
        self._updates += 1
        uuid = str(self._updates).encode() if is_reliable else b""
        status = TaskStatus(task.task_id, state, task.agent_id, data=data, message=message, uuid=uuid)
        self.tell("status_update", status)
        return status

    def carry(self, task: TaskInfo, data: bytes) -> None:
        """Let a task's executor send data."""
        assert task.executor is not None
        self.tell("framework_message", task.executor.executor_id, task.agent_id, data)

    def take(self, kind: type[M]) -> list[M]:
        """The calls of one kind since the last time."""
        taken = [call for call in self._calls if isinstance(call, kind)]
        self._calls = [call for call in self._calls if not isinstance(call, kind)]
        return taken

    def orders(self) -> list[tuple[ExecutorID, bytes]]:
        """What the scheduler sent to executors since the last time."""
        return [(message.executor_id, message.data) for message in self.take(FrameworkToExecutorMessage)]


@pytest.fixture
def stage() -> Stage:
    return Stage()
