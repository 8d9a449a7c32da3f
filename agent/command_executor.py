"""The command executor: runs one task that is a command line, and sees to its death.

It speaks the executors' protocol, as any executor does, but is an actor inside the agent and not a process of its own:
an interpreter per task would cost more than most tasks. The task's own processes are in the task's container. After a
restart of the agent it takes up again where it was.
"""

from __future__ import annotations

import signal
from typing import NamedTuple

from agent.exits import describe, is_success
from agent.paths import new_update_id
from agent.ports import (
    NO_RESOURCES,
    ContainerConfig,
    Containerizer,
    ContainerLaunchedMessage,
    ContainerTerminatedMessage,
)
from libprocess.message import Message
from libprocess.pid import PID
from libprocess.process import ExitedMessage, Process
from libprocess.timers import Timer
from mesos.ids import ContainerID, ExecutorID, FrameworkID
from mesos.messages import (
    ExecutorRegisteredMessage,
    KillTaskMessage,
    RegisterExecutorMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.states import terminal
from mesos.types import (
    ContainerStatus,
    FrameworkCapability,
    FrameworkInfo,
    KillPolicy,
    Reason,
    Source,
    StatusUpdate,
    TaskEnding,
    TaskInfo,
    TaskResourceLimitation,
    TaskState,
    TaskStatus,
)


class CommandKilledMessage(Message, frozen=True):
    """Command executor → agent: the task is being killed, nicely until the deadline. To remember, for a restart."""

    container_id: ContainerID
    deadline: float
    reason: Reason | None = None


class Resumed(NamedTuple):
    """How far a task had got when the agent ended before it."""

    task: TaskInfo
    framework: FrameworkInfo
    status: TaskStatus | None
    """The last one."""
    running_since: float | None
    kill: tuple[float, Reason | None] | None
    """The deadline and the reason of a kill that had begun."""


class EscalateKillMessage(Message, frozen=True):
    """Command executor → itself, when its task's grace period is over: it is killed for good now."""


class CompletionTimeReachedMessage(Message, frozen=True):
    """Command executor → itself, when its task has run for as long as it may."""


class CommandExecutor(Process):
    """Runs one task, and ends when the agent has its last update."""

    def __init__(
        self,
        agent: PID,
        framework_id: FrameworkID,
        executor_id: ExecutorID,
        containerizer: Containerizer,
        config: ContainerConfig,
        kill_grace_seconds: float,
        resumed: Resumed | None = None,
    ) -> None:
        """`config` is the task's container; `kill_grace_seconds` counts for a task that says nothing of it.

        One that is `resumed` has its container already; the containerizer will tell of it.
        """
        self._agent = agent
        self._framework_id = framework_id
        self._executor_id = executor_id
        self._containerizer = containerizer
        self._config = config
        self._kill_grace_seconds = kill_grace_seconds
        self._task: TaskInfo | None = None
        self._tells_killing = False
        self._process_id: int | None = None
        self._last: TaskStatus | None = None
        self._kill_deadline: float | None = None
        self._kill_reason: Reason | None = None
        self._escalation: Timer | None = None
        self._running_since: float | None = None
        self._ending: TaskEnding | None = None
        self._resumed = resumed

    def initialize(self) -> None:
        self.link(self._agent)
        if self._resumed is None:
            self.send(self._agent, RegisterExecutorMessage(self._framework_id, self._executor_id))
        else:
            self._resume(self._resumed)

    # Running.

    def executor_registered(self, message: ExecutorRegisteredMessage) -> None:
        self._meet(message.framework_info)

    def _meet(self, framework: FrameworkInfo) -> None:
        self._tells_killing = FrameworkCapability.TASK_KILLING_STATE in framework.capabilities

    def _resume(self, resumed: Resumed) -> None:
        """Take up a task that was there before the agent."""
        self._task, self._last, self._running_since = resumed.task, resumed.status, resumed.running_since
        self._meet(resumed.framework)
        if resumed.kill is not None:
            self._kill_deadline, self._kill_reason = resumed.kill
            self._escalation = self.delay(max(self._kill_deadline - self.now, 0.0), EscalateKillMessage())

    def run_task(self, message: RunTaskMessage) -> None:
        self._task = message.task
        self._containerizer.launch(self.pid, self._config)
        self._update(TaskState.TASK_STARTING)

    def container_launched(self, message: ContainerLaunchedMessage) -> None:
        self._process_id = message.process_id
        if self._kill_deadline is not None:
            if self._resumed is not None:  # what was said to it may have been said too late
                self._containerizer.signal(self._config.container_id, signal.SIGTERM)
            return
        if self._running_since is None:
            self._running_since = self.now
            self._update(TaskState.TASK_RUNNING)
        limit_seconds = self._task.max_completion_time_seconds if self._task else None
        if limit_seconds is not None:
            left_seconds = self._running_since + limit_seconds - self.now
            self.delay(max(left_seconds, 0.0), CompletionTimeReachedMessage())

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        if self._escalation is not None:
            self._escalation.cancel()
        self._ending = message.ending
        text = message.message or f"Command {describe(message.status)}"
        if message.reason is not None:
            self._update(TaskState.TASK_FAILED, text, message.reason, message.limitation)
        elif self._kill_reason is not None:
            self._update(TaskState.TASK_FAILED, text, self._kill_reason)
        elif self._kill_deadline is not None:
            self._update(TaskState.TASK_KILLED, text)
        elif is_success(message.status):
            self._update(TaskState.TASK_FINISHED, text)
        else:
            self._update(TaskState.TASK_FAILED, text)

    # Killing.

    def kill_task(self, message: KillTaskMessage) -> None:
        self._kill(self._grace_seconds(message.kill_policy))

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        if self._task is None:
            self.terminate()
        else:
            self._kill(self._grace_seconds(None))

    def completion_time_reached(self, message: CompletionTimeReachedMessage) -> None:
        if self._kill_deadline is None:
            self._kill_reason = Reason.REASON_MAX_COMPLETION_TIME_REACHED
            self._kill(self._grace_seconds(None))

    def _grace_seconds(self, policy: KillPolicy | None) -> float:
        """How gently to kill: as an order says, else the task itself, else the agent."""
        policy = policy or (self._task.kill_policy if self._task else None)
        grace_seconds = policy.grace_period_seconds if policy else None
        return self._kill_grace_seconds if grace_seconds is None else grace_seconds

    def _kill(self, grace_seconds: float) -> None:
        """Ask the task to end, and end it after the grace period. A later call may only shorten that."""
        deadline = self.now + grace_seconds
        if (
            self._task is None
            or self._has_ended
            or (self._kill_deadline is not None and self._kill_deadline <= deadline)
        ):
            return
        if self._kill_deadline is None:
            self._begin_kill()
        if self._escalation is not None:
            self._escalation.cancel()
        self._kill_deadline = deadline
        self.send(self._agent, CommandKilledMessage(self._config.container_id, deadline, self._kill_reason))
        self._escalation = self.delay(grace_seconds, EscalateKillMessage())

    def _begin_kill(self) -> None:
        if self._tells_killing:
            self._update(TaskState.TASK_KILLING)
        if self._process_id is None:
            self._containerizer.destroy(self._config.container_id)
        else:
            self._containerizer.signal(self._config.container_id, signal.SIGTERM)

    def escalate_kill(self, message: EscalateKillMessage) -> None:
        self._containerizer.destroy(self._config.container_id)

    # Telling.

    @property
    def _has_ended(self) -> bool:
        return self._last is not None and terminal(self._last.state)

    def _update(
        self, state: TaskState, text: str = "", reason: Reason | None = None, limitation: Resources = NO_RESOURCES
    ) -> None:
        if self._task is None:
            return
        status = TaskStatus(
            task_id=self._task.task_id,
            state=state,
            message=text,
            source=Source.SOURCE_EXECUTOR,
            reason=reason,
            timestamp=self.now,
            uuid=new_update_id(self.chance),
            container_status=ContainerStatus(self._config.container_id, executor_pid=self._process_id),
            limitation=TaskResourceLimitation(limitation) if limitation else None,
        )
        self._last = self._status(status)
        update = StatusUpdate(self._framework_id, self._last, ending=self._ending)
        self.send(self._agent, StatusUpdateMessage(update))

    def _status(self, status: TaskStatus) -> TaskStatus:
        """A status as it is sent."""
        return status

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        if self._last is not None and self._has_ended and message.uuid == self._last.uuid:
            self.terminate()

    def exited(self, message: ExitedMessage) -> None:
        """The agent's actor is gone, and with it whoever would obey the scheduler, until one takes up what lives on."""
        if not self._config.lives_on:
            self._containerizer.destroy(self._config.container_id)
        self.terminate()
