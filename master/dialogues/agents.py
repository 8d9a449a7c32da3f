"""Agents: registering, and coming back with what runs there, from which a new master learns all that it knows."""

from __future__ import annotations

from msgspec.structs import replace

from master.allocator.messages import AddAgentMessage, RemoveAgentMessage, Usage
from master.dialogues.base import log
from master.dialogues.frameworks import Frameworks
from master.dialogues.losses import Losses
from master.observer import AgentObserver
from master.records import AgentRecord, FrameworkRecord, TaskRecord
from master.updates import Verdict
from master.validation import check_agent
from mesos.ids import AgentID, FrameworkID
from mesos.messages import (
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    Reconciliation,
    RegisterAgentMessage,
    ReregisterAgentMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UpdateFrameworkMessage,
)
from mesos.types import ExecutorInfo, FrameworkInfo, Reason, Task, TaskReference, TaskState


class Agents(Losses, Frameworks):
    """From an agent's first word to its first offer."""

    _announced = 0
    """How many AddAgentMessages the allocator was sent."""

    def register_agent(self, message: RegisterAgentMessage) -> None:
        """See the message. Whoever registers twice has not had the answer: it gets the same."""
        wrong = check_agent(message) or self.refusal(None, [("register_agents", None)])
        if wrong is not None:
            self._send_away(wrong)
            return
        agent = self.cluster.agent_at(self.sender)
        if agent is None or not agent.connected:
            self._make_room()
            agent = self._admit(self.cluster.new_agent_id(), message)
            self._announce(agent)
            self.counts.agent_registrations.value += 1
        self.reply(AgentRegisteredMessage(agent.id, self.flags.total_ping_timeout_seconds))

    def reregister_agent(self, message: ReregisterAgentMessage) -> None:
        """See the message. One that cannot or may not be is not answered: what it runs is not to end for that."""
        id_, wrong = message.agent.id, check_agent(message) or self.refusal(None, [("register_agents", None)])
        if wrong is not None or id_ is None:
            log.error("the agent at %s is not taken: %s", self.sender, wrong)
            self.ignore("it is not taken")
            return
        agent = self.cluster.agents.get(id_)
        if agent is not None and not agent.is_same_machine(self.sender, message.agent):
            where = f"{agent.info.hostname} ({agent.pid})"
            self._send_away(f"expected agent {id_} on {where}, found it on {message.agent.hostname}")
            return
        if agent is None:
            self._make_room()
            agent = self._admit(id_, message)
            self.take_operations(agent, message.operations, held_link=False)
        else:
            self._welcome_back(agent, message)
        missing = self._take_report(agent, message)
        self._announce(agent)
        self.counts.agent_reregistrations.value += 1
        self.reply(AgentReregisteredMessage(agent.id, self.flags.total_ping_timeout_seconds, missing))
        self._send_kills(agent)

    def _send_away(self, why: str) -> None:
        log.warning("agent at %s is refused: %s", self.sender, why)
        self.reply(ShutdownMessage(why))

    def _make_room(self) -> None:
        """There is one agent at one PID: whichever was there before is no more."""
        old = self.cluster.agent_at(self.sender)
        if old is not None:
            why = f"another agent registered in place of {old.id}, at {self.sender}"
            self.remove_agent(old, Verdict(TaskState.TASK_GONE, Reason.REASON_AGENT_REMOVED, why))

    def _admit(self, id_: AgentID, message: RegisterAgentMessage | ReregisterAgentMessage) -> AgentRecord:
        """Know an agent from now on."""
        flags, info = self.flags, replace(message.agent, id=id_)
        observer = AgentObserver(
            self.pid, id_, self.sender, flags.agent_ping_timeout_seconds, flags.max_agent_ping_timeouts
        )
        pid, lasting = self.spawn(observer), message.checkpointed_resources
        agent = AgentRecord(id_, self.sender, info, message.version, message.capabilities, pid, self.now, lasting)
        self.cluster.add_agent(agent)
        self.link(agent.pid)
        log.info("agent %s at %s (%s) registered with %s", id_, agent.pid, info.hostname, agent.total)
        return agent

    def _welcome_back(self, agent: AgentRecord, message: ReregisterAgentMessage) -> None:
        """An agent that is known is here again, perhaps as another process."""
        self.rescind(agent.offers.values())
        held_link = agent.pid == self.sender and agent.connected  # then nothing that was said over it is lost
        if not held_link:
            self._strike_executors(agent, message)
        if agent.pid != self.sender:
            self.unlink(agent.pid)
            self.cluster.move_agent(agent, self.sender)
        lasting = message.checkpointed_resources
        agent.reconnect(message.agent, message.version, message.capabilities, self.now, lasting)
        self.take_operations(agent, message.operations, held_link)
        self.link(agent.pid)
        self.tell_observer(agent)
        self.send(self.allocator, RemoveAgentMessage(agent.id))  # it is announced anew, with what runs there now
        log.info("agent %s is back at %s", agent.id, agent.pid)

    def _strike_executors(self, agent: AgentRecord, message: ReregisterAgentMessage) -> None:
        """Forget executors whose end nobody could tell."""
        reported = {(executor.framework_id, executor.executor_id) for executor in message.executor_infos}
        for framework_id, executor_id in sorted(set(agent.executors) - reported):
            self.cluster.remove_executor(framework_id, agent.id, executor_id)

    def _send_kills(self, agent: AgentRecord) -> None:
        for _, order in sorted(agent.kills_to_send.items()):
            self.send(agent.pid, order)
        agent.kills_to_send.clear()

    def _announce(self, agent: AgentRecord) -> None:
        """Tell the allocator what an agent has, and who uses how much of it."""
        self._announced += 1
        agent.serial = self._announced
        used = [
            Usage(framework_id, role, resources.unallocate())
            for framework_id in agent.framework_ids()
            for role, resources in agent.used.of(framework_id).allocations().items()
        ]
        self.send(self.allocator, AddAgentMessage(agent.id, agent.info, agent.total, tuple(used), agent.capabilities))

    # What the agent reports.

    def _take_report(self, agent: AgentRecord, message: ReregisterAgentMessage) -> tuple[Reconciliation, ...]:
        """Bring the records in line with what runs there; returns the tasks that the agent did not speak of."""
        frameworks = {framework.id: framework for framework in map(self._meet, message.frameworks) if framework}
        for executor in message.executor_infos:
            if executor.framework_id in frameworks:
                self._take_executor(frameworks[executor.framework_id], agent, executor)
        for task in message.tasks:
            if task.framework_id in frameworks:
                self._take_task(frameworks[task.framework_id], agent, replace(task, agent_id=agent.id))
        return _missing(agent, message.tasks)

    def _meet(self, info: FrameworkInfo) -> FrameworkRecord | None:
        """The framework that an agent runs something of; None if that is over, as the agent learns now."""
        assert info.id is not None
        if info.id in self.cluster.completed:
            self.reply(ShutdownFrameworkMessage(info.id))
            return None
        framework = self.cluster.frameworks.get(info.id)
        if framework is None:
            return self.recover_framework(info)
        self.reply(UpdateFrameworkMessage(framework.id, framework.info, framework.pid))
        return framework

    def _take_executor(self, framework: FrameworkRecord, agent: AgentRecord, executor: ExecutorInfo) -> None:
        """Know an executor."""
        if (framework.id, executor.executor_id) not in agent.executors:
            self.cluster.add_executor(framework.id, agent.id, executor)

    def _take_task(self, framework: FrameworkRecord, agent: AgentRecord, task: Task) -> None:
        """Know a task. One whose framework was told that it is out of reach, is in reach again."""
        if task.task_id in framework.tasks:
            return
        was_unreachable = task.task_id in framework.unreachable_tasks
        record = TaskRecord(task, self.now)
        self.cluster.add_task(record)
        if was_unreachable and framework.partition_aware:
            why = f"agent {agent.id} is back"
            self.pronounce(framework, record, Verdict(task.state, Reason.REASON_AGENT_REREGISTERED, why))


def _missing(agent: AgentRecord, reported: tuple[Task, ...]) -> tuple[Reconciliation, ...]:
    """What the master counts on an agent that did not report it, by framework."""
    known = {(task.framework_id, task.task_id) for task in reported}
    missing: dict[FrameworkID, list[TaskReference]] = {}
    for framework_id, task_id in sorted(set(agent.tasks) - known):
        missing.setdefault(framework_id, []).append(TaskReference(task_id, agent.id))
    return tuple(Reconciliation(framework_id, tuple(tasks)) for framework_id, tasks in missing.items())
