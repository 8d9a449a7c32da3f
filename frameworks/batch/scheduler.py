"""The batch's scheduler: fits inputs into offers, gathers what their tasks write, and starts again what got lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec.structs import replace

from frameworks.batch.ledger import Attempt, Item, Ledger
from frameworks.batch.results import Results
from frameworks.batch.template import Template
from frameworks.carrier.protocol import Chunk, Forget, Outcome, Read, decode, encode
from frameworks.carrier.receiver import Receiver
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls, pick
from mesos.states import terminal
from mesos.types import (
    ExecutorInfo,
    InverseOffer,
    MasterInfo,
    Offer,
    Source,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)

NAME_LENGTH_MAX = 100
FAILOVER_SECONDS = 10.0
"""A link that broke is up again by then. If not, nobody is there any more who would want the tasks to run on."""

REPORTED_ENDS = {TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED}
"""An agent reports these until they are acknowledged; the mere answer to a question about them says less."""


@dataclass(frozen=True)
class Plan:
    """What a batch does with each input, and with what."""

    template: Template
    each: Resources
    """What a task asks for."""
    executor: ExecutorInfo
    """The carrier, and what it asks for on each agent."""
    jobs_max: int


class Audience(Protocol):
    """Who watches a batch."""

    def done(self, item: Item) -> None:
        """An input is done: its output is all here."""

    def notice(self, text: str) -> None:
        """Something that the user may want to know, in one line."""


class BatchScheduler(Scheduler):
    """Runs a task per input, and stops its driver, which must leave acknowledgements to it, when all are done.

    A task's last status is acknowledged when all of its output is here. Until then its agent sends it again now and
    then, and each time what is missing is asked for.
    """

    def __init__(
        self, ledger: Ledger, plan: Plan, results: Results, audience: Audience, now: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._plan = plan
        self._results = results
        self._audience = audience
        self._now = now
        self._carriers: dict[AgentID, ExecutorInfo] = {}
        self._carriers_count = 0
        self._tasks_count = 0
        self._is_suppressed = False
        self._has_complained = False
        self._leaving: dict[OfferID, AgentID] = {}
        """Agents that are being emptied, by the inverse offers that told so: what is killed there runs elsewhere."""
        self.agents: set[AgentID] = set()
        """The agents that it ran tasks on."""
        self.failure = ""
        """Why the batch as a whole came to nothing."""

    # Offers.

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            tasks = self._tasks_for(offer)
            if tasks:
                driver.launch_tasks(offer.id, tasks)
            else:
                driver.decline_offer(offer.id)
        if self._ledger.next is None and not self._is_suppressed:
            self._is_suppressed = True
            driver.suppress_offers()

    def _tasks_for(self, offer: Offer) -> list[TaskInfo]:
        if not self._has_room:
            return []
        tasks: list[TaskInfo] = []
        carrier = self._carriers.get(offer.agent_id) or self._new_carrier(offer.resources)
        available = self._left_beside(carrier, offer)
        while carrier is not None and available is not None and self._has_room:
            picked = pick(available, self._plan.each)
            if picked is None:
                break
            available -= picked
            tasks.append(self._task(offer, carrier, picked))
        if tasks and carrier is not None:
            self._carriers[offer.agent_id] = carrier
        else:
            self._complain(offer)
        return tasks

    def _new_carrier(self, available: Resources) -> ExecutorInfo | None:
        """A carrier, if there is room for one."""
        picked = pick(available, self._plan.executor.resources)
        if picked is None:
            return None
        # Never the same id twice: one that was lost with its agent may come back with it.
        self._carriers_count += 1
        return replace(self._plan.executor, executor_id=ExecutorID(f"carrier-{self._carriers_count}"), resources=picked)

    def _left_beside(self, carrier: ExecutorInfo | None, offer: Offer) -> Resources | None:
        """What an offer holds for tasks, once the carrier is paid for if the master does not know it to run there."""
        if carrier is None or carrier.executor_id in offer.executor_ids:
            return offer.resources
        return offer.resources - carrier.resources if offer.resources.contains(carrier.resources) else None

    @property
    def _has_room(self) -> bool:
        return self._ledger.next is not None and self._ledger.running_count < self._plan.jobs_max

    def _task(self, offer: Offer, carrier: ExecutorInfo, resources: Resources) -> TaskInfo:
        self.agents.add(offer.agent_id)
        self._tasks_count += 1
        task_id = TaskID(str(self._tasks_count))

        def attempt(item: Item) -> Attempt:
            receiver = Receiver(task_id, lambda stream, data: self._results.write(item.index, stream, data))
            return Attempt(task_id, offer.agent_id, carrier.executor_id, receiver, launched_at=self._now())

        item = self._ledger.launch(offer.hostname, attempt)
        job = self._plan.template.job(item.input)
        name = item.input[:NAME_LENGTH_MAX]
        return TaskInfo(name, task_id, offer.agent_id, resources, executor=carrier, data=encode(job))

    def _complain(self, offer: Offer) -> None:
        """Say once that nothing fits, while nothing runs that would make room."""
        if not self._has_complained and not self._ledger.running_count:
            self._has_complained = True
            need = f"{self._plan.each} and {self._plan.executor.resources} for the executor"
            self._audience.notice(f"waiting for more: a task takes {need}, {offer.hostname} offers {offer.resources}")

    def inverse_offers(self, driver: SchedulerCalls, inverse_offers: Sequence[InverseOffer]) -> None:
        # What is done by then need not be done again; the rest starts anew somewhere else.
        for each in inverse_offers:
            self._leaving[each.id] = each.agent_id
        driver.accept_inverse_offers([each.id for each in inverse_offers])

    def inverse_offer_rescinded(self, driver: SchedulerCalls, inverse_offer_id: OfferID) -> None:
        self._leaving.pop(inverse_offer_id, None)

    # What becomes of tasks.

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        found = self._ledger.find(status.task_id)
        if found is None:
            driver.acknowledge_status_update(status)
            return
        item, attempt = found
        if not terminal(status.state):
            if status.state is TaskState.TASK_RUNNING and attempt.running_at is None:
                attempt.running_at = self._now()
            driver.acknowledge_status_update(status)
        elif status.state is TaskState.TASK_KILLED and status.uuid and attempt.agent_id in self._leaving.values():
            driver.acknowledge_status_update(status)
            self._lose(driver, item, "its agent was emptied")
        elif status.data:
            self._ended(driver, item, attempt, status)
        elif status.uuid or status.state not in REPORTED_ENDS:
            driver.acknowledge_status_update(status)
            self._came_to_nothing(driver, item, attempt, status)
        else:
            self._ask(driver, attempt, attempt.receiver.missing())

    def _ended(self, driver: SchedulerCalls, item: Item, attempt: Attempt, status: TaskStatus) -> None:
        """The command ended, and its carrier says how."""
        try:
            outcome = decode(status.data, Outcome)
        except msgspec.MsgspecError:
            driver.acknowledge_status_update(status)
            self._came_to_nothing(driver, item, attempt, status)
            return
        if attempt.ended_at is None:
            attempt.ended_at = self._now()
        attempt.last_status = status
        if attempt.receiver.end(outcome):
            self._finish_or_ask(driver, item, attempt, attempt.receiver.missing())
        else:
            driver.acknowledge_status_update(status)
            self._lose(driver, item, "its output did not come")

    def framework_message(
        self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, data: bytes
    ) -> None:
        try:
            chunk = decode(data, Chunk)
        except msgspec.MsgspecError:
            return
        found = self._ledger.find(chunk.task_id)
        if found is None or not found[1].receiver.take(chunk):
            return
        item, attempt = found
        missing = (read for read in attempt.receiver.missing() if read.stream is chunk.stream)
        self._finish_or_ask(driver, item, attempt, missing)

    def _finish_or_ask(self, driver: SchedulerCalls, item: Item, attempt: Attempt, reads: Iterable[Read]) -> None:
        if attempt.receiver.is_complete:
            self._finish(driver, item, attempt)
        else:
            self._ask(driver, attempt, reads)

    def _ask(self, driver: SchedulerCalls, attempt: Attempt, reads: Iterable[Read]) -> None:
        for read in reads:
            driver.send_framework_message(attempt.executor_id, attempt.agent_id, encode(read))

    def _finish(self, driver: SchedulerCalls, item: Item, attempt: Attempt) -> None:
        outcome, status = attempt.receiver.outcome, attempt.last_status
        assert outcome is not None
        assert status is not None
        driver.acknowledge_status_update(status)
        forget = encode(Forget(attempt.task_id))
        driver.send_framework_message(attempt.executor_id, attempt.agent_id, forget)
        self._ledger.finish(item, outcome, self._now())
        self._done(driver, item)

    def _came_to_nothing(self, driver: SchedulerCalls, item: Item, attempt: Attempt, status: TaskStatus) -> None:
        # Also TASK_ERROR: what was offered may be too little since the carrier that was counted on ended meanwhile.
        if status.source is not Source.SOURCE_MASTER:
            self._abandon(attempt.agent_id, attempt.executor_id)  # it is not there, or takes no tasks any more
        self._lose(driver, item, status.message or str(status.reason or status.state))

    def _abandon(self, agent_id: AgentID, executor_id: ExecutorID) -> None:
        """Launch no more tasks on this carrier."""
        carrier = self._carriers.get(agent_id)
        if carrier is not None and carrier.executor_id == executor_id:
            del self._carriers[agent_id]

    def _lose(self, driver: SchedulerCalls, item: Item, why: str) -> None:
        if not self._ledger.lose(item, why):
            self._done(driver, item)
            return
        self._results.remove(item.index)
        if self._is_suppressed:
            self._is_suppressed = False
            driver.revive_offers()

    def _done(self, driver: SchedulerCalls, item: Item) -> None:
        self._audience.done(item)
        if self._ledger.is_done:
            driver.stop()

    # The cluster.

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        if self._ledger.is_done:  # there was no input
            driver.stop()

    def disconnected(self, driver: SchedulerCalls) -> None:
        self._audience.notice("the master is gone; waiting for it to come back")

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self._audience.notice("the master is back")
        running = [TaskReference(attempt.task_id, attempt.agent_id) for _, attempt in self._ledger.running()]
        if running:
            driver.reconcile_tasks(running)

    def executor_lost(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, status: int) -> None:
        self._abandon(agent_id, executor_id)
        self._lose_output(driver, agent_id, f"its executor ended with wait status {status}", executor_id)

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> None:
        self._carriers.pop(agent_id, None)
        self._lose_output(driver, agent_id, "its agent was lost")

    def _lose_output(
        self, driver: SchedulerCalls, agent_id: AgentID, why: str, executor_id: ExecutorID | None = None
    ) -> None:
        """Commands that ended there are over for the cluster, but nobody can send what they wrote any more."""
        for item, attempt in self._ledger.running(agent_id):
            if attempt.last_status is not None and executor_id in (None, attempt.executor_id):
                driver.acknowledge_status_update(attempt.last_status)
                self._lose(driver, item, why)

    def error(self, driver: SchedulerCalls, message: str) -> None:
        self.failure = message
