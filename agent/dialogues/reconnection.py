"""Frameworks' own executors come back: to an agent that was restarted, or after their connection to it broke.

A broken connection ends no executor whose framework wants it to outlive the agent: one of the two may just have been
stopped for a while. One on a driver is asked to come back until it does, one over HTTP subscribes again by itself.
"""

from __future__ import annotations

from agent.dialogues.base import log
from agent.dialogues.frameworks import FrameworkOrders
from agent.dialogues.messages import RecallExecutorMessage
from agent.records.executor import ExecutorRecord, ExecutorState
from libprocess.lifecycle import TERMINATED
from libprocess.links import NO_ACTOR
from libprocess.pid import PID
from libprocess.units import format_duration
from mesos.messages import (
    ExecutorReregisteredMessage,
    KillTaskMessage,
    ReconnectExecutorMessage,
    RegisterExecutorMessage,
    ReregisterExecutorMessage,
    ShutdownExecutorMessage,
)
from mesos.types import Reason

SUBSCRIPTION = "http-executor("
"""What the ids of the actors begin with that stand in for executors over HTTP."""


class Reconnection(FrameworkOrders):
    """Waits for executors that are to come back."""

    def _await(self, executor: ExecutorRecord) -> None:
        """See to it that an executor comes back, or registers if it has not yet."""
        if not executor.was_registered:
            executor.alarm = self._late(executor, self.flags.executor_registration_timeout_seconds)
            return
        executor.alarm = self._late(executor, self._patience_seconds(executor))
        self._recall(executor)

    def _patience_seconds(self, executor: ExecutorRecord) -> float:
        flags = self.flags
        return flags.recovery_timeout_seconds if executor.is_lost else flags.executor_reregistration_timeout_seconds

    def _recall(self, executor: ExecutorRecord) -> None:
        if executor.former_pid is not None:
            self.send(executor.former_pid, ReconnectExecutorMessage(self.id))
            again_seconds = self.flags.executor_reregistration_retry_interval_seconds
            self.delay(again_seconds, RecallExecutorMessage(executor.container_id))

    def recall_executor(self, message: RecallExecutorMessage) -> None:
        executor = self.containers.get(message.container_id)
        if executor is not None and executor.state is ExecutorState.REGISTERING:
            self._recall(executor)

    def _lateness(self, executor: ExecutorRecord) -> tuple[Reason, str]:
        if not executor.was_registered:
            return super()._lateness(executor)
        limit = format_duration(self._patience_seconds(executor))
        cause = "its connection broke" if executor.is_lost else "the agent was restarted"
        text = f"the executor did not come back within {limit} after {cause}"
        return Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT, text

    # Those that are lost, for now.

    def _executor_exited(self, executor: ExecutorRecord, reason: str) -> None:
        if executor.state is ExecutorState.RUNNING and self._may_come_back(executor, reason):
            log.warning("lost executor %s of framework %s: %s", executor.id, executor.framework.id, reason)
            self._forget_place(executor)
            executor.lose()
            self._await(executor)
        else:
            super()._executor_exited(executor, reason)

    def _may_come_back(self, executor: ExecutorRecord, reason: str) -> bool:
        if executor.is_command or not executor.framework.is_kept:
            return False
        return self._is_over_http(executor.pid) or reason not in (TERMINATED, NO_ACTOR)

    def _is_over_http(self, pid: PID | None) -> bool:
        """Whether that is one of the actors here that stand in for executors over HTTP."""
        return pid is not None and pid.address == self.pid.address and pid.id.startswith(SUBSCRIPTION)

    def _forget_place(self, executor: ExecutorRecord) -> None:
        if executor.pid is not None:
            self.executor_pids.pop(executor.pid, None)
            self.unlink(executor.pid)

    # Those that come.

    def register_executor(self, message: RegisterExecutorMessage) -> None:
        self._make_way(message)
        super().register_executor(message)

    def reregister_executor(self, message: ReregisterExecutorMessage) -> None:
        """See the message. What it was never told of, it is told now."""
        self._make_way(message)
        executor = self.frameworks.executor(message.framework_id, message.executor_id)
        is_known = executor is not None and executor.state is ExecutorState.RUNNING and executor.pid == self.sender
        if executor is None or executor.is_command or not (is_known or executor.state is ExecutorState.REGISTERING):
            log.warning("sending away %s, which wants to be executor %s again", self.sender, message.executor_id)
            self.reply(ShutdownExecutorMessage(message.framework_id, message.executor_id))
            return
        self._connect_executor(executor)
        self.reply(ExecutorReregisteredMessage(self.id, self.info))
        for update in message.updates:
            self._take_update(update)
        for known in message.tasks:
            task = executor.tasks.get(known.task_id)
            if task is None or task.is_terminal:  # it was killed meanwhile
                self.reply(KillTaskMessage(message.framework_id, known.task_id))
            else:
                task.order = None
        for queued in list(executor.queued()):
            self._deliver(queued)
        for missed in executor.tasks.values():
            if missed.kill is not None and not missed.is_terminal:
                self.reply(missed.kill)
            missed.kill = None
        self._resize(executor)

    def _make_way(self, message: RegisterExecutorMessage | ReregisterExecutorMessage) -> None:
        """Who subscribes again over HTTP does not wait until its old connection is known to be broken."""
        executor = self.frameworks.executor(message.framework_id, message.executor_id)
        if (
            executor is not None
            and executor.state is ExecutorState.RUNNING
            and executor.pid != self.sender
            and self._is_over_http(executor.pid)
            and self._is_over_http(self.sender)
        ):
            log.info("executor %s of framework %s subscribes again", executor.id, executor.framework.id)
            assert executor.pid is not None
            self._forget_place(executor)
            self.terminate(executor.pid)
            executor.lose()
