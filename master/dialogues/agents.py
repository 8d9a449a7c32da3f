"""Agents: registering, and coming back with what runs there, from which a new master learns all that it knows."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from libprocess.pid import PID
from master.allocator.messages import AddAgentMessage, SetAgentActiveMessage, Used
from master.dialogues.base import log
from master.dialogues.departures import Departures
from master.dialogues.frameworks import Frameworks
from master.observer import AgentObserver
from master.records import AgentRecord, FrameworkRecord, TaskRecord
from master.registrar.operations import Admit, RemoveAgent
from master.updates import Verdict, update_of_told
from master.validation import check_agent
from mesos.access.acls import Need
from mesos.ids import AgentID, FrameworkID
from mesos.messages import (
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    Reconciliation,
    RegisterAgentMessage,
    ReregisterAgentMessage,
    ShutdownMessage,
    StatusUpdateMessage,
    UpdateFrameworkMessage,
)
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, Reason, Task, TaskReference, TaskState

MAY_REGISTER: list[Need] = [("register_agents", None)]


class Agents(Departures, Frameworks):
    """From an agent's first word to its first offer."""

    _announced = 0
    """How many AddAgentMessages the allocator was sent."""

    def register_agent(self, message: RegisterAgentMessage) -> None:
        """See the message. Whoever registers twice has not had the answer: it gets the same."""
        if self._is_not_heard(message):
            return
        wrong = check_agent(message) or self.refusal(self.proved_principal(), MAY_REGISTER)
        wrong = wrong or self._check_machine(message.agent)
        if wrong is not None:
            self._send_away(self.sender, wrong)
            return
        agent = self.cluster.agent_at(self.sender)
        if self.sender in self.expected:
            self.expected[self.sender] = message
        elif agent is not None and agent.connected:
            self.reply(AgentRegisteredMessage(agent.id, self.flags.total_ping_timeout_seconds))
        else:
            self._make_room(self.sender)
            self._write_admission(self.sender, self.cluster.new_agent_id(), message)

    def _registered(self, pid: PID, id_: AgentID, message: RegisterAgentMessage) -> None:
        """It is written down that there is such an agent."""
        agent = self._admit(pid, id_, message)
        self._announce(agent)
        self.counts.agent_registrations.value += 1
        self.send(pid, AgentRegisteredMessage(agent.id, self.flags.total_ping_timeout_seconds))

    def reregister_agent(self, message: ReregisterAgentMessage) -> None:
        """See the message. One that cannot or may not be is not answered: what it runs is not to end for that."""
        if self._is_not_heard(message):
            return
        id_, wrong = message.agent.id, check_agent(message) or self.refusal(self.proved_principal(), MAY_REGISTER)
        if wrong is not None or id_ is None:
            log.error("the agent at %s is not taken: %s", self.sender, wrong)
            self.ignore("it is not taken")
            return
        down = self._check_machine(message.agent)
        if down is not None:
            self._send_away(self.sender, down)
            return
        if id_ in self.cluster.gone:
            self._send_away(self.sender, f"an operator said that agent {id_} is gone; start it with another work_dir")
            return
        if self.sender in self.expected:
            self.expected[self.sender] = message
            return
        if id_ in self.leaving or id_ in self.expected_ids:
            self.ignore(f"what becomes of agent {id_} is being written down; it will ask again")
            return
        agent = self.cluster.agents.get(id_)
        if agent is not None and not agent.is_same_machine(self.sender, message.agent):
            where = f"{agent.info.hostname} ({agent.pid})"
            self._send_away(self.sender, f"expected agent {id_} on {where}, found it on {message.agent.hostname}")
            return
        if agent is not None:
            self._welcome_back(agent, message)
            self._reregistered(agent, message)
            return
        self._make_room(self.sender)
        self._write_admission(self.sender, id_, message)

    def _readmitted(self, pid: PID, id_: AgentID, message: ReregisterAgentMessage) -> None:
        """It is written down that an agent is back that was not known to be here."""
        self.cancel_removal(id_)
        agent = self._admit(pid, id_, message)
        self.take_operations(agent, message.operations, held_link=False)
        self._reregistered(agent, message)

    def _reregistered(self, agent: AgentRecord, message: ReregisterAgentMessage) -> None:
        missing = self._take_report(agent, message)
        self._announce(agent)
        self.counts.agent_reregistrations.value += 1
        ping_seconds = self.flags.total_ping_timeout_seconds
        self.send(agent.pid, AgentReregisteredMessage(agent.id, ping_seconds, missing, self.info.id))
        self._send_kills(agent)

    def _is_not_heard(self, message: RegisterAgentMessage | ReregisterAgentMessage) -> bool:
        """Whether an agent has to wait, to prove first who it is, or to find another master."""
        return (
            self.is_early(self.sender, message)
            or self.is_unproved(self.flags.authenticate_agents)
            or self._has_no_place(message.agent)
        )

    def _has_no_place(self, info: AgentInfo) -> bool:
        """Whether an agent's fault domain is one that this master cannot deal with; it is left waiting for another."""
        if info.domain is not None and self.flags.domain is None:
            wrong = (
                f"expected no fault domain, since the master's --domain names none, found {info.domain.fault_domain}"
            )
        elif info.domain is None and self.flags.require_agent_domain:
            wrong = "expected a fault domain, for --require_agent_domain, found none"
        else:
            return False
        log.error("the agent at %s is not taken: %s", self.sender, wrong)
        self.ignore("it is not taken")
        return True

    def _check_machine(self, info: AgentInfo) -> str | None:
        """Nobody is taken from a machine that is down."""
        if self.cluster.maintenance.is_down(info.hostname, self.sender.host):
            return f"an operator took down the machine {info.hostname} ({self.sender.host}); /machine/up ends that"
        return None

    def _send_away(self, pid: PID, why: str) -> None:
        log.warning("agent at %s is refused: %s", pid, why)
        self.send(pid, ShutdownMessage(why))

    def _make_room(self, pid: PID) -> None:
        """There is one agent at one PID: whichever was there before is no more."""
        old = self.cluster.agent_at(pid)
        if old is not None:
            why = f"another agent registered in place of {old.id}, at {pid}"
            verdict = Verdict(TaskState.TASK_GONE, Reason.REASON_AGENT_REMOVED, why)
            self.give_up(old, RemoveAgent(old.id), verdict, "registered")

    def _write_admission(self, pid: PID, id_: AgentID, message: RegisterAgentMessage | ReregisterAgentMessage) -> None:
        """Have it written down that there is such an agent; it is not answered before that."""
        self.expected[pid] = message
        self.expected_ids.add(id_)
        info = replace(message.agent, id=id_)
        self.write(Admit(id_, info, self.now), partial(self._admitted, pid, id_, message.agent.id))

    def _admitted(self, pid: PID, id_: AgentID, said: AgentID | None) -> None:
        """It is written down. What the agent said meanwhile counts: it may have been started anew."""
        message = self.expected.pop(pid)
        self.expected_ids.discard(id_)
        if message.agent.id != said:
            log.warning("agent %s at %s made room for another before it was admitted", id_, pid)
            self.write(RemoveAgent(id_), partial(self.cluster.forget_agent, id_))
            self.put_back(pid, message)
        elif id_ in self.leaving:
            log.warning("agent %s at %s is not admitted: an operator says that it is gone", id_, pid)
        elif isinstance(message, ReregisterAgentMessage):
            self._readmitted(pid, id_, message)
        else:
            self._registered(pid, id_, message)

    def _admit(self, pid: PID, id_: AgentID, message: RegisterAgentMessage | ReregisterAgentMessage) -> AgentRecord:
        """Know an agent from now on."""
        flags, info = self.flags, replace(message.agent, id=id_)
        observer = self.spawn(
            AgentObserver(self.pid, id_, pid, flags.agent_ping_timeout_seconds, flags.max_agent_ping_timeouts)
        )
        lasting = message.checkpointed_resources
        agent = AgentRecord(id_, pid, info, message.version, message.capabilities, observer, self.now, lasting)
        self.cluster.add_agent(agent)
        self.link(agent.pid)
        log.info("agent %s at %s (%s) registered with %s", id_, agent.pid, info.hostname, agent.total)
        return agent

    def _welcome_back(self, agent: AgentRecord, message: ReregisterAgentMessage) -> None:
        """An agent that is known is here again, perhaps as another process. What runs there now is announced anew."""
        self.cancel_removal(agent.id)
        self.rescind(agent.offers.values())
        held_link = agent.pid == self.sender and agent.connected  # then nothing that was said over it is lost
        if not held_link:
            self._strike_executors(agent, message)
        if agent.pid != self.sender:
            self.unlink(agent.pid)
            self.cluster.move_agent(agent, self.sender)
        lasting = message.checkpointed_resources
        if message.agent != agent.info:
            self.write(Admit(agent.id, message.agent, self.now))
        agent.reconnect(message.agent, message.version, message.capabilities, self.now, lasting)
        self.take_operations(agent, message.operations, held_link)
        self.link(agent.pid)
        self.tell_observer(agent)
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
            Used(framework_id, role, resources.unallocate())
            for framework_id in agent.framework_ids()
            for role, resources in agent.used.of(framework_id).allocations().items()
        ]
        self.send(self.allocator, AddAgentMessage(agent.id, agent.info, agent.total, tuple(used), agent.capabilities))
        if not agent.active:
            self.send(self.allocator, SetAgentActiveMessage(agent.id, False))
        self.look_after(agent)

    # What the agent reports.

    def _take_report(self, agent: AgentRecord, message: ReregisterAgentMessage) -> tuple[Reconciliation, ...]:
        """Bring the records in line with what runs there; returns the tasks that the agent did not speak of."""
        agent.ending = set(message.ending_frameworks)
        met = (self._meet(agent, info) for info in message.frameworks)
        frameworks = {framework.id: framework for framework in met if framework}
        for executor in message.executor_infos:
            if executor.framework_id in frameworks:
                self._take_executor(frameworks[executor.framework_id], agent, executor)
        for task in message.tasks:
            if task.framework_id in frameworks:
                self._take_task(frameworks[task.framework_id], agent, replace(task, agent_id=agent.id))
        return self._missing(agent, message.tasks)

    def _meet(self, agent: AgentRecord, info: FrameworkInfo) -> FrameworkRecord | None:
        """The framework that an agent runs something of; None if that is over, as the agent learns now."""
        assert info.id is not None
        if info.id in self.cluster.ended:
            self.shut_down(info.id, agent)
            return None
        framework = self.cluster.frameworks.get(info.id)
        if framework is None:
            return self.recover_framework(info)
        self.send(agent.pid, UpdateFrameworkMessage(framework.id, framework.info, framework.pid))
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
            verdict = Verdict(record.told_state, Reason.REASON_AGENT_REREGISTERED, why)
            self.tell(framework, StatusUpdateMessage(update_of_told(framework, record, verdict, self.now)))

    def _missing(self, agent: AgentRecord, reported: tuple[Task, ...]) -> tuple[Reconciliation, ...]:
        """What the master counts on an agent that did not report it, by framework. What ended there has ended so: an
        agent that was started anew knows nothing of it.
        """
        known = {(task.framework_id, task.task_id) for task in reported}
        missing: dict[FrameworkID, list[TaskReference]] = {}
        for framework_id, task_id in sorted(set(agent.tasks) - known):
            task = agent.tasks[framework_id, task_id]
            if task.ended:
                verdict = Verdict(
                    task.state, Reason.REASON_RECONCILIATION, f"agent {agent.id} does not have it any more"
                )
                self.cluster.update_task(task, self.pronounce(self.cluster.frameworks[framework_id], task, verdict))
                self.cluster.remove_task(task)
            else:
                missing.setdefault(framework_id, []).append(TaskReference(task_id, agent.id))
        return tuple(self._reconciliation(framework_id, tuple(tasks)) for framework_id, tasks in missing.items())

    def _reconciliation(self, framework_id: FrameworkID, tasks: tuple[TaskReference, ...]) -> Reconciliation:
        framework = self.cluster.frameworks.get(framework_id)
        return Reconciliation(framework_id, tasks, framework.info.capabilities if framework else ())
