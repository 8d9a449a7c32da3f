"""What the master refuses, text by text. What depends on offers is tested with launches."""

from __future__ import annotations

from typing import Any

import pytest

from master.validation import check_agent, check_refuse_seconds
from master.validation.command import check_command
from master.validation.container import check_container
from master.validation.probes import check_probe
from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.messages import RegisterAgentMessage, ReregisterAgentMessage
from mesos.resources import Resources
from mesos.types import (
    URI,
    AgentInfo,
    CheckInfo,
    CheckType,
    CommandInfo,
    ContainerInfo,
    ContainerType,
    DockerInfo,
    Environment,
    ExecutorInfo,
    Filters,
    HealthCheck,
    HTTPCheckInfo,
    Image,
    MesosInfo,
    Parameter,
    Secret,
    SecretReference,
    SecretType,
    Task,
    TaskState,
    TCPCheckInfo,
    Variable,
    VariableType,
    Volume,
)
from tests.master.scene import framework_info

F1, S1 = FrameworkID("F1"), AgentID("S1")
HTTP, TCP, COMMAND = CheckType.HTTP, CheckType.TCP, CheckType.COMMAND

COMMANDS = [
    (CommandInfo("true", uris=(URI("http://h/f"),)), None),
    (CommandInfo(""), None),
    (CommandInfo("true", uris=(URI(""),)), "expected the value of every URI, found ''"),
    (
        CommandInfo("true", uris=(URI("f", output_file="../f"),)),
        "expected an output_file inside the sandbox, found '../f'",
    ),
    (
        CommandInfo("true", uris=(URI("f", output_file="/etc/f"),)),
        "expected an output_file inside the sandbox, found '/etc/f'",
    ),
    (CommandInfo("true", environment=Environment.of({"A": "1"})), None),
    (
        CommandInfo("true", environment=Environment.of({"A=B": "1"})),
        "expected the name of a variable without '=' and no zero bytes, found 'A=B'",
    ),
]


@pytest.mark.parametrize(("command", "text"), COMMANDS)
def test_commands(command: CommandInfo, text: str | None):
    assert check_command(command) == text


SECRETS = [
    (None, "variable A: expected a secret, found none"),
    (Secret(SecretType.VALUE, value=b"s"), None),
    (Secret(SecretType.VALUE), "variable A: expected a secret of type VALUE to have a value, found none"),
    (
        Secret(SecretType.VALUE, value=b"s\0"),
        "variable A: expected the value of a secret without zero bytes, found one",
    ),
    (Secret(SecretType.REFERENCE, SecretReference("s")), None),
    (Secret(SecretType.REFERENCE), "variable A: expected a secret of type REFERENCE to have a reference, found none"),
]


@pytest.mark.parametrize(("secret", "text"), SECRETS)
def test_secret_variables(secret: Secret | None, text: str | None):
    variable = Variable("A", type=VariableType.SECRET, secret=secret)

    assert check_command(CommandInfo("true", environment=Environment((variable,)))) == text


SECRET = Secret(SecretType.VALUE, value=b"s")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        (Variable("A", "v", secret=SECRET), "variable A: expected a value alone, found a secret beside it"),
        (
            Variable("A", "v", VariableType.SECRET, SECRET),
            "variable A: expected a secret alone, found a value beside it",
        ),
    ],
)
def test_a_variable_has_a_value_or_a_secret(variable: Variable, text: str):
    assert check_command(CommandInfo("true", environment=Environment((variable,)))) == text


DOCKER = DockerInfo("debian")
CONTAINERS = [
    (ContainerInfo(ContainerType.DOCKER, docker=DOCKER), None),
    (
        ContainerInfo(ContainerType.DOCKER),
        "expected the docker details of a container of type DOCKER, found none",
    ),
    (ContainerInfo(ContainerType.MESOS, mesos=MesosInfo()), None),
    (
        ContainerInfo(ContainerType.MESOS, docker=DOCKER),
        "expected no docker details in a container of type MESOS, found some",
    ),
    (
        ContainerInfo(ContainerType.DOCKER, docker=DockerInfo("debian", parameters=(Parameter("name", "x"),))),
        "expected no docker parameter 'name': the agent sets it",
    ),
    (ContainerInfo(ContainerType.MESOS, (Volume("/data", host_path="/srv"),)), None),
    (
        ContainerInfo(ContainerType.MESOS, (Volume("/data", host_path="/srv", image=Image("debian")),)),
        "expected volume /data to have one origin, found host_path and image",
    ),
    (
        ContainerInfo(ContainerType.MESOS, (Volume(""),)),
        "expected the container_path of every volume, found ''",
    ),
]


@pytest.mark.parametrize(("container", "text"), CONTAINERS)
def test_containers(container: ContainerInfo, text: str | None):
    assert check_container(container) == text


PROBES = [
    (CheckInfo(TCP, tcp=TCPCheckInfo(80)), None),
    (CheckInfo(COMMAND, command=CommandInfo("true")), None),
    (HealthCheck(HTTP, http=HTTPCheckInfo(80, "/health")), None),
    (CheckInfo(TCP), "expected the details of a probe of type TCP, found none"),
    (
        CheckInfo(TCP, tcp=TCPCheckInfo(80), http=HTTPCheckInfo(80)),
        "expected the details of a probe of type TCP, found http details",
    ),
    (CheckInfo(HTTP, http=HTTPCheckInfo(80, "health")), "expected a path that begins with /, found 'health'"),
    (CheckInfo(HTTP, http=HTTPCheckInfo(80, scheme="ftp")), "expected the scheme http or https, found 'ftp'"),
    (CheckInfo(TCP, tcp=TCPCheckInfo(0)), "expected a port from 1 to 65535, found 0"),
    (
        CheckInfo(TCP, tcp=TCPCheckInfo(80), timeout_seconds=-1),
        "expected timeout of at least 0 seconds, found -1",
    ),
    (
        HealthCheck(TCP, tcp=TCPCheckInfo(80), grace_period_seconds=-1),
        "expected grace_period of at least 0 seconds, found -1",
    ),
    (
        HealthCheck(TCP, tcp=TCPCheckInfo(80), consecutive_failures=0),
        "expected at least 1 of consecutive_failures, found 0",
    ),
]


@pytest.mark.parametrize(("probe", "text"), PROBES)
def test_probes(probe: CheckInfo | HealthCheck, text: str | None):
    assert check_probe(probe) == text


@pytest.mark.parametrize(
    ("asked", "given"), [(0.0, 0.0), (7.5, 7.5), (-1.0, 5.0), (float("nan"), 5.0), (float("inf"), 31536000.0)]
)
def test_a_refusal_holds_for_a_year_at_most_and_by_default_for_five_seconds(asked: float, given: float):
    assert check_refuse_seconds(Filters(asked)) == given


# Agents.


def info(**changes: Any) -> AgentInfo:
    return AgentInfo(**({"hostname": "host"} | changes))


NEW_AGENTS = [
    (info(), None),
    (info(hostname=""), "expected the agent's hostname, found ''"),
    (info(id=S1), "expected an agent that registers to have no id yet, found S1"),
    (
        info(resources=Resources.of(cpus=1).allocate("a")),
        "expected an agent's resources not to be allocated, found cpus(allocated to a):1",
    ),
]


@pytest.mark.parametrize(("agent", "text"), NEW_AGENTS)
def test_agents_that_register(agent: AgentInfo, text: str | None):
    assert check_agent(RegisterAgentMessage(agent, "1")) == text


TASK = Task(TaskID("t1"), F1, S1, TaskState.TASK_RUNNING)
EXECUTOR = ExecutorInfo(ExecutorID("e1"), framework_id=F1)
FRAMEWORK = framework_info(id=F1)

REPORTS = [
    ({}, None),
    ({"tasks": (TASK,), "frameworks": (FRAMEWORK,)}, None),
    ({"agent": info()}, "expected an id, found ''"),
    ({"tasks": (TASK,)}, "expected the framework of every task, found none of F1"),
    (
        {"tasks": (TASK, TASK), "frameworks": (FRAMEWORK,)},
        "expected every task once, found several times: ('F1', 't1')",
    ),
    ({"frameworks": (FRAMEWORK, FRAMEWORK)}, "expected every framework once, found several times: F1"),
    (
        {"executor_infos": (EXECUTOR, EXECUTOR)},
        "expected every executor once, found several times: ('F1', 'e1')",
    ),
]


@pytest.mark.parametrize(("report", "text"), REPORTS)
def test_agents_that_come_back(report: dict[str, Any], text: str | None):
    assert check_agent(ReregisterAgentMessage(**({"agent": info(id=S1), "version": "1"} | report))) == text
