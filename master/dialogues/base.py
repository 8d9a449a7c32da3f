"""What every dialogue works with: the records, the allocator, and who may speak for whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from libprocess.message import Message
from libprocess.pid import PID
from master.allocator.messages import Lot, RecoverResourcesMessage
from master.flags import MasterFlags
from master.history.store import TaskHistory
from master.metrics import MasterMetrics
from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from master.registrar.messages import ChangeRegistryMessage, RegistryChangedMessage
from master.registrar.operations import Operation
from mesos.access.rights import Rights
from mesos.ids import AgentID, FrameworkID
from mesos.messages import ShutdownFrameworkMessage
from mesos.resources import Resources
from mesos.roles import ANY_ROLE
from mesos.types import Filters, MasterInfo, StatusUpdate
from mesos.types.history import EndedTask

log = logging.getLogger("master")


class Dialogue(Rights):
    """Base of all dialogues."""

    flags: MasterFlags
    info: MasterInfo
    cluster: Cluster
    history: TaskHistory
    allocator: PID
    registrar: PID
    counts: MasterMetrics
    started: float
    """When this master began, in Unix time."""

    is_recovered = False
    """Whether it is known what former masters wrote down; before that, this one is nobody's master."""
    _writes = 0
    _until_written: dict[int, Callable[[], None]]

    early: dict[PID, Message]
    """The last word of each who came before that."""

    returning: dict[FrameworkID, tuple[PID, Message]]
    """Frameworks whose return is on its way to be written down; and the last word of who came last for them."""

    def is_early(self, sender: PID, message: Message) -> bool:
        """Whether a newcomer has to wait: the mail at hand is taken when the registry is recovered."""
        if not self.is_recovered:
            self.early[sender] = message
        return not self.is_recovered

    def write(self, operation: Operation, then: Callable[[], None] = lambda: None) -> None:
        """Have something written down for later masters; `then` comes when it is safe, in the order of this."""
        self._writes += 1
        self._until_written[self._writes] = then
        self.send(self.registrar, ChangeRegistryMessage(self._writes, operation))

    def registry_changed(self, message: RegistryChangedMessage) -> None:
        """See the message."""
        if self.sender == self.registrar:
            self._until_written.pop(message.serial)()
        else:
            self.ignore("it is not the registrar")

    def caller(self, framework_id: FrameworkID) -> FrameworkRecord | None:
        """The framework that the mail at hand speaks for; None, and counted, unless its scheduler sent it."""
        framework = self.cluster.frameworks.get(framework_id)
        if framework is None or framework.pid != self.sender or not framework.connected:
            self.ignore(f"it is not the scheduler of framework {framework_id}")
            return None
        return framework

    def forget_caller(self, framework: FrameworkRecord) -> None:
        """For dialogues that keep something about who calls: this framework is over."""

    def reporter(self, agent_id: AgentID | None) -> AgentRecord | None:
        """The agent that sent the mail at hand; None, and counted, unless it is registered as this one."""
        agent = self.cluster.agent_at(self.sender)
        if agent is None or agent.id != agent_id:
            self.ignore(f"it is not agent {agent_id}")
            return None
        return agent

    def shut_down(self, framework_id: FrameworkID, agent: AgentRecord) -> None:
        """End what an agent runs of a framework that is over; it says when that is done."""
        agent.ending.add(framework_id)
        self.send(agent.pid, ShutdownFrameworkMessage(framework_id))

    @property
    def is_recovering(self) -> bool:
        """Whether frameworks of a former master may still come."""
        return self.now - self.started < self.flags.agent_reregister_timeout_seconds

    def is_own(self) -> bool:
        """Whether the mail at hand is a timer of the master's own; anybody else's is ignored, and counted."""
        if self.sender == self.pid:
            return True
        self.ignore("only the master itself sends this")
        return False

    def check_listed(self, roles: Iterable[str]) -> str | None:
        """Whether these are roles that there may be here, where the operator listed them."""
        others = sorted(set(roles) - {ANY_ROLE, *self.flags.roles}) if self.flags.roles else []
        if not others:
            return None
        return (
            f"expected roles that the master's --roles lists: {', '.join(self.flags.roles)}; found {', '.join(others)}"
        )

    def ignore(self, why: str) -> None:
        """Leave the mail at hand at that."""
        self.counts.dropped_messages.value += 1
        log.info("ignored mail of %s: %s", self.sender, why)

    def tell(self, framework: FrameworkRecord, message: Message) -> None:
        """Send something to a framework's scheduler, if there is one."""
        if framework.connected and framework.pid is not None:
            self.send(framework.pid, message)

    def remember(self, task: TaskRecord, update: StatusUpdate) -> None:
        """Let the history have how a task ended, or that it is out of reach."""
        framework, agent = self.cluster.frameworks[task.framework_id], self.cluster.agents[task.agent_id]
        status = update.status
        self.history.record(
            EndedTask(
                framework_id=framework.id,
                task_id=task.task_id,
                agent_id=agent.id,
                state=status.state,
                ended=status.timestamp or self.now,
                name=task.name,
                framework_name=framework.info.name,
                hostname=agent.info.hostname,
                role=task.role,
                user=task.user or framework.info.user,
                executor_id=task.executor_id,
                container_id=status.container_status.container_id if status.container_status else "",
                reason=status.reason,
                source=status.source,
                message=status.message,
                ending=update.ending,
                resources=task.resources,
            )
        )

    def recover(
        self, framework_id: FrameworkID, agent_id: AgentID, resources: Resources, filters: Filters | None = None
    ) -> None:
        """Give back to the allocator what a framework had on an agent, by the role it is allocated to."""
        for role, lot in resources.allocations().items():
            lots = (Lot(agent_id, lot.unallocate()),)
            self.send(self.allocator, RecoverResourcesMessage(framework_id, role, lots, filters))
