"""Maintenance of machines: what operators plan is told to frameworks, and what is down is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libprocess.http import HttpResponse
from mesos.messages import (
    AcceptInverseOffersMessage,
    AgentRegisteredMessage,
    InverseOffersMessage,
    RescindInverseOfferMessage,
    ShutdownMessage,
)
from mesos.types import TaskInfo, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer

START, HOUR = 1_800_000_000, 3600
BOX = {"hostname": "box"}
OTHER = {"hostname": "other", "ip": "10.0.0.9"}


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent on the machine `box`."""
    return scene.agent(hostname="box").register()


def window(*machines: dict[str, str]) -> dict[str, Any]:
    """Machines that will be away for an hour."""
    times = {"start": {"nanoseconds": START * 10**9}, "duration": {"nanoseconds": HOUR * 10**9}}
    return {"machine_ids": list(machines), "unavailability": times}


def post(scene: Scene, path: str, body: Any) -> HttpResponse:
    return scene.get(path, "POST", json.dumps(body))


def plan(scene: Scene, *windows: dict[str, Any]) -> HttpResponse:
    return post(scene, "/maintenance/schedule", {"windows": list(windows)})


def shown(scene: Scene, path: str) -> Any:
    return json.loads(scene.get(path).body)


def test_a_schedule_is_shown_as_it_was_set(scene: Scene):
    assert shown(scene, "/maintenance/schedule") == shown(scene, "/maintenance/status") == {}
    assert plan(scene, window(BOX, OTHER)).status == 200
    assert shown(scene, "/maintenance/schedule") == {"windows": [window(BOX, OTHER)]}
    assert shown(scene, "/maintenance/status") == {"draining_machines": [{"id": BOX}, {"id": OTHER}]}


def test_frameworks_are_told_when_and_what_they_say_is_shown(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    plan(scene, window(BOX))
    scene.world.advance(2)
    (inverse,) = scheduler.last(InverseOffersMessage).inverse_offers
    assert (inverse.unavailability.start, inverse.unavailability.duration_seconds) == (START, HOUR)
    assert scheduler.offer().unavailability == inverse.unavailability  # offers say it, too

    scheduler.say(AcceptInverseOffersMessage(scheduler.id, (inverse.id,)))
    (machine,) = shown(scene, "/maintenance/status")["draining_machines"]
    assert [(each["status"], each["framework_id"]["value"]) for each in machine["statuses"]] == [
        ("ACCEPT", scheduler.id)
    ]

    plan(scene)
    assert scheduler.last(RescindInverseOfferMessage).inverse_offer_id == inverse.id
    scene.world.advance(2)
    assert scheduler.offer().unavailability is None


def test_what_is_down_ends_and_is_refused_until_it_is_up(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    plan(scene, window(BOX))
    assert post(scene, "/machine/down", [BOX]).status == 200
    assert agent.all(ShutdownMessage)
    assert scheduler.status(task).state is TaskState.TASK_LOST
    assert shown(scene, "/maintenance/status") == {"down_machines": [BOX]}

    again = scene.agent(hostname="box").register()
    assert "/machine/up ends that" in again.last(ShutdownMessage).message
    scene.restart_master()
    again.register()
    assert len(again.all(ShutdownMessage)) == 2

    assert post(scene, "/machine/up", [BOX]).status == 200
    again.register()
    assert again.all(AgentRegisteredMessage)
    assert shown(scene, "/maintenance/schedule") == {}


def test_a_plan_outlives_the_master(scene: Scene):
    plan(scene, window(BOX, OTHER))
    post(scene, "/machine/down", [OTHER])
    scene.restart_master()
    assert shown(scene, "/maintenance/schedule") == {"windows": [window(BOX, OTHER)]}
    assert shown(scene, "/maintenance/status") == {"draining_machines": [{"id": BOX}], "down_machines": [OTHER]}
    machines = shown(scene, "/registrar(1)/registry")["machines"]["machines"]
    assert [each["info"]["mode"] for each in machines] == ["DRAINING", "DOWN"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/maintenance/schedule", {"windows": [window()]}, "expected machines in each window, found one without"),
        ("/maintenance/schedule", {"windows": [window(BOX, BOX)]}, "expected each machine once, found box twice"),
        ("/maintenance/schedule", {"windows": [window({})]}, "expected a hostname or an ip for each machine"),
        ("/maintenance/schedule", {"windows": []}, "expected machine other (10.0.0.9) in it, which is down"),
        ("/maintenance/schedule", [], "Failed to parse maintenance schedule: "),
        ("/machine/down", [{"hostname": "nobody"}], "expected a machine of the schedule that is not down yet, found"),
        ("/machine/down", [OTHER], "expected a machine of the schedule that is not down yet, found other"),
        ("/machine/up", [BOX], "expected a machine that is down, found box"),
        ("/machine/up", "box", "Failed to parse a list of machines: "),
    ],
)
def test_what_cannot_be_is_refused(scene: Scene, path: str, body: Any, text: str):
    plan(scene, window(OTHER, BOX))
    post(scene, "/machine/down", [OTHER])
    refused = post(scene, path, body)
    assert refused.status == 400
    assert text in refused.body.decode()


def test_it_goes_by_calls_as_well(scene: Scene):
    def call(type_: str, **body: Any) -> HttpResponse:
        text = json.dumps({"type": type_} | ({type_.lower(): body} if body else {}))
        return scene.get("/api/v1", "POST", text, headers=(("content-type", "application/json"),))

    assert call("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": [window(BOX)]}).status == 200
    schedule = json.loads(call("GET_MAINTENANCE_SCHEDULE").body)["get_maintenance_schedule"]["schedule"]
    assert schedule == {"windows": [window(BOX)]}
    assert call("START_MAINTENANCE", machines=[BOX]).status == 200
    status = json.loads(call("GET_MAINTENANCE_STATUS").body)["get_maintenance_status"]["status"]
    assert status == {"down_machines": [BOX]}
    assert call("STOP_MAINTENANCE", machines=[BOX]).status == 200
