"""The v1 operator API of the agent, POST /api/v1 or below; and the files of all sandboxes, at /files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from agent.http.endpoints import Endpoints
from agent.records.executor import ExecutorRecord
from agent.records.framework import FrameworkRecord, Frameworks
from agent.records.task import TaskRecord
from libprocess.http import HttpRequest, HttpResponse, Principal
from libprocess.http.files import AttachFilesMessage, Files, ThreadedDisk
from libprocess.version import VERSION
from mesos.access.acls import Need
from mesos.access.gate import name_of
from mesos.types import AgentInfo, ContainerStatus, ExecutorInfo, FrameworkInfo, Task
from mesos.v1.door import Refusal, accepted_media, invalid, read_body
from mesos.v1.faces import FACES
from mesos.v1.proto import message
from mesos.v1.tree import Tree

CALL = message("agent.Call")
RESPONSE = message("agent.Response")

NEEDS: dict[str, tuple[Need, ...]] = {
    "GET_FLAGS": (("view_flags", None),),
    "GET_METRICS": (("get_endpoints", "/metrics/snapshot"),),
    "SET_LOGGING_LEVEL": (("set_log_level", None),),
}
"""What calls need of whoever makes them, beside what it is they are about: that is looked at where it is known."""

_WITH_BODY = ("GET_METRICS", "LIST_FILES", "READ_FILE", "SET_LOGGING_LEVEL")


class OperatorApi(Endpoints):
    """The agent's door for operators."""

    def initialize(self) -> None:
        super().initialize()
        self._spawn_files()
        self.route("/api/v1/*", self._operator_call, methods=("POST",))
        self._operator_calls: dict[str, Callable[[], Tree]] = {
            "GET_HEALTH": lambda: {"healthy": True},
            "GET_FLAGS": self._get_flags,
            "GET_VERSION": lambda: {"version_info": {"version": VERSION}},
            "GET_METRICS": self._get_metrics,
            "GET_LOGGING_LEVEL": lambda: {"level": 0},
            "GET_STATE": self._get_state,
            "GET_CONTAINERS": self._get_containers,
            "GET_FRAMEWORKS": self._get_frameworks,
            "GET_EXECUTORS": self._get_executors,
            "GET_OPERATIONS": dict,
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

        disk, root = ThreadedDisk(self._runtime), f"{self.flags.work_dir}/agents"
        self.files = self.spawn(Files(disk, [root], may if limited else None), "files")
        for executor in self.frameworks.executors():  # those of an earlier life
            self.send(self.files, AttachFilesMessage(executor.directory, executor.user))

    def _operator_call(self, request: HttpRequest) -> HttpResponse:
        try:
            _, call = read_body(request, CALL)
            type_ = _type_of(call)
            if type_ not in self._operator_calls:
                raise Refusal(501, f"501 Not Implemented. This agent does not know the call {type_}.")
            forbidden = self.forbidden(*NEEDS.get(type_, ()))
            if forbidden is not None:
                return forbidden
            media = accepted_media(request)
            answer = {"type": type_, type_.lower(): self._operator_calls[type_]()}
            return HttpResponse(200, media.write(answer, RESPONSE), media)
        except Refusal as refusal:
            return refusal.response

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

    def _get_containers(self) -> Tree:
        return _some(
            containers=[_container(each) for each in self.frameworks.executors() if self.sight.container(each)]
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
    return {"executor_info": FACES[ExecutorInfo].write(record.info) | {"framework_id": {"value": record.framework.id}}}


def _container(record: ExecutorRecord) -> Tree:
    return {
        "framework_id": {"value": record.framework.id},
        "executor_id": {"value": record.id},
        "executor_name": record.info.name,
        "container_id": {"value": record.container_id},
        "container_status": FACES[ContainerStatus].write(record.container_status),
    }


def _tasks(records: Iterable[TaskRecord]) -> list[Tree]:
    return [FACES[Task].write(record.report()) for record in records]


def _some(**lists: list[Any]) -> Tree:
    """Those that are not empty: outside, an empty list is not there."""
    return {name: items for name, items in lists.items() if items}
