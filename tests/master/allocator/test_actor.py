"""What the allocator says to which messages, and when."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from master.allocator import Options
from master.allocator.messages import (
    AddAgentMessage,
    AddFrameworkMessage,
    ChangeAgentMessage,
    ChangeFrameworkMessage,
    ExpectAgentsMessage,
    ExplainMessage,
    Quota,
    RemoveAgentMessage,
    RemoveFrameworkMessage,
    ReviveRolesMessage,
    SetAgentActiveMessage,
    SetFrameworkActiveMessage,
    SetQuotasMessage,
    SetWhitelistMessage,
    SuppressRolesMessage,
    UpdateAllocationMessage,
    UpdateAvailableMessage,
    Used,
)
from mesos.ids import AgentID, FrameworkID
from mesos.resources import DiskInfo, DiskSource, DiskSourceType, Kind, Resource, Resources
from mesos.types import (
    AgentCapability,
    AgentInfo,
    Attribute,
    DomainInfo,
    FaultDomain,
    FrameworkCapability,
    FrameworkInfo,
    OfferFilter,
)
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate
from tests.master.allocator.scene import Scene, agent, decline, framework, lot, recover, use

ALL = "cpus:4;mem:1024"


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_agent_is_offered_once_there_is_somebody(scene: Scene):
    assert scene.say(agent("x")) == []
    assert scene.say(framework("f")) == [("f", "x", ALL)]


def test_a_framework_is_told_of_all_its_agents_at_once(scene: Scene):
    scene.say(framework("f"), agent("x"), agent("y"))

    assert [len(allotment.lots) for allotment in scene.allotments] == [2]


def test_offers_say_how_many_agents_had_been_added(scene: Scene):
    scene.say(framework("f"), agent("x"), agent("y"))

    assert [offers.agents_added for offers in scene.master.offers] == [2]


def test_what_is_given_back_goes_to_the_one_with_the_smaller_share_at_once(scene: Scene):
    scene.say(framework("f"), agent("x"), agent("y"))
    scene.say(framework("g"))

    assert scene.say(recover("f", lot("x", ALL))) == [("g", "x", ALL)]


def test_what_is_declined_goes_to_others_at_once(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(framework("g"))

    assert scene.say(decline("f", lot("x", ALL))) == [("g", "x", ALL)]


def test_what_is_declined_comes_again_when_the_time_is_over(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=5))

    assert scene.wait(4.9) == []
    assert scene.wait(0.2) == [("f", "x", ALL)]


def test_who_declines_for_no_time_is_asked_again_after_the_interval():
    scene = Scene(Options(allocation_interval_seconds=2.0))
    scene.say(framework("f"), agent("x"))

    assert scene.say(decline("f", lot("x", ALL), seconds=0)) == []
    assert scene.wait(1.9) == []
    assert scene.wait(0.2) == [("f", "x", ALL)]


def test_what_is_declined_comes_again_together_with_more(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(use("f", lot("x", "cpus:1")), decline("f", lot("x", "cpus:3;mem:1024"), seconds=1000))

    assert scene.say(recover("f", lot("x", "cpus:1"))) == [("f", "x", ALL)]


def test_the_same_declined_twice_is_refused_until_the_later_end(scene: Scene):
    half = lot("x", "cpus:1;mem:32")
    scene.say(framework("f"), agent("x", "cpus:1;mem:32"))
    scene.say(ChangeAgentMessage(AgentID("x"), AgentInfo("x"), Resources.parse("cpus:2;mem:64")))
    assert scene.say(decline("f", half, seconds=10)) == []
    assert scene.say(decline("f", half, seconds=20)) == [("f", "x", "cpus:2;mem:64")]

    assert scene.say(use("f", half), recover("f", half)) == []
    assert scene.wait(19) == []
    assert scene.wait(2) == [("f", "x", "cpus:1;mem:32")]


def test_a_revived_framework_is_offered_at_once_what_it_declined(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=1000))

    assert scene.say(ReviveRolesMessage(FrameworkID("f"))) == [("f", "x", ALL)]


def test_a_suppressed_role_gets_nothing_until_it_is_revived(scene: Scene):
    scene.say(framework("f", "eng", "ops"), SuppressRolesMessage(FrameworkID("f"), ("eng",)))
    scene.say(agent("x"))
    assert [allotment.role for allotment in scene.allotments] == ["ops"]

    scene.say(SuppressRolesMessage(FrameworkID("f")))
    assert scene.say(agent("y")) == []

    scene.say(ReviveRolesMessage(FrameworkID("f"), ("eng",)))
    assert [allotment.role for allotment in scene.allotments] == ["eng"]


def test_a_role_that_is_not_suppressed_any_more_is_offered_what_was_declined_for_it(scene: Scene):
    scene.say(framework("f", "eng"), agent("x"))
    scene.say(decline("f", lot("x", ALL), role="eng", seconds=1000))
    changed = framework("f", "eng")
    assert scene.say(ChangeFrameworkMessage(FrameworkID("f"), changed.framework)) == []

    assert scene.say(SuppressRolesMessage(FrameworkID("f"))) == []
    assert scene.say(ChangeFrameworkMessage(FrameworkID("f"), changed.framework)) == [("f", "x", ALL)]


def test_a_role_that_a_framework_left_is_offered_what_was_declined_for_it_when_it_comes_back(scene: Scene):
    scene.say(framework("f", "eng", "ops"), SuppressRolesMessage(FrameworkID("f"), ("ops",)), agent("x"))
    scene.say(decline("f", lot("x", ALL), role="eng", seconds=1000))
    both, other = framework("f", "eng", "ops").framework, framework("f", "ops").framework
    assert scene.say(ChangeFrameworkMessage(FrameworkID("f"), other, suppressed_roles=("ops",))) == []

    assert scene.say(ChangeFrameworkMessage(FrameworkID("f"), both, suppressed_roles=("ops",))) == [("f", "x", ALL)]


def test_an_inactive_framework_gets_nothing_and_what_it_declined_is_forgotten(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=1000))

    assert scene.say(SetFrameworkActiveMessage(FrameworkID("f"), False)) == []
    assert scene.say(SetFrameworkActiveMessage(FrameworkID("f"), True)) == [("f", "x", ALL)]


def test_what_a_removed_framework_had_is_free(scene: Scene):
    scene.say(framework("f"), agent("x"), agent("y"))
    scene.say(framework("g"), use("f", lot("x", ALL)))
    offered = scene.say(RemoveFrameworkMessage(FrameworkID("f")))

    assert sorted(offered) == [("g", "x", ALL), ("g", "y", ALL)]


def test_an_inactive_agent_is_not_offered(scene: Scene):
    scene.say(agent("x"), SetAgentActiveMessage(AgentID("x"), False))

    assert scene.say(framework("f")) == []
    assert scene.say(SetAgentActiveMessage(AgentID("x"), True)) == [("f", "x", ALL)]


def test_news_of_what_is_gone_is_ignored(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(RemoveAgentMessage(AgentID("x")))

    assert scene.say(recover("f", lot("x", ALL)), recover("g", lot("x", ALL)), use("f", lot("x", ALL))) == []
    assert scene.say(agent("x")) == [("f", "x", ALL)]


def test_what_runs_on_an_agent_that_comes_back_is_in_use(scene: Scene):
    back = agent("x")
    used = (Used(FrameworkID("f"), "*", Resources.of(cpus=3)),)
    scene.say(framework("f"))

    assert scene.say(AddAgentMessage(back.agent_id, back.agent, back.total, used)) == [("f", "x", "cpus:1;mem:1024")]
    assert scene.say(recover("f", lot("x", "cpus:3")), decline("f", lot("x", "cpus:1;mem:1024"))) == [("f", "x", ALL)]


def test_an_agent_that_grows_is_offered_what_is_new(scene: Scene):
    scene.say(framework("f"), agent("x"))
    grown = ChangeAgentMessage(AgentID("x"), AgentInfo("x"), Resources.parse("cpus:6;mem:1024"))

    assert scene.say(grown) == [("f", "x", "cpus:2")]


def test_an_agent_that_shrinks_below_what_is_held_is_not_offered(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(ChangeAgentMessage(AgentID("x"), AgentInfo("x"), Resources.parse("cpus:2;mem:1024")))

    assert scene.say(recover("f", lot("x", "cpus:1"))) == []
    assert scene.say(recover("f", lot("x", "cpus:3;mem:1024"))) == [("f", "x", "cpus:2;mem:1024")]


def test_other_attributes_make_it_another_agent_to_those_who_declined_it(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=1000))
    info = AgentInfo("x", attributes=(Attribute("rack", "a"),))

    assert scene.say(ChangeAgentMessage(AgentID("x"), info, Resources.parse(ALL))) == [("f", "x", ALL)]


def test_an_agent_that_comes_back_is_still_declined(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=60))

    assert scene.say(agent("x")) == []
    assert scene.say(framework("g")) == [("g", "x", ALL)]
    assert scene.say(agent("x")) == [("g", "x", ALL)]
    assert scene.say(RemoveFrameworkMessage(FrameworkID("g"))) == []
    assert scene.wait(61) == [("f", "x", ALL)]


def test_an_agent_that_comes_back_with_other_attributes_or_after_its_end_is_another_to_those_who_declined_it(
    scene: Scene,
):
    scene.say(framework("f"), agent("x"))
    scene.say(decline("f", lot("x", ALL), seconds=60))
    info = AgentInfo("x", attributes=(Attribute("rack", "a"),))
    assert scene.say(AddAgentMessage(AgentID("x"), info, Resources.parse(ALL))) == [("f", "x", ALL)]

    scene.say(decline("f", lot("x", ALL), seconds=60))
    assert scene.say(RemoveAgentMessage(AgentID("x")), AddAgentMessage(AgentID("x"), info, Resources.parse(ALL)))


def test_only_agents_of_the_whitelist_are_offered(scene: Scene):
    scene.say(SetWhitelistMessage(("good",)), framework("f"))

    assert scene.say(agent("x", hostname="good"), agent("y", hostname="bad")) == [("f", "x", ALL)]
    assert scene.say(SetWhitelistMessage(None)) == [("f", "y", ALL)]


def test_what_is_too_little_is_not_offered(scene: Scene):
    scene.say(framework("f"))

    assert scene.say(agent("x", "cpus:0.005;mem:31")) == []


def test_a_framework_may_be_content_with_less_or_want_more(scene: Scene):
    def wants(id: str, least: str) -> AddFrameworkMessage:
        filters = (OfferFilter("*", (Resources.parse(least),)),)
        return AddFrameworkMessage(FrameworkID(id), FrameworkInfo("user", id, offer_filters=filters))

    scene.say(wants("demanding", "cpus:2"), agent("big", "cpus:2;mem:64"), agent("small", "cpus:1;mem:64"))
    assert scene.offered == [("demanding", "big", "cpus:2;mem:64")]

    scene.say(agent("tiny", "cpus:0.005"))
    assert sorted(scene.say(wants("humble", "cpus:0.001"))) == [
        ("humble", "small", "cpus:1;mem:64"),
        ("humble", "tiny", "cpus:0.005"),
    ]


def test_agents_with_gpus_are_for_those_who_know_of_them(scene: Scene):
    scene.say(framework("f"), agent("x", "cpus:4;gpus:1"))
    assert scene.offered == []

    assert scene.say(framework("g", can=[FrameworkCapability.GPU_RESOURCES])) == [("g", "x", "cpus:4;gpus:1")]


def test_agents_with_gpus_are_for_all_where_the_operator_says_so():
    scene = Scene(Options(filter_gpu_resources=False))

    assert scene.say(framework("f"), agent("x", "cpus:4;gpus:1")) == [("f", "x", "cpus:4;gpus:1")]


def test_agents_that_do_not_know_of_several_roles_are_for_frameworks_with_one(scene: Scene):
    old = AddAgentMessage(AgentID("x"), AgentInfo("x"), Resources.parse(ALL), capabilities=())
    scene.say(framework("f", "eng"), old)
    assert scene.offered == []

    single = FrameworkInfo("user", "g", role="eng/web")
    assert scene.say(AddFrameworkMessage(FrameworkID("g"), single)) == []
    assert scene.say(AddFrameworkMessage(FrameworkID("h"), replace(single, role="eng"))) == [("h", "x", ALL)]


def test_agents_that_do_not_know_of_roles_below_roles_are_for_the_uppermost(scene: Scene):
    able = (AgentCapability.MULTI_ROLE,)
    old = AddAgentMessage(AgentID("x"), AgentInfo("x"), Resources.parse(ALL), capabilities=able)
    scene.say(framework("f", "eng/web"), old)
    assert scene.offered == []

    assert scene.say(framework("g", "eng")) == [("g", "x", ALL)]


def test_agents_far_away_are_for_those_who_know_of_regions():
    scene = Scene(Options(region="here"))
    far = AgentInfo("x", domain=DomainInfo(FaultDomain("there", "zone")))
    scene.say(framework("f"), AddAgentMessage(AgentID("x"), far, Resources.parse(ALL)))
    assert scene.offered == []

    assert scene.say(framework("g", can=[FrameworkCapability.REGION_AWARE])) == [("g", "x", ALL)]
    assert scene.say(agent("y")) == [("f", "y", ALL)]


def test_constraints_choose_among_agents(scene: Scene):
    picky = framework("f")
    constraint = AttributeConstraint(Predicate.TEXT_EQUALS, "rack", text="a")
    constraints = (OfferConstraints("*", ((constraint,),)),)
    scene.say(AddFrameworkMessage(picky.framework_id, picky.framework, constraints=constraints))
    for rack in "ab":
        info = AgentInfo(rack, attributes=(Attribute("rack", rack),))
        scene.say(AddAgentMessage(AgentID(rack), info, Resources.parse(ALL)))
        assert scene.offered == [("f", "a", ALL)] * (rack == "a")


def test_nothing_is_offered_before_the_expected_agents_are_back(scene: Scene):
    scene.say(ExpectAgentsMessage(2), framework("f"))

    assert scene.say(agent("x")) == []
    assert sorted(scene.say(agent("y"))) == [("f", "x", ALL), ("f", "y", ALL)]


def test_expected_agents_are_not_waited_for_for_ever(scene: Scene):
    scene.say(ExpectAgentsMessage(2), framework("f"), agent("x"))

    assert scene.wait(599) == []
    assert scene.wait(2) == [("f", "x", ALL)]


# Operations.


def test_what_an_operation_makes_of_an_offer_is_the_frameworks(scene: Scene):
    scene.say(framework("f", "eng"), framework("g", "ops"))
    ((owner, _, _),) = scene.say(agent("x"))
    role, other = {"f": ("eng", "g"), "g": ("ops", "f")}[owner]
    reserved = Resources.parse(f"cpus({role}):1")
    client = (FrameworkID(owner), role, AgentID("x"))
    scene.say(UpdateAllocationMessage(*client, Resources.of(cpus=1), reserved))
    rest = scene.say(recover(owner, lot("x", "cpus:3;mem:1024"), role=role))
    back = scene.say(recover(owner, lot("x", f"cpus({role}):1"), role=role))

    assert rest == [(other, "x", "cpus:3;mem:1024")]
    assert back == [(owner, "x", str(reserved))]


def test_an_operator_can_reserve_what_is_free(scene: Scene):
    scene.say(agent("x"))
    scene.say(UpdateAvailableMessage(AgentID("x"), Resources.of(cpus=1), Resources.parse("cpus(eng):1")))

    assert [update.error for update in scene.master.updates] == [""]
    assert scene.say(framework("f", "ops")) == [("f", "x", "cpus:3;mem:1024")]


def test_an_operator_cannot_reserve_what_is_offered(scene: Scene):
    scene.say(framework("f"), agent("x"))
    scene.say(UpdateAvailableMessage(AgentID("x"), Resources.of(cpus=1), Resources.parse("cpus(eng):1")))

    assert [update.error for update in scene.master.updates] == ["expected cpus:1 to be free on agent x, found nothing"]


# Quotas.


def thousandths(**amounts: int) -> tuple[tuple[str, int], ...]:
    return tuple((name, amount * 1000) for name, amount in amounts.items())


def test_a_limit_is_never_exceeded(scene: Scene):
    scene.say(SetQuotasMessage((Quota("eng", limits=thousandths(cpus=5, mem=2048)),)), framework("f", "eng/web"))

    assert scene.say(agent("x"))
    assert scene.say(agent("y")) == [("f", "y", "cpus:1;mem:1024")]
    assert scene.say(agent("z")) == []
    assert scene.say(recover("f", lot("x", "cpus:2"), role="eng/web")) in ([("f", agent, "cpus:2")] for agent in "xyz")


def test_what_an_agents_end_leaves_of_a_limit_is_offered_elsewhere(scene: Scene):
    limit = Quota("eng", limits=thousandths(cpus=4, mem=1024))
    scene.say(SetQuotasMessage((limit,)), framework("f", "eng"), agent("x"))
    assert scene.say(agent("y")) == []

    assert scene.say(RemoveAgentMessage(AgentID("x"))) == [("f", "y", ALL)]


def test_what_is_guaranteed_is_kept_for_who_is_not_there_yet(scene: Scene):
    guarantee = Quota("eng", guarantees=thousandths(cpus=4, mem=1024))
    scene.say(SetQuotasMessage((guarantee,)), framework("f", "ops"))
    ((_, first, _),) = scene.say(agent("x"), agent("y"))
    ((id, second, _),) = scene.say(framework("g", "eng"))

    assert id == "g"
    assert {first, second} == {"x", "y"}


def test_a_quota_that_goes_away_lets_go_what_it_kept(scene: Scene):
    scene.say(SetQuotasMessage((Quota("eng", guarantees=thousandths(cpus=4, mem=1024)),)), framework("f", "ops"))
    assert scene.say(agent("x")) == []

    assert scene.say(SetQuotasMessage((Quota("eng"),))) == [("f", "x", ALL)]


def test_reservations_count_against_a_quota_even_when_nobody_has_them(scene: Scene):
    scene.say(SetQuotasMessage((Quota("eng", limits=thousandths(cpus=4)),)), framework("f", "eng"))
    scene.say(SuppressRolesMessage(FrameworkID("f")), agent("x", "cpus(eng):3;mem(eng):64"))
    scene.say(agent("y"))
    offered = {each[1]: each[2] for each in scene.say(ReviveRolesMessage(FrameworkID("f")))}

    assert offered == {"x": "cpus(eng):3;mem(eng):64", "y": "cpus:1;mem:1024"}


# Explaining. What a master's client can be told of the rest is in `tests/master/test_explain.py`.


def told(scene: Scene) -> tuple[str, str]:
    """The one reason of the last answer."""
    (reason,) = scene.master.answers[-1].explanations[0].reasons
    return reason.why, reason.text


def test_before_the_next_allocation_nothing_is_in_the_way(scene: Scene):
    question = ExplainMessage(FrameworkID("f"), "*", AgentID("a"))
    offered = scene.say(framework("f"), agent("a"), question)

    assert told(scene) == ("NOTHING", "nothing is in the way: the next allocation offers cpus:4;mem:1024")
    assert offered == [("f", "a", "cpus:4;mem:1024")]


def test_the_next_allocation_offers_what_quotas_allow_and_nothing_of_others(scene: Scene):
    scene.say(SetQuotasMessage((Quota("eng", limits=thousandths(cpus=1)),)))
    question = ExplainMessage(FrameworkID("f"), "eng", AgentID("a"))
    offered = scene.say(framework("f", "eng"), agent("a", "cpus:4;mem:1024;cpus(ops):2"), question)

    assert told(scene) == ("NOTHING", "nothing is in the way: the next allocation offers cpus:1;mem:1024")
    assert offered == [("f", "a", "cpus:1;mem:1024")]


def test_two_quotas_that_leave_too_little_together_are_both_told(scene: Scene):
    limit = Quota("eng", limits=thousandths(mem=0))
    guarantee = Quota("ops", guarantees=thousandths(cpus=4))
    scene.say(SetQuotasMessage((limit, guarantee)), framework("f", "eng"))
    scene.say(agent("a"), ExplainMessage(FrameworkID("f"), "eng", AgentID("a")))

    assert [reason.why for reason in scene.master.answers[-1].explanations[0].reasons] == ["LIMIT", "HEADROOM"]


def test_a_refusal_of_what_can_be_cut_of_a_guarantee_is_told(scene: Scene):
    """The mount is larger than what is guaranteed and than what is free beside that: nobody gets it."""
    mount = Resource.of(Kind("disk", disk=DiskInfo(DiskSource(DiskSourceType.MOUNT, "/mnt"))), 100)
    scene.say(SetQuotasMessage((Quota("eng", guarantees=thousandths(disk=60)),)), framework("f", "eng"))
    offered = scene.say(AddAgentMessage(AgentID("a"), AgentInfo("a"), Resources.of(mount, cpus=2)))
    assert offered == [("f", "a", "cpus:2")]
    scene.say(decline("f", lot("a", "cpus:2"), role="eng", seconds=60))
    scene.say(ExplainMessage(FrameworkID("f"), "eng", AgentID("a")))

    assert told(scene)[0] == "REFUSED"


def test_of_a_framework_that_is_over_nobody_knows_why(scene: Scene):
    gone = RemoveFrameworkMessage(FrameworkID("f"))
    scene.say(framework("f"), agent("a"), gone, ExplainMessage(FrameworkID("f"), "*", AgentID("a")))

    assert told(scene) == ("NO_FRAMEWORK", "the allocator knows no framework f")
