"""The agent's dialogue about frameworks: mail between schedulers and executors, and the end of a framework."""

from __future__ import annotations

from agent.dialogues.base import log
from agent.dialogues.tasks import Tasks
from agent.records.executor import ExecutorState
from agent.records.framework import FrameworkRecord
from mesos.ids import FrameworkID
from mesos.messages import (
    ExecutorToFrameworkMessage,
    FrameworkToExecutorMessage,
    ShutdownExecutorMessage,
    ShutdownFrameworkMessage,
    UpdateFrameworkMessage,
)


class FrameworkOrders(Tasks):
    """Passes mail on, and obeys the master about frameworks and executors as a whole."""

    def initialize(self) -> None:
        super().initialize()
        self._valid_mail = self.metrics.counter("slave/valid_framework_messages")
        self._invalid_mail = self.metrics.counter("slave/invalid_framework_messages")

    def update_framework(self, message: UpdateFrameworkMessage) -> None:
        if not self._ordered_by_master():
            return
        framework = self.frameworks.get(message.framework_id)
        if framework is not None:
            framework.info, framework.pid = message.framework_info, message.pid
        self._send_again_at_once(message.framework_id)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        framework = self.frameworks.get(message.framework_id)
        executor = framework.executors.get(message.executor_id) if framework else None
        senders = (self.master.pid if self.master else None, framework.pid if framework else None)
        if executor is None or executor.state is not ExecutorState.RUNNING or executor.pid is None:
            self._refuse_mail(f"executor {message.executor_id} does not run")
        elif self.sender not in senders:
            self._refuse_mail(f"{self.sender} does not speak for framework {message.framework_id}")
        else:
            self._valid_mail.value += 1
            self.send(executor.pid, message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        # Always through the master: it has a link to every scheduler, and what an executor sends before a status
        # update then arrives before it.
        executor = self.frameworks.executor(message.framework_id, message.executor_id)
        if executor is None or executor.pid != self.sender:
            self._refuse_mail(f"{self.sender} does not speak for executor {message.executor_id}")
        else:
            self._valid_mail.value += 1
            self._tell_master(message)

    def _refuse_mail(self, reason: str) -> None:
        self._invalid_mail.value += 1
        log.warning("dropping a framework message: %s", reason)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        executor = self.frameworks.executor(message.framework_id, message.executor_id)
        if self._ordered_by_master() and executor is not None:
            self._shut_down(executor)

    def shutdown_framework(self, message: ShutdownFrameworkMessage) -> None:
        if not self._ordered_by_master():
            return
        log.info("shutting down framework %s", message.framework_id)
        self._forget_updates(message.framework_id)
        framework = self.frameworks.get(message.framework_id)
        if framework is not None:
            self._shut_down_framework(framework)

    def _forget_updates(self, framework_id: FrameworkID) -> None:
        """Nobody is there any more who would acknowledge."""
        for key in [key for key in self.streams if key[0] == framework_id]:
            self.streams.pop(key).clear()

    def _shut_down_framework(self, framework: FrameworkRecord) -> None:
        """End all its executors, with their tasks."""
        framework.is_terminating = True
        for executor in [*framework.owing.values(), *framework.executors.values()]:
            for task in [task for task in executor.tasks.values() if task.is_terminal]:
                executor.complete(task)
            self._shut_down(executor)
            self.frameworks.forget_settled(executor)
