"""An agent is given more, or other attributes, while its tasks run: nothing is lost, and what is new is offered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from agent.agent import AGENT_ID
from libprocess.http import HttpRequest, HttpResponse
from mesos.attributes import format_attributes
from mesos.ids import TaskID
from mesos.messages import ReregisterAgentMessage, RunTaskMessage
from mesos.resources import Resources
from mesos.types import TaskState
from tests.simulation.frameworks import Runner, framework
from tools.simulate.cluster import Cluster

RUNNING = TaskState.TASK_RUNNING
MORE = Resources.parse("cpus:6;mem:4096;disk:10240;ports:[31000-32000]")


@pytest.fixture
def runner(cluster: Cluster) -> Runner:
    """A framework that fills the agent's 4 cpus, and has a task that waits for a fifth."""
    cluster.elect()
    runner = Runner(*["sleep infinity"] * 5)
    cluster.run(runner, framework(checkpoint=True))
    cluster.advance(seconds=5)
    assert len(runner.states) == 4
    return runner


def reconfigure(cluster: Cluster, **fields: str) -> HttpResponse:
    node = cluster.node_of(cluster.agent)
    node.routes.root = AGENT_ID
    answers: list[HttpResponse] = []
    headers = (("content-type", "application/x-www-form-urlencoded"),)
    request = HttpRequest("POST", "/reconfigure", headers=headers, body=urlencode(fields).encode())
    node.routes.request(request, answers.append)
    cluster.advance(seconds=5)
    return answers[0]


def shown(response: HttpResponse) -> Any:
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_what_an_agent_gets_is_offered_and_its_tasks_go_on(cluster: Cluster, runner: Runner):
    answer = shown(reconfigure(cluster, resources="cpus:6"))
    assert answer["resources"] == "cpus:6;disk:10240;mem:4096;ports:[31000-32000]"
    assert runner.states[TaskID("t5")][-1] is RUNNING
    assert all(states == runner.states[TaskID("t1")] for states in runner.states.values())
    assert len(cluster.containers["agent-1"].living) == 5


def test_what_an_agent_does_not_use_is_taken_away(cluster: Cluster, runner: Runner):
    shown(reconfigure(cluster, resources="cpus:6"))
    answer = shown(reconfigure(cluster, resources="cpus:5;mem:2048;ports:[31000-31500]"))
    assert answer["resources"] == "cpus:5;disk:10240;mem:2048;ports:[31000-31500]"
    cluster.run(other := Runner("sleep infinity"), framework())
    cluster.advance(seconds=10)
    assert other.states == {}, "there is no sixth cpu any more"
    assert {states[-1] for states in runner.states.values()} == {RUNNING}
    assert len(cluster.containers["agent-1"].living) == 5


def test_what_was_launched_just_before_it_is_taken_away_waits_for_room(cluster: Cluster, runner: Runner):
    shown(reconfigure(cluster, resources="cpus:6"))
    orders = cluster.hold(RunTaskMessage)
    cluster.run(other := Runner("sleep 20"), framework(checkpoint=True))
    cluster.advance(seconds=2)
    assert len(orders.seen) == 1
    news = cluster.hold(ReregisterAgentMessage)
    shown(reconfigure(cluster, resources="cpus:5"))
    cluster.release(orders)
    cluster.release(news)
    cluster.advance(seconds=5)
    assert other.states == {}
    assert len(cluster.containers["agent-1"].living) == 5, "a machine never runs more than it has"

    shown(reconfigure(cluster, resources="cpus:6"))
    cluster.advance(seconds=5)
    assert other.states[TaskID("t1")][-1] is RUNNING
    assert {states[-1] for states in runner.states.values()} == {RUNNING}


def test_attributes_change_and_frameworks_see_them(cluster: Cluster, runner: Runner):
    shown(reconfigure(cluster, attributes="rack:r7;level:2"))
    assert format_attributes(cluster.agent.info.attributes) == "rack:r7;level:2"
    shown(reconfigure(cluster, attributes="rack:r8", resources="cpus:8"))
    assert format_attributes(runner.offers[-1].attributes) == "rack:r8"


def test_what_was_changed_lasts_and_must_be_given_to_the_next_agent(cluster: Cluster, runner: Runner):
    shown(reconfigure(cluster, resources="cpus:6"))
    cluster.kill(cluster.node_of(cluster.agent))
    cluster.add_agent("agent-1", MORE)
    cluster.advance(seconds=5)
    assert {states[-1] for states in runner.states.values()} == {RUNNING}
    assert cluster.agent.lasting.total.scalar("cpus") == 6


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"resources": "cpus:3"}, 409, "what runs here may use cpus:4"),
        ({"resources": "cpus:many"}, 400, "expected a number"),
        ({"attributes": "rack"}, 400, "expected an attribute such as rack:abc, found 'rack'"),
    ],
)
def test_what_cannot_be_is_told(cluster: Cluster, runner: Runner, fields: dict[str, str], status: int, text: str):
    response = reconfigure(cluster, **fields)
    assert response.status == status
    assert text in response.body.decode()
    assert cluster.agent.lasting.total.scalar("cpus") == 4
