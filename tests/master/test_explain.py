"""Why was there no offer? A story for each reason, and what the master answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libprocess.http import HttpResponse
from master.allocator.messages import ExpectAgentsMessage
from mesos.ids import AgentID
from mesos.messages import (
    DeactivateFrameworkMessage,
    DeclineOffersMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
)
from mesos.resources import Kind, Reservation, ReservationType, Resource, Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import AgentCapability, AgentInfo, DomainInfo, FaultDomain, Filters, FrameworkCapability, OfferFilter
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate
from tests.master.scene import CAPABILITIES, AgentPeer, Scene, SchedulerPeer, task_on


def ask(scene: Scene, scheduler: SchedulerPeer, agent: AgentPeer | None = None, role: str = "") -> HttpResponse:
    query = {"framework_id": scheduler.id, "role": role, "agent_id": agent.id if agent else ""}
    return scene.get("/explain", query=tuple(query.items()))


def reasons(scene: Scene, scheduler: SchedulerPeer, agent: AgentPeer, role: str = "") -> list[dict[str, Any]]:
    """Why the framework is offered the agent, or not."""
    answer = json.loads(ask(scene, scheduler, agent, role).body)
    assert (answer["framework_id"], len(answer["agents"])) == (scheduler.id, 1)
    return list(answer["agents"][0]["reasons"])


def why(scene: Scene, scheduler: SchedulerPeer, agent: AgentPeer, role: str = "") -> list[str]:
    return [reason["reason"] for reason in reasons(scene, scheduler, agent, role)]


def test_the_framework_has_an_offer(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    began = scene.node.clock.now()
    scene.world.advance(5)
    (reason,) = reasons(scene, scheduler, agent)

    assert (reason["reason"], reason["since"]) == ("OFFERED", began)
    assert reason["text"].startswith("the framework has an offer of cpus:4;mem:4096 there since ")


def test_the_framework_refused_it(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    now = scene.node.clock.now()
    scheduler.say(DeclineOffersMessage(scheduler.id, (scheduler.offer().id,), Filters(60.0)))
    (reason,) = reasons(scene, scheduler, agent)

    assert (reason["reason"], reason["until"]) == ("REFUSED", now + 60.0)
    assert reason["text"].startswith("the framework refused cpus:4;mem:4096 of it until ")


def test_what_is_free_is_too_little(scene: Scene, scheduler: SchedulerPeer):
    small = scene.agent("cpus:0.005;mem:8").register()

    assert why(scene, scheduler, small) == ["MINIMUM"]
    assert reasons(scene, scheduler, small)[0]["text"].startswith("only cpus:0.005;mem:8 is free there, less than")


def test_the_limit_of_its_role_is_reached(scene: Scene, agent: AgentPeer):
    set_quota(scene, limit="cpus:1;mem:64")
    scheduler = scene.scheduler(role="eng").register()
    scheduler.launch(task_on(scheduler.offer()), refuse_seconds=0)
    scene.world.advance(2)

    assert why(scene, scheduler, agent) == ["LIMIT"]
    assert reasons(scene, scheduler, agent)[0]["text"] == "the limits of role eng leave cpus:0;mem:0"


def set_quota(scene: Scene, **amounts: str) -> None:
    lists = {name: resources_to_json(Resources.parse(text)) for name, text in amounts.items()}
    assert scene.get("/quota", "POST", json.dumps({"role": "eng", **lists})).status == 200


def test_what_is_free_is_kept_for_guarantees(scene: Scene, agent: AgentPeer):
    set_quota(scene, guarantee="cpus:4;mem:4096")
    scheduler = scene.scheduler(role="ops").register()

    assert why(scene, scheduler, agent) == ["HEADROOM"]
    assert reasons(scene, scheduler, agent)[0]["text"].endswith("beyond those there is cpus:0;mem:0")


def test_the_framework_suppressed_offers(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.say(DeclineOffersMessage(scheduler.id, (scheduler.offer().id,), Filters(0.0)))
    scheduler.say(SuppressOffersMessage(scheduler.id))
    scene.world.advance(2)

    assert why(scene, scheduler, agent) == ["SUPPRESSED"]


def test_the_scheduler_is_not_connected(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    scheduler.say(DeactivateFrameworkMessage(scheduler.id))
    (reason,) = reasons(scene, scheduler, agent)
    assert (reason["reason"], reason["text"]) == (
        "DISCONNECTED",
        "the framework gets no offers: its scheduler is connected and gave up",
    )

    scheduler.die()
    (reason,) = reasons(scene, scheduler, agent)
    assert reason["text"] == "the framework gets no offers: its scheduler is gone, and may come back"


def test_the_agent_does_not_meet_the_constraints(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler()
    rack = AttributeConstraint(Predicate.EXISTS, "rack")
    scheduler.say(RegisterFrameworkMessage(scheduler.info, (), (OfferConstraints("*", ((rack,),)),)))

    assert why(scene, scheduler, agent) == ["CONSTRAINT"]


def test_another_came_first(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    second = scene.agent().register()
    scheduler.launch(task_on(scheduler.offer()))
    behind = scheduler if any(offer.agent_id == second.id for offer in other.offers()) else other
    reason = reasons(scene, behind, second)[0]

    assert reason["reason"] == "ORDER"
    assert "came first in the order of shares, and has cpus:4;mem:4096 offered there since" in reason["text"]


def test_somebody_has_an_offer_since_before_the_framework_came(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    began = scene.node.clock.now()
    scene.world.advance(3)
    other = scene.scheduler().register()
    reason = reasons(scene, other, agent)[0]

    assert (reason["reason"], reason["since"]) == ("OUTSTANDING", began)
    assert reason["text"].startswith(f"framework {scheduler.id} in role * has cpus:4;mem:4096 offered there since ")


def test_everything_is_in_use(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:4;mem:4096"))

    assert why(scene, scheduler, agent) == ["IN_USE"]


def test_what_is_free_is_reserved_for_others(scene: Scene, scheduler: SchedulerPeer):
    reserved = scene.agent("cpus(eng):4;mem(eng):4096").register()

    assert why(scene, scheduler, reserved) == ["RESERVED"]


def test_the_agent_is_not_connected(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent.die()

    assert "AGENT_INACTIVE" in why(scene, scheduler, agent)


def test_the_agent_is_not_on_the_whitelist(tmp_path: Path):
    path = tmp_path / "whitelist"
    path.write_text("another\n")
    scene = Scene(whitelist=str(path))
    agent, scheduler = scene.agent().register(), scene.scheduler().register()

    assert why(scene, scheduler, agent) == ["NOT_LISTED"]


def test_the_framework_cannot_do_what_the_agent_demands():
    scene = Scene(domain=DomainInfo(FaultDomain("eu", "eu-1")))
    agent, scheduler = scene.agent(), scene.scheduler().register()
    far = DomainInfo(FaultDomain("us", "us-1"))
    agent.say(RegisterAgentMessage(AgentInfo("far", resources=Resources.parse("cpus:4"), domain=far), "1"))
    (reason,) = reasons(scene, scheduler, agent)

    assert (reason["reason"], "REGION_AWARE" in reason["text"]) == ("CAPABILITY", True)


@pytest.mark.parametrize(("role", "expected"), [("eng", []), ("eng/web", ["HIERARCHICAL_ROLE"])])
def test_the_agent_does_not_know_such_roles(role: str, expected: list[str]):
    scene = Scene()
    agent, scheduler = scene.agent(), scene.scheduler(role=role).register()
    box = AgentInfo("box", resources=Resources.parse("cpus:4"))
    agent.say(RegisterAgentMessage(box, "1", (AgentCapability.MULTI_ROLE,)))
    told = [reason["text"] for reason in reasons(scene, scheduler, agent) if reason["reason"] == "CAPABILITY"]

    assert [word for text in told for word in text.replace(",", "").split() if word.endswith("_ROLE")] == expected


def test_the_framework_has_not_that_role(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    (reason,) = reasons(scene, scheduler, agent, role="eng")

    assert (reason["reason"], "only to *" in reason["text"]) == ("NO_ROLE", True)


def test_there_is_no_such_agent(scene: Scene, scheduler: SchedulerPeer):
    answer = scene.get("/explain", query=(("framework_id", scheduler.id), ("agent_id", AgentID("nobody"))))

    assert json.loads(answer.body)["agents"][0]["reasons"][0]["reason"] == "NO_AGENT"


def test_agents_of_a_former_master_are_waited_for(scene: Scene):
    scene.node.send(scene.master.allocator, ExpectAgentsMessage(2))
    agent, scheduler = scene.agent().register(), scene.scheduler().register()

    assert why(scene, scheduler, agent)[0] == "WAITING"
    assert not scheduler.offers()


def test_several_reasons_are_all_told(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.say(DeclineOffersMessage(scheduler.id, (scheduler.offer().id,), Filters(60.0)))
    scheduler.say(SuppressOffersMessage(scheduler.id))

    assert why(scene, scheduler, agent) == ["SUPPRESSED", "REFUSED"]


def test_what_was_refused_is_what_the_quota_allows(scene: Scene, agent: AgentPeer):
    set_quota(scene, limit="cpus:1")
    scheduler = scene.scheduler(role="eng").register()
    scheduler.say(DeclineOffersMessage(scheduler.id, (scheduler.offer().id,), Filters(60.0)))
    (reason,) = reasons(scene, scheduler, agent)

    assert reason["reason"] == "REFUSED"
    assert reason["text"].startswith("the framework refused cpus:1;mem:4096 of it until ")


def test_what_needs_something_that_the_framework_cannot_do_is_told(scene: Scene):
    stack = (Reservation("eng"), Reservation("eng/web", ReservationType.DYNAMIC))
    peer = scene.agent("cpus(eng):4")
    refined = Resources.of(Resource.of(Kind("cpus", reservations=stack), 4))
    peer.say(RegisterAgentMessage(peer.info, "1", CAPABILITIES, refined))
    scheduler = scene.scheduler(role="eng/web").register()
    (reason,) = reasons(scene, scheduler, peer)

    assert reason["reason"] == "CAPABILITY"
    assert reason["text"] == (
        "cpus(eng, eng/web dynamic):4 is free there, and only for frameworks with RESERVATION_REFINEMENT"
    )


def test_a_minimum_of_the_frameworks_own_is_told(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(offer_filters=(OfferFilter("*", (Resources.of(cpus=8),)),)).register()
    (reason,) = reasons(scene, scheduler, agent)

    assert reason["text"] == "only cpus:4;mem:4096 is free there, less than the framework wants to be offered: cpus:8"


def order(scene: Scene, type_: str, agent: AgentPeer) -> None:
    """An operator says what is to become of an agent."""
    body = json.dumps({"type": type_, type_.lower(): {"agent_id": {"value": agent.id}}})
    assert scene.get("/api/v1", "POST", body, headers=(("content-type", "application/json"),)).status == 200


def test_an_agent_that_an_operator_wants_to_be_empty_is_told(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    order(scene, "DRAIN_AGENT", agent)
    text = reasons(scene, scheduler, agent)[0]["text"]
    assert text.startswith("an operator had the agent being drained, since ")

    agent.die()
    text = reasons(scene, scheduler, agent)[0]["text"]
    assert text.startswith("the agent is not connected, and is given up unless it comes back in time, and an operator")


def test_an_agent_that_an_operator_deactivated_is_told(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    order(scene, "DEACTIVATE_AGENT", agent)

    assert reasons(scene, scheduler, agent)[0]["text"] == "an operator deactivated the agent"


def test_an_agent_that_was_given_up_is_told(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent.die()
    scene.world.advance(601)
    (reason,) = reasons(scene, scheduler, agent)

    assert reason["reason"] == "NO_AGENT"
    assert f"agent {agent.id} is out of reach, and was given up at " in reason["text"]


def test_an_agent_that_is_gone_for_good_is_told(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    order(scene, "MARK_AGENT_GONE", agent)

    assert "is gone for good" in reasons(scene, scheduler, agent)[0]["text"]


def test_an_agent_of_a_former_master_is_told(scene: Scene, agent: AgentPeer):
    scene.restart_master()
    scheduler = scene.scheduler().register()

    assert "has not come back yet" in reasons(scene, scheduler, agent)[0]["text"]


# The question.


def test_all_agents_are_explained_if_none_is_named(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scene.agent().register()
    agents = json.loads(ask(scene, scheduler).body)["agents"]

    assert [(each["hostname"], each["reasons"][0]["reason"]) for each in agents] == [
        ("agent-1", "OFFERED"),
        ("agent-3", "OFFERED"),
    ]


def test_a_framework_that_is_not_there_is_a_mistake(scene: Scene):
    answer = scene.get("/explain", query=(("framework_id", "nobody"),))

    assert answer.status == 404
    assert answer.body == b"expected the framework_id of a framework, found 'nobody'; there are none"


def test_a_framework_that_ended_is_offered_nothing_any_more(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    answer = ask(scene, scheduler, agent)

    assert answer.status == 404
    assert answer.body.startswith(f"framework {scheduler.id} ended at ".encode())


def test_of_many_frameworks_some_are_named(scene: Scene):
    for _ in range(12):
        scene.scheduler().register()
    answer = scene.get("/explain", query=(("framework_id", "nobody"),))

    assert answer.body.endswith(b"-0009 and 2 more")


def test_the_role_has_to_be_named_where_there_are_several(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(FrameworkCapability.MULTI_ROLE, roles=("a", "b")).register()

    assert ask(scene, scheduler).status == 400
    assert ask(scene, scheduler, role="a").status == 200


def test_to_explain_changes_nothing(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    before = scheduler.offers()
    for _ in range(3):
        ask(scene, scheduler, agent)

    assert scheduler.offers() == before
