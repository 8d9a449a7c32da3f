"""Feedback about operations: how far each one got, and why."""

from __future__ import annotations

from enum import StrEnum

from mesos.ids import AgentID, FrameworkID, OperationID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.operation import Operation


class OperationState(StrEnum):
    """How far an operation got; what a newer peer adds is UNKNOWN to an older one."""

    OPERATION_UNSUPPORTED = "OPERATION_UNSUPPORTED"
    OPERATION_PENDING = "OPERATION_PENDING"
    OPERATION_FINISHED = "OPERATION_FINISHED"
    OPERATION_FAILED = "OPERATION_FAILED"
    OPERATION_ERROR = "OPERATION_ERROR"
    OPERATION_DROPPED = "OPERATION_DROPPED"
    OPERATION_UNREACHABLE = "OPERATION_UNREACHABLE"
    OPERATION_GONE_BY_OPERATOR = "OPERATION_GONE_BY_OPERATOR"
    OPERATION_RECOVERING = "OPERATION_RECOVERING"
    OPERATION_UNKNOWN = "OPERATION_UNKNOWN"

    @classmethod
    def _missing_(cls, value: object) -> OperationState:
        return cls.OPERATION_UNKNOWN


class OperationStatus(Struct, frozen=True):
    """How far an operation got. One with a uuid is sent until it is acknowledged."""

    state: OperationState
    operation_id: OperationID | None = None
    """The framework's name for it; without one the framework does not want to know."""
    agent_id: AgentID | None = None
    message: str = ""
    converted_resources: Resources = Resources()
    """What the operation made, once it is finished."""
    uuid: bytes = b""


class OperationReport(Struct, frozen=True):
    """An operation as its agent tells of it: whose it is (nobody's: an operator's), and how far it got."""

    uuid: bytes
    """What the master calls it."""
    operation: Operation
    status: OperationStatus
    framework_id: FrameworkID | None = None


class OperationReference(Struct, frozen=True):
    """An operation that somebody asks about."""

    operation_id: OperationID
    agent_id: AgentID | None = None
