"""A scheduler and an operator that speak nothing but protobuf, over real sockets: as many clients do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesos.v1.proto import master_pb2, mesos_pb2, scheduler_pb2
from tools.local import LocalCluster

TYPE = "application/x-protobuf"
HEADERS = {"Content-Type": TYPE, "Accept": TYPE}


def post(cluster: LocalCluster, path: str, call: Any, **headers: str) -> http.client.HTTPResponse:
    """Make a call; the answer is still to be read."""
    connection = http.client.HTTPConnection(str(cluster.address), timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, call.SerializeToString(), HEADERS | named)
    return connection.getresponse()


def records(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The records of a stream."""
    while length := response.readline():
        yield response.read(int(length))


def test_an_operator_reads(tmp_path: Path):
    with LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:256") as cluster:
        response = post(cluster, "/api/v1", master_pb2.Call(type="GET_AGENTS"))
        assert (response.status, response.headers["Content-Type"]) == (200, TYPE)
        answer = master_pb2.Response.FromString(response.read())
        assert [agent.active for agent in answer.get_agents.agents] == [True]

        stream = post(cluster, "/api/v1", master_pb2.Call(type="SUBSCRIBE"))
        begin, beat = (
            master_pb2.Event.FromString(record) for record, _ in zip(records(stream), range(2), strict=False)
        )
        assert begin.subscribed.get_state.get_agents == answer.get_agents
        assert beat.type == master_pb2.Event.HEARTBEAT


def test_a_scheduler_runs_a_task(tmp_path: Path):
    with LocalCluster(tmp_path, agents=1, resources="cpus:2;mem:256") as cluster:
        subscribe = scheduler_pb2.Call(type="SUBSCRIBE")
        subscribe.subscribe.framework_info.user = "root"
        subscribe.subscribe.framework_info.name = "binary"
        stream = post(cluster, "/api/v1/scheduler", subscribe)
        assert stream.status == 200
        stream_id = stream.headers["Mesos-Stream-Id"]
        framework = mesos_pb2.FrameworkID()

        def say(call: Any) -> None:
            call.framework_id.CopyFrom(framework)
            response = post(cluster, "/api/v1/scheduler", call, Mesos_Stream_Id=stream_id)
            assert (response.status, response.read()) == (202, b"")

        states = []
        for record in records(stream):
            event = scheduler_pb2.Event.FromString(record)
            if event.HasField("subscribed"):
                framework.CopyFrom(event.subscribed.framework_id)
            elif event.HasField("offers") and not states:
                say(_accept(event.offers.offers[0]))
            elif event.HasField("update"):
                status = event.update.status
                states.append(mesos_pb2.TaskState.Name(status.state))
                acknowledge = scheduler_pb2.Call(type="ACKNOWLEDGE")
                acknowledge.acknowledge.agent_id.CopyFrom(status.agent_id)
                acknowledge.acknowledge.task_id.CopyFrom(status.task_id)
                acknowledge.acknowledge.uuid = status.uuid
                say(acknowledge)
                if status.state == mesos_pb2.TASK_FINISHED:
                    break
        assert states[-2:] == ["TASK_RUNNING", "TASK_FINISHED"]
        say(scheduler_pb2.Call(type="TEARDOWN"))


def _accept(offer: Any) -> Any:
    """Run `true` on an offer."""
    accept = scheduler_pb2.Call(type="ACCEPT")
    accept.accept.offer_ids.add().CopyFrom(offer.id)
    operation = accept.accept.operations.add(type="LAUNCH")
    task = operation.launch.task_infos.add(name="t")
    task.task_id.value = "t"
    task.agent_id.CopyFrom(offer.agent_id)
    task.command.value = "true"
    for name, amount in (("cpus", 0.1), ("mem", 32.0)):
        resource = task.resources.add(name=name, type=mesos_pb2.Value.SCALAR)
        resource.scalar.value = amount
    return accept
