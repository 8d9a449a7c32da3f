"""A master whose doors are closed: where principals prove who they are, and may do what access control lists say."""

from __future__ import annotations

import base64
import json
from typing import Any

from msgspec.structs import replace

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.authentication import Basic
from libprocess.http.builtin import spawn_builtin
from libprocess.http.gate import READ, WRITE, Gate
from master.master import MASTER
from mesos.access.acls import parse_acls
from mesos.access.actions import OBJECTS
from mesos.access.gate import SCHEDULER, may_use
from mesos.types import CommandInfo, ExecutorInfo
from tests.master.scene import Scene, executor

ANY: dict[str, Any] = {"type": "ANY"}
NONE: dict[str, Any] = {"type": "NONE"}
PASSWORDS = Basic("tests", {"ada": "ada", "bob": "bob"})

QUOTA = {"role": "eng", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}], "force": True}


def entry(action: str, who: Any, what: Any) -> dict[str, Any]:
    return {"principals": who, OBJECTS[action]: what}


def only(action: str, principal: str, *values: str) -> str:
    """Lists that let one principal do that, with these objects or any, and nobody else."""
    objects = {"values": list(values)} if values else ANY
    return json.dumps({action: [entry(action, {"values": [principal]}, objects), entry(action, ANY, NONE)]})


def guarded(acls: str, **flags: Any) -> Scene:
    """A master where principals prove who they are, and may do what the lists say."""
    scene = Scene(acls=parse_acls(acls), **flags)
    spawn_builtin(scene.node)
    scene.node.routes.root = MASTER
    scene.node.routes.guard = Gate(
        {READ: PASSWORDS, WRITE: PASSWORDS, SCHEDULER: PASSWORDS},
        may=lambda principal, path: may_use(scene.flags.rights, principal, path),
    )
    scene.world.settle()
    return scene


def ask(scene: Scene, who: str, path: str, method: str = "GET", body: Any = "", query: Any = ()) -> HttpResponse:
    answers: list[HttpResponse] = []
    words = base64.b64encode(f"{who}:{who}".encode()).decode()
    headers = (("authorization", f"Basic {words}"), ("content-type", "application/json"))
    text = body if isinstance(body, str) else json.dumps(body)
    scene.node.routes.request(HttpRequest(method, path, query, headers, text.encode()), answers.append)
    scene.world.settle()
    return answers[0]


def call(scene: Scene, who: str, type_: str, **body: Any) -> HttpResponse:
    return ask(scene, who, "/api/v1", "POST", {"type": type_, **({type_.lower(): body} if body else {})})


def shown(response: HttpResponse) -> Any:
    assert response.status == 200, response
    return json.loads(response.body)


def form(**fields: str) -> str:
    return "&".join(f"{name}={value}" for name, value in fields.items())


def runs_as_root() -> ExecutorInfo:
    return replace(executor(), command=CommandInfo("./run", user="root"))
