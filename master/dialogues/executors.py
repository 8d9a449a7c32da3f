"""Executors: their end, their shutdown, and the mail between them and their schedulers."""

from __future__ import annotations

from master.dialogues.base import Dialogue
from mesos.ids import AgentID
from mesos.messages import (
    EndedFrameworkMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkToExecutorMessage,
    ShutdownExecutorMessage,
)


class Executors(Dialogue):
    """What passes through on its way to an executor or from one. Mail that cannot be handed on is lost."""

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        """See the message."""
        if self.caller(message.framework_id) is not None:
            self._hand_on(message.agent_id, message)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        """See the message."""
        if self.caller(message.framework_id) is None:
            return
        if message.agent_id is None:
            self.ignore("it does not say on which agent the executor is")
        else:
            self._hand_on(message.agent_id, message)

    def _hand_on(self, agent_id: AgentID, message: FrameworkToExecutorMessage | ShutdownExecutorMessage) -> None:
        agent = self.cluster.agents.get(agent_id)
        if agent is None or not agent.connected:
            self.ignore(f"agent {agent_id} is not connected")
        else:
            self.send(agent.pid, message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        """See the message."""
        if self.reporter(message.agent_id) is None:
            return
        framework = self.cluster.frameworks.get(message.framework_id)
        if framework is None or not framework.connected:
            self.ignore(f"framework {message.framework_id} is not connected")
        else:
            self.tell(framework, message)

    def ended_framework(self, message: EndedFrameworkMessage) -> None:
        """See the message."""
        agent = self.reporter(message.agent_id)
        if agent is not None:
            agent.ending.discard(message.framework_id)

    def exited_executor(self, message: ExitedExecutorMessage) -> None:
        """See the message. Its tasks' last states come as status updates."""
        agent = self.reporter(message.agent_id)
        if agent is None:
            return
        if (message.framework_id, message.executor_id) not in agent.executors:
            self.ignore(f"executor {message.executor_id} of framework {message.framework_id} is not known")
            return
        freed = self.cluster.remove_executor(message.framework_id, agent.id, message.executor_id)
        self.recover(message.framework_id, agent.id, freed)
        self.tell(self.cluster.frameworks[message.framework_id], message)
