"""The agent takes up what runs since an earlier life: its own, before it was killed, upgraded or restarted.

What the journal says, it knows again. The containerizer takes up the containers, the agent's own executors go on with
their commands, and those of frameworks are asked to come back. Only then does it register.
"""

from __future__ import annotations

from agent.checkpoints.identity import (
    is_other_boot,
    journal_path,
    known_agent,
    reconfigured,
    remember_agent,
    remember_boot,
)
from agent.checkpoints.replay import Replay, facts_of
from agent.command_executor import Resumed
from agent.dialogues.base import AgentState, log
from agent.dialogues.messages import ExecutorLateMessage
from agent.dialogues.reconnection import Reconnection
from agent.janitor import KeepSandboxMessage
from agent.ports import NO_RESOURCES, Recovered
from agent.records.executor import ExecutorRecord
from mesos.ids import ContainerID
from mesos.states import told
from mesos.types import Reason, TaskState


class Recovery(Reconnection):
    """What an agent does before it is there for a master."""

    _awaited: set[ContainerID]
    """The containers whose executors are to come back."""

    def initialize(self) -> None:
        """The first turn: who it was, and what it had. ValueError if what was written down cannot be read."""
        known = known_agent(self.storage)
        if known is not None and self.flags.recover == "cleanup":
            self.info = known
        elif known is not None:
            self.info = reconfigured(known, self.info, self.flags.reconfiguration_policy)
        super().initialize()
        self._errors = self.metrics.counter("slave/recovery_errors")
        self._began = self.now
        rebooted = is_other_boot(self.storage, self.boot_id)
        if known is not None:
            self._remember_all()
        executors = list(self.frameworks.executors())
        self._awaited = {each.container_id for each in executors if each.was_registered and not each.is_command}
        self.containers.update({executor.container_id: executor for executor in executors})
        if rebooted:
            self._bury(executors)
        elif self.flags.recover == "cleanup":
            self._wait_on(executors)
            self._clean_up(executors)
        else:
            self._wait_on(executors)
            self._take_up(executors)
        remember_boot(self.storage, self.boot_id)
        if rebooted and self.flags.recover == "cleanup":
            self._stop()
        self._recover_when_complete()

    def _remember_all(self) -> None:
        remember_agent(self.storage, self.info)
        journal = self._open_journal()
        found = journal.read(self.flags.strict)
        self._errors.value += found.damages
        Replay(self.frameworks, self.streams).play(found.facts)
        if found.damages:
            log.error("%d entries of %s were damaged and are skipped", found.damages, journal_path(self.id))
        journal.rewrite(facts_of(self.frameworks, self.streams))

    def _bury(self, executors: list[ExecutorRecord]) -> None:
        """The machine was started again: nothing of them runs."""
        self.containerizer.recover(())
        for executor in executors:
            state = told(TaskState.TASK_GONE, executor.framework.info.capabilities)
            text = "the machine was started again"
            self._ended(executor, Reason.REASON_AGENT_RESTARTED, text, NO_RESOURCES, state)
        self._write(and_sync=True)  # before it counts as this boot's: what never ran in this one would be started

    def _clean_up(self, executors: list[ExecutorRecord]) -> None:
        """End all of them, and then this agent."""
        log.info("ending %d executors of an earlier life", len(executors))
        started = [executor for executor in executors if executor.waits_until is None]
        self.containerizer.recover([self._recovered(executor) for executor in started])
        self._stop()
        for executor in executors:
            self.containerizer.destroy(executor.container_id)

    def _take_up(self, executors: list[ExecutorRecord]) -> None:
        """Let them go on."""
        if executors:
            log.info("taking up %d executors of an earlier life", len(executors))
        living = [executor for executor in executors if not self._is_done(executor)]
        started = [executor for executor in living if executor.waits_until is None]
        self.containerizer.recover([self._recovered(executor) for executor in started])
        for executor in living:
            if self.janitor is not None:
                self.send(self.janitor, KeepSandboxMessage(executor.directory))
            if executor.is_told_to_end or executor.framework.is_terminating:
                self._shut_down(executor)
            elif not executor.is_command and executor.waits_until is None:
                self._await(executor)

    def _is_done(self, executor: ExecutorRecord) -> bool:
        """Forget an executor of this agent's own that had nothing left to do but to end."""
        if executor.is_command and executor.active_tasks == 0:
            self._ended(executor, Reason.REASON_EXECUTOR_TERMINATED, "its command has ended")
            return True
        return False

    def _recovered(self, executor: ExecutorRecord) -> Recovered:
        """An executor's container, and whom to tell of it; for a command that is this agent's own executor."""
        task = next(iter(executor.tasks.values()), None) if executor.is_command else None
        if task is None:
            return Recovered(self.pid, self._config(executor, task))
        status = task.statuses[-1] if task.statuses else None
        resumed = Resumed(task.info, executor.framework.info, status, task.running_since, executor.kill)
        config = self._spawn_command_executor(executor, task, resumed)
        assert executor.pid is not None
        executor.register(executor.pid)
        self._know(executor, executor.pid)
        return Recovered(executor.pid, config)

    # Who is waited for.

    def _connect_executor(self, executor: ExecutorRecord) -> None:
        super()._connect_executor(executor)
        self._met(executor)

    def executor_late(self, message: ExecutorLateMessage) -> None:
        super().executor_late(message)
        executor = self.containers.get(message.container_id)
        if executor is not None:
            self._met(executor)

    def _has_ended(self, executor: ExecutorRecord) -> None:
        super()._has_ended(executor)
        self._met(executor)

    def _met(self, executor: ExecutorRecord) -> None:
        """Nobody waits for it any more."""
        self._awaited.discard(executor.container_id)
        self._recover_when_complete()

    def _recover_when_complete(self) -> None:
        """All is taken up that can be: register, if there is a master already."""
        if self.state is AgentState.RECOVERING and not self._awaited:
            self.state = AgentState.DISCONNECTED
            took_seconds = self.now - self._began
            self.metrics.gauge("slave/recovery_time_secs", lambda: took_seconds)
            if self.master is not None:
                self._register_soon()
