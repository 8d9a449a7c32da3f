"""The agent's dialogue about updates: every one that an executor sends, or that the agent makes, reaches the scheduler.

An executor is told at once that its update is taken care of, or as soon as it is on disk if its framework wants that.
From then on the agent sends it to the master until the scheduler's acknowledgement comes, one per task at a time.
"""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from agent.checkpoints.facts import AcknowledgedFact, UpdateFact
from agent.dialogues.base import AgentState, log
from agent.dialogues.messages import RetryUpdateMessage, TellHistoryMessage
from agent.dialogues.operations import Operations
from agent.paths import new_update_id
from agent.ports import NO_RESOURCES
from agent.records.executor import ExecutorState
from agent.records.task import TaskRecord
from agent.records.updates import UpdateStream
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.messages import (
    AgentReregisteredMessage,
    EndedFrameworkMessage,
    ReportEndedTasksMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.states import told
from mesos.types import (
    FrameworkCapability,
    Reason,
    Source,
    StatusUpdate,
    TaskEnding,
    TaskResourceLimitation,
    TaskState,
    TaskStatus,
)
from mesos.types.history import EndedTask

KILLS = frozenset({TaskState.TASK_KILLING, TaskState.TASK_KILLED})
ARCHIVED_TASKS_MAX = 200
"""So many that ended are told to a master that was not there."""
HISTORY_SECONDS = (1.0, 10.0)
"""So long after it is registered again: what runs comes first, with thousands of agents at the same moment."""


class Updates(Operations):
    """Takes updates, sends them on, and sends them again."""

    _historian = ""
    """The id of the master that knows, or will soon, what ended here before it came."""

    def initialize(self) -> None:
        super().initialize()
        self.archive: deque[EndedTask] = deque(maxlen=ARCHIVED_TASKS_MAX)
        self._valid = self.metrics.counter("slave/valid_status_updates")
        self._invalid = self.metrics.counter("slave/invalid_status_updates")

    # From executors.

    def status_update(self, message: StatusUpdateMessage) -> None:
        self._take_update(message.update)

    def _take_update(self, update: StatusUpdate) -> None:
        """Take an update from the sender of the message at hand, and say so."""
        status = update.status
        task = self.frameworks.task(update.framework_id, status.task_id)
        if task is not None and task.executor.pid is None:
            return  # its executor is about to come back, and tells it again then
        fault = self._fault(task, status)
        if task is None or fault:
            self._invalid.value += 1
            log.warning("ignoring %s for task %s from %s: %s", status.state, status.task_id, self.sender, fault)
        else:
            self._valid.value += 1
            self._take(task, status, update.ending)
        self.reply(StatusUpdateAcknowledgementMessage(update.framework_id, self.id, status.task_id, status.uuid))

    def _fault(self, task: TaskRecord | None, status: TaskStatus) -> str:
        """What is wrong with an executor's update; empty if nothing is."""
        if task is None:
            return "there is no such task here"
        if task.executor.pid != self.sender:
            return f"the task is run by {task.executor.pid}"
        if not status.uuid:
            return "it has no uuid"
        return ""

    # From the agent itself.

    def _update(
        self, task: TaskRecord, state: TaskState, reason: Reason, text: str, limitation: Resources = NO_RESOURCES
    ) -> None:
        """Report a state that the agent knows of, not the executor."""
        self._take(task, self._status(task.id, state, reason, text, limitation))

    def _update_unknown(
        self,
        framework_id: FrameworkID,
        task_id: TaskID,
        reason: Reason,
        text: str,
        capabilities: tuple[FrameworkCapability, ...] = (),
    ) -> None:
        """Report that a task was not launched here, or is gone without a trace.

        `capabilities` are those of its framework, should that be unknown here.
        """
        framework = self.frameworks.get(framework_id)
        state = told(TaskState.TASK_DROPPED, framework.info.capabilities if framework else capabilities)
        status = replace(self._status(task_id, state, reason, text), agent_id=self.id)
        is_kept = framework is None or framework.is_kept  # one that is not known here may be one that wants that
        stream = self.streams.get((framework_id, task_id)) or UpdateStream(is_kept)
        self._enqueue(stream, StatusUpdate(framework_id, status, self.id))

    def _status(
        self, task_id: TaskID, state: TaskState, reason: Reason, text: str, limitation: Resources = NO_RESOURCES
    ) -> TaskStatus:
        return TaskStatus(
            task_id=task_id,
            state=state,
            message=text,
            source=Source.SOURCE_AGENT,
            reason=reason,
            timestamp=self.now,
            uuid=new_update_id(self.chance),
            limitation=TaskResourceLimitation(limitation) if limitation else None,
        )

    # To the master, until it is acknowledged.

    def _take(self, task: TaskRecord, status: TaskStatus, ending: TaskEnding | None = None) -> None:
        """Note what became of a task, and see to it that the scheduler learns it."""
        executor = task.executor
        if task.updates.knows(status.uuid):
            return
        if task.is_drained and status.state in KILLS and status.reason is None:
            status = replace(status, reason=Reason.REASON_AGENT_DRAINING)
        if not executor.advance(task, status):
            log.warning("ignoring %s for task %s, which is in %s", status.state, task.id, task.state)
            return
        if task.is_terminal:
            self.counts.count_task_end(task.state)
        update = replace(self._stamped(task, status), ending=ending or executor.ending)
        if task.is_terminal:
            self.archive.append(self._archived(task, update))
        if executor.framework.is_terminating:
            return  # nobody is there who would acknowledge
        self._enqueue(task.updates, update)
        if task.is_terminal and executor.state is ExecutorState.RUNNING and not executor.is_command:
            self.containerizer.update(executor.container_id, executor.resources, executor.limits)

    def _stamped(self, task: TaskRecord, status: TaskStatus) -> StatusUpdate:
        """A status with all that only the agent knows for sure."""
        executor = task.executor
        status = replace(
            status,
            agent_id=self.id,
            executor_id=executor.id,
            source=status.source or Source.SOURCE_EXECUTOR,
            timestamp=status.timestamp or self.now,
            container_status=status.container_status if executor.is_command else executor.container_status,
        )
        return StatusUpdate(executor.framework.id, status, self.id, executor.id)

    def _archived(self, task: TaskRecord, update: StatusUpdate) -> EndedTask:
        framework, status = task.executor.framework, update.status
        command = task.info.command
        removed = Reason.REASON_FRAMEWORK_REMOVED if framework.is_terminating else None
        return EndedTask(
            framework_id=framework.id,
            task_id=task.id,
            agent_id=self.id,
            state=status.state,
            ended=status.timestamp,
            name=task.info.name,
            framework_name=framework.info.name,
            hostname=self.info.hostname,
            role=next((resource.kind.allocated_to for resource in task.info.resources), ""),
            user=(command.user if command else "") or framework.info.user,
            executor_id=task.info.executor.executor_id if task.info.executor else None,
            container_id=status.container_status.container_id if status.container_status else "",
            reason=status.reason or removed,
            source=status.source,
            message=status.message,
            ending=update.ending,
            resources=task.info.resources,
        )

    def _enqueue(self, stream: UpdateStream, update: StatusUpdate) -> None:
        if stream.is_kept:
            self._note(UpdateFact(update))
        self.streams.add(update, stream)
        if len(stream) == 1:
            self._forward(stream)

    def _forward(self, stream: UpdateStream) -> None:
        """Send the first update of a stream, and again if it is not acknowledged in time."""
        update, newest = stream.first, stream.last
        if update is None or newest is None or self.state is not AgentState.REGISTERED:
            return
        self._tell_master(StatusUpdateMessage(replace(update, latest_state=newest.status.state)))
        retry = RetryUpdateMessage(update.framework_id, update.status.task_id)
        stream.retry = self.delay(stream.back_off(), retry)

    def retry_update(self, message: RetryUpdateMessage) -> None:
        stream = self.streams.get((message.framework_id, message.task_id))
        if stream is not None:
            log.info("the update for task %s is not acknowledged yet; sending it again", message.task_id)
            self._forward(stream)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        key = (message.framework_id, message.task_id)
        stream = self.streams.get(key)
        if not self._ordered_by_master() or stream is None or not self.streams.acknowledge(key, message.uuid):
            return
        if stream.is_kept:
            self._note(AcknowledgedFact(*key, message.uuid))
        if stream:
            self._must_sync = self._must_sync or stream.is_kept  # nobody is told of this one again behind the next
            self._forward(stream)
        else:
            self.frameworks.settle(*key)

    # After a time without the scheduler, or without the master.

    def _send_again_at_once(self, framework_id: FrameworkID) -> None:
        """A framework's scheduler is back: what it missed shall not wait until it would be sent again anyway."""
        for (owner, _), stream in self.streams.items():
            if owner == framework_id:
                stream.rest()
                self._forward(stream)

    def _connect(self, agent_id: AgentID, ping_timeout_seconds: float) -> None:
        super()._connect(agent_id, ping_timeout_seconds)
        if self.state is AgentState.REGISTERED:
            for stream in self.streams.values():
                if stream.retry is None:
                    self._forward(stream)

    def tell_history(self, message: TellHistoryMessage) -> None:
        self._tell_master(ReportEndedTasksMessage(tuple(self.archive)))

    def agent_reregistered(self, message: AgentReregisteredMessage) -> None:
        if not self._is_answered():
            return
        self._connect(message.agent_id, message.total_ping_timeout_seconds)
        if message.master_id != self._historian and self.archive:
            self.delay(self.chance.uniform(*HISTORY_SECONDS), TellHistoryMessage())
        self._historian = message.master_id
        for framework_id in self._ending_reported:
            self._tell_if_ended(framework_id)
        for framework in message.reconciliations:
            for task in framework.tasks:
                key = (framework.framework_id, task.task_id)
                if self.frameworks.task(*key) is None and key not in self.streams:
                    text = "the agent does not know this task"
                    self._update_unknown(*key, Reason.REASON_RECONCILIATION, text, framework.capabilities)

    def _tell_if_ended(self, framework_id: FrameworkID) -> None:
        """The master, which had a framework shut down here, waits to hear that nothing is left of it."""
        framework = self.frameworks.get(framework_id)
        is_known = self.info.id is not None  # else the order was for an earlier agent here
        if is_known and (framework is None or not framework.is_terminating):
            self._tell_master(EndedFrameworkMessage(self.id, framework_id))
