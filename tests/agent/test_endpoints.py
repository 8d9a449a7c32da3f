"""What an agent shows over HTTP."""

from __future__ import annotations

import json
from typing import Any

from libprocess.http import HttpRequest, HttpResponse
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, command_task, executor_task


def get(cluster: Cluster, path: str) -> HttpResponse:
    answers: list[HttpResponse] = []
    cluster.node.routes.root = "agent"
    cluster.node.routes.request(HttpRequest("GET", path), answers.append)
    cluster.world.settle()
    return answers[0]


def read(cluster: Cluster, path: str) -> Any:
    response = get(cluster, path)
    assert response.status == 200
    return json.loads(response.body)


def test_an_agent_that_answers_is_well(cluster: Cluster):
    assert get(cluster, "/health").status == 200


def test_flags_and_version_are_shown(cluster: Cluster):
    assert read(cluster, "/flags")["flags"]["work_dir"] == "/work"
    assert read(cluster, "/version")["version"]


def test_the_state_shows_all_that_runs_or_ran(cluster: Cluster):
    cluster.run(command_task("t1"))
    cluster.machine.end()
    cluster.world.settle()
    cluster.run(executor_task("t2"), executor_task("t3"))
    cluster.start_program()

    state = read(cluster, "/state")
    assert state["id"] == AGENT
    assert state["resources"] == {"disk": 0.0, "mem": 1024.0, "gpus": 0.0, "cpus": 4.0}
    assert state["unreserved_resources_allocated"]["cpus"] == 2.5

    (completed,) = state["completed_frameworks"]
    (command,) = completed["completed_executors"]
    assert command["name"] == "Command Executor (Task: t1) (Command: sh -c 'true')"
    (task,) = command["completed_tasks"]
    assert (task["id"], task["state"]) == ("t1", "TASK_FINISHED")

    (framework,) = state["frameworks"]
    assert framework["id"] == FRAMEWORK
    (executor,) = framework["executors"]
    assert [task["id"] for task in executor["tasks"]] == ["t2", "t3"]


def test_tasks_that_wait_for_their_executor_are_shown_apart(cluster: Cluster):
    cluster.run(executor_task("t1"))

    (framework,) = read(cluster, "/state")["frameworks"]
    (executor,) = framework["executors"]
    assert executor["tasks"] == []
    assert [task["id"] for task in executor["queued_tasks"]] == ["t1"]
