"""The agent's dialogue about frameworks: mail between schedulers and executors, and the end of a framework."""

from __future__ import annotations

from agent.checkpoints.facts import FrameworkEndedFact, FrameworkFact
from agent.checkpoints.identity import forget_agent
from agent.dialogues.base import AgentState, log
from agent.dialogues.tasks import Tasks
from agent.ports import ContainerTerminatedMessage
from agent.records.executor import ExecutorState
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
            if framework.is_kept:
                self._note(FrameworkFact(framework.info, framework.pid))
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
        self._end_framework(message.framework_id)
        self._tell_if_ended(message.framework_id)

    def _end_framework(self, framework_id: FrameworkID) -> None:
        """A framework is over: end all its executors, with their tasks. Nobody is left who would acknowledge."""
        framework = self.frameworks.get(framework_id)
        kept = [stream.is_kept for (owner, _), stream in self.streams.items() if owner == framework_id]
        if any(kept) or (framework is not None and framework.is_kept):
            self._note(FrameworkEndedFact(framework_id))
        self.streams.forget(framework_id)
        if framework is not None:
            self.frameworks.give_up(framework)
            for executor in list(framework.executors.values()):
                self._shut_down(executor)

    # The end of everything.

    def _stop(self) -> None:
        """End everything that runs, then this actor; the next one here is another agent."""
        self._disconnect()
        self.state = AgentState.TERMINATING
        for framework in list(self.frameworks):
            self._end_framework(framework.id)
        self._end_when_idle()

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        super().container_terminated(message)
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if self.state is not AgentState.TERMINATING or self.containers:
            return
        self._write(and_sync=True)
        self._journal = None
        if self.info.id is not None:
            forget_agent(self.storage, self.info.id)
        self.terminate()
