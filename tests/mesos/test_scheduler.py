"""The scheduler's actor in a simulated world. The test itself plays the master."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from libprocess import PID, ExitedMessage, Message, Process
from libprocess.simulation import World
from mesos.detector import MasterDetectedMessage
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.messages import (
    AcceptOffersMessage,
    AgentLostMessage,
    DeactivateFrameworkMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.scheduler import DriverStatus, LocalSchedulerDriver, Scheduler, SchedulerCalls
from mesos.types import (
    Filters,
    FrameworkCapability,
    FrameworkInfo,
    Launch,
    MasterInfo,
    Offer,
    Reason,
    ResourceRequest,
    StatusUpdate,
    TaskInfo,
    TaskReference,
    TaskState,
    TaskStatus,
)
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate

FRAMEWORK = FrameworkID("F1")
AGENT = AgentID("A1")
EXECUTOR = ExecutorID("E1")
OFFER = Offer(OfferID("O1"), FRAMEWORK, AGENT, "host", "*", Resources.of(cpus=2))
TASK = TaskInfo("t", TaskID("T1"), AGENT, Resources.of(cpus=1))
MINUTE = 60.0


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

    def exited(self, message: ExitedMessage) -> None:
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


@pytest.fixture
def cluster(world: World) -> Cluster:
    return Cluster(world, FrameworkInfo(user="ann", name="f"))


# Registering.


def test_a_scheduler_registers_as_soon_as_a_master_is_detected(cluster: Cluster):
    cluster.elect(cluster.master)
    assert cluster.master.take() == [RegisterFrameworkMessage(cluster.framework)]
    cluster.say(FrameworkRegisteredMessage(FRAMEWORK, info(cluster.master)))
    assert cluster.heard == [("registered", FRAMEWORK, info(cluster.master))]


def test_a_registration_is_repeated_ever_more_rarely_until_it_is_answered(cluster: Cluster):
    cluster.elect(cluster.master)
    cluster.world.advance(10 * MINUTE)
    assert 10 <= len(cluster.master.take()) <= 26
    cluster.say(FrameworkRegisteredMessage(FRAMEWORK, info(cluster.master)))
    cluster.world.advance(10 * MINUTE)
    assert cluster.master.take() == []


def test_a_framework_that_fails_over_soon_registers_more_often(world: World):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f", failover_timeout_seconds=10.0))
    cluster.elect(cluster.master)
    cluster.world.advance(10)
    assert len(cluster.master.take()) >= 10


def test_a_second_answer_to_a_registration_is_no_news(cluster: Cluster):
    cluster.register()
    cluster.say(FrameworkRegisteredMessage(FRAMEWORK, info(cluster.master)))
    assert cluster.heard == []


def test_a_scheduler_registers_again_with_the_next_master(cluster: Cluster):
    cluster.register()
    other = cluster.add_master("m2")
    cluster.elect(other)
    assert cluster.heard == [("disconnected",)]
    assert other.take() == []  # all that lost their master do not come at one moment
    cluster.world.advance(2)
    registered = other.take()[0]
    assert isinstance(registered, ReregisterFrameworkMessage)
    assert (registered.framework.id, registered.force) == (FRAMEWORK, False)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(other)), sender=other)
    assert cluster.heard[1:] == [("reregistered", info(other))]


def test_a_new_master_is_not_heard_before_it_has_answered(cluster: Cluster):
    cluster.register()
    other = cluster.add_master("m2")
    cluster.elect(other)
    cluster.say(ResourceOffersMessage((OFFER,), ()), sender=other)
    cluster.say(ResourceOffersMessage((OFFER,), ()))  # nor the old one any more
    assert cluster.heard == [("disconnected",)]
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(other)), sender=other)
    cluster.say(ResourceOffersMessage((OFFER,), ()))
    assert [callback for callback, *_ in cluster.heard] == ["disconnected", "reregistered"]
    cluster.say(ResourceOffersMessage((OFFER,), ()), sender=other)
    assert cluster.heard[-1] == ("resource_offers", (OFFER,))


def test_a_scheduler_whose_master_dies_waits_for_the_detector(cluster: Cluster):
    cluster.register()
    cluster.world.crash(cluster.world.nodes[cluster.master.pid.address])
    cluster.world.advance(MINUTE)
    assert cluster.heard == [("disconnected",)]


def test_a_scheduler_with_an_id_takes_over(world: World):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f", id=FRAMEWORK))
    cluster.elect(cluster.master)
    assert cluster.master.take() == [ReregisterFrameworkMessage(cluster.framework, force=True)]
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(cluster.master)))
    other = cluster.add_master("m2")
    cluster.elect(other)
    cluster.world.advance(2)
    again = other.take()[0]
    assert isinstance(again, ReregisterFrameworkMessage)
    assert not again.force  # it may be somebody else's meanwhile


def test_who_is_no_master_is_not_heard(cluster: Cluster):
    cluster.register()
    stranger = cluster.add_master("stranger")
    for message in (
        ResourceOffersMessage((OFFER,), ()),
        update(),
        FrameworkErrorMessage("go away"),
        AgentLostMessage(AGENT),
        FrameworkRegisteredMessage(FrameworkID("F2"), info(stranger)),
        MasterDetectedMessage(info(stranger)),
        KillTaskMessage(FRAMEWORK, TASK.task_id),
        DeactivateFrameworkMessage(FRAMEWORK),
    ):
        cluster.say(message, sender=stranger)
    assert cluster.heard == []
    assert cluster.master.take() == stranger.take() == []


def test_the_roles_that_are_suppressed_stay_so_when_it_registers_again(cluster: Cluster):
    cluster.register()
    cluster.driver.suppress_offers()
    cluster.driver.suppress_offers(["eng"])
    cluster.driver.revive_offers(["eng"])
    other = cluster.add_master("m2")
    cluster.settle()
    cluster.elect(other)
    cluster.world.advance(2)
    registered = other.take()[0]
    assert isinstance(registered, ReregisterFrameworkMessage)
    assert registered.suppressed_roles == ("*",)


def test_constraints_are_told_whenever_it_registers(world: World):
    demands = (OfferConstraints("*", ((AttributeConstraint(Predicate.EXISTS, "rack"),),)),)
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f"), offer_constraints=demands)
    cluster.elect(cluster.master)
    (first,) = cluster.master.take()
    assert isinstance(first, RegisterFrameworkMessage)
    cluster.say(FrameworkRegisteredMessage(FRAMEWORK, info(cluster.master)))
    other = cluster.add_master("m2")
    cluster.settle()
    cluster.elect(other)
    cluster.world.advance(2)
    again = other.take()[0]
    assert isinstance(again, ReregisterFrameworkMessage)
    assert first.offer_constraints == again.offer_constraints == demands


# News.


def test_news_reaches_the_scheduler(cluster: Cluster):
    cluster.register()
    cluster.say(ResourceOffersMessage((OFFER,), (PID("agent", "a", 1),)))
    cluster.say(RescindResourceOfferMessage(OFFER.id))
    cluster.say(ExecutorToFrameworkMessage(FRAMEWORK, AGENT, EXECUTOR, b"data"))
    cluster.say(ExitedExecutorMessage(FRAMEWORK, AGENT, EXECUTOR, 9))
    cluster.say(AgentLostMessage(AGENT))
    assert cluster.heard == [
        ("resource_offers", (OFFER,)),
        ("offer_rescinded", OFFER.id),
        ("framework_message", EXECUTOR, AGENT, b"data"),
        ("executor_lost", EXECUTOR, AGENT, 9),
        ("agent_lost", AGENT),
    ]


def test_an_update_is_acknowledged_once_the_scheduler_has_it(cluster: Cluster):
    cluster.register()
    cluster.say(update())
    assert cluster.heard == [("status_update", update().update.status)]
    assert cluster.master.take() == [StatusUpdateAcknowledgementMessage(FRAMEWORK, AGENT, TASK.task_id, b"u1")]


def test_an_update_without_a_uuid_is_not_acknowledged(cluster: Cluster):
    cluster.register()
    cluster.say(update(uuid=b""))
    assert cluster.master.take() == []


def test_a_scheduler_may_acknowledge_by_itself(world: World):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f"), implicit_acknowledgements=False)
    cluster.register()
    cluster.say(update())
    assert cluster.master.take() == []
    cluster.driver.acknowledge_status_update(update().update.status)
    cluster.settle()
    assert cluster.master.take() == [StatusUpdateAcknowledgementMessage(FRAMEWORK, AGENT, TASK.task_id, b"u1")]


def test_acknowledging_what_the_driver_acknowledges_is_a_mistake(cluster: Cluster):
    with pytest.raises(RuntimeError, match="implicit_acknowledgements=False"):
        cluster.driver.acknowledge_status_update(update().update.status)


# Calls.


def test_calls_reach_the_master_in_the_frameworks_name(cluster: Cluster):
    cluster.register()
    driver = cluster.driver
    driver.launch_tasks(OFFER.id, [TASK])
    driver.accept_offers([OFFER.id], [])
    driver.decline_offer(OFFER.id, Filters(refuse_seconds=60))
    driver.suppress_offers(["eng"])
    driver.revive_offers()
    driver.kill_task(TASK.task_id)
    driver.request_resources([ResourceRequest(Resources.of(cpus=8))])
    driver.reconcile_tasks([update().update.status])
    assert driver.send_framework_message(EXECUTOR, AGENT, b"data") is DriverStatus.RUNNING
    cluster.settle()
    assert cluster.master.take() == [
        AcceptOffersMessage(FRAMEWORK, (OFFER.id,), (Launch((TASK,)),)),
        AcceptOffersMessage(FRAMEWORK, (OFFER.id,), ()),
        DeclineOffersMessage(FRAMEWORK, (OFFER.id,), Filters(refuse_seconds=60)),
        SuppressOffersMessage(FRAMEWORK, ("eng",)),
        ReviveOffersMessage(FRAMEWORK),
        KillTaskMessage(FRAMEWORK, TASK.task_id),
        RequestResourcesMessage(FRAMEWORK, (ResourceRequest(Resources.of(cpus=8)),)),
        ReconcileTasksMessage(FRAMEWORK, (TaskReference(TASK.task_id, AGENT),)),
        FrameworkToExecutorMessage(FRAMEWORK, AGENT, EXECUTOR, b"data"),
    ]


@pytest.mark.parametrize(
    ("capabilities", "state"),
    [((), TaskState.TASK_LOST), ((FrameworkCapability.PARTITION_AWARE,), TaskState.TASK_DROPPED)],
)
def test_what_is_launched_without_a_master_is_lost(
    world: World, capabilities: tuple[FrameworkCapability, ...], state: TaskState
):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f", capabilities=capabilities))
    cluster.driver.launch_tasks([OFFER.id], [TASK])
    cluster.driver.kill_task(TASK.task_id)
    cluster.settle()
    [(callback, status)] = cluster.heard
    assert (callback, status.task_id, status.state) == ("status_update", TASK.task_id, state)
    assert status.reason is Reason.REASON_MASTER_DISCONNECTED


def test_a_framework_that_changes_says_so_at_once_and_to_every_master_after(cluster: Cluster):
    cluster.register()
    cluster.driver.update_framework(FrameworkInfo(user="", name="renamed"), suppressed_roles=["*"])
    cluster.settle()
    renamed = FrameworkInfo(user="ann", name="renamed", id=FRAMEWORK)
    assert cluster.master.take() == [ReviseFrameworkMessage(renamed, ("*",))]
    other = cluster.add_master("m2")
    cluster.elect(other)
    cluster.world.advance(2)
    assert other.take()[0] == ReregisterFrameworkMessage(renamed, suppressed_roles=("*",))


# Reconciling.


def answer(state: TaskState = TaskState.TASK_RUNNING, task_id: TaskID = TASK.task_id) -> StatusUpdateMessage:
    """What a master answers who is asked for a task."""
    status = TaskStatus(task_id, state, AGENT, reason=Reason.REASON_RECONCILIATION)
    return StatusUpdateMessage(StatusUpdate(FRAMEWORK, status))


def test_a_driver_asks_a_new_master_for_its_tasks_until_it_knows_of_each(cluster: Cluster):
    launched = [TaskInfo("t", TaskID(name), AGENT, Resources.of(cpus=1)) for name in ("T1", "T2", "T3")]
    cluster.register()
    cluster.driver.launch_tasks(OFFER.id, launched)
    cluster.say(update())
    other = reregister(cluster)
    assert questions(other) == [()]
    cluster.say(answer(task_id=TaskID("T3")), sender=other)

    cluster.world.advance(5 * MINUTE)
    asked = questions(other)
    assert set(asked) == {(TaskReference(TaskID("T1"), AGENT), TaskReference(TaskID("T2"), AGENT))}
    assert 6 <= len(asked) <= 10  # ever more rarely

    cluster.say(answer(), sender=other)
    cluster.say(answer(TaskState.TASK_LOST, TaskID("T2")), sender=other)
    cluster.world.advance(5 * MINUTE)
    assert questions(other) == []


def test_what_the_scheduler_knows_already_it_is_not_told_again_unless_it_asks(cluster: Cluster):
    cluster.register()
    cluster.say(update())
    cluster.heard.clear()
    cluster.say(answer())
    assert cluster.heard == []
    cluster.driver.reconcile_tasks()
    cluster.settle()
    cluster.say(answer())
    cluster.say(answer(TaskState.TASK_LOST))
    assert [status.state for _, status in cluster.heard] == [TaskState.TASK_RUNNING, TaskState.TASK_LOST]


def test_an_answer_that_was_under_way_when_a_task_ended_is_no_second_end(cluster: Cluster):
    cluster.register()
    cluster.say(update())
    cluster.driver.reconcile_tasks([update().update.status])
    cluster.settle()
    cluster.say(update(TaskState.TASK_DROPPED, b"u2"))
    cluster.say(answer(TaskState.TASK_GONE))
    assert [status.state for _, status in cluster.heard] == [TaskState.TASK_RUNNING, TaskState.TASK_DROPPED]
    cluster.driver.reconcile_tasks([update().update.status])  # who asks once more is answered
    cluster.settle()
    cluster.say(answer(TaskState.TASK_GONE))
    assert cluster.heard[-1][1].state is TaskState.TASK_GONE


def test_a_driver_asks_every_fifteen_minutes_in_one_loop(cluster: Cluster):
    cluster.register()
    cluster.world.advance(60 * MINUTE)
    assert questions(cluster.master) == []  # there is nothing to ask for
    cluster.say(update())
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(cluster.master)))
    for _ in range(4):
        cluster.world.advance(15 * MINUTE)
        cluster.say(answer())
    assert questions(cluster.master) == [()] * 4


def test_a_driver_that_takes_over_asks_for_tasks_that_it_never_heard_of(world: World):
    cluster = Cluster(world, FrameworkInfo(user="ann", name="f", id=FRAMEWORK))
    cluster.elect(cluster.master)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(cluster.master)))
    assert questions(cluster.master) == [()]


def reregister(cluster: Cluster) -> Master:
    """With another master."""
    other = cluster.add_master("m2")
    cluster.elect(other)
    cluster.world.advance(1)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(other)), sender=other)
    return other


def questions(master: Master) -> list[tuple[TaskReference, ...]]:
    return [message.tasks for message in master.take() if isinstance(message, ReconcileTasksMessage)]


# The end.


def test_a_driver_that_stops_unregisters_its_framework_after_all_it_said(cluster: Cluster):
    cluster.register()
    cluster.driver.kill_task(TASK.task_id)
    assert cluster.driver.stop() is DriverStatus.STOPPED
    assert cluster.driver.kill_task(TASK.task_id) is DriverStatus.STOPPED
    cluster.settle()
    assert cluster.master.take() == [
        KillTaskMessage(FRAMEWORK, TASK.task_id),
        UnregisterFrameworkMessage(FRAMEWORK),
    ]
    assert not any(isinstance(process, Detector) for process in cluster.node.processes.values())
    assert cluster.driver.process.pid not in cluster.node.processes


def test_a_driver_that_stops_for_a_failover_leaves_without_a_word(cluster: Cluster):
    cluster.register()
    cluster.driver.stop(failover=True)
    cluster.settle()
    assert cluster.master.take() == []
    assert cluster.driver.process.pid not in cluster.node.processes


def test_an_aborted_driver_is_deaf_and_dumb_until_it_stops(cluster: Cluster):
    cluster.register()
    assert cluster.driver.abort() is DriverStatus.ABORTED
    cluster.driver.kill_task(TASK.task_id)
    cluster.settle()
    cluster.say(update())
    assert cluster.heard == []
    assert cluster.master.take() == [DeactivateFrameworkMessage(FRAMEWORK)]
    cluster.driver.stop()
    cluster.settle()
    assert cluster.master.take() == [UnregisterFrameworkMessage(FRAMEWORK)]


def test_an_error_aborts_the_driver_which_asks_nothing_more(cluster: Cluster):
    cluster.register()
    cluster.say(FrameworkErrorMessage("Framework failed over"))
    assert cluster.heard == [("error", "Framework failed over")]
    assert cluster.driver.status is DriverStatus.ABORTED
    cluster.elect(cluster.master)
    cluster.driver.stop()
    cluster.settle()
    assert cluster.master.take() == []


# Writing schedulers.


def test_a_scheduler_may_use_the_names_that_mesos_gives(cluster: Cluster):
    class Old(Scheduler):
        def resourceOffers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
            driver.declineOffer(offers[0].id)

        def slaveLost(self, driver: SchedulerCalls, agentId: AgentID) -> None:
            driver.killTask(TASK.task_id)

    cluster.driver._callbacks = Old()
    cluster.register()
    cluster.say(ResourceOffersMessage((OFFER,), ()))
    cluster.say(AgentLostMessage(AGENT))
    assert cluster.master.take() == [
        DeclineOffersMessage(FRAMEWORK, (OFFER.id,)),
        KillTaskMessage(FRAMEWORK, TASK.task_id),
    ]


def test_a_scheduler_may_call_its_own_callbacks_by_either_name():
    class New(Scheduler):
        def agent_lost(self, driver: SchedulerCalls, agent_id: AgentID) -> str:
            return f"{agent_id} is lost"

    for name in ("agent_lost", "agentLost", "slave_lost", "slaveLost"):
        assert getattr(New(), name)(None, AGENT) == "A1 is lost"
