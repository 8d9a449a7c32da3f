"""What the master shows over HTTP, held against what a real Mesos answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libprocess.version import VERSION
from mesos.messages import UnregisterFrameworkMessage
from mesos.types import FrameworkCapability, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, task_on


def read(scene: Scene, path: str) -> Any:
    response = scene.get(path)
    assert response.status == 200
    return msgspec.json.decode(response.body)


@pytest.fixture
def busy(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer) -> Scene:
    """One agent; a framework with a task that runs and one that ended; one that is over; one with an offer."""
    offer = scheduler.offer()
    done, runs = task_on(offer, "t0"), task_on(offer, "t1", "cpus:1;mem:64;ports:[31000-31001]", executor=executor())
    scene.agent("ports:[31000-32000]")
    scheduler.launch(done)
    agent.update(done, TaskState.TASK_FINISHED)
    scheduler.acknowledge(done)
    scene.world.advance(6)
    scheduler.launch(task_on(scheduler.offer(), "t1", executor=executor()), refuse_seconds=0)
    agent.update(runs, TaskState.TASK_RUNNING)
    over = scene.scheduler().register()
    over.say(UnregisterFrameworkMessage(over.id))
    scene.world.advance(2)
    return scene


def test_a_master_that_answers_is_healthy(scene: Scene):
    assert scene.get("/health").status == 200
    assert scene.get("/health").body == b""


def test_the_masters_pid_is_found_from_its_web_address(scene: Scene):
    assert read(scene, "/master/pid") == {"pid": "master@master:5050"}


def test_version_and_flags(scene: Scene):
    assert read(scene, "/version")["version"] == VERSION
    assert read(scene, "/flags")["flags"]["agent_ping_timeout"] == "15secs"


def test_redirect_leads_to_the_leader(scene: Scene):
    response = scene.get("/redirect")
    assert response.status == 307
    assert response.headers == (("Location", "//master:5050"),)


def test_paths_mean_the_same_with_and_without_the_masters_name(busy: Scene):
    assert read(busy, "/state") == read(busy, "/master/state")


STATE = {
    "version",
    "start_time",
    "elected_time",
    "id",
    "pid",
    "actor_pid",
    "hostname",
    "capabilities",
    "activated_slaves",
    "deactivated_slaves",
    "unreachable_slaves",
    "leader",
    "leader_info",
    "flags",
    "slaves",
    "recovered_slaves",
    "frameworks",
    "completed_frameworks",
    "orphan_tasks",
    "unregistered_frameworks",
}
AGENT = {
    "id",
    "hostname",
    "port",
    "attributes",
    "pid",
    "actor_pid",
    "registered_time",
    "resources",
    "used_resources",
    "offered_resources",
    "reserved_resources",
    "unreserved_resources",
    "active",
    "deactivated",
    "version",
    "capabilities",
}
FRAMEWORK_SUMMARY = {
    "id",
    "name",
    "pid",
    "used_resources",
    "offered_resources",
    "capabilities",
    "hostname",
    "webui_url",
    "active",
    "connected",
    "recovered",
}
FRAMEWORK = FRAMEWORK_SUMMARY | {
    "user",
    "failover_timeout",
    "checkpoint",
    "registered_time",
    "unregistered_time",
    "resources",
    "role",
    "tasks",
    "unreachable_tasks",
    "completed_tasks",
    "offers",
    "executors",
    "offer_constraints",
}
TASK = {"id", "name", "framework_id", "executor_id", "slave_id", "state", "resources", "role", "statuses"}
EXECUTOR = {"executor_id", "name", "framework_id", "command", "resources", "role", "type", "slave_id"}


def test_state_has_the_fields_of_mesos(busy: Scene):
    state = read(busy, "/state")
    framework = state["frameworks"][0]

    assert set(state) == STATE
    assert set(state["slaves"][0]) == AGENT
    assert set(framework) == FRAMEWORK
    assert set(framework["tasks"][0]) == TASK
    assert set(framework["executors"][0]) == EXECUTOR
    assert set(state["completed_frameworks"][0]) == FRAMEWORK


def test_state_tells_who_uses_what(busy: Scene):
    state = read(busy, "/state")
    (agent,), (framework,) = state["slaves"], state["frameworks"]

    assert agent["resources"] == {"cpus": 4.0, "mem": 4096.0, "disk": 0.0, "gpus": 0.0}
    assert agent["used_resources"] == {"cpus": 1.5, "mem": 96.0, "disk": 0.0, "gpus": 0.0}
    assert agent["offered_resources"] == framework["offered_resources"]
    assert framework["resources"]["cpus"] == 4.0
    assert [task["state"] for task in framework["tasks"]] == ["TASK_RUNNING"]
    assert [task["state"] for task in framework["completed_tasks"]] == ["TASK_FINISHED"]
    assert framework["tasks"][0]["statuses"][0]["state"] == "TASK_RUNNING"
    assert framework["offers"][0]["slave_id"] == agent["id"]


def test_ranges_sets_and_attributes_are_text(scene: Scene):
    scene.agent("cpus:1;ports:[31000-32000];bugs:{a,b};disk(ops):100").register()
    (agent,) = read(scene, "/state")["slaves"]

    assert agent["resources"]["ports"] == "[31000-32000]"
    assert agent["resources"]["bugs"] == "{a,b}"
    assert agent["reserved_resources"]["ops"]["disk"] == 100.0
    assert agent["unreserved_resources"]["disk"] == 0.0


def test_a_framework_with_many_roles_shows_them(scene: Scene):
    scene.scheduler(FrameworkCapability.MULTI_ROLE, roles=("a", "b")).register()
    (framework,) = read(scene, "/state")["frameworks"]

    assert framework["roles"] == ["a", "b"]
    assert "role" not in framework


def test_the_summary_counts_tasks_by_state(busy: Scene):
    summary = read(busy, "/state-summary")
    (agent,), (framework,) = summary["slaves"], summary["frameworks"]

    for counted in (agent, framework):
        assert counted["TASK_RUNNING"] == 1
        assert counted["TASK_FINISHED"] == 1
        assert counted["TASK_FAILED"] == 0
    assert agent["framework_ids"] == [framework["id"]]
    assert framework["slave_ids"] == [agent["id"]]


def test_metrics_follow_the_cluster(busy: Scene):
    numbers = {
        name: busy.metric(name)
        for name in ("cpus_total", "cpus_used", "cpus_percent", "frameworks_active", "slaves_active", "tasks_running")
    }
    assert numbers == {
        "cpus_total": 4.0,
        "cpus_used": 1.5,
        "cpus_percent": 0.375,
        "frameworks_active": 1,
        "slaves_active": 1,
        "tasks_running": 1,
    }
