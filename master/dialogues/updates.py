"""Status updates: from agents to schedulers, acknowledgements the other way, and what the master has to say itself."""

from __future__ import annotations

from msgspec.structs import replace

from master.dialogues.base import Dialogue
from master.records import FrameworkRecord, TaskRecord
from master.updates import Verdict, update_of_known
from mesos.ids import FrameworkID
from mesos.messages import (
    ReportEndedTasksMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.types import StatusUpdate
from mesos.types.history import EndedTask


class Updates(Dialogue):
    """What frameworks learn of their tasks."""

    def status_update(self, message: StatusUpdateMessage) -> None:
        """See the message. What cannot be delivered now the agent sends again, until it is acknowledged."""
        update = message.update
        agent = self.reporter(update.agent_id)
        if agent is None:
            return
        framework = self.cluster.frameworks.get(update.framework_id)
        if framework is None:
            self.ignore(f"framework {update.framework_id} is not known")
            if update.framework_id in self.cluster.ended:
                self.shut_down(update.framework_id, agent)  # else it would tell it for ever
            return
        self.tell(framework, message if update.ending is None else StatusUpdateMessage(replace(update, ending=None)))
        task = framework.tasks.get(update.status.task_id)
        if task is None or task.agent_id != update.agent_id:
            self.ignore(f"task {update.status.task_id} is not known")
            return
        self.take(task, update)
        if task.ended and not update.status.uuid:
            self.cluster.remove_task(task)  # nobody will acknowledge it

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is None:
            return
        agent = self.cluster.agents.get(message.agent_id)
        if agent is None or not agent.connected:
            self.ignore(f"agent {message.agent_id} is not connected; it will send the update again")
            return
        task = framework.tasks.get(message.task_id)
        if task is not None and task.agent_id == agent.id and task.is_settled_by(message.uuid):
            self.cluster.remove_task(task)
        self.send(agent.pid, message)

    def take(self, task: TaskRecord, update: StatusUpdate) -> None:
        """Write down an update of a task that the master knows; what that sets free goes to the allocator."""
        had_ended = task.ended
        freed = self.cluster.update_task(task, update)
        if task.ended and not had_ended:
            self.counts.count_end(task.state, update.status)
            self.remember(task, update)
        self.recover(task.framework_id, task.agent_id, freed)

    def report_ended_tasks(self, message: ReportEndedTasksMessage) -> None:
        """See the message."""
        agent = self.cluster.agent_at(self.sender)
        if agent is None:
            self.ignore("it is no agent that is registered")
            return
        own: dict[FrameworkID, list[EndedTask]] = {}
        for task in message.tasks:
            if task.agent_id == agent.id:
                self.history.record(task)
                own.setdefault(task.framework_id, []).append(task)
        for framework_id, tasks in own.items():
            self.cluster.recall_tasks(framework_id, tasks)

    def pronounce(self, framework: FrameworkRecord, task: TaskRecord, verdict: Verdict) -> StatusUpdate:
        """Tell a framework what became of one of its tasks; returns the update, for the records."""
        update = update_of_known(framework, task, verdict, self.now)
        self.tell(framework, StatusUpdateMessage(update))
        return update
