"""The agent's dialogue about tasks: the master's orders to run and to kill them."""

from __future__ import annotations

from agent.checkpoints.facts import FrameworkFact, TaskFact
from agent.dialogues.base import AgentState, log
from agent.dialogues.waiting import Waiting
from agent.environment import command_executor_info
from agent.records.executor import ExecutorRecord, ExecutorState
from agent.records.framework import FrameworkRecord
from agent.records.task import TaskRecord
from libprocess.pid import PID
from mesos.ids import AgentID, FrameworkID
from mesos.messages import KillTaskMessage, RunTaskMessage
from mesos.types import Reason, TaskState


class Tasks(Waiting):
    """Has tasks run and killed."""

    _early: tuple[tuple[PID, RunTaskMessage | KillTaskMessage], ...] = ()
    """Orders of a master whose answer to the registration got lost: they wait until it is said again."""

    def _is_early(self, order: RunTaskMessage | KillTaskMessage) -> bool:
        if self.info.id is None:
            self._early = (*self._early, (self.sender, order))
        return self.info.id is None

    def _connect(self, agent_id: AgentID, ping_timeout_seconds: float) -> None:
        super()._connect(agent_id, ping_timeout_seconds)
        early, self._early = self._early, ()
        for master, order in early:
            if master != self.sender:
                continue  # it is not the master any more
            if isinstance(order, RunTaskMessage):
                self.run_task(order)
            else:
                self.kill_task(order)

    def run_task(self, message: RunTaskMessage) -> None:
        if not self._ordered_by_master() or self.state is AgentState.TERMINATING or self._is_early(message):
            return
        framework_id, task = message.framework.id, message.task
        if framework_id is None or self.frameworks.task(framework_id, task.task_id) is not None:
            log.warning("ignoring an order to run task %s of framework %s, which runs", task.task_id, framework_id)
            return
        framework = self._meet(framework_id, message)
        if framework.is_terminating:
            self._drop(message, "what its framework ran here before is still being ended")
            return
        info = task.executor or command_executor_info(task, framework_id)
        executor = framework.executors.get(info.executor_id)
        if executor is not None and executor.is_alive:
            queued = self._add_task(executor, message)
            if executor.state is ExecutorState.RUNNING:
                self._resize(executor)
                self._deliver(queued)
        elif executor is not None:
            self._drop(message, f"executor {executor.id} is being ended")
        elif not message.launch_executor:
            self._drop(message, f"executor {info.executor_id} has ended")
        else:
            executor = self._add_executor(framework, info, is_command=task.executor is None)
            self._launch_when_free(executor, self._add_task(executor, message))

    def _meet(self, framework_id: FrameworkID, message: RunTaskMessage) -> FrameworkRecord:
        """The framework of a task, as the order says."""
        before = self.frameworks.get(framework_id)
        is_news = before is None or (before.info, before.pid) != (message.framework, message.pid)
        framework = self.frameworks.known(framework_id, message.framework, message.pid)
        if is_news and framework.is_kept:
            self._note(FrameworkFact(framework.info, framework.pid))
        return framework

    def _add_task(self, executor: ExecutorRecord, message: RunTaskMessage) -> TaskRecord:
        """An executor is to run one more task."""
        if executor.framework.is_kept:
            self._note(TaskFact(executor.container_id, message.task))
        return executor.add_task(message)

    def _drop(self, message: RunTaskMessage, text: str) -> None:
        """Refuse a task that the master sent before it knew better."""
        framework_id = message.framework.id
        assert framework_id is not None
        log.info("dropping task %s of framework %s: %s", message.task.task_id, framework_id, text)
        self._update_unknown(framework_id, message.task.task_id, Reason.REASON_EXECUTOR_TERMINATED, text)
        framework = self.frameworks.get(framework_id)
        if framework is not None:
            self.frameworks.forget_idle(framework)

    def kill_task(self, message: KillTaskMessage) -> None:
        if not self._ordered_by_master() or self._is_early(message):
            return
        key = (message.framework_id, message.task_id)
        framework, task = self.frameworks.get(message.framework_id), self.frameworks.task(*key)
        if framework is None or framework.is_terminating:
            log.info("ignoring an order to kill task %s of framework %s, which has nothing here", key[1], key[0])
        elif task is None:
            if key not in self.streams:
                self._update_unknown(*key, Reason.REASON_TASK_UNKNOWN, "the agent does not know this task")
        elif task.is_queued:
            text = "killed before it was delivered to its executor"
            self._update(task, TaskState.TASK_KILLED, Reason.REASON_TASK_KILLED_DURING_LAUNCH, text)
            task.order = None
            if task.executor.active_tasks == 0:
                self._shut_down(task.executor)
        elif not task.is_terminal:
            task.is_drained = task.is_drained or message.is_drain
            if task.executor.pid is not None:
                self.send(task.executor.pid, message)
            else:
                task.kill = message
