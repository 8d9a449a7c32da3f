"""What schedulers ask of tasks that run: to kill them, and to say how they are."""

from __future__ import annotations

from master.dialogues.updates import Updates
from master.reconciliation import Reconciler
from master.records import FrameworkRecord
from mesos.messages import KillTaskMessage, ReconcileTasksMessage, StatusUpdateMessage
from mesos.types import TaskReference


class Tasks(Updates):
    """Killing and reconciling."""

    def kill_task(self, message: KillTaskMessage) -> None:
        """See the message. A task that is not known is answered as if the scheduler had asked how it is."""
        framework = self.caller(message.framework_id)
        if framework is None:
            return
        task = framework.tasks.get(message.task_id)
        if task is None:
            self._reconcile(framework, (TaskReference(message.task_id, message.agent_id),))
            return
        agent = self.cluster.agents[task.agent_id]
        if agent.connected:
            self.send(agent.pid, message)
        else:
            agent.kills_to_send[framework.id, task.task_id] = message

    def reconcile_tasks(self, message: ReconcileTasksMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            self._reconcile(framework, message.tasks)

    def _reconcile(self, framework: FrameworkRecord, tasks: tuple[TaskReference, ...]) -> None:
        reconciler = Reconciler(self.cluster, framework, self.now)
        for update in map(reconciler.one, tasks) if tasks else reconciler.all():
            if update is not None:
                self.tell(framework, StatusUpdateMessage(update))
