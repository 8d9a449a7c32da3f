"""Offers are made, declined, rescinded, suppressed and revived."""

from __future__ import annotations

from master.allocator.messages import AddAgentMessage, OfferResourcesMessage
from mesos.ids import OfferID
from mesos.messages import (
    DeclineOffersMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviveOffersMessage,
    SuppressOffersMessage,
)
from mesos.resources import Resources
from mesos.types import Filters, FrameworkCapability
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, task_on

ALL = Resources.parse("cpus:4;mem:4096")
MULTI_ROLE = FrameworkCapability.MULTI_ROLE


def decline(scheduler: SchedulerPeer, refuse_seconds: float = 5.0) -> None:
    offers = tuple(offer.id for offer in scheduler.offers())
    scheduler.say(DeclineOffersMessage(scheduler.id, offers, Filters(refuse_seconds)))


def test_a_framework_is_offered_what_an_agent_has(agent: AgentPeer, scheduler: SchedulerPeer):
    offer = scheduler.offer()

    assert offer.resources == ALL
    assert offer.agent_id == agent.id
    assert offer.hostname == "agent-1"
    assert offer.role == "*"
    assert scheduler.last(ResourceOffersMessage).pids == (agent.pid,)


def test_an_offer_names_the_executors_that_the_framework_has_there(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    scheduler.launch(task_on(scheduler.offer(), executor=executor("e1")), refuse_seconds=0)
    scene.world.advance(1)

    assert scheduler.offer().executor_ids == ("e1",)


def test_what_is_declined_is_not_offered_again_for_so_long(scene: Scene, scheduler: SchedulerPeer):
    decline(scheduler, refuse_seconds=10)

    scene.world.advance(9)
    assert scheduler.offers() == []

    scene.world.advance(2)
    assert scheduler.offer().resources == ALL


def test_what_is_declined_is_not_offered_again_because_the_link_to_its_agent_broke(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    id_ = agent.id
    decline(scheduler, refuse_seconds=60)
    agent.die()
    scene.agent(hostname="agent-1", node=scene.world.node("agent-1")).reregister(id_)
    assert scheduler.offers() == []

    scene.world.advance(61)
    assert scheduler.offer().resources == ALL


def test_what_is_declined_goes_to_another_framework_at_once(scene: Scene, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    decline(scheduler)

    assert other.offer().resources == ALL


def test_a_refusal_of_no_valid_length_holds_for_five_seconds(scene: Scene, scheduler: SchedulerPeer):
    decline(scheduler, refuse_seconds=-3)

    scene.world.advance(4)
    assert scheduler.offers() == []
    scene.world.advance(2)
    assert scheduler.offer().resources == ALL


def test_offers_are_declined_once(scene: Scene, scheduler: SchedulerPeer):
    offer = scheduler.offer()
    for _ in range(2):
        scheduler.say(DeclineOffersMessage(scheduler.id, (offer.id, offer.id, OfferID("none"))))

    assert scene.master.cluster.offers == {}
    assert not scene.world.failures


def test_nobody_declines_the_offers_of_another(scene: Scene, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    other.say(DeclineOffersMessage(other.id, (scheduler.offer().id,)))

    assert scheduler.offer().id in scene.master.cluster.offers


def test_revived_offers_come_at_once(scheduler: SchedulerPeer):
    decline(scheduler, refuse_seconds=1000)
    scheduler.say(ReviveOffersMessage(scheduler.id))

    assert scheduler.offer().resources == ALL


def test_suppressed_roles_get_nothing_until_they_are_revived(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(MULTI_ROLE, roles=("a", "b")).register(suppressed_roles=("a",))
    scheduler.say(SuppressOffersMessage(scheduler.id, ("b",)))
    decline(scheduler, refuse_seconds=0)
    scene.world.advance(10)
    assert scheduler.offers() == []

    scheduler.say(ReviveOffersMessage(scheduler.id, ("a",)))

    assert scheduler.offer().role == "a"


def test_to_revive_only_roles_of_others_revives_nothing(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register(suppressed_roles=("*",))
    scheduler.say(ReviveOffersMessage(scheduler.id, ("somebody",)))

    assert scheduler.offers() == []


def test_an_offer_that_is_not_used_in_time_is_taken_back():
    scene = Scene(offer_timeout_seconds=30.0)
    scene.agent().register()
    scheduler = scene.scheduler().register()
    hoarded = scheduler.offer()

    scene.world.advance(29)
    assert hoarded.id in scene.master.cluster.offers

    scene.world.advance(1)
    assert scheduler.last(RescindResourceOfferMessage).offer_id == hoarded.id
    assert hoarded.id not in scene.master.cluster.offers


def test_offers_that_cross_the_loss_of_their_agent_are_not_made(scene: Scene, scheduler: SchedulerPeer):
    agent = scene.agent("cpus:1")
    crossing = scene.world.hold(OfferResourcesMessage)
    agent.register()
    agent_id = agent.id
    agent.die()
    scene.world.advance(100)
    scene.world.release(crossing)
    scene.world.settle()

    assert agent_id not in {offer.agent_id for offer in scheduler.offers()}
    assert not scene.world.failures


def test_offers_that_cross_a_return_of_their_agent_are_not_made(scene: Scene, scheduler: SchedulerPeer):
    agent = scene.agent("cpus:1").register()
    other = scene.scheduler().register()
    crossing = scene.world.hold(OfferResourcesMessage)
    decline(scheduler)
    scene.world.settle()
    assert crossing.seen
    agent.reregister(agent.id)
    scene.world.release(crossing)
    scene.world.settle()

    offered = Resources.sum(offer.resources for offer in (*scheduler.offers(), *other.offers()))
    assert Resources.parse("cpus:5;mem:4096").contains(offered)
    assert not scene.world.failures


def test_offers_to_a_scheduler_that_just_left_go_back(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=1000.0).register(suppressed_roles=("*",))
    crossing = scene.world.hold(OfferResourcesMessage)
    scheduler.say(ReviveOffersMessage(scheduler.id))
    assert crossing.seen
    scheduler.die()
    scene.world.release(crossing)
    scene.world.settle()

    assert scene.scheduler().register().offer().resources == ALL


def test_only_the_allocator_makes_offers(scene: Scene, agent: AgentPeer):
    stranger = scene.scheduler()
    stranger.say(OfferResourcesMessage((), 0))

    assert scene.metric("dropped_messages") == 1


def test_the_allocator_hears_what_a_new_agent_has(scene: Scene):
    announced = scene.world.expect(AddAgentMessage)
    scene.agent("cpus:2").register()

    (message,) = announced.seen
    assert message.total == Resources.parse("cpus:2")
    assert message.used == ()
