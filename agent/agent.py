"""The agent: the actor that stands for one machine, its resources and what runs on it."""

from __future__ import annotations

from agent.dialogues.base import AgentState, log
from agent.dialogues.messages import StopAgentMessage
from agent.http.executor_api import ExecutorApi
from agent.ports import ContainerTerminatedMessage
from libprocess.process import ExitedMessage
from mesos.messages import ShutdownMessage, UnregisterAgentMessage

AGENT_ID = "agent"
"""The id of its actor."""


class Agent(ExecutorApi):
    """Checks, decides through its records, and sends. Its dialogues are the classes below it, each in its own file."""

    def exited(self, message: ExitedMessage) -> None:
        if self.master is not None and message.pid == self.master.pid:
            self._master_exited(message.reason)
            return
        executor = self.executor_pids.get(message.pid)
        if executor is not None:
            self._executor_exited(executor, message.reason)
            self._end_when_idle()

    def shutdown(self, message: ShutdownMessage) -> None:
        if self._ordered_by_master():
            log.warning("the master sends this agent away: %s", message.message)
            self._stop()

    def stop_agent(self, message: StopAgentMessage) -> None:
        if self.info.id is not None:
            self._tell_master(UnregisterAgentMessage(self.info.id))
        self._stop()

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        super().container_terminated(message)
        self._end_when_idle()

    def _stop(self) -> None:
        """End everything that runs, then this actor."""
        self._disconnect()
        self.state = AgentState.TERMINATING
        for framework in list(self.frameworks):
            self._forget_updates(framework.id)
            self._shut_down_framework(framework)
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if self.state is AgentState.TERMINATING and not self.containers:
            self.terminate()
