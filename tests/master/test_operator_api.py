"""Operators over HTTP: what they read, what they tear down, and the events they hear."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libprocess import PID
from libprocess.http import HttpRequest, HttpResponse
from master.http.event_stream import EVENT
from master.http.operator_api import CALL, RESPONSE
from master.master import MASTER
from mesos.messages import FrameworkErrorMessage, ShutdownFrameworkMessage
from mesos.types import TaskState
from mesos.v1.media import Media
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, task_on
from tests.mesos.v1.streams import records


class Operator:
    """Somebody who calls the operator API."""

    def __init__(self, scene: Scene, media: Media = Media.JSON) -> None:
        self.scene = scene
        self.media = media
        self.stream = PID("", "", 0)
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        answers: list[HttpResponse] = []
        self.scene.node.routes.root = MASTER
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        self.scene.node.routes.request(HttpRequest(method, path, headers=pairs, body=body), answers.append)
        self.scene.world.settle()
        return answers[0]

    def post(self, type_: str, body: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        call = {"type": type_} | ({} if body is None else {type_.lower(): body})
        usual = {"content_type": str(self.media), "accept": str(self.media)}
        return self.send("POST", "/api/v1", self.media.write(call, CALL), **(usual | headers))

    def ask(self, type_: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the master answers; it fits the API's own message."""
        response = self.post(type_, body)
        assert (response.status, response.content_type) == (200, self.media), response.body
        answer = self.media.read(response.body, RESPONSE)
        assert answer["type"] == type_
        return dict(answer.get(type_.lower(), {}))

    def subscribe(self, last: int | None = None) -> Operator:
        response = self.post("SUBSCRIBE", last_event_id="" if last is None else str(last))
        assert response.stream is not None
        self.stream = response.stream
        return self

    def hear(self) -> list[dict[str, Any]]:
        """All events so far; in JSON, with their numbers."""
        for record in records(self.scene.node, self.stream):
            is_json = self.media is Media.JSON
            self.events.append(msgspec.json.decode(record) if is_json else self.media.read(record, EVENT))
        return self.events

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.hear()]


@pytest.fixture(params=Media)
def operator(scene: Scene, request: pytest.FixtureRequest) -> Operator:
    return Operator(scene, request.param)


@pytest.fixture
def busy(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer) -> SchedulerPeer:
    """A framework with a task that ended and one that runs in an executor."""
    offer = scheduler.offer()
    done, runs = task_on(offer, "t0"), task_on(offer, "t1", executor=executor())
    scheduler.launch(done, runs)
    agent.update(done, TaskState.TASK_FINISHED)
    scheduler.acknowledge(done)
    agent.update(runs, TaskState.TASK_RUNNING)
    return scheduler


def test_what_the_master_says_of_itself(operator: Operator, scene: Scene):
    assert operator.ask("GET_HEALTH") == {"healthy": True}
    assert operator.ask("GET_MASTER")["master_info"]["id"] == scene.master.info.id
    assert {"name": "agent_ping_timeout", "value": "15secs"} in operator.ask("GET_FLAGS")["flags"]
    assert operator.ask("GET_VERSION")["version_info"]["version"]
    assert operator.ask("GET_LOGGING_LEVEL") == {"level": 0}
    assert operator.ask("GET_OPERATIONS") == {}
    metrics = {each["name"]: each.get("value") for each in operator.ask("GET_METRICS", {})["metrics"]}
    assert metrics["master/slaves_active"] == 0.0


def test_agents_and_frameworks_and_what_they_have(operator: Operator, busy: SchedulerPeer, agent: AgentPeer):
    [shown] = operator.ask("GET_AGENTS")["agents"]
    assert (shown["agent_info"]["id"], shown["active"]) == ({"value": agent.id}, True)
    assert shown["pid"].endswith("agent-1:5051")
    allocated = {each["name"]: each["scalar"]["value"] for each in shown["allocated_resources"]}
    assert allocated == {"cpus": 1.5, "mem": 96.0}
    [framework] = operator.ask("GET_FRAMEWORKS")["frameworks"]
    assert framework["framework_info"]["id"] == {"value": busy.id}
    assert framework["connected"]
    [role] = operator.ask("GET_ROLES")["roles"]
    assert (role["name"], role["weight"], role["frameworks"]) == ("*", 1.0, [{"value": busy.id}])
    [known] = operator.ask("GET_EXECUTORS")["executors"]
    assert known["executor_info"]["executor_id"] == {"value": "e1"}


def test_tasks_by_what_became_of_them(operator: Operator, busy: SchedulerPeer):
    tasks = operator.ask("GET_TASKS")
    assert [(task["task_id"]["value"], task["state"]) for task in tasks["tasks"]] == [("t1", "TASK_RUNNING")]
    assert [task["task_id"]["value"] for task in tasks["completed_tasks"]] == ["t0"]
    state = operator.ask("GET_STATE")
    assert state["get_tasks"] == tasks
    assert set(state) == {"get_tasks", "get_executors", "get_frameworks", "get_agents"}


@pytest.mark.parametrize("way", ["call", "form"])
def test_a_framework_is_torn_down(operator: Operator, busy: SchedulerPeer, agent: AgentPeer, way: str):
    if way == "call":
        assert operator.post("TEARDOWN", {"framework_id": {"value": busy.id}}).status == 200
    else:
        assert operator.send("POST", "/master/teardown", f"frameworkId={busy.id}".encode()).status == 200
    assert operator.ask("GET_FRAMEWORKS")["completed_frameworks"]
    assert busy.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert agent.last(ShutdownFrameworkMessage).framework_id == busy.id


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"frameworkId=nope", b"No framework found with specified ID"), (b"x", b"Missing 'frameworkId' query parameter")],
)
def test_a_framework_that_is_not_there_is_not_torn_down(operator: Operator, body: bytes, text: bytes):
    refused = operator.send("POST", "/teardown", body)
    assert (refused.status, refused.body) == (400, text)


@pytest.mark.parametrize(
    ("type_", "headers", "status", "text"),
    [
        ("UNKNOWN", {}, 400, "Failed to validate master::Call: Expecting 'type' to be present"),
        ("LIST_FILES", {}, 400, "Failed to validate master::Call: Expecting 'list_files' to be present"),
        ("GET_METRICS", {}, 400, "Failed to validate master::Call: Expecting 'get_metrics' to be present"),
        (
            "GET_HEALTH",
            {"accept": "text/html"},
            406,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        ),
        ("GET_HEALTH", {"content_type": ""}, 400, "Expecting 'Content-Type' to be present"),
        ("PRUNE", {}, 400, "Failed to validate master::Call: Expecting 'type' to be present"),
    ],
)
def test_a_call_is_refused(scene: Scene, type_: str, headers: dict[str, str], status: int, text: str):
    refused = Operator(scene).post(type_, **headers)
    assert (refused.status, refused.body.decode()) == (status, text)


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/operator", "/master/api/v1"])
def test_paths_that_mean_the_same(scene: Scene, path: str):
    body = b'{"type":"GET_HEALTH"}'
    assert Operator(scene).send("POST", path, body, content_type="application/json").status == 200


# Events.


def test_the_stream_begins_with_the_whole_state(operator: Operator, busy: SchedulerPeer):
    subscribed, heartbeat = operator.subscribe().hear()
    assert subscribed["type"] == "SUBSCRIBED"
    assert subscribed["subscribed"]["heartbeat_interval_seconds"] == 15.0
    assert len(subscribed["subscribed"]["get_state"]["get_tasks"]["tasks"]) == 1
    assert heartbeat == {"type": "HEARTBEAT"}


def test_the_life_of_a_task_is_heard(operator: Operator, scene: Scene):
    operator.subscribe()
    agent = scene.agent().register()
    scheduler = scene.scheduler().register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING)
    scene.world.advance(16)
    agent.die()
    scene.world.advance(3600)

    news = [type_ for type_ in operator.types if type_ != "HEARTBEAT"]
    assert news[:5] == ["SUBSCRIBED", "AGENT_ADDED", "FRAMEWORK_ADDED", "TASK_ADDED", "TASK_UPDATED"]
    assert "AGENT_REMOVED" in news[5:]
    assert operator.types.count("HEARTBEAT") > 2


def test_a_framework_that_moves_and_ends_is_heard(operator: Operator, scene: Scene):
    operator.subscribe()
    first = scene.scheduler(failover_timeout_seconds=60.0).register()
    second = scene.scheduler(failover_timeout_seconds=60.0)
    second.reregister(first.id, force=True)
    operator.post("TEARDOWN", {"framework_id": {"value": first.id}})
    news = [type_ for type_ in operator.types if type_.startswith("FRAMEWORK")]
    assert news == ["FRAMEWORK_ADDED", *["FRAMEWORK_UPDATED"] * 2, "FRAMEWORK_REMOVED"]


def test_it_is_heard_whether_a_framework_has_a_scheduler(operator: Operator, scene: Scene):
    operator.subscribe()
    first = scene.scheduler(failover_timeout_seconds=60.0).register()
    id_ = first.id
    first.die()
    scene.scheduler(failover_timeout_seconds=60.0).reregister(id_, failover_timeout_seconds=60.0)
    told = [event["framework_updated"]["framework"] for event in operator.hear() if "framework_updated" in event]
    assert [(each.get("active", False), each.get("connected", False)) for each in told] == [
        (False, False),
        (True, True),
    ]


def test_events_are_numbered_and_one_who_comes_back_misses_none(scene: Scene):
    first = Operator(scene).subscribe()
    scene.agent().register()
    scene.scheduler().register()
    numbers = [event["sequence"] for event in first.hear() if "sequence" in event]
    assert numbers == [0, 1, 2]

    again = Operator(scene).subscribe(last=1)
    assert [event.get("sequence") for event in again.hear() if event["type"] != "HEARTBEAT"] == [2]
    assert Operator(scene).subscribe(last=2).types == ["HEARTBEAT"]


@pytest.mark.parametrize("last", [-1, 3, 10**12])
def test_one_who_was_away_for_too_long_begins_anew(scene: Scene, last: int):
    Operator(scene).subscribe()
    scene.agent().register()
    assert Operator(scene).subscribe(last).types == ["SUBSCRIBED", "HEARTBEAT"]


def test_who_has_left_is_not_sent_more(operator: Operator, scene: Scene):
    operator.subscribe()
    scene.node.terminate(operator.stream)
    scene.world.settle()
    assert scene.metric("operator_event_stream_subscribers") == 0


# Lists.


def read(scene: Scene, path: str, **query: str) -> Any:
    answers: list[HttpResponse] = []
    scene.node.routes.request(HttpRequest("GET", path, tuple(query.items())), answers.append)
    scene.world.settle()
    assert answers[0].status == 200
    return msgspec.json.decode(answers[0].body)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["t1", "t0"]),
        ({"order": "asc"}, ["t0", "t1"]),
        ({"order": "asc", "limit": "1"}, ["t0"]),
        ({"order": "asc", "limit": "1", "offset": "1"}, ["t1"]),
        ({"order": "asc", "limit": "-1"}, ["t0", "t1"]),
        ({"task_id": "t1"}, ["t1"]),
        ({"framework_id": "nope"}, []),
    ],
)
def test_tasks_are_chosen_and_paged(scene: Scene, agent: AgentPeer, query: dict[str, str], ids: list[str]):
    scheduler = scene.scheduler().register()
    for id_ in ("t0", "t1"):
        scheduler.launch(task_on(scheduler.offer(), id_), refuse_seconds=0)
        scene.world.advance(2)
    assert [task["id"] for task in read(scene, "/master/tasks", **query)["tasks"]] == ids


def test_a_limit_that_is_no_number_is_refused(scene: Scene):
    answers: list[HttpResponse] = []
    scene.node.routes.request(HttpRequest("GET", "/master/tasks", (("limit", "x"),)), answers.append)
    scene.world.settle()
    assert answers[0].status == 400


def test_agents_have_their_resources_in_full(scene: Scene):
    scene.agent("cpus:1;cpus(ops):2").register()
    [agent] = read(scene, "/master/slaves")["slaves"]
    [reserved] = agent["reserved_resources_full"]["ops"]
    assert (reserved["role"], reserved["reservations"]) == ("ops", [{"type": "STATIC", "role": "ops"}])
    assert agent["unreserved_resources_full"][0]["role"] == "*"
    assert read(scene, "/master/slaves", slave_id="nope") == {"slaves": [], "recovered_slaves": []}


def test_frameworks_are_chosen(scene: Scene, busy: SchedulerPeer):
    assert [each["id"] for each in read(scene, "/master/frameworks")["frameworks"]] == [busy.id]
    none = {"frameworks": [], "completed_frameworks": [], "unregistered_frameworks": []}
    assert read(scene, "/master/frameworks", framework_id="nope") == none


def test_roles_and_what_they_have(scene: Scene, busy: SchedulerPeer):
    [role] = read(scene, "/master/roles")["roles"]
    assert role["allocated"] == {"cpus": 1.5, "mem": 96.0}
    assert role["frameworks"] == [busy.id]


def test_weights_are_shown():
    scene = Scene(weights=(("eng", 2.5),))
    assert read(scene, "/master/weights") == [{"role": "eng", "weight": 2.5}]
    assert Operator(scene).ask("GET_WEIGHTS") == {"weight_infos": [{"weight": 2.5, "role": "eng"}]}


@pytest.mark.parametrize("name", ["state", "state-summary", "slaves", "frameworks", "tasks", "roles"])
def test_the_older_names_still_serve(scene: Scene, name: str):
    assert read(scene, f"/master/{name}.json") == read(scene, f"/master/{name}")
