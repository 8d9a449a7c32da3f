"""What principals see at the master, in every list and in the stream of events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from libprocess.http.stream import HttpStream
from mesos.types import (
    CommandInfo,
)
from tests.master.guarded import ANY, NONE, QUOTA, ask, call, entry, guarded, only, runs_as_root, shown
from tests.master.scene import Scene, task_on


@pytest.fixture
def lists() -> dict[str, Any]:
    """What ada may see: what is hers, and bob nothing."""
    view = {
        "view_frameworks": ["ada"],
        "view_tasks": ["ada", "tom"],
        "view_executors": ["ada"],
        "view_roles": ["eng"],
        "get_quotas": ["eng"],
    }
    return {
        action: [
            entry(action, {"values": ["ada"]}, {"values": values}),
            entry(action, ANY, NONE),
        ]
        for action, values in view.items()
    }


@pytest.fixture
def scene(lists: dict[str, Any]) -> Scene:
    """Two frameworks, ada's and root's; ada's has tasks of ada and root."""
    scene = guarded(json.dumps(lists))
    agent = scene.agent("cpus:4;mem:4096;cpus(eng):1;cpus(ops):1").register()
    adas = scene.scheduler(user="ada", name="adas", role="eng").register()
    scene.world.advance(2)
    for name, user in (("t1", "ada"), ("t2", "root"), ("t3", "tom")):
        adas.launch(task_on(adas.offer(), name, "cpus:0.1", command=CommandInfo("true", user=user)), refuse_seconds=0)
        scene.world.advance(2)
    adas.launch(task_on(adas.offer(), "t4", "cpus:0.1", executor=runs_as_root()))
    scene.scheduler(user="root", name="roots", role="ops").register()
    assert agent.id
    scene.master.cluster.roles.weights |= {"eng": 2.0, "ops": 3.0}
    return scene


def names(rows: list[Any], key: str = "name") -> list[str]:
    return sorted(row[key] for row in rows)


@pytest.mark.parametrize("path", ["/state", "/frameworks"])
def test_a_principal_sees_its_frameworks_tasks_and_executors(scene: Scene, path: str):
    seen = shown(ask(scene, "ada", path))
    (framework,) = seen["frameworks"]
    assert framework["name"] == "adas"
    assert names(framework["tasks"], "id") == ["t1", "t3"]
    assert framework["executors"] == []
    assert shown(ask(scene, "bob", path))["frameworks"] == []


def test_a_principal_sees_its_tasks(scene: Scene):
    assert names(shown(ask(scene, "ada", "/tasks"))["tasks"], "id") == ["t1", "t3"]
    assert shown(ask(scene, "bob", "/tasks"))["tasks"] == []
    assert len(shown(call(scene, "ada", "GET_TASKS"))["get_tasks"]["tasks"]) == 2
    assert shown(call(scene, "bob", "GET_TASKS"))["get_tasks"] == {}


def test_a_summary_counts_what_is_seen(scene: Scene):
    (agent,) = shown(ask(scene, "ada", "/state-summary"))["slaves"]
    assert agent["TASK_STAGING"] == 2
    (agent,) = shown(ask(scene, "bob", "/state-summary"))["slaves"]
    assert agent["TASK_STAGING"] == 0
    assert agent["framework_ids"] == []


def test_a_principal_sees_its_roles(scene: Scene):
    assert names(shown(ask(scene, "ada", "/roles"))["roles"]) == ["eng"]
    assert shown(ask(scene, "bob", "/roles"))["roles"] == []
    assert shown(ask(scene, "ada", "/weights")) == [{"role": "eng", "weight": 2.0}]
    assert shown(ask(scene, "bob", "/weights")) == []
    assert names(shown(call(scene, "ada", "GET_ROLES"))["get_roles"]["roles"]) == ["eng"]
    assert shown(call(scene, "bob", "GET_WEIGHTS"))["get_weights"] == {}


def test_a_principal_sees_its_quotas(scene: Scene):
    for role in ("eng", "ops"):
        assert ask(scene, "ada", "/quota", "POST", QUOTA | {"role": role}).status == 200
    assert names(shown(ask(scene, "ada", "/quota"))["infos"], "role") == ["eng"]
    assert shown(ask(scene, "bob", "/quota")) == {}


def test_a_principal_sees_what_is_reserved_for_its_roles(scene: Scene):
    (agent,) = shown(ask(scene, "ada", "/slaves"))["slaves"]
    assert list(agent["reserved_resources"]) == ["eng"]
    assert agent["resources"]["cpus"] == 5
    (agent,) = shown(ask(scene, "bob", "/slaves"))["slaves"]
    assert agent["reserved_resources"] == agent["reserved_resources_full"] == {}
    (agent,) = shown(call(scene, "bob", "GET_AGENTS"))["get_agents"]["agents"]
    assert not any("reservations" in each for each in agent["total_resources"])


def test_state_by_call_is_what_is_seen(scene: Scene):
    seen = shown(call(scene, "ada", "GET_STATE"))["get_state"]
    assert len(seen["get_tasks"]["tasks"]) == 2
    assert "executors" not in seen["get_executors"]
    assert len(seen["get_frameworks"]["frameworks"]) == 1
    assert shown(call(scene, "bob", "GET_STATE"))["get_state"]["get_frameworks"] == {}
    assert shown(call(scene, "bob", "GET_EXECUTORS"))["get_executors"] == {}


def test_it_is_explained_for_frameworks_that_are_seen(scene: Scene):
    frameworks = {each.info.name: each.id for each in scene.master.cluster.frameworks.values()}
    mine, theirs = (("framework_id", frameworks["adas"]),), (("framework_id", frameworks["roots"]),)
    assert ask(scene, "ada", "/explain", query=mine).status == 200
    refused = ask(scene, "ada", "/explain", query=theirs)
    assert refused.status == 404
    assert frameworks["roots"] not in refused.body.decode().partition("there are")[2]


def test_flags_are_left_out_of_the_state_for_whoever_may_not_see_them():
    scene = guarded(only("view_flags", "ada"))
    assert "flags" in shown(ask(scene, "ada", "/state"))
    assert "flags" not in shown(ask(scene, "bob", "/state"))


def events(scene: Scene, who: str) -> Callable[[], list[Any]]:
    """Subscribe to events; returns what reads all that came since."""
    response = call(scene, who, "SUBSCRIBE")
    assert response.status == 200
    stream = scene.node.processes[response.stream or scene.master.pid]
    assert isinstance(stream, HttpStream)

    def heard() -> list[Any]:
        found = []
        while (chunk := stream.take()) is not None:
            found.append(json.loads(chunk.partition(b"\n")[2]))
        return [event for event in found if event["type"] != "HEARTBEAT"]

    return heard


def test_events_are_told_to_those_who_may_see_them(scene: Scene):
    ada, bob = events(scene, "ada"), events(scene, "bob")
    assert len(ada()[0]["subscribed"]["get_state"]["get_tasks"]["tasks"]) == 2
    assert "tasks" not in bob()[0]["subscribed"]["get_state"]["get_tasks"]
    mine = scene.scheduler(user="ada", name="more", role="eng").register()
    theirs = scene.scheduler(user="root", name="theirs", role="ops").register()
    for role in ("eng", "ops"):
        scene.agent(f"cpus({role}):4").register()
    scene.world.advance(2)
    for scheduler, task in ((mine, "t5"), (theirs, "t6")):
        (role,) = scheduler.info.all_roles
        scheduler.launch(task_on(scheduler.offer(), task, f"cpus({role}):0.1"))
    told = [event[event["type"].lower()] for event in ada()]
    assert [event["framework"]["framework_info"]["name"] for event in told if "framework" in event] == ["more"]
    assert [event["task"]["task_id"]["value"] for event in told if "task" in event] == ["t5"]
    assert {event["type"] for event in bob()} == {"AGENT_ADDED"}
