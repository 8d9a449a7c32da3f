"""What principals may do and see on an agent: each action allowed to one and denied to another."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.agent import AGENT_ID
from libprocess import Process
from libprocess.http import HttpRequest, HttpResponse, HttpResponseMessage
from libprocess.http.authentication import Basic, Bearer
from libprocess.http.builtin import spawn_builtin
from libprocess.http.files import AttachFilesMessage, Files, Work
from libprocess.http.gate import READ, WRITE, Gate
from libprocess.pid import PID
from libprocess.simulation import World
from mesos.access.acls import parse_acls
from mesos.access.actions import OBJECTS
from mesos.access.gate import EXECUTOR, may_use, name_of
from mesos.types import CommandInfo
from tests.agent.cluster import FRAMEWORK, Cluster, command_task, executor_task

ANY: dict[str, Any] = {"type": "ANY"}
NONE: dict[str, Any] = {"type": "NONE"}
PASSWORDS = Basic("tests", {"ada": "ada", "bob": "bob"})
KEY = b"a key that is as long as it has to be"


def only(action: str, principal: str, *values: str) -> dict[str, Any]:
    """A list that lets one principal do that, with these objects or any, and nobody else."""
    name = OBJECTS[action]
    objects = {"values": list(values)} if values else ANY
    return {
        action: [{"principals": {"values": [principal]}, name: objects}, {"principals": ANY, name: NONE}],
    }


def guarded(lists: dict[str, Any]) -> Cluster:
    """An agent where principals prove who they are, with a task of ada and a custom executor of root."""
    cluster = Cluster(acls=parse_acls(json.dumps(lists)), token_key=KEY)
    cluster.register()
    spawn_builtin(cluster.node)
    cluster.node.routes.root = AGENT_ID
    cluster.node.routes.guard = Gate(
        {READ: PASSWORDS, WRITE: PASSWORDS, EXECUTOR: Bearer("executor", KEY, cluster.node.now)},
        may=lambda principal, path: may_use(cluster.flags.rights, principal, path),
    )
    cluster.run(command_task("t1", command=CommandInfo("true", user="ada")), executor_task("t2"))
    cluster.start_program()
    return cluster


def basic(who: str) -> str:
    return "Basic " + base64.b64encode(f"{who}:{who}".encode()).decode()


def ask(cluster: Cluster, authorization: str, path: str, method: str = "GET", body: Any = None) -> HttpResponse:
    answers: list[HttpResponse] = []
    headers = (("authorization", authorization), ("content-type", "application/json"))
    sent = b"" if body is None else json.dumps(body).encode()
    cluster.node.routes.request(HttpRequest(method, path, (), headers, sent), answers.append)
    cluster.world.settle()
    return answers[0]


def get(cluster: Cluster, who: str, path: str) -> HttpResponse:
    return ask(cluster, basic(who), path)


def call(cluster: Cluster, who: str, type_: str, **body: Any) -> HttpResponse:
    document = {"type": type_, **({type_.lower(): body} if body else {})}
    return ask(cluster, basic(who), "/api/v1", "POST", document)


def shown(response: HttpResponse) -> Any:
    assert response.status == 200, response
    return json.loads(response.body)


LOOKS: list[tuple[str, str | None, Callable[[Cluster, str], HttpResponse]]] = [
    ("view_flags", None, lambda cluster, who: get(cluster, who, "/flags")),
    ("view_flags", None, lambda cluster, who: call(cluster, who, "GET_FLAGS")),
    *(
        ("get_endpoints", path, lambda cluster, who, path=path: get(cluster, who, path))
        for path in ("/monitor/statistics", "/monitor/history", "/containers", "/metrics/snapshot", "/files/debug")
    ),
    (
        "get_endpoints",
        "/metrics/snapshot",
        lambda cluster, who: call(cluster, who, "GET_METRICS", timeout={"nanoseconds": 1}),
    ),
]


@pytest.mark.parametrize(("action", "asked", "look"), LOOKS)
def test_what_one_may_use_another_may_not(action: str, asked: str | None, look: Callable[[Cluster, str], HttpResponse]):
    cluster = guarded(only(action, "ada", *([asked] if asked else [])))
    assert look(cluster, "ada").status == 200
    refused = look(cluster, "bob")
    assert refused.status == 403
    assert "principal 'bob' may not" in json.loads(refused.body)["error"]


def seen_tasks(cluster: Cluster, who: str) -> list[str]:
    return sorted(
        task["id"]
        for framework in shown(get(cluster, who, "/state"))["frameworks"]
        for executor in framework["executors"]
        for task in (*executor["tasks"], *executor["queued_tasks"])
    )


@pytest.mark.parametrize(
    ("lists", "tasks"),
    [
        ({}, ["t1", "t2"]),
        (only("view_frameworks", "ada", "root"), ["t1", "t2"]),
        (only("view_frameworks", "ada", "guest"), []),
        (only("view_executors", "ada", "ada"), ["t1"]),
        (only("view_tasks", "ada", "root"), ["t2"]),
    ],
)
def test_a_principal_sees_its_frameworks_executors_and_tasks(lists: dict[str, Any], tasks: list[str]):
    cluster = guarded(lists)
    assert seen_tasks(cluster, "ada") == tasks
    called = shown(call(cluster, "ada", "GET_TASKS"))["get_tasks"]
    assert sorted(each["task_id"]["value"] for found in called.values() for each in found) == tasks
    if lists:
        assert seen_tasks(cluster, "bob") == []
        assert shown(call(cluster, "bob", "GET_TASKS"))["get_tasks"] == {}


def test_what_ended_is_seen_by_whom_it_was_when_it_ran():
    cluster = guarded(only("view_executors", "ada", "ada"))
    for container in list(cluster.machine.running):
        cluster.machine.end(container_id=container)
        cluster.world.settle()
    cluster.world.advance(1)
    (framework,) = shown(get(cluster, "ada", "/state"))["completed_frameworks"]
    assert [each["id"] for each in framework["completed_executors"]] == ["t1"]
    (framework,) = shown(get(cluster, "bob", "/state"))["completed_frameworks"]
    assert framework["completed_executors"] == []
    executors = shown(call(cluster, "ada", "GET_EXECUTORS"))["get_executors"]["completed_executors"]
    assert len(executors) == 1


@pytest.mark.parametrize("path", ["/containers", "/monitor/statistics"])
def test_a_principal_sees_its_containers(path: str):
    cluster = guarded(only("view_containers", "ada", "ada"))
    assert [each["executor_id"] for each in shown(get(cluster, "ada", path))] == ["t1"]
    assert shown(get(cluster, "bob", path)) == []
    (container,) = shown(call(cluster, "ada", "GET_CONTAINERS"))["get_containers"]["containers"]
    assert container["executor_id"]["value"] == "t1"
    assert shown(call(cluster, "bob", "GET_CONTAINERS"))["get_containers"] == {}
    cluster.world.advance(15)
    assert len(shown(get(cluster, "ada", "/monitor/history"))) == 1
    assert shown(get(cluster, "bob", "/monitor/history")) == {}


def test_flags_are_left_out_of_the_state_for_whoever_may_not_see_them():
    cluster = guarded(only("view_flags", "ada"))
    assert "flags" in shown(get(cluster, "ada", "/state"))
    assert "flags" not in shown(get(cluster, "bob", "/state"))


# Sandboxes.


class Here:
    """Reads the disk at once."""

    def __init__(self, world: World) -> None:
        self.node = world.node("node")

    def later(self, work: Work, asker: PID) -> None:
        self.node.send(asker, HttpResponseMessage(work()))


def test_an_agent_says_whose_its_sandboxes_are():
    cluster = guarded(only("access_sandboxes", "ada", "ada"))
    mine, theirs = (executor.directory for executor in cluster.agent.frameworks.executors())
    assert set(shown(get(cluster, "ada", "/files/debug")).values()) == {mine}
    assert shown(get(cluster, "bob", "/files/debug")) == {}
    assert theirs != mine
    assert "/srv/mesos/agents" in shown(get(guarded({}), "bob", "/files/debug"))


class Owner(Process):
    """Says whose directories are."""


@pytest.mark.parametrize("path", ["stdout", "../bob/stdout", "link/stdout", "../nobody/stdout"])
def test_files_are_shown_to_whom_they_belong(path: str, tmp_path: Path):
    for name in ("ada", "bob", "nobody"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stdout").write_text(f"of {name}")
    (tmp_path / "ada" / "link").symlink_to(tmp_path / "bob")
    world = World()
    here = Here(world)
    node = here.node
    files = node.spawn(Files(here, [str(tmp_path)], lambda principal, owner: name_of(principal) == owner), "files")
    owner = node.spawn(Owner())
    for name in ("ada", "bob"):
        node.send(files, AttachFilesMessage(str(tmp_path / name), name), sender=owner)
    world.settle()
    node.routes.guard = Gate({READ: PASSWORDS})

    def read(who: str) -> int:
        answers: list[HttpResponse] = []
        query = (("path", str(tmp_path / "ada" / path)), ("offset", "0"))
        request = HttpRequest("GET", "/files/read", query, (("authorization", basic(who)),))
        node.routes.request(request, answers.append)
        world.settle()
        return answers[0].status

    expected = {
        "stdout": {"ada": 200, "bob": 403},
        "../bob/stdout": {"ada": 403, "bob": 200},
        "link/stdout": {"ada": 403, "bob": 200},
        "../nobody/stdout": {"ada": 404, "bob": 404},
    }
    assert {who: read(who) for who in ("ada", "bob")} == expected[path]


# Changing what the agent is.


def test_only_who_may_register_agents_may_change_one():
    cluster = guarded(only("register_agents", "ada"))
    assert ask(cluster, basic("bob"), "/reconfigure", "POST").status == 403
    assert ask(cluster, basic("ada"), "/reconfigure", "POST").status == 200


# Executors over HTTP.


def subscribe(cluster: Cluster, token: str, executor_id: str) -> HttpResponse:
    document = {
        "type": "SUBSCRIBE",
        "framework_id": {"value": FRAMEWORK},
        "executor_id": {"value": executor_id},
        "subscribe": {"unacknowledged_tasks": [], "unacknowledged_updates": []},
    }
    return ask(cluster, f"Bearer {token}", "/api/v1/executor", "POST", document)


def tokens(cluster: Cluster) -> list[str]:
    """What the containers were started with, in the order of their launch."""
    return [
        variable.value or ""
        for config in cluster.machine.configs.values()
        for variable in config.environment.variables
        if variable.name == "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"
    ]


def test_an_executor_shows_the_token_that_it_was_started_with():
    cluster = guarded({})
    cluster.run(executor_task("t3", "E2"))
    token = tokens(cluster)[-1]
    assert subscribe(cluster, "", "E2").status == 401
    assert subscribe(cluster, f"{token[:-4]}AAAA", "E2").status == 401
    assert subscribe(cluster, tokens(cluster)[0], "E2").status == 403
    assert subscribe(cluster, token, "E1").status == 403
    assert subscribe(cluster, token, "E2").status == 200


# Every route.

STANCES = {
    **dict.fromkeys(("/agent/health", "/agent/version"), "open"),
    **dict.fromkeys(("/agent/state", "/agent/state.json"), "seen"),
    "/agent/flags": "view_flags",
    "/agent/monitor/statistics": "get_endpoints, view_containers",
    "/agent/monitor/statistics.json": "get_endpoints, view_containers",
    "/agent/monitor/history": "get_endpoints, view_containers",
    "/agent/containers": "get_endpoints, view_containers",
    "/agent/": "a page that shows what it is shown",
    "/agent/webui/*": "a page that shows what it is shown",
    "/agent/reconfigure": "register_agents",
    "/agent/api/v1/*": "by its calls",
    "/agent/api/v1/executor": "by its token",
    **{f"/files/{name}{end}": "access_sandboxes" for name in ("browse", "read", "download") for end in ("", ".json")},
    "/files/debug": "get_endpoints, access_sandboxes",
    "/metrics/": "get_endpoints",
    "/metrics/snapshot": "get_endpoints",
    "/openapi.json/": "a description of the rest",
    **dict.fromkeys(
        ("/__processes__/", "/help/*", "/logging/toggle", "/system/stats", "/system/stats.json"), "get_endpoints"
    ),
}
"""What decides who may use each route. Whoever adds a route says it here, and tests above that it holds."""


def test_every_route_has_a_stance_about_who_may_use_it():
    routes = guarded({}).node.routes.all()
    assert set(routes) == set(STANCES)
    assert {path for path, route in routes.items() if route.access == "open"} == {
        path for path, stance in STANCES.items() if stance == "open"
    }
