"""Operations on an agent's resources, and what becomes of them: master, agent and scheduler."""

from __future__ import annotations

from libprocess.message import Message
from mesos.ids import AgentID, FrameworkID, OperationID
from mesos.types import Operation
from mesos.types.feedback import OperationReference, OperationStatus


class ApplyOperationMessage(Message, frozen=True):
    """Master → agent: apply this to what you have, and keep it. `uuid` is what the master calls the operation.

    Without a framework it is an operator's. Answered with an UpdateOperationStatusMessage once it is on disk.
    """

    uuid: bytes
    operation: Operation
    framework_id: FrameworkID | None = None


class UpdateOperationStatusMessage(Message, frozen=True):
    """Agent → master → scheduler, or from the master where it knows: this is how far an operation got.

    With a uuid in its status it is sent again until it is acknowledged; the scheduler is told if its operation has an
    id, and else the master acknowledges.
    """

    operation_uuid: bytes
    status: OperationStatus
    framework_id: FrameworkID | None = None


class AcknowledgeOperationStatusMessage(Message, frozen=True):
    """Scheduler → master → agent, or master → agent for nobody's: this update is taken care of, do not send it again.

    `uuid` is that of the status; `operation_uuid` is the master's to know, and empty from a scheduler.
    """

    agent_id: AgentID
    uuid: bytes
    operation_id: OperationID | None = None
    framework_id: FrameworkID | None = None
    operation_uuid: bytes = b""


class ReconcileOperationsMessage(Message, frozen=True):
    """Scheduler → master: tell me how far these operations got, all of mine that are known when there are none.

    Answered by an UpdateOperationStatusMessage without a uuid for each.
    """

    framework_id: FrameworkID
    operations: tuple[OperationReference, ...] = ()
