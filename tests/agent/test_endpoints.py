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
    assert read(cluster, "/flags")["flags"]["work_dir"] == "/srv/mesos"
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

    assert state["completed_frameworks"] == [], "it had nothing here for a while, and has again"
    (framework,) = state["frameworks"]
    (command,) = framework["completed_executors"]
    assert command["name"] == "Command Executor (Task: t1) (Command: sh -c 'true')"
    (task,) = command["completed_tasks"]
    assert (task["id"], task["state"]) == ("t1", "TASK_FINISHED")

    assert framework["id"] == FRAMEWORK
    (executor,) = framework["executors"]
    assert [task["id"] for task in executor["tasks"]] == ["t2", "t3"]


def test_tasks_that_wait_for_their_executor_are_shown_apart(cluster: Cluster):
    cluster.run(executor_task("t1"))

    (framework,) = read(cluster, "/state")["frameworks"]
    (executor,) = framework["executors"]
    assert executor["tasks"] == []
    assert [task["id"] for task in executor["queued_tasks"]] == ["t1"]


def test_what_containers_use_is_shown(cluster: Cluster):
    cluster.machine.measured = (("cpus_user_time_secs", 1.5), ("mem_rss_bytes", 1000.0))
    cluster.run(command_task("t1"))

    (shown,) = read(cluster, "/monitor/statistics")
    assert (shown["executor_id"], shown["framework_id"], shown["source"]) == ("t1", FRAMEWORK, "t1")
    assert shown["statistics"] == {
        "cpus_soft_limit": 1.0,
        "cpus_user_time_secs": 1.5,
        "mem_rss_bytes": 1000.0,
        "timestamp": cluster.node.clock.now(),
    }
    (shown,) = read(cluster, "/containers")
    assert shown["container_id"] == cluster.machine.container_id
    assert shown["status"]["container_id"] == {"value": cluster.machine.container_id}


def test_what_containers_used_is_remembered_for_a_while(cluster: Cluster):
    cluster.run(command_task("t1"))
    container_id = cluster.machine.container_id
    for used in (1.0, 2.0, 3.0):
        cluster.machine.measured = (("cpus_user_time_secs", used),)
        cluster.world.advance(seconds=15)

    history = read(cluster, "/monitor/history")
    assert [numbers["cpus_user_time_secs"] for numbers in history[container_id]] == [1.0, 2.0, 3.0]
    assert cluster.node.metrics.snapshot()["slave/containers_cpus_user_time_secs"] == 3.0

    cluster.machine.end()
    cluster.world.advance(seconds=15)
    assert read(cluster, "/monitor/history") == {}


def test_metrics_count_what_runs_and_what_ran(cluster: Cluster):
    cluster.run(command_task("t1"), executor_task("t2"))
    cluster.machine.end(status=256, container_id=next(iter(cluster.machine.configs)))
    cluster.world.settle()

    shown = cluster.node.metrics.snapshot()
    assert shown["slave/registered"] == 1
    assert shown["slave/cpus_total"] == 4
    assert shown["slave/cpus_used"] == 1.5
    assert shown["slave/mem_percent"] == 96 / 1024
    assert shown["slave/executors_registering"] == 1
    assert shown["slave/executors_terminated"] == 1
    assert shown["slave/tasks_staging"] == 1
    assert shown["slave/tasks_failed"] == 1
    assert shown["slave/tasks_finished"] == 0
