"""What a scheduler hears, what it may say, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from libprocess import PID
from libprocess.simulation import World
from mesos.ids import AgentID
from mesos.messages import (
    AcceptOffersMessage,
    AgentLostMessage,
    DeactivateFrameworkMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    FrameworkUnregisteredMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Resources
from mesos.scheduler import DriverStatus, Scheduler, SchedulerCalls
from mesos.scheduler.process import LEAVE_SECONDS
from mesos.scheduler.registration import SPREAD_SECONDS
from mesos.types import (
    Filters,
    FrameworkCapability,
    FrameworkInfo,
    Launch,
    Offer,
    Reason,
    ResourceRequest,
    TaskReference,
    TaskState,
)
from tests.mesos.scheduler.scene import AGENT, EXECUTOR, FRAMEWORK, OFFER, TASK, Cluster, Detector, info, update

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
    cluster.say(FrameworkUnregisteredMessage(FRAMEWORK))
    assert not any(isinstance(process, Detector) for process in cluster.node.processes.values())
    assert cluster.driver.process.pid not in cluster.node.processes


def test_a_leave_that_a_master_did_not_live_to_write_down_is_taken_of_the_next_one(cluster: Cluster):
    cluster.register()
    cluster.driver.stop()
    cluster.settle()
    cluster.elect(other := cluster.add_master("m2"))
    cluster.world.advance(SPREAD_SECONDS)
    cluster.say(FrameworkReregisteredMessage(FRAMEWORK, info(other)), other)
    assert other.take()[1:] == [UnregisterFrameworkMessage(FRAMEWORK)]
    assert cluster.heard == []
    cluster.say(FrameworkUnregisteredMessage(FRAMEWORK), other)
    assert cluster.driver.process.pid not in cluster.node.processes


def test_a_leave_that_nobody_answers_is_taken_all_the_same(cluster: Cluster):
    cluster.register()
    cluster.driver.stop()
    cluster.settle()
    cluster.world.advance(LEAVE_SECONDS)
    assert cluster.driver.process.pid not in cluster.node.processes


def test_who_stops_is_over_when_the_next_master_says_that_the_framework_is(cluster: Cluster):
    cluster.register()
    cluster.driver.stop()
    cluster.settle()
    cluster.elect(other := cluster.add_master("m2"))
    cluster.say(FrameworkErrorMessage("Framework has been removed"), other)
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
