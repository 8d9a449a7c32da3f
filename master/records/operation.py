"""One operation on an agent's resources, from its order until what became of it is acknowledged."""

from __future__ import annotations

from mesos.ids import AgentID, FrameworkID, OperationID
from mesos.types import Operation, OperationReport, OperationState, OperationStatus


class OperationRecord:
    """An operation that its agent was told to apply. The master's books have it done already."""

    __slots__ = ("agent_id", "framework_id", "operation", "status", "uuid")

    def __init__(
        self, uuid: bytes, operation: Operation, agent_id: AgentID, framework_id: FrameworkID | None = None
    ) -> None:
        self.uuid = uuid
        self.operation = operation
        self.agent_id = agent_id
        self.framework_id = framework_id
        """Whose it is; None for an operator's."""
        self.status = OperationStatus(OperationState.OPERATION_PENDING, operation.id, agent_id)

    @classmethod
    def reported(cls, report: OperationReport, agent_id: AgentID) -> OperationRecord:
        """One that its agent speaks of."""
        record = cls(report.uuid, report.operation, agent_id, report.framework_id)
        record.status = report.status
        return record

    def report(self) -> OperationReport:
        """What is known of it now, as a value."""
        return OperationReport(self.uuid, self.operation, self.status, self.framework_id)

    @property
    def id(self) -> OperationID | None:
        """The framework's name for it; without one, nobody wants to know what becomes of it."""
        return self.operation.id

    @property
    def pending(self) -> bool:
        """Whether nobody has heard yet that it was applied."""
        return self.status.state is OperationState.OPERATION_PENDING
