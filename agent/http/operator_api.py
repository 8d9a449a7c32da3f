"""The v1 operator API of the agent, POST /api/v1 or below; and the files of all sandboxes, at /files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from agent.http.reconfiguration import Reconfiguration
from agent.http.sight import Sight
from agent.http.statistics import Measured, numbers
from agent.ports import Usage
from agent.records.executor import ExecutorRecord
from agent.records.framework import FrameworkRecord, Frameworks
from agent.records.task import TaskRecord
from libprocess.http import HttpRequest, HttpResponse, Principal
from libprocess.http.files import AttachFilesMessage, Files, Scope, ThreadedDisk
from libprocess.http.routes import About
from libprocess.http.verbosity import LOGGING, verbosity
from libprocess.pid import PID
from libprocess.version import VERSION
from mesos.access.acls import Need
from mesos.access.gate import name_of
from mesos.secrets import without_secrets
from mesos.types import AgentInfo, ContainerStatus, ExecutorInfo, FrameworkInfo, OperationReport, Task
from mesos.v1.door import Refusal, accepted_media, invalid, read_body
from mesos.v1.faces import FACES
from mesos.v1.files import FILE_CALLS, file_work
from mesos.v1.log_level import read_log_level
from mesos.v1.media import Media
from mesos.v1.proto import message
from mesos.v1.schema import takes
from mesos.v1.tree import Tree

CALL = message("agent.Call")
RESPONSE = message("agent.Response")

_KINDS = {
    field.name: float if field.type == FieldDescriptor.TYPE_DOUBLE else int
    for field in message("ResourceStatistics").fields
    if field.message_type is None
}
"""Which numbers of containers the API knows."""

OTHER_CALLS = (*FILE_CALLS, "SET_LOGGING_LEVEL", "GET_CONTAINERS")
"""Those that change something or take their time."""

NEEDS: dict[str, tuple[Need, ...]] = {
    "GET_FLAGS": (("view_flags", None),),
    "GET_METRICS": (("get_endpoints", "/metrics/snapshot"),),
    "SET_LOGGING_LEVEL": (("set_log_level", None),),
}
"""What calls need of whoever makes them, beside what it is they are about: that is looked at where it is known."""

_WITH_BODY = ("GET_METRICS", "LIST_FILES", "READ_FILE", "SET_LOGGING_LEVEL")


class OperatorApi(Reconfiguration):
    """The agent's door for operators."""

    def initialize(self) -> None:
        super().initialize()
        self._spawn_files()
        self.route("/api/v1/*", self._operator_call, methods=("POST",), about=self._about_calls)
        self._operator_calls: dict[str, Callable[[], Tree]] = {
            "GET_HEALTH": lambda: {"healthy": True},
            "GET_FLAGS": self._get_flags,
            "GET_VERSION": lambda: {"version_info": {"version": VERSION}},
            "GET_METRICS": self._get_metrics,
            "GET_LOGGING_LEVEL": lambda: {"level": verbosity()},
            "GET_STATE": self._get_state,
            "GET_FRAMEWORKS": self._get_frameworks,
            "GET_EXECUTORS": self._get_executors,
            "GET_OPERATIONS": self._get_operations,
            "GET_TASKS": self._get_tasks,
            "GET_AGENT": lambda: {"agent_info": FACES[AgentInfo].write(self.info)},
            "GET_RESOURCE_PROVIDERS": dict,
        }

    def _spawn_files(self) -> None:
        """Whoever may see all sandboxes looks around in all of them; others in those that they may see."""
        rights = self.flags.rights
        limited = rights.restrict("access_sandboxes")

        def may(principal: Principal | None, user: str) -> bool:
            return rights.allow(name_of(principal), "access_sandboxes", user)

        self._disk = ThreadedDisk(self._runtime)
        self.files = self.spawn(Files(self._disk, [self._root], may if limited else None, self._names), "files")
        for executor in (*self.frameworks.ended_executors(), *self.frameworks.executors()):  # those of an earlier life
            self.send(self.files, AttachFilesMessage(executor.directory, executor.user))

    def _about_calls(self) -> About:
        return takes(CALL, (*self._operator_calls, *OTHER_CALLS), RESPONSE)

    @property
    def _root(self) -> str:
        """Where all sandboxes are."""
        return f"{self.flags.work_dir}/agents"

    def _names(self) -> dict[str, str]:
        """What sandboxes of what runs are called beside their paths."""
        return {
            f"/frameworks/{each.framework.id}/executors/{each.id}/runs/latest": each.directory
            for each in self.frameworks.executors()
        }

    def _scope(self) -> Scope:
        """The sandboxes that whoever asks may look into."""
        rights = self.flags.rights
        if not rights.restrict("access_sandboxes"):
            return Scope((self._root,))
        ended = (each for framework in _all(self.frameworks) for each in _ended(framework))
        executors = (*self.frameworks.executors(), *ended)
        return Scope(
            tuple(each.directory for each in executors if rights.allow(self.asker, "access_sandboxes", each.user))
        )

    def _operator_call(self, request: HttpRequest) -> HttpResponse | None:
        try:
            _, call = read_body(request, CALL)
            type_ = _type_of(call)
            if type_ not in (*self._operator_calls, *OTHER_CALLS):
                raise Refusal(501, f"501 Not Implemented. This agent does not know the call {type_}.")
            forbidden = self.forbidden(*NEEDS.get(type_, ()))
            if forbidden is not None:
                return forbidden
            if type_ == "SET_LOGGING_LEVEL":
                return self._set_logging_level(call["set_logging_level"])
            media = accepted_media(request)
            if type_ == "GET_CONTAINERS":
                self.when_measured(partial(_containers, self.sight, media))
                return None
            if type_ in FILE_CALLS:
                self._disk.later(file_work(call, media, RESPONSE, self._scope(), self._names()), self.sender)
                return None
            answer = {"type": type_, type_.lower(): self._operator_calls[type_]()}
            return HttpResponse(200, media.write(answer, RESPONSE), media)
        except Refusal as refusal:
            return refusal.response

    def _set_logging_level(self, body: Tree) -> HttpResponse:
        message = read_log_level(body)
        self.send(PID(LOGGING, *self.pid.address), message)
        return HttpResponse()

    def _get_flags(self) -> Tree:
        return {"flags": [{"name": name, "value": value} for name, value in self.flags.as_dict().items()]}

    def _get_metrics(self) -> Tree:
        numbers = sorted(self.metrics.snapshot().items())
        return {"metrics": [{"name": name, "value": float(value)} for name, value in numbers]}

    def _get_state(self) -> Tree:
        return {
            "get_tasks": self._get_tasks(),
            "get_executors": self._get_executors(),
            "get_frameworks": self._get_frameworks(),
        }

    def _get_frameworks(self) -> Tree:
        return _some(
            frameworks=[_framework(each) for each in self.seen],
            completed_frameworks=[_framework(each) for each in self.seen.completed],
        )

    def _get_executors(self) -> Tree:
        seen = self.seen
        ended = (each for framework in _all(seen) for each in _ended(framework))
        return _some(
            executors=[_executor(each) for each in seen.executors()],
            completed_executors=[_executor(each) for each in ended],
        )

    def _get_operations(self) -> Tree:
        reports = self.lasting.operations.values()
        return _some(
            operations=[FACES[OperationReport].write(each) | {"agent_id": {"value": self.id}} for each in reports]
        )

    def _get_tasks(self) -> Tree:
        seen = self.seen
        executors = [*seen.executors(), *(each for framework in _all(seen) for each in _ended(framework))]
        living = [task for executor in executors for task in executor.tasks.values()]
        return _some(
            queued_tasks=_tasks(task for task in living if task.is_queued),
            launched_tasks=_tasks(task for task in living if not (task.is_queued or task.is_terminal)),
            terminated_tasks=_tasks(task for task in living if task.is_terminal),
            completed_tasks=_tasks(task for executor in executors for task in executor.completed_tasks),
        )


def _all(frameworks: Frameworks) -> list[FrameworkRecord]:
    return [*frameworks, *frameworks.completed]


def _type_of(call: Tree) -> str:
    type_: str = call.get("type", "UNKNOWN")
    if type_ == "UNKNOWN":
        raise invalid("agent::Call", "Expecting 'type' to be present")
    if type_ in _WITH_BODY and type_.lower() not in call:
        raise invalid("agent::Call", f"Expecting '{type_.lower()}' to be present")
    return type_


def _ended(framework: FrameworkRecord) -> Iterable[ExecutorRecord]:
    return (*framework.owing.values(), *framework.completed_executors)


def _framework(record: FrameworkRecord) -> Tree:
    return {"framework_info": FACES[FrameworkInfo].write(record.info) | {"id": {"value": record.id}}}


def _executor(record: ExecutorRecord) -> Tree:
    info = FACES[ExecutorInfo].write(without_secrets(record.info))
    return {"executor_info": info | {"framework_id": {"value": record.framework.id}}}


def _containers(sight: Sight, media: Media, found: Measured) -> HttpResponse:
    """What GET_CONTAINERS says."""
    shown = _some(containers=[_container(*each) for each in found if sight.container(each[0])])
    return HttpResponse(200, media.write({"type": "GET_CONTAINERS", "get_containers": shown}, RESPONSE), media)


def _container(record: ExecutorRecord, usage: Usage) -> Tree:
    used = numbers(record, usage)
    return {
        "framework_id": {"value": record.framework.id},
        "executor_id": {"value": record.id},
        "executor_name": record.info.name,
        "container_id": {"value": record.container_id},
        "container_status": FACES[ContainerStatus].write(record.container_status),
        "resource_statistics": {name: _KINDS[name](value) for name, value in used.items() if name in _KINDS},
    }


def _tasks(records: Iterable[TaskRecord]) -> list[Tree]:
    return [FACES[Task].write(without_secrets(record.report())) for record in records]


def _some(**lists: list[Any]) -> Tree:
    """Those that are not empty: outside, an empty list is not there."""
    return {name: items for name, items in lists.items() if items}
