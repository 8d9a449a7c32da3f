"""Operators over HTTP: what the agent tells of itself and of what runs on it."""

from __future__ import annotations

from typing import Any

import pytest

from agent.agent import AGENT_ID
from agent.http.operator_api import CALL, RESPONSE
from libprocess.http import HttpRequest, HttpResponse
from mesos.ids import TaskID
from mesos.types import TaskState
from mesos.v1.media import Media
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, command_task, executor_task


def post(cluster: Cluster, call: dict[str, Any], media: Media = Media.JSON, accept: str = "") -> HttpResponse:
    headers = (("content-type", str(media)), ("accept", accept or str(media)))
    answers: list[HttpResponse] = []
    cluster.node.routes.root = AGENT_ID
    request = HttpRequest("POST", "/api/v1/operator", headers=headers, body=media.write(call, CALL))
    cluster.node.routes.request(request, answers.append)
    cluster.world.settle()
    return answers[0]


@pytest.fixture(params=Media)
def media(request: pytest.FixtureRequest) -> Media:
    return Media(request.param)


def ask(cluster: Cluster, media: Media, type_: str, **body: Any) -> dict[str, Any]:
    """What the agent answers; it fits the API's own message."""
    call = {"type": type_} | ({type_.lower(): {}} if type_ == "GET_METRICS" else {})
    response = post(cluster, call, media)
    assert (response.status, response.content_type) == (200, media), response.body
    answer = media.read(response.body, RESPONSE)
    assert answer["type"] == type_
    return dict(answer.get(type_.lower(), {}))


def test_what_the_agent_says_of_itself(cluster: Cluster, media: Media):
    assert ask(cluster, media, "GET_HEALTH") == {"healthy": True}
    assert ask(cluster, media, "GET_AGENT")["agent_info"]["id"] == {"value": AGENT}
    assert {"name": "work_dir", "value": "/srv/mesos"} in ask(cluster, media, "GET_FLAGS")["flags"]
    assert ask(cluster, media, "GET_VERSION")["version_info"]["version"]
    assert ask(cluster, media, "GET_LOGGING_LEVEL") == {"level": 0}
    assert ask(cluster, media, "GET_METRICS")["metrics"]
    assert ask(cluster, media, "GET_OPERATIONS") == {}
    assert ask(cluster, media, "GET_RESOURCE_PROVIDERS") == {}


def test_what_runs_and_what_waits(cluster: Cluster, media: Media):
    cluster.run(executor_task("t1"), command_task("t2"))
    tasks = ask(cluster, media, "GET_TASKS")
    assert [task["task_id"]["value"] for task in tasks["queued_tasks"]] == ["t1"]
    assert [task["task_id"]["value"] for task in tasks["launched_tasks"]] == ["t2"]
    executors = ask(cluster, media, "GET_EXECUTORS")["executors"]
    assert [each["executor_info"]["executor_id"]["value"] for each in executors] == ["E1", "t2"]
    [framework] = ask(cluster, media, "GET_FRAMEWORKS")["frameworks"]
    assert framework["framework_info"]["id"] == {"value": FRAMEWORK}
    containers = ask(cluster, media, "GET_CONTAINERS")["containers"]
    assert {each["container_id"]["value"] for each in containers} == set(cluster.machine.running)
    assert ask(cluster, media, "GET_STATE")["get_tasks"] == tasks


def test_what_has_ended(cluster: Cluster, media: Media):
    cluster.run(executor_task("t1"))
    cluster.start_program().report(TaskID("t1"), TaskState.TASK_FINISHED)
    cluster.world.settle()
    cluster.machine.end()
    cluster.world.settle()
    [task] = ask(cluster, media, "GET_TASKS")["completed_tasks"]
    assert (task["task_id"]["value"], task["state"]) == ("t1", "TASK_FINISHED")
    assert ask(cluster, media, "GET_EXECUTORS").keys() == {"completed_executors"}
    assert ask(cluster, media, "GET_FRAMEWORKS").keys() == {"completed_frameworks"}


@pytest.mark.parametrize(
    ("call", "accept", "status", "text"),
    [
        ({}, "", 400, "Failed to validate agent::Call: Expecting 'type' to be present"),
        ({"type": "READ_FILE"}, "", 400, "Failed to validate agent::Call: Expecting 'read_file' to be present"),
        ({"type": "PRUNE_IMAGES"}, "", 501, "501 Not Implemented. This agent does not know the call PRUNE_IMAGES."),
        (
            {"type": "GET_HEALTH"},
            "text/html",
            406,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        ),
    ],
)
def test_a_call_is_refused(cluster: Cluster, call: dict[str, Any], accept: str, status: int, text: str):
    refused = post(cluster, call, accept=accept)
    assert (refused.status, refused.body.decode()) == (status, text)
