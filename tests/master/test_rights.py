"""What principals may do and see at the master: each action allowed to one and denied to another, by every door."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.authentication import Basic
from libprocess.http.builtin import spawn_builtin
from libprocess.http.gate import READ, WRITE, Gate
from libprocess.http.stream import HttpStream
from master.master import MASTER
from master.validation.rights import to_operate
from mesos.access.acls import parse_acls
from mesos.access.actions import OBJECTS
from mesos.access.gate import SCHEDULER, may_use
from mesos.ids import AgentID, OperationID
from mesos.messages import (
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    ReregisterFrameworkMessage,
    ShutdownMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Resources
from mesos.resources.jsonform import resources_from_json
from mesos.types import (
    CommandInfo,
    Create,
    Destroy,
    ExecutorInfo,
    GrowVolume,
    Operation,
    OperationState,
    Reason,
    Reserve,
    ShrinkVolume,
    TaskState,
    Unreserve,
)
from tests.master.scene import Scene, executor, framework_info, task_on

ANY: dict[str, Any] = {"type": "ANY"}
NONE: dict[str, Any] = {"type": "NONE"}
PASSWORDS = Basic("tests", {"ada": "ada", "bob": "bob"})

RESERVED = {
    "name": "cpus",
    "type": "SCALAR",
    "scalar": {"value": 1},
    "reservations": [{"role": "eng", "type": "DYNAMIC", "principal": "ada"}],
}
VOLUME = {
    "name": "disk",
    "type": "SCALAR",
    "scalar": {"value": 64},
    "reservations": [{"role": "eng", "type": "STATIC"}],
    "disk": {"persistence": {"id": "v1", "principal": "ada"}, "volume": {"container_path": "data", "mode": "RW"}},
}
QUOTA = {"role": "eng", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}], "force": True}


def entry(action: str, who: Any, what: Any) -> dict[str, Any]:
    return {"principals": who, OBJECTS[action]: what}


def only(action: str, principal: str, *values: str) -> str:
    """Lists that let one principal do that, with these objects or any, and nobody else."""
    objects = {"values": list(values)} if values else ANY
    return json.dumps({action: [entry(action, {"values": [principal]}, objects), entry(action, ANY, NONE)]})


def guarded(acls: str, **flags: Any) -> Scene:
    """A master where principals prove who they are, and may do what the lists say."""
    scene = Scene(acls=parse_acls(acls), **flags)
    spawn_builtin(scene.node)
    scene.node.routes.root = MASTER
    scene.node.routes.guard = Gate(
        {READ: PASSWORDS, WRITE: PASSWORDS, SCHEDULER: PASSWORDS},
        may=lambda principal, path: may_use(scene.flags.rights, principal, path),
    )
    scene.world.settle()
    return scene


def ask(scene: Scene, who: str, path: str, method: str = "GET", body: Any = "", query: Any = ()) -> HttpResponse:
    answers: list[HttpResponse] = []
    words = base64.b64encode(f"{who}:{who}".encode()).decode()
    headers = (("authorization", f"Basic {words}"), ("content-type", "application/json"))
    text = body if isinstance(body, str) else json.dumps(body)
    scene.node.routes.request(HttpRequest(method, path, query, headers, text.encode()), answers.append)
    scene.world.settle()
    return answers[0]


def call(scene: Scene, who: str, type_: str, **body: Any) -> HttpResponse:
    return ask(scene, who, "/api/v1", "POST", {"type": type_, **({type_.lower(): body} if body else {})})


def shown(response: HttpResponse) -> Any:
    assert response.status == 200, response
    return json.loads(response.body)


def form(**fields: str) -> str:
    return "&".join(f"{name}={value}" for name, value in fields.items())


# What operators do.


def operate(path: str, field: str, tree: dict[str, Any]) -> Callable[[Scene, str], HttpResponse]:
    """What an operator has done with resources of the only agent."""

    def do(scene: Scene, who: str) -> HttpResponse:
        agent = next(iter(scene.master.cluster.agents))
        return ask(scene, who, path, "POST", form(slaveId=agent, **{field: json.dumps([tree])}))

    return do


reserve = operate("/reserve", "resources", RESERVED)
create = operate("/create-volumes", "volumes", VOLUME)


def undo(
    done: Callable[[Scene, str], HttpResponse], do: Callable[[Scene, str], HttpResponse]
) -> Callable[[Scene, str], HttpResponse]:
    """What an operator undoes that ada did."""

    def undone(scene: Scene, who: str) -> HttpResponse:
        assert done(scene, "ada").status == 202
        return do(scene, who)

    return undone


def tear_down(scene: Scene, who: str) -> HttpResponse:
    framework = next(iter(scene.master.cluster.frameworks))
    return ask(scene, who, "/teardown", "POST", form(frameworkId=framework))


def tear_down_by_call(scene: Scene, who: str) -> HttpResponse:
    framework = next(iter(scene.master.cluster.frameworks))
    return call(scene, who, "TEARDOWN", framework_id={"value": framework})


def agent_call(type_: str) -> Callable[[Scene, str], HttpResponse]:
    """A call about the only agent."""

    def do(scene: Scene, who: str) -> HttpResponse:
        return call(scene, who, type_, agent_id={"value": next(iter(scene.master.cluster.agents))})

    return do


FOR_A_WHILE = {"nanoseconds": 1_000_000_000}

DOINGS: list[tuple[str, str | None, Callable[[Scene, str], HttpResponse]]] = [
    ("reserve_resources", "eng", reserve),
    ("unreserve_resources", "ada", undo(reserve, operate("/unreserve", "resources", RESERVED))),
    ("create_volumes", "eng", create),
    ("destroy_volumes", "ada", undo(create, operate("/destroy-volumes", "volumes", VOLUME))),
    ("teardown_frameworks", "owner", tear_down),
    ("teardown_frameworks", "owner", tear_down_by_call),
    (
        "update_weights",
        "eng",
        lambda scene, who: ask(scene, who, "/weights", "PUT", [{"role": "eng", "weight": 2.0}]),
    ),
    ("update_quotas", "eng", lambda scene, who: ask(scene, who, "/quota", "POST", QUOTA)),
    *(
        (action, None, agent_call(type_))
        for action, type_ in (
            ("drain_agents", "DRAIN_AGENT"),
            ("deactivate_agents", "DEACTIVATE_AGENT"),
            ("reactivate_agents", "REACTIVATE_AGENT"),
            ("mark_agents_gone", "MARK_AGENT_GONE"),
        )
    ),
    (
        "update_weights",
        "eng",
        lambda scene, who: call(scene, who, "UPDATE_WEIGHTS", weight_infos=[{"role": "eng", "weight": 2.0}]),
    ),
    (
        "update_quotas",
        "eng",
        lambda scene, who: call(scene, who, "UPDATE_QUOTA", force=True, quota_configs=[{"role": "eng"}]),
    ),
    ("set_log_level", None, lambda scene, who: call(scene, who, "SET_LOGGING_LEVEL", level=1, duration=FOR_A_WHILE)),
    ("get_maintenance_schedules", None, lambda scene, who: ask(scene, who, "/maintenance/schedule")),
    ("get_maintenance_schedules", None, lambda scene, who: call(scene, who, "GET_MAINTENANCE_SCHEDULE")),
    ("update_maintenance_schedules", None, lambda scene, who: ask(scene, who, "/maintenance/schedule", "POST", {})),
    (
        "update_maintenance_schedules",
        None,
        lambda scene, who: call(scene, who, "UPDATE_MAINTENANCE_SCHEDULE", schedule={}),
    ),
    ("get_maintenance_statuses", None, lambda scene, who: ask(scene, who, "/maintenance/status")),
    ("get_maintenance_statuses", None, lambda scene, who: call(scene, who, "GET_MAINTENANCE_STATUS")),
    ("start_maintenances", None, lambda scene, who: ask(scene, who, "/machine/down", "POST", [])),
    ("start_maintenances", None, lambda scene, who: call(scene, who, "START_MAINTENANCE", machines=[])),
    ("stop_maintenances", None, lambda scene, who: ask(scene, who, "/machine/up", "POST", [])),
    ("stop_maintenances", None, lambda scene, who: call(scene, who, "STOP_MAINTENANCE", machines=[])),
    ("view_flags", None, lambda scene, who: ask(scene, who, "/flags")),
    ("view_flags", None, lambda scene, who: call(scene, who, "GET_FLAGS")),
    ("get_endpoints", "/metrics/snapshot", lambda scene, who: ask(scene, who, "/metrics/snapshot")),
    ("get_endpoints", "/metrics", lambda scene, who: ask(scene, who, "/metrics")),
    ("get_endpoints", "/__processes__", lambda scene, who: ask(scene, who, "/__processes__")),
    (
        "get_endpoints",
        "/metrics/snapshot",
        lambda scene, who: call(scene, who, "GET_METRICS", timeout={"nanoseconds": 1}),
    ),
]


@pytest.mark.parametrize(("action", "asked", "do"), DOINGS)
def test_an_operator_does_what_is_allowed_and_is_refused_the_rest(
    action: str, asked: str | None, do: Callable[[Scene, str], HttpResponse]
):
    lists = only(action, "ada", *([asked] if asked else []))
    for who, statuses in (("ada", (200, 202)), ("bob", (403,))):
        scene = guarded(lists)
        scene.agent("cpus:4;mem:4096;disk(eng):64").register()
        scene.scheduler(principal="owner").register()
        response = do(scene, who)
        assert response.status in statuses, response
        if who == "bob":
            why = json.loads(response.body)["error"]
            assert "principal 'bob' may not" in why
            assert "\n" not in why


def test_what_is_not_asked_to_be_proved_is_done_by_nobody_in_particular():
    scene = Scene(acls=parse_acls(only("update_weights", "ada")))
    refused = scene.get("/weights", "PUT", '[{"role": "eng", "weight": 2}]')
    assert refused.status == 403
    assert b"who did not say who it is may not update_weights with roles 'eng'" in refused.body


# What frameworks and agents do, by messages.


def runs_as_root() -> ExecutorInfo:
    return replace(executor(), command=CommandInfo("./run", user="root"))


def test_a_framework_registers_for_roles_that_its_principal_may_have():
    scene = guarded(only("register_frameworks", "ada", "eng"))
    assert scene.scheduler(principal="ada", role="eng").register().all(FrameworkRegisteredMessage)
    for refused in ({"principal": "bob", "role": "eng"}, {"principal": "ada", "role": "ops"}, {"role": "eng"}):
        scheduler = scene.scheduler(**refused).register()
        assert "may not register_frameworks with roles" in scheduler.last(FrameworkErrorMessage).message


def test_a_framework_that_comes_back_for_another_role_needs_that_too():
    scene = guarded(only("register_frameworks", "ada", "eng"))
    scheduler = scene.scheduler(principal="ada", role="eng").register()
    scheduler.say(ReregisterFrameworkMessage(framework_info(id=scheduler.id, principal="ada", role="ops"), force=True))
    assert "'ops'" in scheduler.last(FrameworkErrorMessage).message


@pytest.mark.parametrize("runs_as", ["command", "executor", "framework"])
def test_a_framework_runs_tasks_as_users_that_its_principal_may_be(runs_as: str):
    scene = guarded(only("run_tasks", "ada", "guest"))
    scene.agent().register()
    user = {"user": "root"} if runs_as == "framework" else {"user": "guest"}
    scheduler = scene.scheduler(principal="ada", **user).register()
    offer = scheduler.offer()
    allowed = task_on(offer, "t1", command=CommandInfo("true", user="guest"))
    denied = {
        "command": lambda: task_on(offer, "t2", command=CommandInfo("true", user="root")),
        "executor": lambda: task_on(offer, "t2", executor=runs_as_root()),
        "framework": lambda: task_on(offer, "t2"),
    }[runs_as]()
    scheduler.launch(allowed, denied)
    status = scheduler.status(denied)
    assert (status.state, status.reason) == (TaskState.TASK_ERROR, Reason.REASON_TASK_UNAUTHORIZED)
    assert status.message == "principal 'ada' may not run_tasks with users 'root'"
    assert not scheduler.statuses(allowed)


def operation_outcome(acls: str, operation: Operation, has: str) -> OperationState | None:
    """What a framework of ada is told of an operation on an agent that has that."""
    scene = guarded(acls)
    scene.agent(has).register()
    scheduler = scene.scheduler(principal="ada", role="eng").register()
    scheduler.accept(operation)
    heard = scheduler.all(UpdateOperationStatusMessage)
    return heard[-1].status.state if heard else None


def of(tree: dict[str, Any]) -> Resources:
    return Resources.of(*resources_from_json(json.dumps([tree])))


OPERATIONS: list[tuple[str, str, Operation, str]] = [
    ("reserve_resources", "eng", Reserve(of(RESERVED), id=OperationID("o")), "cpus:4"),
    ("create_volumes", "eng", Create(of(VOLUME), id=OperationID("o")), "cpus:1;disk(eng):64"),
]


@pytest.mark.parametrize(("action", "role", "operation", "has"), OPERATIONS)
def test_a_framework_changes_resources_as_its_principal_may(action: str, role: str, operation: Operation, has: str):
    assert operation_outcome(only(action, "ada", role), operation, has) is None
    assert operation_outcome(only(action, "ada", "ops"), operation, has) is OperationState.OPERATION_ERROR
    assert operation_outcome(only(action, "bob"), operation, has) is OperationState.OPERATION_ERROR


UNDONE: list[tuple[str, Operation, Operation, str]] = [
    ("unreserve_resources", Reserve(of(RESERVED)), Unreserve(of(RESERVED), id=OperationID("o")), "cpus:4"),
    ("destroy_volumes", Create(of(VOLUME)), Destroy(of(VOLUME), id=OperationID("o")), "cpus:1;disk(eng):64"),
]


@pytest.mark.parametrize(("action", "done", "undo", "has"), UNDONE)
@pytest.mark.parametrize(("of_whom", "expected"), [("ada", None), ("bob", OperationState.OPERATION_ERROR)])
def test_a_framework_undoes_what_principals_did_that_its_own_may(
    action: str, done: Operation, undo: Operation, has: str, of_whom: str, expected: OperationState | None
):
    scene = guarded(only(action, "ada", of_whom))
    scene.agent(has).register()
    scheduler = scene.scheduler(principal="ada", role="eng").register()
    scheduler.accept(done, refuse_seconds=0)
    scene.world.advance(2)
    scheduler.accept(undo)
    heard = scheduler.all(UpdateOperationStatusMessage)
    assert (heard[-1].status.state if heard else None) == expected


def test_a_volume_is_resized_by_who_may_do_that_for_its_role():
    (volume,) = resources_from_json(json.dumps([VOLUME]))
    for operation in (GrowVolume(volume, volume), ShrinkVolume(volume, 1000)):
        assert to_operate(operation) == [("resize_volumes", "eng")]


def test_logs_are_listed_for_who_may_read_them():
    scene = guarded(only("access_mesos_logs", "ada"))
    for type_ in ("LIST_FILES", "READ_FILE"):
        body = {"path": "/master/log", **({"offset": 0} if type_ == "READ_FILE" else {})}
        assert call(scene, "ada", type_, **body).status == 404
        assert call(scene, "bob", type_, **body).status == 403


def test_an_agent_that_may_not_register_is_sent_away():
    denied = guarded(json.dumps({"register_agents": [entry("register_agents", ANY, NONE)]}))
    assert "may not register_agents" in denied.agent().register().last(ShutdownMessage).message
    allowed = guarded(json.dumps({"register_agents": [entry("register_agents", ANY, ANY)]}))
    assert allowed.agent().register().id


def test_an_agent_that_may_not_come_back_is_not_answered_and_keeps_what_it_runs():
    scene = guarded(json.dumps({"register_agents": [entry("register_agents", ANY, NONE)]}))
    agent = scene.agent().reregister(AgentID("other-S0"))
    assert agent.inbox == []


# What is seen.


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


# Schedulers over HTTP.


def subscribe(scene: Scene, who: str, **info: Any) -> HttpResponse:
    body = {"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "u", "name": "n", **info}}}
    return ask(scene, who, "/api/v1/scheduler", "POST", body)


def test_a_scheduler_over_http_is_its_principals():
    scene = guarded("{}")
    assert subscribe(scene, "ada").status == 200
    (framework,) = scene.master.cluster.frameworks.values()
    assert framework.info.principal == "ada"
    assert subscribe(scene, "ada", principal="ada").status == 200
    refused = subscribe(scene, "ada", principal="bob")
    assert refused.status == 403
    assert b"Framework principal 'bob' does not match authenticated principal 'ada'" in refused.body


def test_nobody_calls_for_a_framework_of_another_principal():
    scene = guarded("{}")
    stream_id = dict(subscribe(scene, "ada").headers)["Mesos-Stream-Id"]
    (id_,) = scene.master.cluster.frameworks
    body = {"type": "TEARDOWN", "framework_id": {"value": id_}}

    def tear(who: str) -> HttpResponse:
        answers: list[HttpResponse] = []
        words = base64.b64encode(f"{who}:{who}".encode()).decode()
        headers = (
            ("authorization", f"Basic {words}"),
            ("content-type", "application/json"),
            ("mesos-stream-id", stream_id),
        )
        request = HttpRequest("POST", "/api/v1/scheduler", (), headers, json.dumps(body).encode())
        scene.node.routes.request(request, answers.append)
        scene.world.settle()
        return answers[0]

    assert tear("bob").status == 403
    assert tear("ada").status == 202


# Every route.

STANCES = {
    # Open to all, as in Mesos.
    **dict.fromkeys(("/master/health", "/master/version", "/master/pid", "/master/redirect"), "open"),
    # Part of the cluster: what is seen of it is filtered.
    **dict.fromkeys(("/master/state", "/master/state.json", "/master/state-summary"), "seen"),
    **dict.fromkeys(("/master/state-summary.json", "/master/explain"), "seen"),
    **{f"/master/{name}{end}": "seen" for name in ("slaves", "frameworks", "tasks", "roles") for end in ("", ".json")},
    # By an action.
    "/master/flags": "view_flags",
    "/master/teardown": "teardown_frameworks",
    "/master/history": "seen",
    "/master/adopt": "teardown_frameworks",
    "/master/reserve": "reserve_resources",
    "/master/unreserve": "unreserve_resources",
    "/master/create-volumes": "create_volumes",
    "/master/destroy-volumes": "destroy_volumes",
    "/master/weights": "view_roles, update_weights",
    "/master/quota": "get_quotas, update_quotas",
    "/master/quota/*": "update_quotas",
    "/master/": "a page that shows what it is shown",
    "/master/webui/*": "a page that shows what it is shown",
    "/master/maintenance/schedule": "get_maintenance_schedules, update_maintenance_schedules",
    "/master/maintenance/status": "get_maintenance_statuses",
    "/master/machine/down": "start_maintenances",
    "/master/machine/up": "stop_maintenances",
    "/master/api/v1/*": "by its calls",
    "/master/api/v1/scheduler": "register_frameworks",
    "/metrics/": "get_endpoints",
    "/metrics/snapshot": "get_endpoints",
    "/registrar(1)/registry": "get_endpoints",
    "/openapi.json/": "a description of the rest",
    **dict.fromkeys(
        ("/__processes__/", "/help/*", "/logging/toggle", "/system/stats", "/system/stats.json"), "get_endpoints"
    ),
    "/files/debug": "get_endpoints",
    # A master has none.
    **{f"/files/{name}{end}": "no files" for name in ("browse", "read", "download") for end in ("", ".json")},
}
"""What decides who may use each route. Whoever adds a route says it here, and tests above that it holds."""


def test_every_route_has_a_stance_about_who_may_use_it():
    scene = guarded("{}")
    routes = scene.node.routes.all()
    assert set(routes) == set(STANCES)
    assert {path for path, route in routes.items() if route.access == "open"} == {
        path for path, stance in STANCES.items() if stance == "open"
    }


CALL_STANCES = {
    **dict.fromkeys(("GET_HEALTH", "GET_VERSION", "GET_LOGGING_LEVEL", "GET_MASTER"), "open"),
    **dict.fromkeys(("GET_STATE", "GET_AGENTS", "GET_FRAMEWORKS", "GET_EXECUTORS", "GET_OPERATIONS"), "seen"),
    **dict.fromkeys(("GET_TASKS", "GET_ROLES", "GET_WEIGHTS", "GET_QUOTA", "SUBSCRIBE"), "seen"),
    "GET_FLAGS": "view_flags",
    "GET_METRICS": "get_endpoints",
    "SET_LOGGING_LEVEL": "set_log_level",
    "LIST_FILES": "access_mesos_logs",
    "READ_FILE": "access_mesos_logs",
    "TEARDOWN": "teardown_frameworks",
    "UPDATE_WEIGHTS": "update_weights",
    **dict.fromkeys(("UPDATE_QUOTA", "SET_QUOTA", "REMOVE_QUOTA"), "update_quotas"),
    "RESERVE_RESOURCES": "reserve_resources",
    "UNRESERVE_RESOURCES": "unreserve_resources",
    "CREATE_VOLUMES": "create_volumes",
    "DESTROY_VOLUMES": "destroy_volumes",
    "GROW_VOLUME": "resize_volumes",
    "SHRINK_VOLUME": "resize_volumes",
    "DRAIN_AGENT": "drain_agents",
    "DEACTIVATE_AGENT": "deactivate_agents",
    "REACTIVATE_AGENT": "reactivate_agents",
    "MARK_AGENT_GONE": "mark_agents_gone",
    "UPDATE_MAINTENANCE_SCHEDULE": "update_maintenance_schedules",
    "GET_MAINTENANCE_SCHEDULE": "get_maintenance_schedules",
    "GET_MAINTENANCE_STATUS": "get_maintenance_statuses",
    "START_MAINTENANCE": "start_maintenances",
    "STOP_MAINTENANCE": "stop_maintenances",
}
"""What decides who may make each call. Whoever adds one says it here, and tests above that it holds."""


def test_every_call_has_a_stance_about_who_may_make_it():
    master = guarded("{}").master
    assert {*master.operator_calls, *master.operator_orders} <= set(CALL_STANCES)
    assert {stance for stance in CALL_STANCES.values() if stance not in OBJECTS} == {"open", "seen"}
