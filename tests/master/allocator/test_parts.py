"""The parts of the allocator for themselves: rankings, holdings, bundles, constraints."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from master.allocator.bundle import Bundles, clip, shrink
from master.allocator.constraints import meets
from master.allocator.holding import Grant, Holding
from master.allocator.node import Node
from master.allocator.quantities import Minimum
from master.allocator.ranking import Ranking
from mesos.resources import Kind, Resource, Resources
from mesos.resources.kind import DiskInfo, DiskSource, DiskSourceType
from mesos.types import AgentInfo, Attribute, DomainInfo, FaultDomain
from mesos.types.constraint import AttributeConstraint, Predicate, PseudoAttribute

bundled = Bundles(Minimum([{"cpus": 10}.items()]))


# Rankings.


@given(st.integers(0, 1000), st.integers(0, 400), st.integers(1, 10))
def test_a_ranking_reads_those_who_are_eligible_in_order(seed: int, count: int, every: int):
    chance = random.Random(seed)
    nodes = []
    ranking = Ranking()
    for index in range(count):
        node = Node(f"n{index}")
        node.mask, node.place = 1 << index, (chance.choice([0.0, 0.5, chance.random()]), 0, node.path, node)
        nodes.append(node)
        ranking.add(node.place)
    for node in chance.sample(nodes, count // 3):
        ranking.remove(node.place)
        nodes.remove(node)
    eligible = sum(node.mask for node in nodes[::every])

    assert list(ranking.read(eligible)) == sorted(node.place for node in nodes[::every])


def test_a_ranking_can_be_emptied_and_filled_again():
    node = Node("n")
    node.mask, place = 1, (0.0, 0, "n", node)
    ranking = Ranking([place])
    ranking.remove(place)
    assert list(ranking.read(1)) == []

    ranking.add(place)
    assert list(ranking.read(1)) == [place]


# Holdings.


def offered(*texts: str) -> Holding:
    """A holding with an offer of each of these."""
    return Holding(tuple(Grant(bundled(Resources.parse(text)), time) for time, text in enumerate(texts)))


def contents(holding: Holding) -> tuple[list[str], str | None]:
    used = str(holding.used.resources) if holding.used is not None else None
    return [str(grant.bundle.resources) for grant in holding.offers], used


@pytest.mark.parametrize(
    ("offers", "used", "taken", "left"),
    [
        (["cpus:4", "cpus:2"], None, "cpus:2", (["cpus:4"], None)),
        (["cpus:4"], None, "cpus:1", (["cpus:3"], None)),
        (["cpus:4"], "cpus:1", "cpus:1", (["cpus:3"], None)),
        (["cpus:4"], "cpus:2", "cpus:1", (["cpus:2"], "cpus:1")),
        (["cpus:4"], "cpus:4", "cpus:4", ([], None)),
        (["cpus:2", "cpus:1"], None, "cpus:3", ([], None)),
        (["cpus:2", "mem:64"], "cpus:1", "cpus:2", ([], "mem:64")),
    ],
)
def test_what_is_given_back_was_an_offer_or_in_use(
    offers: list[str], used: str | None, taken: str, left: tuple[list[str], str | None]
):
    holding = offered(*offers)
    if used is not None:
        holding = holding.using(Resources.parse(used), bundled)
    bundle, rest = holding.without(Resources.parse(taken), bundled)
    assert str(bundle.resources) == taken
    assert contents(rest) == left


def test_nobody_gives_back_more_than_it_has():
    with pytest.raises(ValueError, match="cannot be taken"):
        offered("cpus:1").without(Resources.parse("cpus:2"), bundled)


def test_use_is_told_of_what_no_single_offer_holds():
    holding = offered("cpus:1", "cpus:2;mem:64").using(Resources.parse("cpus:3"), bundled)

    assert Resources.sum(bundle.resources for bundle in holding.bundles) == Resources.parse("cpus:3;mem:64")


# Bundles.


MOUNT = Resource.of(Kind("disk", disk=DiskInfo(DiskSource(DiskSourceType.MOUNT, "/mnt"))), 100)


def test_what_cannot_be_cut_stays_whole_or_goes():
    resources = Resources.of(MOUNT, cpus=4)

    assert shrink(resources, {"disk": 99_000, "cpus": 1500}) == Resources.of(cpus=1.5)
    assert shrink(resources, {"disk": 100_000}) is resources


def test_nothing_is_free_where_more_is_held_than_there_is():
    left = clip(Resources.parse("cpus:2;mem:64;ports:[1-9]"), Resources.parse("cpus:3;mem:32;ports:[5-20]"))

    assert left == Resources.parse("mem:32;ports:[1-4]")


def test_bundles_of_disks_that_only_count_as_alike_are_kept_apart():
    ours, theirs = (
        Resources.of(Resource.of(Kind("disk", disk=DiskInfo(persistence_id="v", principal=principal)), 1))
        for principal in ("ours", "theirs")
    )
    assert ours == theirs

    assert bundled(ours).resources is ours
    assert bundled(theirs).resources is theirs


# Constraints.


AGENT = AgentInfo(
    "host-1",
    attributes=(Attribute("rack", "a7"), Attribute("level", 3.0), Attribute("zone", "red"), Attribute("zone", "blue")),
    domain=DomainInfo(FaultDomain("eu", "eu-1")),
)


@pytest.mark.parametrize(
    ("name", "predicate", "text", "is_met"),
    [
        ("rack", Predicate.EXISTS, "", True),
        ("none", Predicate.EXISTS, "", False),
        ("rack", Predicate.NOT_EXISTS, "", False),
        ("none", Predicate.NOT_EXISTS, "", True),
        ("rack", Predicate.TEXT_EQUALS, "a7", True),
        ("rack", Predicate.TEXT_EQUALS, "a", False),
        ("none", Predicate.TEXT_EQUALS, "", False),
        ("zone", Predicate.TEXT_EQUALS, "red", True),
        ("zone", Predicate.TEXT_EQUALS, "blue", False),
        ("rack", Predicate.TEXT_NOT_EQUALS, "a7", False),
        ("none", Predicate.TEXT_NOT_EQUALS, "a7", True),
        ("zone", Predicate.TEXT_NOT_EQUALS, "blue", True),
        ("level", Predicate.TEXT_EQUALS, "4", True),
        ("level", Predicate.TEXT_NOT_MATCHES, ".*", True),
        ("rack", Predicate.TEXT_MATCHES, "[a-c][0-9]", True),
        ("rack", Predicate.TEXT_MATCHES, "a", False),
        ("none", Predicate.TEXT_MATCHES, ".*", False),
        ("rack", Predicate.TEXT_NOT_MATCHES, "[a-c][0-9]", False),
        ("none", Predicate.TEXT_NOT_MATCHES, ".*", True),
        (PseudoAttribute.HOSTNAME, Predicate.TEXT_MATCHES, "host-[0-9]+", True),
        (PseudoAttribute.REGION, Predicate.TEXT_EQUALS, "eu", True),
        (PseudoAttribute.ZONE, Predicate.TEXT_EQUALS, "eu", False),
    ],
)
def test_a_constraint_is_met(name: str, predicate: Predicate, text: str, is_met: bool):
    if isinstance(name, PseudoAttribute):
        constraint = AttributeConstraint(predicate, pseudoattribute=name, text=text)
    else:
        constraint = AttributeConstraint(predicate, name, text=text)

    assert meets(AGENT, ((constraint,),)) is is_met


def test_a_pattern_takes_no_longer_for_being_hostile():
    """With one that goes back to try again, this would take until the sun is cold."""
    agent = AgentInfo("host", attributes=(Attribute("rack", "a" * 5000),))
    hostile = AttributeConstraint(Predicate.TEXT_MATCHES, "rack", text="(a|aa|a*)*b")

    assert not meets(agent, ((hostile,),))


def test_one_group_has_to_be_met_as_a_whole():
    rack, zone = (AttributeConstraint(Predicate.TEXT_EQUALS, name, text="a7") for name in ("rack", "zone"))

    assert not meets(AGENT, ((rack, zone),))
    assert meets(AGENT, ((zone,), (rack,)))
    assert meets(AGENT, ())
