"""The scheduler of mesos-run: launches its instances on the first offers that hold them, and sees them end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from frameworks.carrier.protocol import Chunk, Job, Outcome, Read, Stream, decode, encode
from frameworks.carrier.receiver import Receiver
from frameworks.run.instance import FAILURE, Instance, exit_status
from mesos.ids import AgentID, ExecutorID, OfferID, TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls, pick
from mesos.states import terminal
from mesos.types import (
    CommandInfo,
    ExecutorInfo,
    InverseOffer,
    MasterInfo,
    Offer,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)

FAILOVER_SECONDS = 10.0
"""A link that broke is up again by then. If not, nobody is there any more who would want the command to run on."""

OWN_ENDS = {TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_ERROR}
"""A command that ended so would not have gone on elsewhere."""

REPORTED_ENDS = {TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED}
"""An agent reports these until they are acknowledged; the mere answer to a question about them says less."""


@dataclass(frozen=True)
class Order:
    """What to run."""

    name: str
    command: CommandInfo
    each: Resources
    """What an instance asks for."""
    instances_count: int
    carrier: ExecutorInfo | None
    """Carries the output of the instances, if it is wanted."""
    moves: bool = True
    """Whether what is killed because its machine is emptied runs anew elsewhere."""


class Watcher(Protocol):
    """Who watches a run."""

    def changed(self, instance: Instance, message: str) -> None:
        """An instance is in another state."""

    def wrote(self, instance: Instance, stream: Stream, data: bytes) -> None:
        """An instance wrote this."""

    def notice(self, text: str) -> None:
        """Something that the user may want to know, in one line."""


class RunScheduler(Scheduler):
    """Runs the instances, and stops its driver, which must leave acknowledgements to it, when all are over."""

    def __init__(self, order: Order, watcher: Watcher) -> None:
        self._order = order
        self._watcher = watcher
        self._has_complained = False
        self._tasks_count = 0
        self._leaving: dict[OfferID, AgentID] = {}
        """Agents that are being emptied, by the inverse offers that told so."""
        self.instances: dict[TaskID, Instance] = {}
        self.failure = ""
        """Why the run as a whole came to nothing."""

    @property
    def exit_status(self) -> int:
        """That of the first instance that failed; 0 if none did."""
        if len(self.instances) < self._order.instances_count:
            return FAILURE
        statuses = (FAILURE if each.exit_status is None else each.exit_status for each in self.instances.values())
        return next(filter(None, statuses), 0)

    # Offers.

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            tasks = self._tasks_for(offer)
            if tasks:
                driver.launch_tasks(offer.id, tasks)
            else:
                driver.decline_offer(offer.id)
        if len(self.instances) == self._order.instances_count:
            driver.suppress_offers()

    def _tasks_for(self, offer: Offer) -> list[TaskInfo]:
        available, tasks = offer.resources, list[TaskInfo]()
        while len(self.instances) < self._order.instances_count:
            carrier = self._order.carrier
            overhead = pick(available, carrier.resources) if carrier else Resources()
            picked = None if overhead is None else pick(available - overhead, self._order.each)
            if overhead is None or picked is None:
                break
            available -= overhead + picked
            tasks.append(self._task(offer, picked, overhead))
        if not self.instances and not self._has_complained:
            self._has_complained = True
            needed = self._order.each + (self._order.carrier.resources if self._order.carrier else Resources())
            self._watcher.notice(f"waiting for more: it takes {needed}, {offer.hostname} offers {offer.resources}")
        return tasks

    def _task(self, offer: Offer, resources: Resources, overhead: Resources) -> TaskInfo:
        order = self._order
        self._tasks_count += 1
        task_id = TaskID(f"{order.name}-{self._tasks_count}")
        instance = self.instances[task_id] = Instance(task_id, offer.agent_id, offer.hostname)
        task = TaskInfo(str(task_id), task_id, offer.agent_id, resources)
        if order.carrier is None:
            return replace(task, command=order.command)
        instance.executor_id = ExecutorID(f"carrier-{task_id}")
        instance.receiver = Receiver(task_id, lambda stream, data: self._watcher.wrote(instance, stream, data))
        executor = replace(order.carrier, executor_id=instance.executor_id, resources=overhead)
        return replace(task, executor=executor, data=encode(Job(order.command)))

    # What becomes of tasks.

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        instance = self.instances.get(status.task_id)
        if instance is None or instance.exit_status is not None:
            driver.acknowledge_status_update(status)
        elif not terminal(status.state):
            driver.acknowledge_status_update(status)
            self._changed(instance, status)
            if status.state is TaskState.TASK_RUNNING and instance.receiver is not None:
                self._ask(driver, instance, map(instance.receiver.next, Stream))
        elif self._is_moved(instance, status):
            driver.acknowledge_status_update(status)
            self._move(driver, instance)
        elif instance.receiver is not None and status.data:
            instance.last_status = status
            if instance.receiver.end(decode(status.data, Outcome)):
                self._finish_or_ask(driver, instance)
            else:
                self._lose_output(driver, lambda each: each is instance)
        elif status.uuid or status.state not in REPORTED_ENDS:
            driver.acknowledge_status_update(status)
            self._over(driver, instance, status, exit_status(status))

    def framework_message(
        self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, data: bytes
    ) -> None:
        try:
            chunk = decode(data, Chunk)
        except msgspec.MsgspecError:
            return
        instance = self.instances.get(chunk.task_id)
        if instance is None or instance.receiver is None or not instance.receiver.take(chunk):
            return
        if instance.receiver.outcome is None:
            self._ask(driver, instance, [instance.receiver.next(chunk.stream)])
        else:
            self._finish_or_ask(driver, instance)

    def _finish_or_ask(self, driver: SchedulerCalls, instance: Instance) -> None:
        """Once all output is here, the last status may be acknowledged; until then it comes again now and then."""
        receiver, status = instance.receiver, instance.last_status
        if receiver is None or receiver.outcome is None or status is None:
            return
        if receiver.is_complete:
            driver.acknowledge_status_update(status)
            self._over(driver, instance, status, receiver.outcome.exit_status)
        else:
            self._ask(driver, instance, receiver.missing())

    def _ask(self, driver: SchedulerCalls, instance: Instance, reads: Iterable[Read]) -> None:
        for read in reads:
            if instance.executor_id is not None:
                driver.send_framework_message(instance.executor_id, instance.agent_id, encode(read))

    def _over(self, driver: SchedulerCalls, instance: Instance, status: TaskStatus, exit_status: int) -> None:
        instance.exit_status = exit_status
        self._changed(instance, status)
        launched_all = len(self.instances) == self._order.instances_count
        if launched_all and all(each.exit_status is not None for each in self.instances.values()):
            driver.stop()

    def _changed(self, instance: Instance, status: TaskStatus) -> None:
        if instance.state is not status.state:
            instance.state = status.state
            self._watcher.changed(instance, status.message)

    # Machines that are emptied.

    def inverse_offers(self, driver: SchedulerCalls, inverse_offers: Sequence[InverseOffer]) -> None:
        for each in inverse_offers:
            self._leaving[each.id] = each.agent_id
            until = datetime.fromtimestamp(each.unavailability.start).astimezone().isoformat(" ", "seconds")
            then = "killed, and runs anew elsewhere" if self._order.moves else "killed"
            for instance in self._running(each.agent_id):
                self._watcher.notice(
                    f"{instance.hostname} is being emptied: what runs of {instance.task_id} at {until} is {then}"
                )
        ids = [each.id for each in inverse_offers]
        if self._order.moves:
            driver.accept_inverse_offers(ids)
        else:
            driver.decline_inverse_offers(ids)

    def inverse_offer_rescinded(self, driver: SchedulerCalls, inverse_offer_id: OfferID) -> None:
        agent_id = self._leaving.pop(inverse_offer_id, None)
        for instance in self._running(agent_id):
            self._watcher.notice(f"{instance.hostname} is not emptied any more")

    def _is_moved(self, instance: Instance, status: TaskStatus) -> bool:
        """Whether it ended because its machine is emptied, and is to begin anew."""
        is_told = bool(status.uuid) or status.state not in REPORTED_ENDS
        is_leaving = instance.agent_id in self._leaving.values()
        return self._order.moves and is_leaving and is_told and status.state not in OWN_ENDS

    def _move(self, driver: SchedulerCalls, instance: Instance) -> None:
        del self.instances[instance.task_id]
        wrote = "; what it wrote may come again" if instance.receiver is not None else ""
        self._watcher.notice(f"{instance.task_id} was killed since {instance.hostname} is emptied: running anew{wrote}")
        driver.revive_offers()

    def _running(self, agent_id: AgentID | None) -> list[Instance]:
        return [each for each in self.instances.values() if each.agent_id == agent_id and each.exit_status is None]

    # The cluster.

    def disconnected(self, driver: SchedulerCalls) -> None:
        self._watcher.notice("the master is gone; waiting for it to come back")

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self._watcher.notice("the master is back")
        running = [each for each in self.instances.values() if each.exit_status is None]
        if running:
            driver.reconcile_tasks([TaskReference(each.task_id, each.agent_id) for each in running])

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> None:
        self._lose_output(driver, lambda instance: instance.agent_id == agent_id)

    def executor_lost(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, status: int) -> None:
        self._lose_output(driver, lambda instance: instance.executor_id == executor_id)

    def _lose_output(self, driver: SchedulerCalls, where: Callable[[Instance], bool]) -> None:
        """What ended there has ended, but nobody can send the rest of its output any more."""
        for instance in filter(where, list(self.instances.values())):
            receiver, status = instance.receiver, instance.last_status
            if instance.exit_status is None and status is not None and receiver and receiver.outcome:
                self._watcher.notice(f"the last output of {instance.task_id} is lost")
                driver.acknowledge_status_update(status)
                self._over(driver, instance, status, receiver.outcome.exit_status)

    def error(self, driver: SchedulerCalls, message: str) -> None:
        self.failure = message
