"""A framework with work on this agent, and all frameworks that have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from agent.records.executor import ExecutorRecord
from agent.records.task import TaskRecord
from libprocess.pid import PID
from mesos.ids import ContainerID, ExecutorID, FrameworkID, TaskID
from mesos.types import FrameworkInfo

COMPLETED_FRAMEWORKS_KEPT = 50


class FrameworkRecord:
    """One framework, as long as it has an executor here, or updates that are not acknowledged."""

    def __init__(self, id: FrameworkID, info: FrameworkInfo, pid: PID | None, completed_executors_max: int) -> None:
        self.id = id
        self.info = info
        self.pid = pid
        """Its scheduler; None for one that speaks HTTP."""
        self.is_kept = info.checkpoint
        """What it has here is to outlive the agent."""
        self.is_terminating = False
        self.executors: dict[ExecutorID, ExecutorRecord] = {}
        """Those that run, or are being started or ended."""
        self.owing: dict[ContainerID, ExecutorRecord] = {}
        """Those that have ended, of whose tasks some update is not acknowledged yet."""
        self.tasks: dict[TaskID, TaskRecord] = {}
        """Those of all its executors that are not completed."""
        self.completed_executors: deque[ExecutorRecord] = deque(maxlen=completed_executors_max)

    def add(self, executor: ExecutorRecord) -> None:
        """Note an executor that is started."""
        self.executors[executor.id] = executor

    def remember(self, executor: ExecutorRecord) -> None:
        """Note an executor that has ended and owes nothing; if there are enough, the first is forgotten."""
        kept = self.completed_executors
        if len(kept) == kept.maxlen:
            (kept[0] if kept else executor).let_go()
        kept.append(executor)

    def let_go(self) -> None:
        """Nobody remembers it any more: do not hold its executors, which hold it."""
        for executor in self.completed_executors:
            executor.let_go()
        self.completed_executors.clear()


class Frameworks:
    """The frameworks of this agent, by id."""

    def __init__(self, completed_executors_max: int) -> None:
        self._completed_executors_max = completed_executors_max
        self._active: dict[FrameworkID, FrameworkRecord] = {}
        self.completed: deque[FrameworkRecord] = deque(maxlen=COMPLETED_FRAMEWORKS_KEPT)

    def __iter__(self) -> Iterator[FrameworkRecord]:
        return iter(self._active.values())

    def __len__(self) -> int:
        return len(self._active)

    def __bool__(self) -> bool:
        return bool(self._active)

    def get(self, id: FrameworkID) -> FrameworkRecord | None:
        """The framework of that id; None if it has nothing here."""
        return self._active.get(id)

    def shown(self, show: Callable[[FrameworkRecord], FrameworkRecord | None]) -> Frameworks:
        """These as `show` would have each of them, without those that it hides."""
        shown = Frameworks(self._completed_executors_max)
        shown._active = {id_: seen for id_, each in self._active.items() if (seen := show(each)) is not None}
        shown.completed.extend(seen for each in self.completed if (seen := show(each)) is not None)
        return shown

    def known(self, id: FrameworkID, info: FrameworkInfo, pid: PID | None) -> FrameworkRecord:
        """The framework of that id, which is new here or as its last order says."""
        framework = self._active.get(id)
        if framework is None:
            framework = self._active[id] = FrameworkRecord(id, info, pid, self._completed_executors_max)
            for before in [each for each in self.completed if each.id == id]:  # it was idle for a while
                self.completed.remove(before)
                framework.completed_executors.extend(before.completed_executors)
                for executor in framework.completed_executors:  # or they would hold it, and it those before them
                    executor.framework = framework
        else:
            framework.info, framework.pid = info, pid
        return framework

    def executor(self, framework_id: FrameworkID, executor_id: ExecutorID) -> ExecutorRecord | None:
        """An executor by its ids."""
        framework = self._active.get(framework_id)
        return framework.executors.get(executor_id) if framework else None

    def task(self, framework_id: FrameworkID, task_id: TaskID) -> TaskRecord | None:
        """A task by its ids."""
        framework = self._active.get(framework_id)
        return framework.tasks.get(task_id) if framework else None

    def executors(self) -> Iterator[ExecutorRecord]:
        """All executors, of all frameworks."""
        return (executor for framework in self._active.values() for executor in framework.executors.values())

    def ended_executors(self) -> Iterator[ExecutorRecord]:
        """All executors that have ended and are still known, of all frameworks."""
        for framework in (*self.completed, *self._active.values()):
            yield from (*framework.completed_executors, *framework.owing.values())

    def tasks(self) -> Iterator[TaskRecord]:
        """All tasks that are not completed, of all frameworks."""
        return (task for framework in self._active.values() for task in framework.tasks.values())

    def end(self, executor: ExecutorRecord) -> None:
        """Nothing of an executor runs any more. Another one may take its id."""
        executor.terminate()
        framework = executor.framework
        if framework.is_terminating:  # nobody waits for news of its tasks
            for task in list(executor.tasks.values()):
                executor.complete(task)
        if framework.executors.get(executor.id) is executor:
            del framework.executors[executor.id]
            framework.owing[executor.container_id] = executor
        self.forget_settled(executor)

    def settle(self, framework_id: FrameworkID, task_id: TaskID) -> None:
        """All updates of a task are acknowledged: if it has ended, it is completed."""
        task = self.task(framework_id, task_id)
        if task is not None and task.is_completed:
            task.executor.complete(task)
            self.forget_settled(task.executor)

    def give_up(self, framework: FrameworkRecord) -> None:
        """A framework is over: what it has here is to end, and nobody waits for news of it."""
        framework.is_terminating = True
        for executor in [*framework.owing.values(), *framework.executors.values()]:
            for task in [task for task in executor.tasks.values() if task.is_terminal]:
                executor.complete(task)
            self.forget_settled(executor)

    def forget_settled(self, executor: ExecutorRecord) -> None:
        """Move an executor that has ended and owes no update to the completed ones, with its framework if idle."""
        framework = executor.framework
        if not executor.tasks and framework.owing.pop(executor.container_id, None) is not None:
            framework.remember(executor)
            self.forget_idle(framework)

    def forget_idle(self, framework: FrameworkRecord) -> None:
        """Move a framework with no executor to the completed ones."""
        if not framework.executors and not framework.owing and self._active.get(framework.id) is framework:
            del self._active[framework.id]
            if len(self.completed) == COMPLETED_FRAMEWORKS_KEPT:
                self.completed[0].let_go()
            self.completed.append(framework)
