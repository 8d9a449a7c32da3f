"""A scheduler in a simulated world, whose master and detector say what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libprocess import PID, Message, Process
from libprocess.simulation import World
from mesos.detector import MasterDetectedMessage
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.messages import (
    AcceptOffersMessage,
    DeactivateFrameworkMessage,
    DeclineOffersMessage,
    FrameworkRegisteredMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver, Scheduler, SchedulerCalls
from mesos.types import FrameworkInfo, MasterInfo, Offer, StatusUpdate, TaskInfo, TaskState, TaskStatus

FRAMEWORK = FrameworkID("F1")
AGENT = AgentID("A1")
EXECUTOR = ExecutorID("E1")
OFFER = Offer(OfferID("O1"), FRAMEWORK, AGENT, "host", "*", Resources.of(cpus=2))
TASK = TaskInfo("t", TaskID("T1"), AGENT, Resources.of(cpus=1))


class Notes(Scheduler):
    """Notes every callback."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.heard.append(("registered", framework_id, master_info))

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self.heard.append(("reregistered", master_info))

    def disconnected(self, driver: SchedulerCalls) -> None:
        self.heard.append(("disconnected",))

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        self.heard.append(("resource_offers", offers))

    def offer_rescinded(self, driver: SchedulerCalls, offer_id: OfferID) -> None:
        self.heard.append(("offer_rescinded", offer_id))

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        self.heard.append(("status_update", status))

    def framework_message(
        self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, data: bytes
    ) -> None:
        self.heard.append(("framework_message", executor_id, agent_id, data))

    def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> None:
        self.heard.append(("agent_lost", agent_id))

    def executor_lost(self, driver: SchedulerCalls, executor_id: ExecutorID, agent_id: AgentID, status: int) -> None:
        self.heard.append(("executor_lost", executor_id, agent_id, status))

    def error(self, driver: SchedulerCalls, message: str) -> None:
        self.heard.append(("error", message))


class Detector(Process):
    """Tells what the test says."""

    def __init__(self, subscriber: PID) -> None:
        self._subscriber = subscriber

    def tell(self, master: MasterInfo | None) -> None:
        self.send(self._subscriber, MasterDetectedMessage(master))
        self._runtime.drain()


class Master(Process):
    """Keeps its mail, and says what the test says."""

    def __init__(self) -> None:
        self.mail: list[Message] = []
        self.scheduler: PID | None = None

    def register_framework(self, message: RegisterFrameworkMessage) -> None:
        self._keep(message)

    def reregister_framework(self, message: ReregisterFrameworkMessage) -> None:
        self._keep(message)

    def unregister_framework(self, message: UnregisterFrameworkMessage) -> None:
        self._keep(message)

    def deactivate_framework(self, message: DeactivateFrameworkMessage) -> None:
        self._keep(message)

    def accept_offers(self, message: AcceptOffersMessage) -> None:
        self._keep(message)

    def decline_offers(self, message: DeclineOffersMessage) -> None:
        self._keep(message)

    def revive_offers(self, message: ReviveOffersMessage) -> None:
        self._keep(message)

    def suppress_offers(self, message: SuppressOffersMessage) -> None:
        self._keep(message)

    def kill_task(self, message: KillTaskMessage) -> None:
        self._keep(message)

    def reconcile_tasks(self, message: ReconcileTasksMessage) -> None:
        self._keep(message)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self._keep(message)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self._keep(message)

    def request_resources(self, message: RequestResourcesMessage) -> None:
        self._keep(message)

    def revise_framework(self, message: ReviseFrameworkMessage) -> None:
        self._keep(message)

    def _keep(self, message: Message) -> None:
        self.mail.append(message)
        self.scheduler = self.sender

    def take(self) -> list[Message]:
        """What came since the last time."""
        mail, self.mail = self.mail, []
        return mail


class Cluster:
    """A scheduler, and room for masters."""

    def __init__(self, world: World, framework: FrameworkInfo, **options: Any) -> None:
        self.world = world
        self.node = self.world.node("scheduler")
        self.notes = Notes()
        self.framework = framework
        self.driver = LocalSchedulerDriver(self.notes, framework, self._detect, **options)
        self.node.spawn(self.driver.process, "scheduler")
        self.master = self.add_master("m1")
        self.settle()

    def _detect(self, subscriber: PID) -> Process:
        self.detector = Detector(subscriber)
        return self.detector

    def add_master(self, host: str) -> Master:
        master = Master()
        self.world.node(host).spawn(master, "master")
        return master

    def settle(self) -> None:
        for node in list(self.world.nodes.values()):
            node.drain()
        self.world.settle()

    def elect(self, master: Master | None) -> None:
        self.detector.tell(master and info(master))
        self.settle()

    def say(self, message: Message, sender: Master | None = None) -> None:
        """A master says something to the scheduler."""
        sender = sender or self.master
        sender.send(self.driver.process.pid, message)
        self.settle()

    def register(self) -> None:
        self.elect(self.master)
        self.say(FrameworkRegisteredMessage(FRAMEWORK, info(self.master)))
        self.master.take()
        self.notes.heard.clear()

    @property
    def heard(self) -> list[tuple[Any, ...]]:
        return self.notes.heard


def info(master: Master) -> MasterInfo:
    return MasterInfo(id=master.pid.host, pid=master.pid)


def update(state: TaskState = TaskState.TASK_RUNNING, uuid: bytes = b"u1") -> StatusUpdateMessage:
    return StatusUpdateMessage(StatusUpdate(FRAMEWORK, TaskStatus(TASK.task_id, state, AGENT, uuid=uuid)))
