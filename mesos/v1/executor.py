"""The v1 executor API: its calls as the messages that an executor sends, and the messages it is sent as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from libprocess.message import Message
from mesos.ids import AgentID, ContainerID, ExecutorID, FrameworkID
from mesos.messages import (
    ExecutorToFrameworkMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    RegisterExecutorMessage,
    ReregisterExecutorMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.types import (
    AgentInfo,
    ExecutorInfo,
    FrameworkCapability,
    FrameworkInfo,
    KillPolicy,
    StatusUpdate,
    TaskInfo,
    TaskStatus,
)
from mesos.v1.faces import FACES
from mesos.v1.proto import message
from mesos.v1.resources import older_notation
from mesos.v1.tree import Misfit, Tree

HEARTBEAT_SECONDS = 30 * 60.0

CALL = message("executor.Call")
EVENT = message("executor.Event")
HEARTBEAT: Tree = {"type": "HEARTBEAT"}


class Call(NamedTuple):
    """A call that is well-formed; `message` says the same inside, None if nothing inside corresponds to it."""

    type: str
    framework_id: FrameworkID
    executor_id: ExecutorID
    message: Message | None


def read_call(tree: Tree, agent_id: AgentID) -> Call:
    """The call that a tree makes on an agent; Misfit, in Mesos' own words where it has some, if it is not complete."""
    type_ = tree.get("type", "UNKNOWN")
    if type_ == "UNKNOWN":
        raise Misfit("Expecting 'type' to be present")
    name = type_.lower()
    if type_ not in _CALLS:
        return Call(type_, *_ids(tree), None)
    if name not in tree:
        raise Misfit(f"Expecting '{name}' to be present")
    try:
        return Call(type_, *_ids(tree), _CALLS[type_](tree[name], *_ids(tree), agent_id))
    except Misfit as misfit:
        raise misfit.within(name) from None


def write_event(message: Message, capabilities: tuple[FrameworkCapability, ...]) -> Tree | None:
    """The event that a message to an executor is outside, for a framework with these capabilities; None for none."""
    write = _EVENTS.get(type(message))
    if write is None:
        return None
    type_, body = write(message)
    event = {"type": type_} | ({type_.lower(): body} if body is not None else {})
    return event if FrameworkCapability.RESERVATION_REFINEMENT in capabilities else older_notation(event)


def subscribed(
    executor: ExecutorInfo, framework: FrameworkInfo, agent: AgentInfo, container_id: ContainerID | None
) -> Tree:
    """The event that begins a subscription."""
    container = {"container_id": {"value": container_id}} if container_id else {}
    return {
        "type": "SUBSCRIBED",
        "subscribed": {
            "executor_info": FACES[ExecutorInfo].write(executor),
            "framework_info": FACES[FrameworkInfo].write(framework),
            "agent_info": FACES[AgentInfo].write(agent),
            **container,
        },
    }


def _ids(tree: Tree) -> tuple[FrameworkID, ExecutorID]:
    return FrameworkID(tree["framework_id"]["value"]), ExecutorID(tree["executor_id"]["value"])


# Calls.


def _subscribe(body: Tree, framework_id: FrameworkID, executor_id: ExecutorID, agent_id: AgentID) -> Message:
    tasks = tuple(FACES[TaskInfo].read(task) for task in body.get("unacknowledged_tasks", ()))
    updates = tuple(
        _read_update(update, framework_id, executor_id, agent_id) for update in body.get("unacknowledged_updates", ())
    )
    if tasks or updates:
        return ReregisterExecutorMessage(framework_id, executor_id, tasks, updates)
    return RegisterExecutorMessage(framework_id, executor_id)


def _update(body: Tree, framework_id: FrameworkID, executor_id: ExecutorID, agent_id: AgentID) -> Message:
    return StatusUpdateMessage(_read_update(body, framework_id, executor_id, agent_id))


def _read_update(body: Tree, framework_id: FrameworkID, executor_id: ExecutorID, agent_id: AgentID) -> StatusUpdate:
    try:
        status = FACES[TaskStatus].read(body["status"])
    except Misfit as misfit:
        raise misfit.within("status") from None
    return StatusUpdate(framework_id, status, agent_id, executor_id)


def _message(body: Tree, framework_id: FrameworkID, executor_id: ExecutorID, agent_id: AgentID) -> Message:
    return ExecutorToFrameworkMessage(framework_id, agent_id, executor_id, body["data"])


_CALLS: dict[str, Callable[[Tree, FrameworkID, ExecutorID, AgentID], Message]] = {
    "SUBSCRIBE": _subscribe,
    "UPDATE": _update,
    "MESSAGE": _message,
}


# Events.


def _launch(message: RunTaskMessage) -> tuple[str, Tree | None]:
    return "LAUNCH", {"task": FACES[TaskInfo].write(message.task)}


def _kill(message: KillTaskMessage) -> tuple[str, Tree | None]:
    policy = message.kill_policy
    return "KILL", {
        "task_id": {"value": message.task_id},
        **({"kill_policy": FACES[KillPolicy].write(policy)} if policy else {}),
    }


def _acknowledged(message: StatusUpdateAcknowledgementMessage) -> tuple[str, Tree | None]:
    return "ACKNOWLEDGED", {"task_id": {"value": message.task_id}, "uuid": message.uuid}


def _to_executor(message: FrameworkToExecutorMessage) -> tuple[str, Tree | None]:
    return "MESSAGE", {"data": message.data}


def _shutdown(message: ShutdownExecutorMessage) -> tuple[str, Tree | None]:
    return "SHUTDOWN", None


_EVENTS: dict[type[Message], Callable[[Any], tuple[str, Tree | None]]] = {
    RunTaskMessage: _launch,
    KillTaskMessage: _kill,
    StatusUpdateAcknowledgementMessage: _acknowledged,
    FrameworkToExecutorMessage: _to_executor,
    ShutdownExecutorMessage: _shutdown,
}
