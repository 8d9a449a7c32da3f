"""How a scheduler gets registered with whoever is the master, and stays so."""

from __future__ import annotations

from libprocess.simulation import World
from mesos.detector import MasterDetectedMessage
from mesos.ids import FrameworkID
from mesos.messages import (
    AgentLostMessage,
    DeactivateFrameworkMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    KillTaskMessage,
    RegisterFrameworkMessage,
    ReregisterFrameworkMessage,
    ResourceOffersMessage,
)
from mesos.types import FrameworkInfo
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate
from tests.mesos.scheduler.scene import AGENT, FRAMEWORK, OFFER, TASK, Cluster, info, update

MINUTE = 60.0


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
