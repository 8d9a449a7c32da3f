"""The v1 scheduler API: its calls as the messages that a scheduler sends, and the messages it is sent as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from libprocess.message import Message
from mesos.ids import AgentID, FrameworkID
from mesos.messages import (
    AcceptInverseOffersMessage,
    AcceptOffersMessage,
    AcknowledgeOperationStatusMessage,
    AgentLostMessage,
    DeclineInverseOffersMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    InverseOffersMessage,
    KillTaskMessage,
    ReconcileOperationsMessage,
    ReconcileTasksMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    RescindInverseOfferMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    ReviseFrameworkMessage,
    ReviveOffersMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    SuppressOffersMessage,
    UnregisterFrameworkMessage,
    UpdateOperationStatusMessage,
)
from mesos.types import (
    FrameworkCapability,
    FrameworkInfo,
    InverseOffer,
    MasterInfo,
    Offer,
    OperationStatus,
    ResourceRequest,
    TaskReference,
    TaskStatus,
)
from mesos.types.constraint import OfferConstraints
from mesos.v1.constraints import read_constraints
from mesos.v1.face import Face
from mesos.v1.faces import CODECS, FACES
from mesos.v1.proto import message
from mesos.v1.resources import older_notation
from mesos.v1.tree import Misfit, Tree

HEARTBEAT_SECONDS = 15.0

CALL = message("scheduler.Call")
EVENT = message("scheduler.Event")
HEARTBEAT: Tree = {"type": "HEARTBEAT"}


class Call(NamedTuple):
    """A call that is well-formed; `message` says the same inside, None if nothing inside corresponds to it."""

    type: str
    framework_id: FrameworkID | None
    message: Message | None


Face(TaskReference, message("scheduler.Call.Reconcile.Task"))
Face(ResourceRequest, message("Request"))

_ID = ["framework_id"]
_MESSAGES: dict[str, Face[Any]] = {
    "ACCEPT": Face(AcceptOffersMessage, message("scheduler.Call.Accept"), inside=_ID),
    "DECLINE": Face(DeclineOffersMessage, message("scheduler.Call.Decline"), inside=_ID),
    "ACCEPT_INVERSE_OFFERS": Face(
        AcceptInverseOffersMessage, message("scheduler.Call.AcceptInverseOffers"), inside=_ID
    ),
    "DECLINE_INVERSE_OFFERS": Face(
        DeclineInverseOffersMessage, message("scheduler.Call.DeclineInverseOffers"), inside=_ID
    ),
    "REVIVE": Face(ReviveOffersMessage, message("scheduler.Call.Revive"), inside=_ID),
    "SUPPRESS": Face(SuppressOffersMessage, message("scheduler.Call.Suppress"), inside=_ID),
    "KILL": Face(KillTaskMessage, message("scheduler.Call.Kill"), inside=[*_ID, "is_drain"]),
    "SHUTDOWN": Face(ShutdownExecutorMessage, message("scheduler.Call.Shutdown"), inside=_ID),
    "ACKNOWLEDGE": Face(StatusUpdateAcknowledgementMessage, message("scheduler.Call.Acknowledge"), inside=_ID),
    "RECONCILE": Face(ReconcileTasksMessage, message("scheduler.Call.Reconcile"), inside=_ID),
    "REQUEST": Face(RequestResourcesMessage, message("scheduler.Call.Request"), inside=_ID),
    "MESSAGE": Face(FrameworkToExecutorMessage, message("scheduler.Call.Message"), inside=_ID),
    "ACKNOWLEDGE_OPERATION_STATUS": Face(
        AcknowledgeOperationStatusMessage,
        message("scheduler.Call.AcknowledgeOperationStatus"),
        inside=[*_ID, "operation_uuid"],
    ),
    "RECONCILE_OPERATIONS": Face(ReconcileOperationsMessage, message("scheduler.Call.ReconcileOperations"), inside=_ID),
}
_BODY_IS_OPTIONAL = ("REVIVE", "SUPPRESS")


def read_call(tree: Tree) -> Call:
    """The call that a tree makes; Misfit, in Mesos' own words where it has some, for one that is not complete."""
    type_ = tree.get("type", "UNKNOWN")
    if type_ == "UNKNOWN":
        raise Misfit("Expecting 'type' to be present")
    framework_id = FrameworkID(tree["framework_id"]["value"]) if "framework_id" in tree else None
    if type_ == "SUBSCRIBE":
        return Call(type_, framework_id, _read_subscribe(tree, framework_id))
    if not framework_id:
        raise Misfit("Expecting 'framework_id' to be present")
    if type_ == "TEARDOWN":
        return Call(type_, framework_id, UnregisterFrameworkMessage(framework_id))
    if type_ == "UPDATE_FRAMEWORK":
        return Call(type_, framework_id, ReviseFrameworkMessage(*_read_framework(type_, tree, framework_id)))
    return Call(type_, framework_id, _read_message(type_, tree, framework_id))


def write_event(message: Message) -> Tree | None:
    """The event that a message to a scheduler is outside; None for one that has none there."""
    write = _EVENTS.get(type(message))
    if write is None:
        return None
    type_, body = write(message)
    return {"type": type_, type_.lower(): body}


def event_for(capabilities: tuple[FrameworkCapability, ...], event: Tree) -> Tree:
    """The event as a framework with these capabilities understands it: resources and roles in its own notation."""
    if FrameworkCapability.RESERVATION_REFINEMENT not in capabilities:
        event = older_notation(event)
    if FrameworkCapability.MULTI_ROLE not in capabilities and event["type"] == "OFFERS":
        for offer in event["offers"]["offers"]:
            del offer["allocation_info"]
            offer["resources"] = [_unallocated(resource) for resource in offer.get("resources", ())]
    return event


def _read_subscribe(tree: Tree, framework_id: FrameworkID | None) -> Message:
    framework, suppressed, constraints = _read_framework("SUBSCRIBE", tree, framework_id)
    if framework.id:
        # A scheduler over HTTP always takes over from the one before.
        return ReregisterFrameworkMessage(framework, True, suppressed, constraints)
    return RegisterFrameworkMessage(framework, suppressed, constraints)


def _read_framework(
    type_: str, tree: Tree, framework_id: FrameworkID | None
) -> tuple[FrameworkInfo, tuple[str, ...], tuple[OfferConstraints, ...]]:
    """What a framework says of itself, the roles that it suppresses, and its constraints."""
    body, name = _body(type_, tree), type_.lower()
    try:
        framework: FrameworkInfo = FACES[FrameworkInfo].read(body["framework_info"])
    except Misfit as misfit:
        raise misfit.within(f"{name}.framework_info") from None
    if (framework.id or None) != (framework_id or None):
        raise Misfit(f"'framework_id' differs from '{name}.framework_info.id'")
    return framework, tuple(body.get("suppressed_roles", ())), read_constraints(body.get("offer_constraints", {}))


def _read_message(type_: str, tree: Tree, framework_id: FrameworkID) -> Message | None:
    body = _body(type_, tree)
    if type_ not in _MESSAGES:
        return None
    try:
        message: Message = _MESSAGES[type_].read(body, framework_id=framework_id)
    except Misfit as misfit:
        raise misfit.within(type_.lower()) from None
    return message


def _body(type_: str, tree: Tree) -> Tree:
    name = type_.lower()
    if name not in tree and type_ not in _BODY_IS_OPTIONAL:
        raise Misfit(f"Expecting '{name}' to be present")
    body: Tree = tree.get(name, {})
    return body


def _unallocated(resource: Tree) -> Tree:
    return {name: value for name, value in resource.items() if name != "allocation_info"}


# Events.


def _subscribed(message: FrameworkRegisteredMessage | FrameworkReregisteredMessage) -> tuple[str, Tree]:
    return "SUBSCRIBED", {
        "framework_id": {"value": message.framework_id},
        "heartbeat_interval_seconds": HEARTBEAT_SECONDS,
        "master_info": CODECS[MasterInfo].write(message.master_info),
    }


def _offers(message: ResourceOffersMessage) -> tuple[str, Tree]:
    pairs = zip(message.offers, message.pids, strict=True)
    return "OFFERS", {"offers": [{**FACES[Offer].write(offer), "url": _url(offer, pid.host)} for offer, pid in pairs]}


def _url(offer: Offer, ip: str) -> Tree:
    """Where the agent's own pages are."""
    address = {"hostname": offer.hostname, "ip": ip, "port": offer.port}
    return {"scheme": "http", "address": address, "path": "/agent"}


def _rescind(message: RescindResourceOfferMessage) -> tuple[str, Tree]:
    return "RESCIND", {"offer_id": {"value": message.offer_id}}


def _inverse_offers(message: InverseOffersMessage) -> tuple[str, Tree]:
    return "INVERSE_OFFERS", {"inverse_offers": [FACES[InverseOffer].write(each) for each in message.inverse_offers]}


def _rescind_inverse(message: RescindInverseOfferMessage) -> tuple[str, Tree]:
    return "RESCIND_INVERSE_OFFER", {"inverse_offer_id": {"value": message.inverse_offer_id}}


def _update(message: StatusUpdateMessage) -> tuple[str, Tree]:
    return "UPDATE", {"status": FACES[TaskStatus].write(message.update.status)}


def _operation(message: UpdateOperationStatusMessage) -> tuple[str, Tree]:
    return "UPDATE_OPERATION_STATUS", {"status": FACES[OperationStatus].write(message.status)}


def _message(message: ExecutorToFrameworkMessage) -> tuple[str, Tree]:
    return "MESSAGE", {**_ids(message.agent_id, message.executor_id), "data": message.data}


def _agent_lost(message: AgentLostMessage) -> tuple[str, Tree]:
    return "FAILURE", _ids(message.agent_id)


def _executor_exited(message: ExitedExecutorMessage) -> tuple[str, Tree]:
    return "FAILURE", {**_ids(message.agent_id, message.executor_id), "status": message.status}


def _error(message: FrameworkErrorMessage) -> tuple[str, Tree]:
    return "ERROR", {"message": message.message}


def _ids(agent_id: AgentID, executor_id: str | None = None) -> Tree:
    executor = {"executor_id": {"value": executor_id}} if executor_id else {}
    return {"agent_id": {"value": agent_id}, **executor}


_EVENTS: dict[type[Message], Callable[[Any], tuple[str, Tree]]] = {
    FrameworkRegisteredMessage: _subscribed,
    FrameworkReregisteredMessage: _subscribed,
    ResourceOffersMessage: _offers,
    RescindResourceOfferMessage: _rescind,
    InverseOffersMessage: _inverse_offers,
    RescindInverseOfferMessage: _rescind_inverse,
    StatusUpdateMessage: _update,
    UpdateOperationStatusMessage: _operation,
    ExecutorToFrameworkMessage: _message,
    AgentLostMessage: _agent_lost,
    ExitedExecutorMessage: _executor_exited,
    FrameworkErrorMessage: _error,
}
