"""Schedulers over HTTP: the same dialogue with the master as any other, and refusals in Mesos' own order and words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libprocess import PID
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.stream import HttpStream
from master.master import MASTER
from mesos.ids import FrameworkID
from mesos.messages import (
    FrameworkRegisteredMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    StatusUpdateAcknowledgementMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import TaskState
from mesos.v1.media import Media
from mesos.v1.scheduler import CALL, EVENT
from tests.master.scene import AgentPeer, Scene
from tests.mesos.v1.streams import records

FRAMEWORK = {"user": "somebody", "name": "tests"}


class HttpClient:
    """A framework's scheduler that speaks HTTP, by its voice."""

    def __init__(self, scene: Scene, media: Media = Media.JSON) -> None:
        self.scene = scene
        self.media = media
        self.stream_id = ""
        self.stream = PID("", "", 0)
        self.events: list[dict[str, Any]] = []

    def post(self, call: dict[str, Any], path: str = "/api/v1/scheduler", **headers: str) -> HttpResponse:
        """Make a call, and let it have its effects."""
        body = self.media.write(call, CALL)
        usual = {"content-type": str(self.media), "accept": str(self.media)}
        if self.stream_id:
            usual["mesos-stream-id"] = self.stream_id
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(HttpRequest("POST", path, headers=tuple({**usual, **named}.items()), body=body))

    def request(self, request: HttpRequest) -> HttpResponse:
        answers: list[HttpResponse] = []
        self.scene.node.routes.root = MASTER
        self.scene.node.routes.request(request, answers.append)
        self.scene.world.settle()
        return answers[0]

    def subscribe(self, id: str = "", **info: Any) -> HttpClient:
        """As a framework that was never here, or as one that has its id."""
        self.stream_id = ""
        known = {"framework_id": {"value": id}} if id else {}
        framework = FRAMEWORK | info | ({"id": {"value": id}} if id else {})
        response = self.post({"type": "SUBSCRIBE", **known, "subscribe": {"framework_info": framework}})
        assert response.status == 200, response.body
        assert response.content_type == self.media
        assert response.stream is not None
        self.stream = response.stream
        self.stream_id = dict(response.headers)["Mesos-Stream-Id"]
        return self

    def call(self, type_: str, **body: Any) -> None:
        """Make a call that is taken."""
        call = {"type": type_, "framework_id": {"value": self.id}} | ({type_.lower(): body} if body else {})
        response = self.post(call)
        assert (response.status, response.body) == (202, b"")

    def hear(self) -> list[dict[str, Any]]:
        """All events so far."""
        self.events += [self.media.read(record, EVENT) for record in records(self.scene.node, self.stream)]
        return self.events

    def all(self, type_: str) -> list[dict[str, Any]]:
        """The bodies of all events of a type so far."""
        return [event.get(type_.lower(), {}) for event in self.hear() if event["type"] == type_]

    @property
    def id(self) -> str:
        """What the master called it."""
        return str(self.all("SUBSCRIBED")[-1]["framework_id"]["value"])

    @property
    def offer(self) -> dict[str, Any]:
        """The last offer."""
        return dict(self.all("OFFERS")[-1]["offers"][-1])

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        stream = self.scene.node.processes.get(self.stream)
        return isinstance(stream, HttpStream) and not stream.has_ended

    def hang_up(self) -> None:
        """Leave without a word."""
        self.scene.node.terminate(self.stream)
        self.scene.world.settle()


@pytest.fixture(params=Media)
def client(scene: Scene, agent: AgentPeer, request: pytest.FixtureRequest) -> HttpClient:
    """A subscribed framework that was offered all that the agent has."""
    return HttpClient(scene, request.param).subscribe()


def scalar(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, "role": "*"}


def launch(client: HttpClient, id: str = "t1") -> None:
    offer = client.offer
    task = {
        "name": id,
        "task_id": {"value": id},
        "agent_id": offer["agent_id"],
        "resources": [scalar("cpus", 1.0), scalar("mem", 64.0)],
        "command": {"value": "true"},
    }
    operation = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
    client.call("ACCEPT", offer_ids=[offer["id"]], operations=[operation])


def test_the_stream_begins_with_who_one_is_and_a_heartbeat(client: HttpClient):
    subscribed, heartbeat = client.hear()[:2]
    assert subscribed["type"] == "SUBSCRIBED"
    assert subscribed["subscribed"]["heartbeat_interval_seconds"] == 15.0
    assert subscribed["subscribed"]["master_info"]["port"] == 5050
    assert heartbeat == {"type": "HEARTBEAT"}


def test_the_heart_beats_every_fifteen_seconds(client: HttpClient, scene: Scene):
    scene.world.advance(46)
    assert len(client.all("HEARTBEAT")) == 4


def test_to_the_master_it_is_a_scheduler_like_any_other(scene: Scene, agent: AgentPeer):
    registered = scene.world.expect(FrameworkRegisteredMessage)
    client = HttpClient(scene).subscribe()
    [message] = registered.seen
    assert message.framework_id == client.id


def test_an_offer_names_the_agents_page(client: HttpClient, agent: AgentPeer):
    assert client.offer["agent_id"] == {"value": agent.id}
    assert client.offer["url"]["address"] == {"hostname": "agent-1", "ip": "agent-1", "port": 5051}


def test_a_task_from_launch_to_its_end(client: HttpClient, agent: AgentPeer):
    launch(client)
    order = agent.last(RunTaskMessage)
    assert (order.task.task_id, order.framework.id) == ("t1", client.id)
    agent.update(order.task, TaskState.TASK_FINISHED, uuid=b"0123456789abcdef")
    status = client.all("UPDATE")[-1]["status"]
    assert (status["state"], status["uuid"]) == ("TASK_FINISHED", b"0123456789abcdef")
    client.call("ACKNOWLEDGE", agent_id=status["agent_id"], task_id=status["task_id"], uuid=status["uuid"])
    assert agent.last(StatusUpdateAcknowledgementMessage).uuid == b"0123456789abcdef"


def test_a_task_that_asks_for_too_much_is_an_error_on_the_stream(client: HttpClient):
    offer = client.offer
    task = {"name": "t", "task_id": {"value": "t"}, "agent_id": offer["agent_id"], "resources": [scalar("cpus", 99.0)]}
    task["command"] = {"value": "true"}
    client.call("ACCEPT", offer_ids=[offer["id"]], operations=[{"type": "LAUNCH", "launch": {"task_infos": [task]}}])
    status = client.all("UPDATE")[-1]["status"]
    assert (status["state"], status["reason"]) == ("TASK_ERROR", "REASON_TASK_INVALID")
    assert "uuid" not in status


def test_kill_and_mail_for_an_executor_reach_the_agent(client: HttpClient, agent: AgentPeer):
    launch(client)
    client.call("KILL", task_id={"value": "t1"})
    assert agent.last(KillTaskMessage).task_id == "t1"
    client.call("MESSAGE", agent_id={"value": agent.id}, executor_id={"value": "e"}, data=b"hi")
    assert agent.last(FrameworkToExecutorMessage).data == b"hi"


def test_declined_suppressed_revived(client: HttpClient, scene: Scene):
    client.call("DECLINE", offer_ids=[client.offer["id"]], filters={"refuse_seconds": 3600.0})
    client.call("SUPPRESS")
    scene.world.advance(5)
    count = len(client.all("OFFERS"))
    client.call("REVIVE")
    scene.world.advance(5)
    assert len(client.all("OFFERS")) == count + 1


def test_reconciliation_tells_the_state_of_every_task(client: HttpClient, agent: AgentPeer):
    launch(client)
    agent.update(agent.last(RunTaskMessage).task, TaskState.TASK_RUNNING)
    client.call("RECONCILE", tasks=[{"task_id": {"value": "t1"}}])
    status = client.all("UPDATE")[-1]["status"]
    assert (status["state"], status["reason"]) == ("TASK_RUNNING", "REASON_RECONCILIATION")


def test_teardown_ends_the_framework_and_the_stream(client: HttpClient, scene: Scene, agent: AgentPeer):
    launch(client)
    client.call("TEARDOWN")
    assert not client.is_open
    assert scene.master.cluster.frameworks == {}
    assert agent.all(ShutdownFrameworkMessage)


def test_a_client_that_leaves_has_its_failover_timeout(scene: Scene, agent: AgentPeer):
    client = HttpClient(scene).subscribe(failover_timeout=60.0)
    id_ = client.id
    client.hang_up()
    assert not scene.master.cluster.frameworks[id_].connected
    scene.world.advance(59)
    again = HttpClient(scene).subscribe(id_, failover_timeout=60.0)
    assert again.id == id_
    scene.world.advance(10)
    assert scene.master.cluster.frameworks[id_].connected


def test_a_newer_subscription_closes_the_older_one(client: HttpClient, scene: Scene):
    newer = HttpClient(scene, client.media).subscribe(client.id, failover_timeout=60.0)
    assert newer.id == client.id
    assert client.all("ERROR")[-1]["message"].startswith("Framework failed over")
    assert not client.is_open
    refused = client.post({"type": "REVIVE", "framework_id": {"value": client.id}})
    assert refused.status == 400
    assert b"didn't match the stream ID currently associated" in refused.body


def test_a_framework_that_may_not_be_is_told_so_on_its_stream(scene: Scene):
    client = HttpClient(scene).subscribe(role="a//b")
    assert client.all("ERROR")
    assert not client.is_open


def test_the_stream_ends_with_the_master(client: HttpClient, scene: Scene):
    client.hear()
    scene.node.terminate(scene.master.pid)
    scene.world.settle()
    assert not client.is_open


# Refusals.


def test_another_method(scene: Scene):
    refused = HttpClient(scene).request(HttpRequest("GET", "/api/v1/scheduler"))
    assert (refused.status, refused.headers) == (405, (("Allow", "POST"),))


REVIVE = {"type": "REVIVE", "framework_id": {"value": "nope"}}
SUBSCRIBE = {"type": "SUBSCRIBE", "subscribe": {"framework_info": FRAMEWORK}}
REFUSED: list[tuple[str, dict[str, Any], dict[str, str], int, str]] = [
    ("no content type", REVIVE, {"content_type": ""}, 400, "Expecting 'Content-Type' to be present"),
    (
        "another content type",
        REVIVE,
        {"content_type": "text/plain"},
        415,
        "Expecting 'Content-Type' of application/json or application/x-protobuf",
    ),
    ("no type", {}, {}, 400, "Failed to validate scheduler::Call: Expecting 'type' to be present"),
    (
        "no body of its type",
        {"type": "SUBSCRIBE"},
        {},
        400,
        "Failed to validate scheduler::Call: Expecting 'subscribe' to be present",
    ),
    (
        "another accept",
        SUBSCRIBE,
        {"accept": "text/html"},
        406,
        "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    ),
    (
        "a subscription that has a stream",
        SUBSCRIBE,
        {"mesos_stream_id": "x"},
        400,
        "Subscribe calls should not include the 'Mesos-Stream-Id' header",
    ),
    ("an unknown framework", REVIVE, {"mesos_stream_id": "x"}, 400, "Framework cannot be found"),
]


@pytest.mark.parametrize(
    ("call", "headers", "status", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_call_is_refused(scene: Scene, call: dict[str, Any], headers: dict[str, str], status: int, text: str):
    refused = HttpClient(scene).post(call, **headers)
    assert (refused.status, refused.body.decode()) == (status, text)


def test_a_body_that_is_no_json(scene: Scene):
    headers = (("content-type", "application/json"),)
    refused = HttpClient(scene).request(HttpRequest("POST", "/api/v1/scheduler", headers=headers, body=b"{"))
    assert refused.status == 400
    assert refused.body.startswith(b"Failed to parse body into Call: expected JSON: ")


def test_a_framework_whose_client_has_left_is_not_subscribed(scene: Scene):
    client = HttpClient(scene).subscribe(failover_timeout=60.0)
    call = {"type": "REVIVE", "framework_id": {"value": client.id}}
    client.hang_up()
    refused = client.post(call)
    assert (refused.status, refused.body) == (403, b"Framework is not subscribed")


def test_the_stream_of_another_is_of_no_use(client: HttpClient, scene: Scene):
    other = HttpClient(scene, client.media).subscribe()
    call = {"type": "TEARDOWN", "framework_id": {"value": client.id}}
    assert client.post(call, mesos_stream_id=other.stream_id).status == 400
    missing = client.post(call, mesos_stream_id="")
    assert (missing.status, missing.body) == (
        400,
        b"All non-subscribe calls should include the 'Mesos-Stream-Id' header",
    )


def test_a_framework_on_a_driver_has_no_stream(scene: Scene):
    scheduler = scene.scheduler().register()
    call = {"type": "TEARDOWN", "framework_id": {"value": scheduler.id}}
    assert HttpClient(scene).post(call, mesos_stream_id="x").status == 400
    assert scheduler.id in scene.master.cluster.frameworks


@pytest.mark.parametrize("path", ["/api/v1/scheduler/", "/master/api/v1/scheduler"])
def test_paths_that_mean_the_same(scene: Scene, path: str):
    assert HttpClient(scene).post(REVIVE, path, mesos_stream_id="x").body == b"Framework cannot be found"


def test_what_another_node_sends_to_a_subscription_is_no_call(client: HttpClient, scene: Scene):
    id_ = client.id
    stranger = scene.scheduler()
    [pid] = [framework.pid for framework in scene.master.cluster.frameworks.values()]
    assert pid is not None
    stranger.node.send(pid, UnregisterFrameworkMessage(id_), sender=stranger.pid)
    scene.world.settle()
    assert id_ in scene.master.cluster.frameworks


def test_json_of_the_wire_is_one_line_of_ascii(scene: Scene):
    client = HttpClient(scene).subscribe(name="tâche")
    stream = scene.node.processes[client.stream]
    assert isinstance(stream, HttpStream)
    chunk = stream.take() or b""
    length, newline, record = chunk.partition(b"\n")
    assert (int(length), newline) == (len(record), b"\n")
    assert record.isascii()
    assert json.dumps(json.loads(record), separators=(",", ":")).encode() == record


def test_a_framework_becomes_another_while_it_is_subscribed(scene: Scene, agent: AgentPeer):
    client = HttpClient(scene).subscribe(roles=["a"], capabilities=[{"type": "MULTI_ROLE"}])
    assert revise(client, roles=["b"]).status == 200
    assert [event["type"] for event in client.hear()][-2:] == ["RESCIND", "OFFERS"]
    assert client.offer["allocation_info"] == {"role": "b"}

    refused = revise(client, roles=["a", "a"])
    assert (refused.status, refused.body) == (400, b"expected every role once, found several times: a")
    assert revise(client, roles=["a"], user="root").status == 400
    assert client.is_open
    assert not client.all("ERROR")
    assert scene.master.cluster.frameworks[FrameworkID(client.id)].info.roles == ("b",)


def revise(client: HttpClient, **info: Any) -> HttpResponse:
    framework = FRAMEWORK | {"id": {"value": client.id}, "capabilities": [{"type": "MULTI_ROLE"}]} | info
    body = {"framework_info": framework}
    return client.post({"type": "UPDATE_FRAMEWORK", "framework_id": {"value": client.id}, "update_framework": body})
