"""Executors over HTTP: the same dialogue with the agent as any other, and refusals in Mesos' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from agent.agent import AGENT_ID
from agent.dialogues.base import AgentState
from libprocess import PID
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.stream import HttpStream
from mesos.ids import ExecutorID, TaskID
from mesos.messages import (
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    PingAgentMessage,
    ShutdownExecutorMessage,
)
from mesos.types import Reason, TaskState
from mesos.v1.executor import CALL, EVENT
from mesos.v1.media import Media
from tests.agent.cluster import AGENT, FRAMEWORK, Cluster, command_task, executor_task, kept
from tests.mesos.v1.streams import records

UUID = b"0123456789abcdef"


class HttpProgram:
    """A framework's own executor that speaks HTTP, by its voice."""

    def __init__(self, cluster: Cluster, media: Media = Media.JSON, executor_id: str = "E1") -> None:
        self.cluster = cluster
        self.media = media
        self.executor_id = executor_id
        self.stream = PID("", "", 0)
        self.events: list[dict[str, Any]] = []

    def post(self, type_: str, body: dict[str, Any] | None = None, **changes: Any) -> HttpResponse:
        """Make a call, and let it have its effects."""
        ids = {"framework_id": {"value": FRAMEWORK}, "executor_id": {"value": self.executor_id}}
        call = ids | {"type": type_} | ({} if body is None else {type_.lower(): body}) | changes
        headers = (("content-type", str(self.media)), ("accept", str(self.media)))
        request = HttpRequest("POST", "/api/v1/executor", headers=headers, body=self.media.write(call, CALL))
        answers: list[HttpResponse] = []
        self.cluster.node.routes.root = AGENT_ID
        self.cluster.node.routes.request(request, answers.append)
        self.cluster.world.settle()
        return answers[0]

    def subscribe(self, tasks: Sequence[dict[str, Any]] = ()) -> HttpProgram:
        response = self.post("SUBSCRIBE", {"unacknowledged_tasks": list(tasks), "unacknowledged_updates": []})
        assert (response.status, response.content_type) == (200, self.media)
        assert response.stream is not None
        self.stream = response.stream
        return self

    def report(self, task_id: str, state: str, uuid: bytes = UUID) -> None:
        status = {"task_id": {"value": task_id}, "state": state, "uuid": uuid, "source": "SOURCE_EXECUTOR"}
        assert self.post("UPDATE", {"status": status}).status == 202

    def hear(self) -> list[dict[str, Any]]:
        """All events so far."""
        self.events += [self.media.read(record, EVENT) for record in records(self.cluster.node, self.stream)]
        return self.events

    def all(self, type_: str) -> list[dict[str, Any]]:
        """The bodies of all events of a type so far."""
        return [event.get(type_.lower(), {}) for event in self.hear() if event["type"] == type_]

    @property
    def has_been_hung_up(self) -> bool:
        stream = self.cluster.node.processes.get(self.stream)
        return not isinstance(stream, HttpStream) or stream.has_ended

    def hang_up(self) -> None:
        self.cluster.node.terminate(self.stream)
        self.cluster.world.settle()


@pytest.fixture(params=Media)
def program(cluster: Cluster, request: pytest.FixtureRequest) -> HttpProgram:
    """A subscribed executor with one task."""
    cluster.run(executor_task("t1"))
    return HttpProgram(cluster, request.param).subscribe()


def test_the_stream_begins_with_who_one_is_then_a_heartbeat_then_tasks(program: HttpProgram, cluster: Cluster):
    subscribed, heartbeat, launch = program.hear()
    body = subscribed["subscribed"]
    assert body["executor_info"]["executor_id"] == {"value": "E1"}
    assert body["framework_info"]["id"] == {"value": FRAMEWORK}
    assert body["agent_info"]["id"] == {"value": AGENT}
    assert body["container_id"] == {"value": cluster.machine.container_id}
    assert heartbeat == {"type": "HEARTBEAT"}
    assert launch["launch"]["task"]["task_id"] == {"value": "t1"}
    assert launch["launch"]["task"]["resources"][0]["role"] == "*"


def test_an_update_reaches_the_master_and_is_acknowledged(program: HttpProgram, cluster: Cluster):
    program.report("t1", "TASK_RUNNING")
    status = cluster.master.status
    assert (status.state, status.uuid, status.executor_id) == (TaskState.TASK_RUNNING, UUID, "E1")
    assert program.all("ACKNOWLEDGED") == [{"task_id": {"value": "t1"}, "uuid": UUID}]


def test_an_executor_that_reports_what_comes_before_it_is_shut_down(program: HttpProgram, cluster: Cluster):
    program.report("t1", "TASK_STAGING")
    assert len(program.all("SHUTDOWN")) == 1
    assert cluster.master.states == []
    program.report("t1", "TASK_FINISHED", uuid=UUID[::-1])
    assert cluster.master.states == [TaskState.TASK_FINISHED]


def test_data_goes_both_ways(program: HttpProgram, cluster: Cluster):
    assert program.post("MESSAGE", {"data": b"up"}).status == 202
    assert cluster.master.got(ExecutorToFrameworkMessage) == [
        ExecutorToFrameworkMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"up")
    ]
    cluster.tell(FrameworkToExecutorMessage(FRAMEWORK, AGENT, ExecutorID("E1"), b"down"))
    assert program.all("MESSAGE") == [{"data": b"down"}]


def test_kill_and_shutdown_arrive(program: HttpProgram, cluster: Cluster):
    cluster.tell(KillTaskMessage(FRAMEWORK, executor_task("t1").task_id))
    assert program.all("KILL") == [{"task_id": {"value": "t1"}}]
    cluster.tell(ShutdownExecutorMessage(FRAMEWORK, ExecutorID("E1"), AGENT))
    assert len(program.all("SHUTDOWN")) == 1
    program.report("t1", "TASK_KILLED")
    assert cluster.master.status.state is TaskState.TASK_KILLED


def test_the_heart_beats_every_thirty_minutes(program: HttpProgram, cluster: Cluster):
    cluster.agent._disconnect()  # no master's pings are awaited meanwhile
    cluster.world.advance(2 * 3600 + 1)
    assert len(program.all("HEARTBEAT")) == 5


def test_an_executor_that_leaves_is_ended(program: HttpProgram, cluster: Cluster):
    program.hang_up()
    cluster.world.advance(10)
    assert cluster.machine.running == []
    assert cluster.master.status.state is TaskState.TASK_FAILED
    assert cluster.master.got(ExitedExecutorMessage)


def test_a_second_subscription_takes_the_place_of_the_first(program: HttpProgram):
    program.report("t1", "TASK_RUNNING")
    second = HttpProgram(program.cluster, program.media).subscribe()
    assert [event["type"] for event in second.hear()] == ["SUBSCRIBED", "HEARTBEAT"]
    assert program.has_been_hung_up

    second.report("t1", "TASK_FINISHED", uuid=UUID[::-1])
    program.cluster.world.advance(10)
    assert second.all("ACKNOWLEDGED")
    assert program.cluster.machine.running


def test_nobody_takes_the_place_of_an_executor_on_a_driver(cluster: Cluster):
    cluster.run(executor_task())
    cluster.start_program()
    assert [event["type"] for event in HttpProgram(cluster).subscribe().hear()] == ["SHUTDOWN"]


@pytest.mark.parametrize("checkpoint", [False, True])
def test_an_executor_ends_with_its_agent_unless_it_is_to_live_on(cluster: Cluster, checkpoint: bool):
    cluster.framework = replace(cluster.framework, checkpoint=checkpoint)
    cluster.run(executor_task("t1"))
    program = HttpProgram(cluster).subscribe()
    cluster.node.terminate(cluster.agent.pid)
    cluster.world.settle()
    assert bool(program.all("SHUTDOWN")) != checkpoint
    assert program.has_been_hung_up


def test_an_executor_that_is_to_live_on_may_lose_its_connection(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = HttpProgram(cluster).subscribe()
    program.report("t1", "TASK_RUNNING")
    program.hang_up()
    cluster.run(executor_task("t2"), executor_task("t3"))
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t3")))
    assert program.post("MESSAGE", {"data": b"x"}).status == 403
    cluster.tell(PingAgentMessage(connected=True))
    cluster.world.advance(60)

    again = HttpProgram(cluster).subscribe()
    assert [launch["task"]["task_id"]["value"] for launch in again.all("LAUNCH")] == ["t2"]
    again.report("t1", "TASK_FINISHED", uuid=UUID[::-1])
    assert cluster.master.states == [TaskState.TASK_RUNNING, TaskState.TASK_KILLED, TaskState.TASK_FINISHED]


def test_what_an_executor_runs_that_was_killed_while_it_was_lost_is_killed_when_it_is_back(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    program = HttpProgram(cluster).subscribe()
    cluster.run(executor_task("t2"))
    program.hang_up()
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t2")))
    tasks = [
        {"name": id_, "task_id": {"value": id_}, "agent_id": {"value": AGENT}, "resources": []} for id_ in ("t1", "t2")
    ]
    program.subscribe(tasks)
    assert [kill["task_id"]["value"] for kill in program.all("KILL")] == ["t2"]
    assert len(program.all("LAUNCH")) == 0


@pytest.mark.parametrize(
    ("type_", "body", "changes", "status", "text"),
    [
        ("UNKNOWN", None, {}, 400, "Failed to validate executor::Call: Expecting 'type' to be present"),
        ("UPDATE", None, {}, 400, "Failed to validate executor::Call: Expecting 'update' to be present"),
        ("SUBSCRIBE", {}, {"framework_id": {"value": "nope"}}, 400, "Framework cannot be found"),
        ("SUBSCRIBE", {}, {"executor_id": {"value": "nope"}}, 400, "Executor cannot be found"),
        ("MESSAGE", {"data": b""}, {}, 403, "Executor is not subscribed"),
    ],
)
def test_a_call_is_refused(
    cluster: Cluster, type_: str, body: dict[str, Any] | None, changes: dict[str, Any], status: int, text: str
):
    cluster.run(executor_task())
    refused = HttpProgram(cluster).post(type_, body, **changes)
    assert (refused.status, refused.body.decode()) == (status, text)


def test_a_heartbeat_of_the_client_is_taken(program: HttpProgram):
    assert program.post("HEARTBEAT").status == 202


def test_nobody_speaks_for_the_agents_own_executors(cluster: Cluster):
    cluster.run(command_task("t1"))
    refused = HttpProgram(cluster, executor_id="t1").post("MESSAGE", {"data": b"x"})
    assert (refused.status, refused.body) == (403, b"Executor is not subscribed")


def test_nobody_speaks_for_an_executor_on_a_driver(cluster: Cluster):
    cluster.run(executor_task())
    cluster.start_program()
    assert HttpProgram(cluster).post("MESSAGE", {"data": b"x"}).status == 403


# They find an agent that was restarted by themselves.


def test_an_executor_over_http_subscribes_again_with_what_was_not_acknowledged(cluster: Cluster):
    kept(cluster).run(executor_task("t1"), executor_task("t2"))
    program = HttpProgram(cluster).subscribe()
    program.report("t1", "TASK_RUNNING")
    cluster.revive_agent()
    cluster.world.settle()
    assert cluster.agent.state is AgentState.RECOVERING

    status = {"task_id": {"value": "t1"}, "state": "TASK_FINISHED", "uuid": UUID[::-1], "source": "SOURCE_EXECUTOR"}
    ids = {"framework_id": {"value": FRAMEWORK}, "executor_id": {"value": "E1"}}
    task = {"name": "t2", "task_id": {"value": "t2"}, "agent_id": {"value": AGENT}, "resources": []}
    unacknowledged = {"unacknowledged_tasks": [task], "unacknowledged_updates": [ids | {"status": status}]}
    response = program.post("SUBSCRIBE", unacknowledged)
    assert response.stream is not None
    program.stream = response.stream
    cluster.register()

    assert program.all("SUBSCRIBED")
    assert program.all("ACKNOWLEDGED")[-1] == {"task_id": {"value": "t1"}, "uuid": UUID[::-1]}
    assert program.all("LAUNCH") == [], "t2 is there already"
    cluster.world.settle()
    assert cluster.master.states == [TaskState.TASK_FINISHED]


def test_an_executor_over_http_that_stays_away_is_destroyed(cluster: Cluster):
    kept(cluster).run(executor_task("t1"))
    HttpProgram(cluster).subscribe()
    cluster.revive_agent()
    cluster.world.advance(seconds=1.9)
    assert cluster.agent.state is AgentState.RECOVERING
    assert "slave/recovery_time_secs" not in cluster.node.metrics.snapshot()
    cluster.world.advance(seconds=3)
    assert cluster.machine.running == []
    assert cluster.master.status.reason is Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT
    assert cluster.node.metrics.snapshot()["slave/recovery_time_secs"] == pytest.approx(2, abs=0.1)
