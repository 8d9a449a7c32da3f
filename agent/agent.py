"""The agent: the actor that stands for one machine, its resources and what runs on it."""

from __future__ import annotations

from agent.dialogues.base import log
from agent.dialogues.messages import StopAgentMessage
from agent.http.executor_api import ExecutorApi
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
