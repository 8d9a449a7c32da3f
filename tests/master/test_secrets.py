"""Secrets that a framework gives its tasks and executors: in nothing that a master shows or logs."""

from __future__ import annotations

import json
import logging

import pytest
from msgspec.structs import replace

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.stream import HttpStream
from mesos.messages import RunTaskMessage
from mesos.secrets import value_of, without_secrets
from mesos.types import (
    CommandInfo,
    ContainerInfo,
    ContainerType,
    Environment,
    Secret,
    SecretReference,
    SecretType,
    TaskState,
    Variable,
    VariableType,
    Volume,
    VolumeSource,
    VolumeSourceType,
)
from tests.master.scene import Scene, executor, task_on

PLANTED = "xyzzy-plugh-plover"
ENCODED = "eHl6enktcGx1Z2gtcGxvdmVy"
SECRET = Secret(SecretType.VALUE, value=PLANTED.encode())
COMMAND = CommandInfo("./run", environment=Environment((Variable("TOKEN", type=VariableType.SECRET, secret=SECRET),)))
CONTAINER = ContainerInfo(
    ContainerType.MESOS,
    volumes=(Volume("secret", source=VolumeSource(VolumeSourceType.SECRET, secret=SECRET)),),
)

PATHS = ["/state", "/state-summary", "/frameworks", "/tasks", "/slaves", "/roles", "/flags"]
CALLS = ["GET_STATE", "GET_TASKS", "GET_EXECUTORS", "GET_FRAMEWORKS", "GET_AGENTS", "GET_FLAGS"]


def call(scene: Scene, type_: str) -> HttpResponse:
    answers: list[HttpResponse] = []
    body = json.dumps({"type": type_}).encode()
    headers = (("content-type", "application/json"),)
    scene.node.routes.request(HttpRequest("POST", "/master/api/v1", (), headers, body), answers.append)
    scene.world.settle()
    return answers[0]


def test_what_a_framework_hides_is_shown_to_nobody(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    scene = Scene()
    agent = scene.agent().register()
    stream = scene.node.processes[call(scene, "SUBSCRIBE").stream or scene.master.pid]
    scheduler = scene.scheduler().register()
    offer = scheduler.offer()
    hiding = task_on(offer, "t1", executor=replace(executor(), command=COMMAND, container=CONTAINER))
    scheduler.launch(hiding, task_on(offer, "t2", command=COMMAND, container=CONTAINER))
    agent.update(hiding, TaskState.TASK_RUNNING)
    (order, _) = agent.all(RunTaskMessage)
    assert order.task.executor is not None
    assert order.task.executor.command == COMMAND, "the agent is told"

    shown = [scene.get(path).body for path in PATHS] + [call(scene, type_).body for type_ in CALLS]
    assert isinstance(stream, HttpStream)
    while (chunk := stream.take()) is not None:
        shown.append(chunk)
    assert b"TOKEN" in b"".join(shown), "that there is a secret is no secret"
    for text in (*shown, caplog.text.encode(), repr(agent.inbox).encode()):
        assert PLANTED.encode() not in text
        assert ENCODED.encode() not in text


def test_what_is_shown_says_which_secrets_there_are():
    shown = without_secrets(replace(executor(), command=COMMAND, container=CONTAINER))
    assert shown.command is not None
    (variable,) = shown.command.environment.variables
    assert (variable.name, variable.secret) == ("TOKEN", Secret(SecretType.VALUE))
    assert without_secrets(executor()) == executor()


def test_a_secret_variable_is_set_to_its_secret():
    (variable,) = COMMAND.environment.variables
    assert value_of(variable) == PLANTED
    assert value_of(Variable("PLAIN", "x")) == "x"
    named = Variable("TOKEN", type=VariableType.SECRET, secret=Secret(SecretType.REFERENCE, SecretReference("vault")))
    with pytest.raises(ValueError, match="expected the secret of variable 'TOKEN' itself, found a reference"):
        value_of(named)
    with pytest.raises(ValueError, match="to be UTF-8 text"):
        value_of(Variable("TOKEN", type=VariableType.SECRET, secret=Secret(SecretType.VALUE, value=b"\xff")))
