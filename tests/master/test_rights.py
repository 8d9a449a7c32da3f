"""What principals may do at the master: each action allowed to one and denied to another, by every door."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from libprocess.http import HttpRequest, HttpResponse
from master.validation.rights import to_operate
from mesos.access.acls import parse_acls
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
    GrowVolume,
    Operation,
    OperationState,
    Reason,
    Reserve,
    ShrinkVolume,
    TaskState,
    Unreserve,
)
from tests.master.guarded import ANY, NONE, QUOTA, ask, call, entry, form, guarded, only, runs_as_root
from tests.master.scene import Scene, framework_info, task_on

# What operators do.

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
