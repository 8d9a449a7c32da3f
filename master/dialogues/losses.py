"""Losing agents: links that break, pings without an answer, and what that means for what runs there."""

from __future__ import annotations

from functools import partial

from libprocess.message import Message
from libprocess.pid import PID
from master.allocator.messages import RemoveAgentMessage, SetAgentActiveMessage
from master.dialogues.base import log
from master.dialogues.operations import Operations
from master.dialogues.updates import Updates
from master.limiter import Limiter
from master.observer import AgentResponsiveMessage, AgentUnresponsiveMessage, ObserveMessage
from master.records import AgentRecord
from master.registrar.operations import MarkUnreachable, Operation, RemoveAgent
from master.updates import Verdict, update_of_told
from mesos.ids import AgentID
from mesos.messages import (
    AgentLostMessage,
    RegisterAgentMessage,
    ReregisterAgentMessage,
    ShutdownMessage,
    StatusUpdateMessage,
    UnregisterAgentMessage,
)
from mesos.states import terminal
from mesos.types import OperationState, Reason, TaskState


class AgentReregisterTimeoutMessage(Message, frozen=True):
    """Master → itself, when an agent has been disconnected for too long."""

    agent_id: AgentID


class Losses(Operations, Updates):
    """From a broken link to an agent that is given up."""

    limiter: Limiter
    """How many agents may be given up, and when."""
    expected: dict[PID, RegisterAgentMessage | ReregisterAgentMessage]
    """Who is being admitted: that is on its way to be written down, and then its last word counts."""
    expected_ids: set[AgentID]
    """As which agents."""
    leaving: set[AgentID]
    """Agents that are being given up: it is on its way to be written down, so that nobody changes his mind."""
    overdue: set[AgentID]
    """Agents whose time is over, but that are not given up before that is permitted: they may still come back."""

    def agent_exited(self, agent: AgentRecord, reason: str) -> None:
        """The link broke. What runs there may run on: nothing is lost until the agent has been silent for too long."""
        log.info("agent %s at %s is disconnected: %s", agent.id, agent.pid, reason)
        agent.disconnect()
        self.send(self.allocator, SetAgentActiveMessage(agent.id, False))
        self.rescind(agent.offers.values())
        self.tell_observer(agent)
        seconds = self.flags.agent_reregister_timeout_seconds
        agent.patience = self.delay(seconds, AgentReregisterTimeoutMessage(agent.id))

    def tell_observer(self, agent: AgentRecord) -> None:
        """Let an agent's observer know where the agent is, and whether it is connected."""
        self.send(agent.observer, ObserveMessage(agent.pid, agent.connected))

    def agent_unresponsive(self, message: AgentUnresponsiveMessage) -> None:
        """See the message."""
        agent = self.cluster.agents.get(message.agent_id)
        if agent is None or agent.observer != self.sender:
            self.ignore(f"it does not observe agent {message.agent_id}")
            return
        self.schedule_removal(agent.id)
        if self.limiter.take(self.now):  # otherwise the observer asks again, unless the agent answers
            self._mark_unreachable(agent, f"it did not answer {message.missed} pings")

    def agent_responsive(self, message: AgentResponsiveMessage) -> None:
        """See the message."""
        agent = self.cluster.agents.get(message.agent_id)
        if agent is not None and agent.observer == self.sender:
            self.cancel_removal(agent.id)

    def schedule_removal(self, agent_id: AgentID) -> None:
        """An agent is to be given up, as soon as that is permitted."""
        if agent_id not in self.overdue | self.leaving:
            self.overdue.add(agent_id)
            self.counts.removals_scheduled.value += 1

    def cancel_removal(self, agent_id: AgentID) -> None:
        """An agent that may have been overdue need not be given up."""
        if agent_id in self.overdue:
            self.overdue.discard(agent_id)
            self.counts.removals_canceled.value += 1

    def agent_reregister_timeout(self, message: AgentReregisterTimeoutMessage) -> None:
        """See the message."""
        agent = self.cluster.agents.get(message.agent_id)
        if not self.is_own() or agent is None:
            return
        self.schedule_removal(agent.id)
        if not self.limiter.take(self.now):
            agent.patience = self.delay(self.limiter.seconds_until(self.now), message)
            return
        seconds = self.flags.agent_reregister_timeout_seconds
        self._mark_unreachable(agent, f"it did not register again within {seconds:g} s")

    def _mark_unreachable(self, agent: AgentRecord, why: str) -> None:
        """Give an agent up for now. Its tasks may still run, and are known again when it comes back."""
        now, text = self.now, f"agent {agent.id}: {why}"
        verdict = Verdict(TaskState.TASK_UNREACHABLE, Reason.REASON_AGENT_REMOVED, text, now)
        self.give_up(agent, MarkUnreachable(agent.id, now), verdict, "unhealthy")

    def give_up(self, agent: AgentRecord, operation: Operation, verdict: Verdict, counted_as: str = "") -> None:
        """Have it written down that an agent is given up, and then do it; what it says meanwhile does not count."""
        self.overdue.discard(agent.id)
        if agent.id not in self.leaving:
            self.leaving.add(agent.id)
            self.write(operation, partial(self._given_up, agent, verdict, counted_as))

    def _given_up(self, agent: AgentRecord, verdict: Verdict, counted_as: str) -> None:
        self.leaving.discard(agent.id)
        self.counts.count_removal(counted_as)
        if verdict.state is TaskState.TASK_GONE_BY_OPERATOR:
            self.send(agent.pid, ShutdownMessage(verdict.message))
        self.remove_agent(agent, verdict)
        if verdict.state is TaskState.TASK_UNREACHABLE:
            assert verdict.unreachable_time is not None
            self.counts.agents_marked_unreachable.value += 1
            self.cluster.mark_unreachable(agent.id, verdict.unreachable_time)
        elif verdict.state is TaskState.TASK_GONE_BY_OPERATOR:
            self.cluster.mark_gone(agent.id, self.now)
        else:
            self.cluster.forget_agent(agent.id)

    def unregister_agent(self, message: UnregisterAgentMessage) -> None:
        """See the message."""
        agent = self.reporter(message.agent_id)
        if agent is not None:
            why = f"agent {agent.id} was shut down"
            verdict = Verdict(TaskState.TASK_GONE, Reason.REASON_AGENT_REMOVED, why)
            self.give_up(agent, RemoveAgent(agent.id), verdict, "unregistered")

    def remove_agent(self, agent: AgentRecord, verdict: Verdict) -> None:
        """Forget an agent, with this verdict over its tasks, and let every framework know."""
        log.warning("agent %s at %s (%s) is removed: %s", agent.id, agent.pid, agent.info.hostname, verdict.message)
        self.rescind(agent.offers.values())
        self.send(self.allocator, RemoveAgentMessage(agent.id))  # with all that frameworks had there
        self._give_up_tasks(agent, verdict)
        self.lose_operations(agent, _operations_are(verdict), verdict.message)
        for framework_id, executor_id in sorted(agent.executors):
            self.cluster.remove_executor(framework_id, agent.id, executor_id)
        self.unlink(agent.pid)
        self.terminate(agent.observer)
        self.cluster.remove_agent(agent)
        for _, framework in sorted(self.cluster.frameworks.items()):
            self.tell(framework, AgentLostMessage(agent.id))

    def _give_up_tasks(self, agent: AgentRecord, verdict: Verdict) -> None:
        for (framework_id, _), task in sorted(agent.tasks.items()):
            framework = self.cluster.frameworks[framework_id]
            if verdict.state is TaskState.TASK_UNREACHABLE and not terminal(task.told_state):
                # If it has ended, its agent will say so when it is back, behind what it has to say before that.
                update = update_of_told(framework, task, verdict, self.now)
                self.tell(framework, StatusUpdateMessage(update))
            else:
                update = self.pronounce(framework, task, verdict)
            if not task.ended:
                self.remember(task, update)
                if terminal(update.status.state):
                    self.counts.count_end(update.status.state, update.status)
            if verdict.state is TaskState.TASK_UNREACHABLE and not task.ended:
                self.cluster.lose_task(task, update)
            else:
                self.cluster.update_task(task, update)
                self.cluster.remove_task(task)


def _operations_are(verdict: Verdict) -> OperationState:
    """What becomes of operations on an agent with this verdict over its tasks."""
    if verdict.state is TaskState.TASK_UNREACHABLE:
        return OperationState.OPERATION_UNREACHABLE
    return OperationState.OPERATION_GONE_BY_OPERATOR
