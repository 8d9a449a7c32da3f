"""The agent's dialogue about operations: each is on disk before anybody hears of it, and told until acknowledged."""

from __future__ import annotations

from agent.dialogues.base import AgentState, log
from agent.dialogues.messages import RetryOperationMessage
from agent.dialogues.registration import Registration
from agent.paths import new_update_id
from agent.paths import volume as volume_path
from agent.records.lasting import PATH, Lasting
from agent.records.updates import RETRY_SECONDS, RETRY_SECONDS_MAX
from mesos.conversions import is_volume
from mesos.ids import AgentID
from mesos.messages import (
    AcknowledgeOperationStatusMessage,
    ApplyOperationMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Kind, Resources
from mesos.types import OperationReport, OperationState, OperationStatus


class Operations(Registration):
    """Applies operations to what the agent has."""

    def initialize(self) -> None:
        """What was reserved and made in an earlier life is still so."""
        super().initialize()
        self.lasting = Lasting(self.info.resources, self.storage.read(PATH))
        for kind in self.lasting.volumes():
            self.volumes.keep(self._place(kind))

    def apply_operation(self, message: ApplyOperationMessage) -> None:
        """See the message. One that comes twice is applied once."""
        if not self._ordered_by_master() or message.uuid in self.lasting.operations:
            return
        state, text, made = OperationState.OPERATION_FINISHED, "", Resources()
        try:
            before, made = self.lasting.converted(message.operation)
        except ValueError as error:
            state, text = OperationState.OPERATION_DROPPED, str(error)
            log.error("operation %s is not applied: %s", message.uuid.hex(), text)
        status = OperationStatus(state, message.operation.id, self.id, text, made, new_update_id(self.chance))
        report = OperationReport(message.uuid, message.operation, status, message.framework_id)
        self.lasting.operations[message.uuid] = report
        if state is OperationState.OPERATION_FINISHED:
            self._convert(before, made)
        else:
            self._remember()
        self._tell_operation(report, RETRY_SECONDS)

    def _convert(self, before: Resources, after: Resources) -> None:
        """Make what was not there, remember what is, and then only destroy what no longer is."""
        gone = {kind for kind, _ in before.items if is_volume(kind)}
        new = {kind for kind, _ in after.items if is_volume(kind)}
        kept = {kind.disk for kind in gone} & {kind.disk for kind in new}  # these grow or shrink
        for kind in sorted(new):
            if kind.disk not in kept:
                self.volumes.create(self._place(kind))
        self.lasting.apply(before, after)
        self._remember()
        for kind in sorted(gone):
            if kind.disk not in kept:
                self.volumes.remove(self._place(kind))

    def _remember(self) -> None:
        self.storage.write(PATH, self.lasting.encode())

    def _place(self, kind: Kind) -> str:
        return volume_path(self.flags.work_dir, kind)

    # To the master, until it is acknowledged.

    def _tell_operation(self, report: OperationReport, retry_seconds: float) -> None:
        if self.state is not AgentState.REGISTERED:
            return
        self._tell_master(UpdateOperationStatusMessage(report.uuid, report.status, report.framework_id))
        timer = self.delay(retry_seconds, RetryOperationMessage(report.uuid))
        self.lasting.retries[report.uuid] = (timer, retry_seconds)

    def retry_operation(self, message: RetryOperationMessage) -> None:
        report = self.lasting.operations.get(message.uuid)
        if report is not None:
            _, seconds = self.lasting.retries.pop(message.uuid)
            self._tell_operation(report, min(seconds * 2, RETRY_SECONDS_MAX))

    def acknowledge_operation_status(self, message: AcknowledgeOperationStatusMessage) -> None:
        """See the message."""
        report = self.lasting.operations.get(message.operation_uuid)
        if not self._ordered_by_master() or report is None or report.status.uuid != message.uuid:
            return
        del self.lasting.operations[report.uuid]
        self._remember()
        timer, _ = self.lasting.retries.pop(report.uuid, (None, 0.0))
        if timer is not None:
            timer.cancel()

    # After a time without the master.

    def _disconnect(self) -> None:
        super()._disconnect()
        for timer, _ in self.lasting.retries.values():
            timer.cancel()
        self.lasting.retries.clear()

    def _connect(self, agent_id: AgentID, ping_timeout_seconds: float) -> None:
        super()._connect(agent_id, ping_timeout_seconds)
        for report in self.lasting.operations.values():
            if report.uuid not in self.lasting.retries:
                self._tell_operation(report, RETRY_SECONDS)
