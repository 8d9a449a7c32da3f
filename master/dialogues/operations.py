"""Operations on agents' resources: in the books at once, ordered from the agent, and followed until acknowledged."""

from __future__ import annotations

from msgspec.structs import replace

from master.allocator.messages import UpdateAllocationMessage
from master.dialogues.base import log
from master.dialogues.offers import Offers
from master.records import AgentRecord, FrameworkRecord, OperationRecord
from master.validation.operation import check_framework_operation
from master.validation.rights import to_operate
from master.validation.task import Stake
from mesos.conversions import conversion
from mesos.ids import FrameworkID
from mesos.messages import (
    AcknowledgeOperationStatusMessage,
    ApplyOperationMessage,
    PingAgentMessage,
    ReconcileOperationsMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Resources
from mesos.types import (
    Operation,
    OperationReference,
    OperationReport,
    OperationState,
    OperationStatus,
)


class Operations(Offers):
    """From an operation in an offer's acceptance to the acknowledgement of its end."""

    def operate(self, framework: FrameworkRecord, agent: AgentRecord, stake: Stake, operation: Operation) -> Stake:
        """Have a framework's operation applied, or say what is wrong with it; returns what is left."""
        wrong = check_framework_operation(operation, framework, agent, stake) or self.refusal(
            framework.info.principal or None, to_operate(operation)
        )
        if wrong is not None:
            self.refuse_operation(framework, operation, wrong)
            return stake
        before, after = conversion(operation)
        self.rescind_copies(agent, before)
        self.send(self.allocator, UpdateAllocationMessage(framework.id, stake.role, agent.id, before, after))
        self.order(agent, operation, framework.id)
        return stake.convert(before, after)

    def rescind_copies(self, agent: AgentRecord, gone: Resources) -> None:
        """Take back the offers of what was shared, and is going to be no more."""
        kinds = {kind for kind, _ in gone.items if kind.shared}
        self.rescind(
            [offer for offer in agent.offers.values() if any(kind in kinds for kind, _ in offer.resources.items)]
        )

    def order(self, agent: AgentRecord, operation: Operation, framework_id: FrameworkID | None = None) -> None:
        """Have an agent apply an operation that is valid; the books have it done from now on."""
        agent.convert(*conversion(operation))
        uuid = self.chance.getrandbits(128).to_bytes(16, "big")
        self.cluster.add_operation(OperationRecord(uuid, operation, agent.id, framework_id))
        self.send(agent.pid, ApplyOperationMessage(uuid, operation, framework_id))

    def refuse_operation(self, framework: FrameworkRecord, operation: Operation, why: str) -> None:
        """Tell a framework that its operation is not done, and why; one without an id does not want to know."""
        log.warning("framework %s: %s is refused: %s", framework.id, type(operation).__name__, why)
        if operation.id is not None:
            self._tell_status(framework, OperationStatus(OperationState.OPERATION_ERROR, operation.id, message=why))

    def _tell_status(self, framework: FrameworkRecord, status: OperationStatus) -> None:
        self.tell(framework, UpdateOperationStatusMessage(b"", status, framework.id))

    # What becomes of them.

    def update_operation_status(self, message: UpdateOperationStatusMessage) -> None:
        """See the message. What cannot be delivered now the agent tells again, until it is acknowledged."""
        agent = self.cluster.agent_at(self.sender)
        record = agent.operations.get(message.operation_uuid) if agent is not None else None
        if agent is None or record is None:
            self.ignore("it speaks of an operation that is not known")
            return
        record.status = message.status
        if message.status.state is not OperationState.OPERATION_FINISHED:
            log.error("agent %s did not apply an operation: %s", agent.id, message.status.message)
            self.send(agent.pid, PingAgentMessage(connected=False))  # it registers anew, and says what it really has
        framework = self._who_cares(record)
        if framework is not None:
            self.tell(framework, message)
        elif not self._may_come_back(record):
            self._settle(agent, record)

    def _who_cares(self, record: OperationRecord) -> FrameworkRecord | None:
        """The framework that wants to know what becomes of an operation."""
        if record.framework_id is None or record.id is None:
            return None
        return self.cluster.frameworks.get(record.framework_id)

    def _may_come_back(self, record: OperationRecord) -> bool:
        """Whether somebody who wants to know of it may have to find the new master first."""
        if record.framework_id is None or record.id is None or record.framework_id in self.cluster.ended:
            return False
        return self.is_recovering

    def _settle(self, agent: AgentRecord, record: OperationRecord) -> None:
        """It is over and done with."""
        status = record.status
        self.cluster.remove_operation(record)
        self.send(
            agent.pid,
            AcknowledgeOperationStatusMessage(agent.id, status.uuid, record.id, record.framework_id, record.uuid),
        )

    def acknowledge_operation_status(self, message: AcknowledgeOperationStatusMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id or FrameworkID(""))
        if framework is None or message.operation_id is None:
            return
        record = framework.operations.get(message.operation_id)
        agent = self.cluster.agents.get(record.agent_id) if record is not None else None
        if record is None or agent is None or record.status.uuid != message.uuid or not agent.connected:
            self.ignore(f"operation {message.operation_id} has no such update now; the agent will tell it again")
            return
        self._settle(agent, record)

    # What an agent that comes back says of them, or no longer can.

    def take_operations(self, agent: AgentRecord, reports: tuple[OperationReport, ...], held_link: bool) -> None:
        """Bring the records in line with what the agent knows of. The rest is on its way, or was lost with the link."""
        known = {report.uuid for report in reports}
        for record in list(agent.operations.values()):
            if record.uuid in known:
                continue
            before, after = conversion(record.operation)
            if held_link and record.pending and agent.total.contains(before):
                agent.convert(before, after)
            else:
                self._lose(record, OperationState.OPERATION_DROPPED, f"agent {agent.id} does not know of it")
        for report in reports:
            if report.uuid not in agent.operations:
                self.cluster.add_operation(OperationRecord.reported(report, agent.id))

    def lose_operations(self, agent: AgentRecord, state: OperationState, why: str) -> None:
        """The agent is gone, or out of reach."""
        for record in list(agent.operations.values()):
            self._lose(record, state, why)

    def _lose(self, record: OperationRecord, state: OperationState, why: str) -> None:
        framework = self._who_cares(record)
        self.cluster.remove_operation(record)
        if framework is not None:
            self._tell_status(framework, OperationStatus(state, record.id, record.agent_id, why))

    # What schedulers ask.

    def reconcile_operations(self, message: ReconcileOperationsMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is None:
            return
        all_of_them = tuple(OperationReference(each) for each in sorted(framework.operations))
        for reference in message.operations or all_of_them:
            self._tell_status(framework, self._status_of(framework, reference))

    def _status_of(self, framework: FrameworkRecord, asked: OperationReference) -> OperationStatus:
        record = framework.operations.get(asked.operation_id)
        if record is not None:
            return replace(record.status, uuid=b"")
        state = OperationState.OPERATION_UNKNOWN
        if asked.agent_id in self.cluster.unreachable:
            state = OperationState.OPERATION_UNREACHABLE
        elif asked.agent_id in self.cluster.gone:
            state = OperationState.OPERATION_GONE_BY_OPERATOR
        elif asked.agent_id in self.cluster.recovered or (asked.agent_id is None and self.cluster.recovered):
            state = OperationState.OPERATION_RECOVERING
        return OperationStatus(state, asked.operation_id, asked.agent_id)
