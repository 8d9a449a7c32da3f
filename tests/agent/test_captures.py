"""What the agent answers, place by place beside what a real Mesos answered. Each difference has its reason here.

The files of sandboxes are compared in tests/system: what is simulated has none.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agent.agent import AGENT_ID
from libprocess.http.builtin import spawn_builtin
from mesos.ids import ExecutorID, FrameworkID, TaskID
from mesos.messages import ShutdownFrameworkMessage
from mesos.resources import Resources
from mesos.types import Attribute, FrameworkCapability, FrameworkInfo, TaskState
from tests.agent.cluster import Cluster, Program, command_task, executor_task
from tests.captures import captured
from tests.captures.comparing import Answer, Comparison, name

ANSWERS = captured("agent")

MEASURED = (
    *("cpus_user_time_secs", "cpus_system_time_secs"),
    *("mem_rss_bytes", "mem_limit_bytes", "mem_soft_limit_bytes"),
)

# Which answers (by path and body), which differences, and why they are all right.
ALLOWED = [
    (r"/state|/version|GET_VERSION", r"[-] .*(build_\w+|git_\w+): \w+", "what runs is source, and has no build"),
    (r"/state", r"- log_dir: text", "logs go to standard error"),
    (r"/state", r"\+ actor_pid: text", "here the web page and the actor have a port each"),
    (r".", r"- .*network_infos\[\]\..*", "an agent does not know the addresses of its containers"),
    (r".", r"- .*container_id.parent.value: text", "groups of tasks, which nest containers, are not here yet"),
    (
        r"/state",
        r"- .*container_status.container_id.value: text",
        "an executor that is a program of its own does not say it",
    ),
    (r"/state", r"- .*(disk\..*|principal: text)", "nothing was reserved by an operator here, and no volume was made"),
    (r".", r"\+ .*user: text", "whom a task runs as is told"),
    (
        r"/state",
        r"\+ frameworks\[\]\.completed_executors.*",
        "the frameworks there that lived had only executors that lived",
    ),
    (r"/state", r"\+ .*completed_executors\[\]\.type: text", "the executors there that ended were built-in ones"),
    (
        r"EXECUTORS|STATE",
        r"- .*executor_info\.(source|command\.arguments\[\]): text",
        "the executors there were built-in ones",
    ),
    (r"EXECUTORS|STATE", r"- .*executor_info\.type: text", "outside, a type that nobody set is not there"),
    (
        r"EXECUTORS|STATE",
        r"- .*executor_info\.resources\[\]\.allocation_info\..*",
        "the test's executor is given to nobody's role",
    ),
    (r"TASKS|STATE", r"\+ .*completed_tasks.*\.reason: text", "a task that ends before it ran has a reason"),
    (r"GET_AGENT", r"\+ .*agent_info\.resources\[\]\.reservations.*", "the agent there had no static reservations"),
    (r"/metrics", r"\+ .*", "more is counted than there"),
    (
        r"/metrics",
        r"- (containerizer|gc|resource_provider_manager)/.*",
        "what the machine's parts count is seen where there is a machine; there are no resource providers",
    ),
    (r"/metrics", r"- slave/executor_directory_max_allowed_age_secs: number", "not counted here"),
    (r"GET /[\w/]+\.json ", r"status 200, .*", "the older names serve, as they did for most of Mesos' life"),
]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """What ran where the answers were taken, as far as there is such a thing here."""
    cluster = Cluster(Resources.parse("cpus:10;mem:4096;disk:1000;cpus(dev):4;ports:[31000-32000]"))
    cluster.agent.info = replace(cluster.agent.info, attributes=(Attribute("rack", "r1"), Attribute("os", "debian")))
    cluster.register()
    spawn_builtin(cluster.node)
    cluster.machine.measured = tuple((name, 1.0) for name in MEASURED)
    _run_framework(cluster, "F0")
    cluster.tell(ShutdownFrameworkMessage(FrameworkID("F0")))
    cluster.world.advance(seconds=10)
    _run_framework(cluster, "F1")
    _run_framework(cluster, "F2")
    return Comparison(cluster.world, cluster.node, AGENT_ID, ALLOWED)


def _run_framework(cluster: Cluster, id: str) -> Program:
    """A framework with two commands, and an executor with two tasks; one of each ended."""
    many = FrameworkCapability.MULTI_ROLE if id != "F2" else FrameworkCapability.PARTITION_AWARE
    info = FrameworkInfo("root", "f", id=FrameworkID(id), capabilities=(many, FrameworkCapability.PARTITION_AWARE))
    cluster.framework = replace(info, roles=("eng",)) if id != "F2" else replace(info, role="dev")
    resources = Resources.of(cpus=1, mem=64).allocate("eng")
    cluster.run(command_task("c0", resources=resources))
    cluster.machine.end()
    cluster.run(command_task("c1", resources=resources))
    cluster.run(*(replace(executor_task(name), resources=resources) for name in ("t0", "t1")))
    program = Program(cluster.agent.pid, ExecutorID("E1"), cluster.framework.id)
    cluster.node.spawn(program)
    cluster.world.settle()
    for task_id in program.tasks:
        program.report(task_id, TaskState.TASK_RUNNING)
    program.report(TaskID("t0"), TaskState.TASK_FINISHED)
    cluster.world.settle()
    return program


@pytest.mark.parametrize("answer", ANSWERS, ids=name)
def test_an_answer_is_as_mesos_gives_it(comparison: Comparison, answer: Answer):
    assert comparison.unexplained(answer) == []


def test_every_allowance_is_needed(comparison: Comparison):
    assert comparison.unneeded(ANSWERS) == []
