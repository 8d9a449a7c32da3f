"""Whatever a client sends, the master answers it and lives on; so do the actors that speak for its clients."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libprocess.http import HttpRequest, HttpResponse
from mesos.v1.media import Media
from mesos.v1.proto import message
from tests.master.scene import Scene
from tests.master.test_scheduler_api import HttpClient
from tests.mesos.v1.trees import documents

SOME = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
JSON = (("content-type", "application/json"),)


def post(scene: Scene, path: str, document: Any, *headers: tuple[str, str]) -> HttpResponse:
    answers: list[HttpResponse] = []
    request = HttpRequest("POST", path, headers=(*JSON, *headers), body=msgspec.json.encode(document))
    scene.node.routes.request(request, answers.append)
    scene.world.settle()
    assert list(scene.node.failures) == []
    return answers[0]


@SOME
@given(body=documents(message("scheduler.Call.Subscribe")))
def test_any_framework_is_admitted_or_refused(body: dict[str, Any]):
    scene = Scene()
    scene.agent().register()
    response = post(scene, "/master/api/v1/scheduler", {"type": "SUBSCRIBE", "subscribe": body})
    scene.world.advance(2)
    assert response.status in (200, 400)
    assert list(scene.node.failures) == []


@SOME
@given(
    type_=st.sampled_from(["ACCEPT", "DECLINE", "REVIVE", "KILL", "SHUTDOWN", "ACKNOWLEDGE", "RECONCILE", "MESSAGE"]),
    data=st.data(),
)
def test_any_call_of_a_framework_is_taken_or_refused(type_: str, data: st.DataObject):
    scene = Scene()
    scene.agent("cpus:4;mem:4096;disk:100;ports:[31000-32000]").register()
    client = HttpClient(scene, Media.JSON).subscribe()
    body = data.draw(documents(message(f"scheduler.Call.{type_.capitalize()}")))
    if type_ in ("ACCEPT", "DECLINE"):
        body["offer_ids"] = [client.offer["id"]]
    for operation in body.get("operations", ()):
        for task in operation.get("launch", {}).get("task_infos", ()):
            task["agent_id"] = client.offer["agent_id"]
    call = {"type": type_, "framework_id": {"value": client.id}, type_.lower(): body}
    response = post(scene, "/master/api/v1/scheduler", call, ("mesos-stream-id", client.stream_id))
    scene.world.advance(2)
    assert response.status in (202, 400)
    assert list(scene.node.failures) == []


@SOME
@given(call=documents(message("master.Call")))
def test_any_call_of_an_operator_is_answered(call: dict[str, Any]):
    scene = Scene()
    assert post(scene, "/master/api/v1", call).status in (200, 400, 501)
