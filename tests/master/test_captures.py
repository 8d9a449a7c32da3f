"""What the master answers, place by place beside what a real Mesos answered. Each difference has its reason here."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from libprocess.http.builtin import spawn_builtin
from master.master import MASTER
from mesos.ids import ContainerID
from mesos.messages import RegisterAgentMessage, RunTaskMessage, StatusUpdateMessage, UnregisterFrameworkMessage
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.types import (
    AgentCapability,
    Attribute,
    ContainerStatus,
    FrameworkCapability,
    IPAddress,
    NetworkInfo,
    Source,
    StatusUpdate,
    TaskState,
    TaskStatus,
)
from tests.captures import captured
from tests.captures.comparing import Answer, Comparison, name
from tests.master.scene import AgentPeer, Scene, executor, task_on

ANSWERS = captured("master")

# Which answers (by path and body), which differences, and why they are all right.
ALLOWED = [
    (r"/state|/version|GET_VERSION", r"[-] .*(build_\w+|git_\w+): \w+", "what runs is source, and has no build"),
    (r"/state|/files/debug", r"- (log_dir|/master/log): text|\+ {}: object", "logs go to standard error"),
    (r".", r"- .*container_id.parent.value: text", "groups of tasks, which nest containers, are not here yet"),
    (r".", r"- .*disk\..*", "no volume is made here"),
    (r".", r"- .*(reservation|reservations\[\])\.principal: text", "nothing is reserved by an operator here"),
    (r"/state|/slaves", r"\+ .*actor_pid: text", "here the web page and the actor have a port each"),
    (r"/state|/frameworks", r"\+ .*frameworks\[\]\.pid: text", "those that were captured spoke HTTP, and have none"),
    (
        r".",
        r"\+ .*(offers|offered_resources|offered_resources_full|offered|allocated)\b.*",
        "nothing was on offer there",
    ),
    (r"/state|/frameworks", r"\+ frameworks\[\]\.resources\.\*: text", "nothing with ranges was on offer there"),
    (r".", r"\+ .*executor(s\[\]|_info)\.command\.(shell|value): \w+", "the executor there was the built-in one"),
    (r"EXECUTORS|STATE", r"- .*executor_info\.type: text", "outside, a type that nobody set is not there"),
    (r"AGENTS|STATE", r"- .*agent_info\.checkpoint: bool", "it is in no message of the v1 API"),
    (r"TASKS|STATE", r"- .*statuses\[\]\.uuid: text", "the history of a task does without"),
    (r".", r"\+ .*frameworks\[\]\.completed_tasks\[\].*", "the frameworks there that lived had only tasks that lived"),
    (r"TASKS|STATE", r"\+ .*completed_tasks.*\.reason: text", "a task that runs as its framework ends has a reason"),
    (
        r"AGENTS|STATE|registrar",
        r"\+ .*info\.resources\[\]\.reservations.*",
        "the agent there had no static reservations",
    ),
    (r"registrar", r"\+ completed_frameworks.*", "there a new master has forgotten which frameworks ended"),
    (r"GET_METRICS", r"\+ .*", "names of metrics are not compared"),
    (r"/metrics", r"\+ .*", "names of metrics are not compared"),
    (r"/roles", r"- .*offered\{\}: object", "nothing was on offer there, and here all of it is"),
    (r"POST /(health|state) ", r"status 405, .*", "a read is a GET"),
    (r"GET /\w+\.json ", r"status 200, .*", "the older names serve, as they did for most of Mesos' life"),
    (r"POST /quota|PUT /weights", r"text Failed to (validate|parse) .*", "what is wrong is told in other words"),
    (
        r"files|LIST_FILES|logging|stats|profiler",
        r"(status (404|501),|text) .*",
        "what is simulated has no machine to look into",
    ),
    (r"\{ $", r"text .*", "JSON's own error is told in other words"),
]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """What ran where the answers were taken, as far as there is such a thing here."""
    scene = Scene(weights=(("eng", 2.5),))
    guarantee, limit = (resources_to_json(Resources.parse(text)) for text in ("cpus:10;mem:1024", "cpus:100;mem:20480"))
    quota = {"role": "eng", "guarantee": guarantee, "limit": limit, "force": True}
    assert scene.get("/quota", "POST", json.dumps(quota)).status == 200
    spawn_builtin(scene.node)
    agent = scene.agent("cpus:10;mem:4096;disk:1000;cpus(dev):4;ports:[31000-32000]")
    attributes = (Attribute("rack", "r1"), Attribute("os", "debian"))
    agent.say(RegisterAgentMessage(replace(agent.info, attributes=attributes), "1", (AgentCapability.MULTI_ROLE,)))
    _run_framework(scene, agent, ends=True)
    _run_framework(scene, agent)
    scene.scheduler(FrameworkCapability.PARTITION_AWARE, role="dev").register()
    scene.world.advance(2)
    return Comparison(scene.world, scene.node, MASTER, ALLOWED)


def _run_framework(scene: Scene, agent: AgentPeer, ends: bool = False) -> None:
    """A framework with one task that ended and one that runs; it may end itself."""
    capabilities = (FrameworkCapability.MULTI_ROLE, FrameworkCapability.PARTITION_AWARE)
    scheduler = scene.scheduler(*capabilities, roles=("eng",)).register()
    scene.world.advance(2)
    tasks = task_on(scheduler.offer(), "t0"), task_on(scheduler.offer(), "t1", executor=executor())
    scheduler.launch(*tasks, refuse_seconds=0.0)
    for order in agent.all(RunTaskMessage)[-2:]:
        _report(agent, order, TaskState.TASK_RUNNING)
    _report(agent, agent.all(RunTaskMessage)[-2], TaskState.TASK_FINISHED)
    scheduler.acknowledge(tasks[0])
    if ends:
        scheduler.say(UnregisterFrameworkMessage(scheduler.id))


def _report(agent: AgentPeer, order: RunTaskMessage, state: TaskState) -> None:
    """An update as an agent makes it."""
    networks = (NetworkInfo(ip_addresses=(IPAddress("127.0.0.1"),)),)
    status = TaskStatus(
        order.task.task_id,
        state,
        agent.id,
        order.task.executor.executor_id if order.task.executor else None,
        source=Source.SOURCE_EXECUTOR,
        timestamp=agent.node.clock.now(),
        uuid=b"u",
        container_status=ContainerStatus(ContainerID("c1"), networks, 7),
    )
    assert order.framework.id is not None
    agent.say(StatusUpdateMessage(StatusUpdate(order.framework.id, status, agent.id)))


@pytest.mark.parametrize("answer", ANSWERS, ids=name)
def test_an_answer_is_as_mesos_gives_it(comparison: Comparison, answer: Answer):
    assert comparison.unexplained(answer) == []


def test_every_allowance_is_needed(comparison: Comparison):
    assert comparison.unneeded(ANSWERS) == []
