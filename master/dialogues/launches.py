"""Accepting offers: what was offered becomes tasks, in the order of the operations, and the rest goes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from master.allocator.messages import Lot, UpdateAllocationMessage, UseResourcesMessage
from master.dialogues.base import log
from master.dialogues.operations import Operations
from master.dialogues.updates import Updates
from master.records import AgentRecord, FrameworkRecord, TaskRecord
from master.records.task import launched
from master.updates import Verdict, update_of_refused
from master.validation import check_group, check_offers, check_refuse_seconds, check_task
from master.validation.executor import MIN_CPUS, MIN_MEM
from master.validation.rights import to_launch
from master.validation.task import Stake, needed
from mesos.messages import AcceptOffersMessage, RunTaskMessage, StatusUpdateMessage
from mesos.resources import Resources
from mesos.types import (
    ExecutorInfo,
    Filters,
    FrameworkInfo,
    Launch,
    LaunchGroup,
    Offer,
    Operation,
    Reason,
    TaskInfo,
    TaskState,
)


class Launches(Operations, Updates):
    """From an offer to a task on its way to its agent."""

    def accept_offers(self, message: AcceptOffersMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is None:
            return
        wrong = check_offers(message.offer_ids, framework, self.cluster)
        offers = [framework.offers[each] for each in dict.fromkeys(message.offer_ids) if each in framework.offers]
        if wrong is not None:
            self.give_back(offers)
            # The same call may have come before, and its tasks run: of those there is nothing to say.
            tasks = [task for task in tasks_in(message.operations) if task.task_id not in framework.tasks]
            self._refuse(framework, tasks, Verdict(TaskState.TASK_DROPPED, Reason.REASON_INVALID_OFFERS, wrong))
            for operation in message.operations:
                if not isinstance(operation, Launch | LaunchGroup) and operation.id not in framework.operations:
                    self.refuse_operation(framework, operation, wrong)
            return
        self._use(framework, offers, message.operations, Filters(check_refuse_seconds(message.filters)))

    def _use(
        self, framework: FrameworkRecord, offers: list[Offer], operations: tuple[Operation, ...], filters: Filters
    ) -> None:
        """Carry out operations on valid offers; what they leave is given back."""
        agent = self.cluster.agents[offers[0].agent_id]
        stake = pool(offers)
        for offer in offers:
            self.cluster.remove_offer(offer)
        for operation in operations:
            match operation:
                case Launch():
                    for task in operation.task_infos:
                        stake = self._launch(framework, agent, stake, task)
                case LaunchGroup():
                    wrong = check_group(operation, framework, agent, stake)
                    text = wrong or "this master does not launch task groups yet; launch the tasks one by one"
                    verdict = Verdict(TaskState.TASK_ERROR, Reason.REASON_TASK_GROUP_INVALID, text)
                    self._refuse(framework, operation.task_group.tasks, verdict)
                case _:
                    stake = self.operate(framework, agent, stake, operation)
        self._account(framework, agent, stake, filters)

    def _account(self, framework: FrameworkRecord, agent: AgentRecord, stake: Stake, filters: Filters) -> None:
        """Tell the allocator what of the offers is in use now, and what is free."""
        used = stake.whole - stake.left
        if used:
            self.send(self.allocator, UseResourcesMessage(framework.id, stake.role, (Lot(agent.id, used),)))
        self.recover(framework.id, agent.id, stake.left.allocate(stake.role), filters)

    def _refuse(self, framework: FrameworkRecord, tasks: Iterable[TaskInfo], verdict: Verdict) -> None:
        """Tell a framework that its tasks will not be launched, and why."""
        for task in tasks:
            update = update_of_refused(framework, task, verdict, self.now)
            self.counts.count_end(update.status.state, update.status)
            self.tell(framework, StatusUpdateMessage(update))

    def _launch(self, framework: FrameworkRecord, agent: AgentRecord, stake: Stake, info: TaskInfo) -> Stake:
        """Launch one task, or say what is wrong with it; returns what is left."""
        wrong = check_task(info, framework, agent, stake)
        if wrong is not None:
            self._refuse(framework, [info], Verdict(TaskState.TASK_ERROR, Reason.REASON_TASK_INVALID, wrong))
            return stake
        denied = self.refusal(framework.info.principal or None, to_launch(info, framework.info))
        if denied is not None:
            self._refuse(framework, [info], Verdict(TaskState.TASK_ERROR, Reason.REASON_TASK_UNAUTHORIZED, denied))
            return stake
        asked = needed(info, framework, agent)
        copies = stake.copies(asked)
        if copies:
            self.send(self.allocator, UpdateAllocationMessage(framework.id, stake.role, agent.id, Resources(), copies))
            stake = stake.convert(Resources(), copies)
        left = stake.left - asked
        info = for_role(info, framework.info, stake.role)
        executor = info.executor
        is_new = executor is None or (framework.id, executor.executor_id) not in agent.executors
        if executor is not None and is_new:
            warn_of_small(framework, executor)
            self.cluster.add_executor(framework.id, agent.id, executor)
        self.cluster.add_task(TaskRecord(launched(info, framework.id), self.now))
        self.send(agent.pid, RunTaskMessage(framework.info, info, framework.pid, launch_executor=is_new))
        return stake.less(left)


def warn_of_small(framework: FrameworkRecord, executor: ExecutorInfo) -> None:
    """Tell the operator of an executor that asks for less than it will need; it is launched all the same."""
    cpus, mem = executor.resources.scalar("cpus"), executor.resources.scalar("mem")
    if cpus < MIN_CPUS or mem < MIN_MEM:
        text = "framework %s: executor %s asks for cpus:%g;mem:%g, expected at least cpus:%g;mem:%g"
        log.warning(text, framework.id, executor.executor_id, cpus, mem, MIN_CPUS, MIN_MEM)


def pool(offers: list[Offer]) -> Stake:
    """Offers of one agent and one role, taken together."""
    whole = Resources.sum(offer.resources for offer in offers)
    return Stake(tuple(offer.id for offer in offers), offers[0].role, whole, whole)


def for_role(task: TaskInfo, framework: FrameworkInfo, role: str) -> TaskInfo:
    """The task as its agent gets it: every resource says for which role it was given, and the agent can report it."""
    executor = task.executor
    if executor is not None:
        resources = executor.resources.unallocate().allocate(role)
        executor = replace(executor, framework_id=framework.id, resources=resources)
    return replace(task, resources=task.resources.unallocate().allocate(role), executor=executor)


def tasks_in(operations: Iterable[Operation]) -> Iterator[TaskInfo]:
    """The tasks that these operations would launch."""
    for operation in operations:
        if isinstance(operation, Launch):
            yield from operation.task_infos
        elif isinstance(operation, LaunchGroup):
            yield from operation.task_group.tasks
