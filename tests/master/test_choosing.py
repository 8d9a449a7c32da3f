"""Who may be offered what: constraints, regions, the whitelist, roles, minimums of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesos.domains import parse_domain
from mesos.ids import AgentID
from mesos.messages import (
    AgentRegisteredMessage,
    FrameworkErrorMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
    ReregisterAgentMessage,
    ReregisterFrameworkMessage,
    RescindResourceOfferMessage,
    ReviveOffersMessage,
    ShutdownMessage,
)
from mesos.resources import Resources
from mesos.types import AgentInfo, Attribute, DomainInfo, FaultDomain, FrameworkCapability, OfferFilter
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate, PseudoAttribute
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, framework_info

MULTI_ROLE = FrameworkCapability.MULTI_ROLE
ON_RACK_B = AttributeConstraint(Predicate.TEXT_EQUALS, "rack", text="b")


def on_rack(scene: Scene, rack: str) -> AgentPeer:
    agent = scene.agent()
    info = AgentInfo(agent.info.hostname, resources=agent.info.resources, attributes=(Attribute("rack", rack),))
    agent.say(RegisterAgentMessage(info, "1"))
    return agent


def demanding(scene: Scene, *constraints: OfferConstraints, **info: object) -> SchedulerPeer:
    scheduler = scene.scheduler(**info)
    scheduler.say(RegisterFrameworkMessage(scheduler.info, (), constraints))
    return scheduler


# Constraints.


def test_a_framework_is_offered_only_agents_that_meet_its_constraints(scene: Scene):
    on_rack(scene, "a")
    right = on_rack(scene, "b")
    scheduler = demanding(scene, OfferConstraints("*", ((ON_RACK_B,),)))

    assert [offer.agent_id for offer in scheduler.offers()] == [right.id]


def test_constraints_change_when_a_framework_registers_again(scene: Scene):
    on_rack(scene, "a")
    scheduler = demanding(scene, OfferConstraints("*", ((ON_RACK_B,),)))
    assert not scheduler.offers()

    scheduler.say(ReregisterFrameworkMessage(framework_info(id=scheduler.id)))
    assert scheduler.offers()


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (OfferConstraints("*"), "expected groups of offer_constraints for role *, found none"),
        (OfferConstraints("*", ((),)), "expected groups of offer_constraints for role *, found an empty one"),
        (OfferConstraints("eng"), "expected offer_constraints to be among the framework's roles *, found eng"),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.TEXT_MATCHES, "rack", text="("),),)),
            "expected a regular expression that RE2 takes, found '(': missing ): (",
        ),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.TEXT_MATCHES, "rack", text="a{1,60}"),),)),
            "expected a regular expression of at most 100 steps, found 'a{1,60}', of 123",
        ),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.TEXT_MATCHES, "rack", text="a" * 3000),),)),
            "a…': pattern too large - compile failed",
        ),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.TEXT_NOT_MATCHES, "rack", text="(a)\\1"),),)),
            "invalid escape sequence",
        ),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.EXISTS),),)),
            "expected an offer constraint to name either an attribute or a pseudo-attribute",
        ),
        (
            OfferConstraints("*", ((AttributeConstraint(Predicate.EXISTS, "rack", PseudoAttribute.ZONE),),)),
            "expected an offer constraint to name either an attribute or a pseudo-attribute",
        ),
    ],
)
def test_constraints_that_make_no_sense_are_refused(scene: Scene, constraint: OfferConstraints, text: str):
    assert text in demanding(scene, constraint).last(FrameworkErrorMessage).message


# Regions.


def test_agents_of_other_regions_go_to_those_who_know_of_regions():
    scene = Scene(domain=DomainInfo(FaultDomain("eu", "eu-1")))
    agent = scene.agent()
    info = AgentInfo("far", resources=agent.info.resources, domain=DomainInfo(FaultDomain("us", "us-1")))
    agent.say(RegisterAgentMessage(info, "1"))

    assert not scene.scheduler().register().offers()
    offer = scene.scheduler(FrameworkCapability.REGION_AWARE).register().offer()
    assert offer.domain == info.domain


@pytest.mark.parametrize("text", ["x", "{}x", '{"fault_domain": {"region": {"name": ""}, "zone": {"name": "z"}}}'])
def test_what_is_no_domain_is_refused(text: str):
    with pytest.raises(ValueError, match="expected"):
        parse_domain(text)


@pytest.mark.parametrize(
    ("flags", "domain", "is_taken"),
    [
        ({}, None, True),
        ({}, DomainInfo(FaultDomain("eu", "eu-1")), False),
        ({"domain": DomainInfo(FaultDomain("eu", "eu-1"))}, None, True),
        ({"domain": DomainInfo(FaultDomain("eu", "eu-1")), "require_agent_domain": True}, None, False),
        ({"domain": DomainInfo(FaultDomain("eu", "eu-1"))}, DomainInfo(FaultDomain("us", "us-1")), True),
    ],
)
def test_an_agent_says_where_it_is_where_the_master_does(
    flags: dict[str, object], domain: DomainInfo | None, is_taken: bool
):
    scene = Scene(**flags)
    agent = scene.agent()
    agent.say(RegisterAgentMessage(AgentInfo("box", resources=agent.info.resources, domain=domain), "1"))
    agent.say(ReregisterAgentMessage(AgentInfo("box", AgentID("old"), domain=domain), "1"))

    assert bool(agent.all(AgentRegisteredMessage)) is is_taken
    assert not agent.all(ShutdownMessage) or is_taken


# The whitelist.


def test_only_listed_agents_are_offered_and_the_list_is_read_again(tmp_path: Path):
    path = tmp_path / "whitelist"
    path.write_text("agent-2\n")
    scene = Scene(whitelist=str(path))
    first, second = scene.agent().register(), scene.agent().register()
    scheduler = scene.scheduler().register()
    assert [offer.agent_id for offer in scheduler.offers()] == [second.id]

    path.write_text("agent-1\nagent-2\n")
    scene.world.advance(5)
    assert {offer.agent_id for offer in scheduler.offers()} == {first.id, second.id}


def test_a_list_that_cannot_be_read_stays_as_it_was(tmp_path: Path):
    path = tmp_path / "whitelist"
    path.write_text("agent-1\n")
    scene = Scene(whitelist=str(path))
    path.unlink()
    scene.world.advance(10)

    scene.agent().register()
    assert scene.scheduler().register().offers()


def test_nothing_is_offered_before_the_list_could_be_read(tmp_path: Path):
    scene = Scene(whitelist=str(tmp_path / "none"))
    scene.agent().register()

    assert not scene.scheduler().register().offers()


# Roles.


def test_a_framework_of_several_roles_is_offered_for_each(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(MULTI_ROLE, roles=("eng", "ops")).register()
    scene.agent().register()

    assert {offer.role for offer in scheduler.offers()} == {"eng", "ops"}


def test_what_is_suppressed_in_one_role_is_offered_in_the_other(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(MULTI_ROLE, roles=("eng", "ops")).register(suppressed_roles=("eng",))
    scene.agent().register()
    assert {offer.role for offer in scheduler.offers()} == {"ops"}

    scheduler.say(ReviveOffersMessage(scheduler.id, ("eng",)))
    scene.agent().register()
    assert {offer.role for offer in scheduler.offers()} == {"eng", "ops"}


# Minimums and timeouts.


def test_a_framework_may_set_the_least_that_it_wants_to_be_offered(scene: Scene, agent: AgentPeer):
    wants = OfferFilter("*", (Resources.of(cpus=8),))
    scheduler = scene.scheduler(offer_filters=(wants,)).register()
    assert not scheduler.offers()

    scene.agent("cpus:8;mem:1024").register()
    assert scheduler.offer().resources.scalar("cpus") == 8


def test_an_offer_that_is_not_used_in_time_is_taken_back():
    scene = Scene(offer_timeout_seconds=10.0)
    scene.agent().register()
    scheduler = scene.scheduler().register()
    scene.world.advance(11)

    assert scheduler.all(RescindResourceOfferMessage)
