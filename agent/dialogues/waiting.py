"""Launches that wait: a machine does not run more than it has, even if its master has freed more than is free.

The master hands out what a framework had as soon as that is shut down, and the agent may still be busy ending it. Then
an executor waits here until there is room for it. So it does where an operator took something away that the master had
just given. It can be killed meanwhile, and it does not wait for ever. Where the agent is started again, it goes on to
wait.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.checkpoints.facts import WaitingFact
from agent.dialogues.base import log
from agent.dialogues.executors import Executors
from agent.dialogues.messages import ExecutorLateMessage, LaunchWaitingMessage
from agent.records.executor import ExecutorRecord
from agent.records.task import TaskRecord
from libprocess.units import format_duration
from mesos.ids import ContainerID
from mesos.messages import ExitedExecutorMessage
from mesos.resources import Kind, Resources
from mesos.states import told
from mesos.types import Reason, TaskState


class Waiting(Executors):
    """Starts executors when there is room for them, in the order in which they came."""

    has_shrunk = False
    """An operator took something away since the agent was started."""

    def initialize(self) -> None:
        super().initialize()
        self._waiting: dict[ContainerID, tuple[ExecutorRecord, TaskRecord]] = {}
        self._is_looking = False

    def _launch_when_free(self, executor: ExecutorRecord, task: TaskRecord) -> None:
        """Start an executor for its first task, now if it fits beside what is still being ended."""
        if not self._waiting and (not self._is_tight or self._fits(self._held() + executor.resources)):
            self._launch(executor, task)
            return
        log.info("task %s of framework %s waits for what is still in use", task.id, executor.framework.id)
        self._wait(executor, task, self.now + self.flags.launch_wait_timeout_seconds)
        if executor.framework.is_kept:
            self._note(WaitingFact(executor.container_id, executor.waits_until))

    @property
    def _is_tight(self) -> bool:
        """Whether there may be less room than the master believed when it sent a task."""
        return bool(self.ending) or self.has_shrunk

    def _wait(self, executor: ExecutorRecord, task: TaskRecord, until: float) -> None:
        self._waiting[executor.container_id] = executor, task
        executor.waits_until = until
        executor.alarm = self._late(executor, max(until - self.now, 0.0))

    def _wait_on(self, executors: Iterable[ExecutorRecord]) -> None:
        """Let those wait on that waited in an earlier life of this agent."""
        for executor in executors:
            if executor.waits_until is not None:
                self._wait(executor, next(iter(executor.tasks.values())), executor.waits_until)
        self._look_soon()

    def _held(self) -> Resources:
        """What all containers may use that have been started and have not ended."""
        started = (executor for id_, executor in self.containers.items() if id_ not in self._waiting)
        return Resources.sum(executor.resources for executor in started)

    def _fits(self, resources: Resources, total: Resources | None = None) -> bool:
        """Whether so much is on this machine, or in another total, whoever it is reserved for."""
        return _hard(self.lasting.total if total is None else total).contains(_hard(resources))

    def _has_ended(self, executor: ExecutorRecord) -> None:
        super()._has_ended(executor)
        self._look_soon()

    def _look_soon(self) -> None:
        if self._waiting and not self._is_looking:  # several may end in one turn
            self._is_looking = True
            self.send(self.pid, LaunchWaitingMessage())

    def launch_waiting(self, message: LaunchWaitingMessage) -> None:
        self._is_looking = False
        held = self._held()
        for id_, (executor, task) in list(self._waiting.items()):
            held += executor.resources
            if self._is_tight and not self._fits(held):
                return
            self._stop_waiting(executor)
            if executor.framework.is_kept:
                self._note(WaitingFact(id_, None))
            self._launch(executor, task)

    # Those that are not started after all.

    def _shut_down(self, executor: ExecutorRecord) -> None:
        if executor.container_id in self._waiting:
            self._give_up(executor, Reason.REASON_EXECUTOR_TERMINATED, "the executor was ended before it was started")
        else:
            super()._shut_down(executor)

    def executor_late(self, message: ExecutorLateMessage) -> None:
        if message.container_id not in self._waiting:
            super().executor_late(message)
            return
        executor, _ = self._waiting[message.container_id]
        limit = format_duration(self.flags.launch_wait_timeout_seconds)
        text = f"what it was given was still in use on the agent after {limit}"
        state = told(TaskState.TASK_DROPPED, executor.framework.info.capabilities)
        for task in [task for task in executor.tasks.values() if not task.is_terminal]:
            self._update(task, state, Reason.REASON_CONTAINER_LAUNCH_FAILED, text)
        self._give_up(executor, Reason.REASON_CONTAINER_LAUNCH_FAILED, text)

    def _give_up(self, executor: ExecutorRecord, reason: Reason, text: str) -> None:
        self._stop_waiting(executor)
        self._ended(executor, reason, text)
        if not executor.is_command and not executor.framework.is_terminating:
            self._tell_master(ExitedExecutorMessage(executor.framework.id, self.id, executor.id, -1))

    def _stop_waiting(self, executor: ExecutorRecord) -> None:
        del self._waiting[executor.container_id]
        executor.waits_until = None
        executor.silence()


def _hard(resources: Resources) -> Resources:
    """What cannot be there twice, whoever it is reserved for."""
    return resources.filter(lambda kind: not kind.revocable and not kind.shared).map_kinds(Kind.flatten)
