"""The cluster as the master knows it: every record, and what must change together so that the records agree.

What a change sets free is returned, for whoever tells the allocator.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from libprocess.pid import PID
from master.records.agent import AgentRecord
from master.records.framework import FrameworkRecord, FrameworkState
from master.records.maintenance import Maintenance
from master.records.notices import Notices
from master.records.operation import OperationRecord
from master.records.roles import Roles
from master.records.task import TaskRecord, recalled
from master.registrar.entries import AgentEntry, Drain, EndedFrameworkEntry, FrameworkEntry
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, OperationID
from mesos.resources import Resources
from mesos.types import ExecutorInfo, FrameworkInfo, Offer, StatusUpdate, TaskState, Unavailability
from mesos.types.history import EndedTask


@dataclass(frozen=True)
class History:
    """How much of the past is kept in memory."""

    frameworks_max: int = 50
    completed_tasks_max: int = 1000
    unreachable_tasks_max: int = 1000


class Cluster:
    """All records of one master. Ids begin with the master's own, so that no two masters give the same."""

    def __init__(self, master_id: str, history: History) -> None:
        self.master_id = master_id
        self.agents: dict[AgentID, AgentRecord] = {}
        self.recovered: dict[AgentID, AgentEntry] = {}
        """Agents of former masters that are not back yet."""
        self.unreachable: OrderedDict[AgentID, float] = OrderedDict()
        """Agents out of reach, and since when."""
        self.gone: OrderedDict[AgentID, float] = OrderedDict()
        """Agents that are never taken back, and since when."""
        self.orders: dict[AgentID, Drain | None] = {}
        """Agents that operators do not want to be offered; and whether and how they are to be emptied."""
        self.notices = Notices()
        self.maintenance = Maintenance()
        self.absent: dict[FrameworkID, FrameworkEntry] = {}
        """Frameworks without a scheduler, as they are written down."""
        self.frameworks: dict[FrameworkID, FrameworkRecord] = {}
        self.completed: OrderedDict[FrameworkID, FrameworkRecord] = OrderedDict()
        """Frameworks that ended, as they are shown: the last ones."""
        self.ended: OrderedDict[FrameworkID, EndedFrameworkEntry] = OrderedDict()
        """Frameworks that ended and may not come back, as they are written down: more than are shown."""
        self.offers: dict[OfferID, Offer] = {}
        self.task_states: Counter[TaskState] = Counter()
        """How many tasks on registered agents are in each state."""
        self.roles = Roles()
        self._agent_ids: dict[PID, AgentID] = {}
        self._framework_ids: dict[PID, FrameworkID] = {}
        self._operations: dict[FrameworkID, dict[OperationID, OperationRecord]] = {}
        """By framework, also by those that have not come yet."""
        self._history = history
        self._serials = {"agent": 0, "framework": 0, "offer": 0}

    # Ids.

    def new_agent_id(self) -> AgentID:
        """An id that no agent had before."""
        return AgentID(f"{self.master_id}-S{self._next('agent')}")

    def new_framework_id(self) -> FrameworkID:
        """An id that no framework had before."""
        return FrameworkID(f"{self.master_id}-{self._next('framework'):04d}")

    def new_offer_id(self) -> OfferID:
        """An id that no offer had before."""
        return OfferID(f"{self.master_id}-O{self._next('offer')}")

    def _next(self, noun: str) -> int:
        serial = self._serials[noun]
        self._serials[noun] = serial + 1
        return serial

    def gave(self, id: str) -> bool:
        """Whether an id comes from this master, not from one before it."""
        return id.startswith(f"{self.master_id}-")

    # Agents.

    def agent_at(self, pid: PID) -> AgentRecord | None:
        """The registered agent with that PID."""
        return self.agents.get(self._agent_ids.get(pid, AgentID("")))

    def add_agent(self, agent: AgentRecord) -> None:
        """It is registered."""
        self.agents[agent.id] = agent
        self._agent_ids[agent.pid] = agent.id
        self.unreachable.pop(agent.id, None)
        self.recovered.pop(agent.id, None)
        if agent.id in self.orders:
            agent.drain, agent.is_deactivated = self.orders[agent.id], True

    def move_agent(self, agent: AgentRecord, pid: PID) -> None:
        """It is at another PID."""
        self._agent_ids.pop(agent.pid, None)
        self._agent_ids[pid] = agent.id
        agent.pid = pid

    def remove_agent(self, agent: AgentRecord) -> None:
        """It is registered no more; its tasks, executors and offers are gone from it already."""
        agent.stop_waiting()
        self.notices.forget(agent.id)
        del self.agents[agent.id]
        self._agent_ids.pop(agent.pid, None)

    def inactive_agents(self) -> int:
        """How many registered agents are not offered now."""
        return sum(not agent.active for agent in self.agents.values())

    def mark_unreachable(self, agent_id: AgentID, now: float) -> None:
        """Remember since when an agent is out of reach."""
        self.recovered.pop(agent_id, None)
        self.unreachable[agent_id] = now

    def mark_gone(self, agent_id: AgentID, now: float) -> None:
        """Never to take an agent back."""
        self.forget_agent(agent_id)
        self.gone[agent_id] = now

    def forget_agent(self, agent_id: AgentID) -> None:
        """Know nothing of an agent that is not registered."""
        for known in (self.recovered, self.unreachable, self.gone, self.orders):
            known.pop(agent_id, None)

    def knows_agent(self, agent_id: AgentID) -> bool:
        """Whether it was admitted once, and may be here or come back."""
        return any(agent_id in known for known in (self.agents, self.recovered, self.unreachable))

    def unavailability(self, agent: AgentRecord) -> Unavailability | None:
        """When an agent is to go away, if it is: since it is drained, or its machine is to be maintained."""
        if agent.drain is not None:
            return None if agent.drain.is_done else Unavailability(agent.drain.deadline)
        return self.maintenance.unavailability(agent.info.hostname, agent.pid.host)

    def order_agent(self, agent_id: AgentID, is_deactivated: bool, drain: Drain | None) -> None:
        """What operators want of an agent, whether it is registered or not."""
        if is_deactivated:
            self.orders[agent_id] = drain
        else:
            self.orders.pop(agent_id, None)
        agent = self.agents.get(agent_id)
        if agent is not None:
            agent.is_deactivated, agent.drain = is_deactivated, drain

    # Frameworks.

    def framework_at(self, pid: PID) -> FrameworkRecord | None:
        """The framework whose scheduler has that PID."""
        return self.frameworks.get(self._framework_ids.get(pid, FrameworkID("")))

    def add_framework(self, id: FrameworkID, info: FrameworkInfo, pid: PID | None, now: float) -> FrameworkRecord:
        """It is known from now on: with its scheduler, or without from an agent that runs something of it."""
        framework = FrameworkRecord(
            id,
            info,
            pid,
            now,
            completed_tasks_max=self._history.completed_tasks_max,
            unreachable_tasks_max=self._history.unreachable_tasks_max,
        )
        framework.operations = self._operations.setdefault(id, framework.operations)
        self.frameworks[id] = framework
        if pid is not None:
            self._framework_ids[pid] = id
        return framework

    def orphans(self) -> list[FrameworkRecord]:
        """Frameworks that are known from their agents only."""
        return [framework for framework in self.frameworks.values() if framework.is_orphan]

    def move_framework(self, framework: FrameworkRecord, pid: PID) -> None:
        """Its scheduler is at another PID."""
        if framework.pid is not None:
            self._framework_ids.pop(framework.pid, None)
        self._framework_ids[pid] = framework.id
        framework.pid = pid

    def subscribe_framework(self, framework: FrameworkRecord, info: FrameworkInfo, now: float) -> None:
        """Its scheduler is there: again, or for the first time under this master."""
        framework.subscribe(info, now)

    def leave_framework(self, framework: FrameworkRecord, state: FrameworkState) -> None:
        """Its scheduler gave up, or is gone."""
        framework.leave(state)

    def revise_framework(self, framework: FrameworkRecord, info: FrameworkInfo) -> None:
        """It says something else of itself."""
        framework.info = info

    def complete_framework(self, framework: FrameworkRecord, now: float) -> None:
        """It ended; its tasks, executors and offers are gone from it already."""
        framework.complete(now)
        self.notices.forget(framework.id)
        del self.frameworks[framework.id]
        self._operations.pop(framework.id, None)
        if framework.pid is not None:
            self._framework_ids.pop(framework.pid, None)
        self._show_completed(framework)

    def recall_framework(self, entry: EndedFrameworkEntry) -> None:
        """It ended under a former master."""
        self.ended[entry.id] = entry
        framework = FrameworkRecord(
            entry.id,
            entry.info,
            None,
            entry.registered_time,
            completed_tasks_max=self._history.completed_tasks_max,
            unreachable_tasks_max=self._history.unreachable_tasks_max,
        )
        framework.complete(entry.since)
        self._show_completed(framework)

    def _show_completed(self, framework: FrameworkRecord) -> None:
        self.completed[framework.id] = framework
        if len(self.completed) > self._history.frameworks_max:
            self.completed.popitem(last=False)

    def forget_framework(self, framework_id: FrameworkID) -> None:
        """It ended, and that is to be no hindrance to it any more."""
        self.ended.pop(framework_id, None)
        self.completed.pop(framework_id, None)

    # Offers.

    def add_offer(self, offer: Offer) -> None:
        """It stands."""
        self.offers[offer.id] = offer
        self.agents[offer.agent_id].offers[offer.id] = offer
        framework = self.frameworks[offer.framework_id]
        framework.offers[offer.id] = offer
        framework.on_offer.add(offer.id, offer.resources)

    def remove_offer(self, offer: Offer) -> None:
        """It stands no more."""
        del self.offers[offer.id]
        del self.agents[offer.agent_id].offers[offer.id]
        framework = self.frameworks[offer.framework_id]
        del framework.offers[offer.id]
        framework.on_offer.take(offer.id, offer.resources)

    # Tasks.

    def add_task(self, task: TaskRecord) -> None:
        """It is launched, or reported by its agent."""
        framework, agent = self.frameworks[task.framework_id], self.agents[task.agent_id]
        framework.tasks[task.task_id] = task
        framework.unreachable_tasks.pop(task.task_id, None)
        agent.tasks[task.framework_id, task.task_id] = task
        self.task_states[task.state] += 1
        if task.holds_resources:
            self._charge(task.framework_id, task.agent_id, task.resources)

    def update_task(self, task: TaskRecord, update: StatusUpdate) -> Resources:
        """Take an update; returns what it sets free."""
        held = task.holds_resources
        self.task_states[task.state] -= 1
        task.update(update)
        self.task_states[task.state] += 1
        return self._release(task) if held and not task.holds_resources else Resources()

    def remove_task(self, task: TaskRecord) -> Resources:
        """It is over: it goes into its framework's history; returns what that sets free."""
        self._strike_task(task)
        self.frameworks[task.framework_id].completed_tasks.append(task)
        return self._release(task) if task.holds_resources else Resources()

    def lose_task(self, task: TaskRecord, update: StatusUpdate) -> None:
        """Its agent is out of reach, and may come back with it."""
        self.update_task(task, update)
        self._strike_task(task)
        self.frameworks[task.framework_id].remember_unreachable(task)

    def recall_tasks(self, framework_id: FrameworkID, tasks: Iterable[EndedTask]) -> list[TaskRecord]:
        """They ended under a former master; returns those that are shown from now on, beside younger ones."""
        framework = self.frameworks.get(framework_id) or self.completed.get(framework_id)
        if framework is None:
            return []
        completed = framework.completed_tasks
        known = {(each.task_id, each.agent_id) for each in (*completed, *framework.tasks.values())}
        new = [recalled(task) for task in tasks if (task.task_id, task.agent_id) not in known]
        room = self._history.completed_tasks_max - len(completed)
        shown = new[max(len(new) - room, 0) :]
        completed.extend(shown)
        return shown

    def _strike_task(self, task: TaskRecord) -> None:
        del self.frameworks[task.framework_id].tasks[task.task_id]
        del self.agents[task.agent_id].tasks[task.framework_id, task.task_id]
        self.agents[task.agent_id].kills_to_send.pop((task.framework_id, task.task_id), None)
        self.task_states[task.state] -= 1

    # Executors.

    def add_executor(self, framework_id: FrameworkID, agent_id: AgentID, executor: ExecutorInfo) -> None:
        """It is launched with its first task, or reported by its agent."""
        self.frameworks[framework_id].executors[agent_id, executor.executor_id] = executor
        self.agents[agent_id].executors[framework_id, executor.executor_id] = executor
        self._charge(framework_id, agent_id, executor.resources)

    def remove_executor(self, framework_id: FrameworkID, agent_id: AgentID, executor_id: ExecutorID) -> Resources:
        """It ended; returns what that sets free."""
        executor = self.agents[agent_id].executors.pop((framework_id, executor_id))
        del self.frameworks[framework_id].executors[agent_id, executor_id]
        return self._refund(framework_id, agent_id, executor.resources)

    # Operations.

    def add_operation(self, operation: OperationRecord) -> None:
        """Its agent is told to apply it, or speaks of it."""
        self.agents[operation.agent_id].operations[operation.uuid] = operation
        if operation.framework_id is not None and operation.id is not None:
            self._operations.setdefault(operation.framework_id, {})[operation.id] = operation

    def remove_operation(self, operation: OperationRecord) -> None:
        """Nobody asks for it any more."""
        del self.agents[operation.agent_id].operations[operation.uuid]
        if operation.framework_id is not None and operation.id is not None:
            self._operations.get(operation.framework_id, {}).pop(operation.id, None)

    # The books.

    def _charge(self, framework_id: FrameworkID, agent_id: AgentID, resources: Resources) -> None:
        self.agents[agent_id].used.add(framework_id, resources)
        self.frameworks[framework_id].used.add(agent_id, resources)

    def _refund(self, framework_id: FrameworkID, agent_id: AgentID, resources: Resources) -> Resources:
        self.agents[agent_id].used.take(framework_id, resources)
        self.frameworks[framework_id].used.take(agent_id, resources)
        return resources

    def _release(self, task: TaskRecord) -> Resources:
        return self._refund(task.framework_id, task.agent_id, task.resources)
