"""The command executor of a task that is to be probed: tells how the task does, and kills one that is lastingly ill."""

from __future__ import annotations

from msgspec.structs import replace

from agent.checks import Health, check_status
from agent.command_executor import CommandExecutor
from agent.ports import ContainerLaunchedMessage, ProbedMessage
from libprocess.message import Message
from mesos.types import CheckInfo, HealthCheck, Reason, TaskState, TaskStatus


class ProbeDueMessage(Message, frozen=True):
    """Command executor → itself: it is time to probe the task."""

    is_health: bool


class CheckedCommandExecutor(CommandExecutor):
    """Probes its task from when it runs until it ends."""

    _health: Health | None = None
    _last_check: ProbedMessage | None = None

    def container_launched(self, message: ContainerLaunchedMessage) -> None:
        if self._task is not None and self._task.health_check is not None:
            healthy = self._last.healthy if self._last is not None else None
            began = self._running_since if self._running_since is not None else self.now
            self._health = Health(self._task.health_check, began, healthy)
        super().container_launched(message)
        for check in self._checks():
            self.delay(check.delay_seconds, ProbeDueMessage(isinstance(check, HealthCheck)))

    def _checks(self) -> list[HealthCheck | CheckInfo]:
        task = self._task
        return [check for check in (task.health_check, task.check) if check is not None] if task else []

    def probe_due(self, message: ProbeDueMessage) -> None:
        if self._is_over:
            return
        for check in self._checks():
            if isinstance(check, HealthCheck) is message.is_health:
                self._containerizer.probe(self.pid, self._config.container_id, check)

    def probed(self, message: ProbedMessage) -> None:
        if self._is_over:
            return
        if message.is_health:
            self._judge(message)
        else:
            self._compare(message)
        for check in self._checks():
            if isinstance(check, HealthCheck) is message.is_health:
                self.delay(check.interval_seconds, ProbeDueMessage(message.is_health))

    def _judge(self, probed: ProbedMessage) -> None:
        """Tell of a change in the task's health, and end a task that is lastingly ill."""
        assert self._health is not None
        verdict = self._health.judge(probed, self.now)
        if verdict.tells:
            self._update(TaskState.TASK_RUNNING, probed.error, Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED)
        if verdict.kills:
            self._kill(self._grace_seconds(None))

    def _compare(self, probed: ProbedMessage) -> None:
        """Tell of another result than the last one."""
        before, self._last_check = self._last_check, probed
        if before != probed:
            self._update(TaskState.TASK_RUNNING, probed.error, Reason.REASON_TASK_CHECK_STATUS_UPDATED)

    @property
    def _is_over(self) -> bool:
        """The task has ended or is being killed: nothing is to be probed."""
        return self._has_ended or self._kill_deadline is not None

    def _status(self, status: TaskStatus) -> TaskStatus:
        """Every status tells what is known by then."""
        check = self._task.check if self._task else None
        return replace(
            status,
            healthy=self._health.healthy if self._health else None,
            check_status=check_status(check, self._last_check) if check else None,
        )
