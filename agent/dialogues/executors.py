"""The agent's dialogue with executors, and with the containerizer about them: from the launch to the end."""

from __future__ import annotations

from agent.checked_executor import CheckedCommandExecutor
from agent.checkpoints.facts import EndedFact, EndingFact, ExecutorFact, KillFact, LaunchedFact, RegisteredFact
from agent.command_executor import CommandExecutor, CommandKilledMessage, Resumed
from agent.dialogues.base import log
from agent.dialogues.messages import ExecutorLateMessage
from agent.dialogues.updates import Updates
from agent.environment import (
    container_environment,
    executor_config,
    shutdown_grace_seconds,
    task_config,
    with_token,
    with_variable,
)
from agent.exits import describe
from agent.janitor import DiscardSandboxMessage
from agent.paths import new_container_id, sandbox
from agent.ports import NO_RESOURCES, ContainerConfig, ContainerLaunchedMessage, ContainerTerminatedMessage
from agent.records.executor import ExecutorRecord, ExecutorState
from agent.records.framework import FrameworkRecord
from agent.records.task import TaskRecord
from libprocess.http.files import AttachFilesMessage
from libprocess.pid import PID
from libprocess.timers import Timer
from libprocess.units import format_duration
from mesos.executor.place import INVITATION
from mesos.ids import ContainerID
from mesos.messages import (
    ExecutorRegisteredMessage,
    ExitedExecutorMessage,
    RegisterExecutorMessage,
    ShutdownExecutorMessage,
)
from mesos.resources import Resources
from mesos.types import ExecutorInfo, Reason, StatusUpdate, TaskState

COMMAND_KILL_MARGIN_SECONDS = 2.0
"""A command is killed so much earlier than the agent loses patience with its executor."""


class Executors(Updates):
    """Starts executors, tells them their tasks once they have registered, and sees them end."""

    def initialize(self) -> None:
        super().initialize()
        self.containers: dict[ContainerID, ExecutorRecord] = {}
        self.executor_pids: dict[PID, ExecutorRecord] = {}
        self.ending: set[ContainerID] = set()
        """The containers of those executors that are to end, and have not yet."""

    def _add_executor(self, framework: FrameworkRecord, info: ExecutorInfo, is_command: bool) -> ExecutorRecord:
        container_id = new_container_id(self.chance)
        directory = sandbox(self.flags.work_dir, self.id, framework.id, info.executor_id, container_id)
        executor = ExecutorRecord(framework, info, container_id, directory, is_command)
        self.containers[container_id] = executor
        framework.add(executor)
        if framework.is_kept:
            self._note(ExecutorFact(framework.id, info, container_id, directory, is_command))
        if self.files is not None:
            self.send(self.files, AttachFilesMessage(directory, executor.user))
        return executor

    def _launch(self, executor: ExecutorRecord, task: TaskRecord) -> None:
        """Start an executor for its first task."""
        if executor.is_command:
            self._spawn_command_executor(executor, task)
        else:
            executor.alarm = self._late(executor, self.flags.executor_registration_timeout_seconds)
            self.containerizer.launch(self.pid, self._config(executor))

    def _config(self, executor: ExecutorRecord, task: TaskRecord | None = None) -> ContainerConfig:
        """The container of an executor, or of a task that is a command."""
        environment = container_environment(self.environment, executor, self.pid, self.info, self.flags)
        if self.guests.token_key:
            environment = with_token(environment, executor, self.guests.token_key)
        invited = self.guests.invite(executor.container_id) if task is None else ""
        if invited:
            environment = with_variable(environment, INVITATION, invited)
        if task is None:
            return executor_config(executor, environment, self.flags.work_dir)
        return task_config(executor, task.info, environment, self.flags.work_dir)

    def _spawn_command_executor(
        self, executor: ExecutorRecord, task: TaskRecord, resumed: Resumed | None = None
    ) -> ContainerConfig:
        """Start the agent's own executor for a task that is a command; returns the task's container."""
        grace_seconds = shutdown_grace_seconds(executor.info, self.flags) - COMMAND_KILL_MARGIN_SECONDS
        config = self._config(executor, task)
        kind = CheckedCommandExecutor if task.info.check or task.info.health_check else CommandExecutor
        process = kind(
            self.pid, executor.framework.id, executor.id, self.containerizer, config, max(grace_seconds, 0.0), resumed
        )
        executor.pid = self.spawn(process, f"command-executor({executor.container_id})")
        return config

    def command_killed(self, message: CommandKilledMessage) -> None:
        executor = self.containers.get(message.container_id)
        if executor is not None and executor.pid == self.sender:
            executor.kill = (message.deadline, message.reason)
            if executor.framework.is_kept:
                self._note(KillFact(message.container_id, message.deadline, message.reason))

    # Registering.

    def register_executor(self, message: RegisterExecutorMessage) -> None:
        """See the message. Whoever registers twice did not wait for the answer: it gets the same."""
        executor = self.frameworks.executor(message.framework_id, message.executor_id)
        if executor is not None and executor.state is ExecutorState.RUNNING and executor.pid == self.sender:
            self._confirm(executor)
        elif executor is None or executor.state is not ExecutorState.REGISTERING:
            self._send_away(message, f"it is {executor.state}" if executor else "there is no such executor here")
        elif executor.is_command and executor.pid != self.sender:
            self._send_away(message, f"it is run by {executor.pid}")
        else:
            self._welcome(executor)

    def _send_away(self, message: RegisterExecutorMessage, reason: str) -> None:
        log.warning("sending away %s, which wants to be executor %s: %s", self.sender, message.executor_id, reason)
        self.reply(ShutdownExecutorMessage(message.framework_id, message.executor_id))

    def _welcome(self, executor: ExecutorRecord) -> None:
        self._connect_executor(executor)
        self._confirm(executor)
        self._resize(executor)
        for task in list(executor.queued()):
            self._deliver(task)

    def _connect_executor(self, executor: ExecutorRecord) -> None:
        """An executor has said where it is: the sender of the message at hand."""
        executor.register(self.sender)
        self._know(executor, self.sender)
        if not executor.is_command:
            is_elsewhere = self.sender.address != self.pid.address  # who speaks HTTP has a stand-in here, that ends too
            executor.former_pid = self.sender if is_elsewhere else None
            if executor.framework.is_kept:
                self._note(RegisteredFact(executor.container_id, executor.former_pid))

    def _know(self, executor: ExecutorRecord, pid: PID) -> None:
        """Notice when an executor goes."""
        self.executor_pids[pid] = executor
        self.link(pid)

    def _confirm(self, executor: ExecutorRecord) -> None:
        framework = executor.framework
        self.reply(ExecutorRegisteredMessage(framework.id, self.id, executor.info, framework.info, self.info))

    def _resize(self, executor: ExecutorRecord) -> None:
        """Let a container have what its tasks may use."""
        if not executor.is_command:
            self.containerizer.update(executor.container_id, executor.resources, executor.limits)

    def _deliver(self, task: TaskRecord) -> None:
        """Hand a task to its executor."""
        if task.order is not None and task.executor.pid is not None:
            self.send(task.executor.pid, task.order)
            task.order = None

    def _take_update(self, update: StatusUpdate) -> None:
        task = self.frameworks.task(update.framework_id, update.status.task_id)
        is_its = task is not None and task.executor.pid == self.sender
        if task is not None and is_its and update.status.state is TaskState.TASK_STAGING:
            log.error("executor %s says TASK_STAGING, which comes before it; shutting it down", task.executor.id)
            self._shut_down(task.executor)
        else:
            super()._take_update(update)

    # Its container.

    def container_launched(self, message: ContainerLaunchedMessage) -> None:
        executor = self.containers.get(message.container_id)
        if executor is not None:
            executor.process_id = message.process_id
            if executor.framework.is_kept:
                self._note(LaunchedFact(message.container_id, message.process_id))

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        executor = self.containers.get(message.container_id)
        if executor is None:
            return
        executor.ending = message.ending
        text = message.message or f"the executor {describe(message.status)}"
        log.info("executor %s of framework %s: %s", executor.id, executor.framework.id, text)
        reason = message.reason or Reason.REASON_EXECUTOR_TERMINATED
        reason, text = executor.end_reason or (reason, text)
        self._ended(executor, reason, text, message.limitation)
        if not executor.framework.is_terminating:
            status = -1 if message.status is None else message.status
            self._tell_master(ExitedExecutorMessage(executor.framework.id, self.id, executor.id, status))

    def _executor_exited(self, executor: ExecutorRecord, reason: str) -> None:
        """The link to an executor broke: a command's executor has ended, any other one has to do so now."""
        if executor.is_command:
            self.containerizer.destroy(executor.container_id)  # it is empty, unless the executor failed
            self._ended(executor, Reason.REASON_COMMAND_EXECUTOR_FAILED, f"the command executor {reason}")
        elif executor.state is ExecutorState.RUNNING:
            log.info("executor %s of framework %s left: %s", executor.id, executor.framework.id, reason)
            self._begin_end(executor)
            executor.alarm = self._late(executor, shutdown_grace_seconds(executor.info, self.flags))

    def _ended(
        self,
        executor: ExecutorRecord,
        reason: Reason,
        text: str,
        limitation: Resources = NO_RESOURCES,
        state: TaskState = TaskState.TASK_FAILED,
    ) -> None:
        """Nothing of an executor runs any more: report that its tasks failed, and forget it when that is known."""
        del self.containers[executor.container_id]
        if not executor.is_command:
            self.guests.dismiss(executor.container_id)
        self.ending.discard(executor.container_id)
        if executor.pid is not None:
            self.executor_pids.pop(executor.pid, None)
            self.unlink(executor.pid)
        for task in list(executor.tasks.values()):
            if not task.is_terminal:
                self._update(task, state, reason, text, limitation)
        if executor.framework.is_kept:
            self._note(EndedFact(executor.container_id))
            self._over.append(executor.container_id)
        self.frameworks.end(executor)
        if executor.framework.is_terminating:
            self._tell_if_ended(executor.framework.id)
        self.counts.count_executor_end()
        if reason is Reason.REASON_CONTAINER_LAUNCH_FAILED:
            self.counts.launch_errors.value += 1
        if self.janitor is not None:
            self.send(self.janitor, DiscardSandboxMessage(executor.directory))
        self._has_ended(executor)

    def _has_ended(self, executor: ExecutorRecord) -> None:
        """For dialogues that wait for the end of executors."""

    # Its end.

    def _shut_down(self, executor: ExecutorRecord) -> None:
        """Ask an executor to end, and do not wait for ever."""
        if not executor.is_alive:
            return
        executor.silence()
        executor.is_told_to_end = True
        if executor.framework.is_kept:
            self._note(EndingFact(executor.container_id))
        if executor.state is ExecutorState.REGISTERING and not executor.is_command:
            self.containerizer.destroy(executor.container_id)
        elif executor.pid is not None:
            self.send(executor.pid, ShutdownExecutorMessage(executor.framework.id, executor.id))
            executor.alarm = self._late(executor, shutdown_grace_seconds(executor.info, self.flags))
        self._begin_end(executor)

    def _begin_end(self, executor: ExecutorRecord) -> None:
        executor.state = ExecutorState.TERMINATING
        self.ending.add(executor.container_id)

    def _late(self, executor: ExecutorRecord, seconds: float) -> Timer:
        return self.delay(seconds, ExecutorLateMessage(executor.container_id))

    def executor_late(self, message: ExecutorLateMessage) -> None:
        executor = self.containers.get(message.container_id)
        if executor is None:
            return
        if executor.state is ExecutorState.REGISTERING:
            executor.end_reason = self._lateness(executor)
            self._begin_end(executor)
        self.containerizer.destroy(message.container_id)

    def _lateness(self, executor: ExecutorRecord) -> tuple[Reason, str]:
        limit = format_duration(self.flags.executor_registration_timeout_seconds)
        text = f"the executor did not register within {limit}; see stderr in its sandbox"
        return Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT, text
