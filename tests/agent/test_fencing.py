"""Nothing that a former master still says is obeyed, whatever it is."""

from __future__ import annotations

import signal

import pytest

from libprocess import Message
from mesos.ids import ExecutorID
from mesos.messages import (
    AcknowledgeOperationStatusMessage,
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    ApplyOperationMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    PingAgentMessage,
    Reconciliation,
    ReregisterAgentMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    StatusUpdateMessage,
    UpdateFrameworkMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Resources
from mesos.resources.kind import Reservation, ReservationType
from mesos.types import FrameworkInfo, Reserve, TaskReference, TaskState
from tests.agent.cluster import (
    AGENT,
    FRAMEWORK,
    Cluster,
    Program,
    Seat,
    acknowledgement,
    command_task,
    executor_task,
)

RESERVED = Resources.parse("cpus:1").push_reservation(Reservation("eng", ReservationType.DYNAMIC))
EXECUTOR = ExecutorID("E1")
UPSTART = FrameworkInfo("root", "upstart", id=FRAMEWORK)


class Succession:
    """A busy agent that was told that another master leads; the old one does not know it yet."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.former = cluster.master
        cluster.tell(ApplyOperationMessage(b"o1", Reserve(RESERVED)))
        cluster.run(command_task("t1"), executor_task("t2"))
        self.program: Program = cluster.start_program()
        self.program.report(executor_task("t2").task_id, TaskState.TASK_RUNNING)
        cluster.world.settle()
        cluster.elect(Seat(), "standby")
        cluster.master.acknowledges = False
        cluster.world.advance(seconds=1)
        self.program.report(executor_task("t2").task_id, TaskState.TASK_KILLING)
        cluster.world.settle()
        self.program.mail.clear()

    def state(self) -> tuple[object, ...]:
        """All that an order could have changed."""
        agent, machine = self.cluster.agent, self.cluster.machine
        (framework,) = agent.frameworks
        return (
            agent.state,
            agent.info.id,
            list(machine.configs),
            list(machine.signals),
            [(task.id, task.state, len(task.updates)) for task in framework.tasks.values()],
            framework.info.name,
            dict(agent.lasting.operations),
            agent.lasting.resources,
            list(self.program.mail),
            len(self.former.mail) + len(self.cluster.master.mail),
        )

    def say(self, message: Message) -> None:
        """The old master says something more."""
        self.former.tell(self.cluster.agent.pid, message)
        self.cluster.world.settle()


@pytest.fixture
def succession(cluster: Cluster) -> Succession:
    return Succession(cluster)


def test_the_orders_of_a_former_master_change_nothing(succession: Succession):
    done = succession.former.got(UpdateOperationStatusMessage)[-1].status
    update = succession.cluster.master.got(StatusUpdateMessage)[-1].update
    before = succession.state()
    for order in (
        RunTaskMessage(succession.cluster.framework, command_task("t3")),
        KillTaskMessage(FRAMEWORK, command_task("t1").task_id, AGENT),
        KillTaskMessage(FRAMEWORK, executor_task("t2").task_id, AGENT),
        FrameworkToExecutorMessage(FRAMEWORK, AGENT, EXECUTOR, b"do it"),
        ShutdownExecutorMessage(FRAMEWORK, EXECUTOR),
        ShutdownFrameworkMessage(FRAMEWORK),
        UpdateFrameworkMessage(FRAMEWORK, UPSTART, None),
        acknowledgement(update),
        ApplyOperationMessage(b"o2", Reserve(RESERVED)),
        AcknowledgeOperationStatusMessage(AGENT, done.uuid, operation_uuid=b"o1"),
        AgentRegisteredMessage(AGENT, 1.0),
        AgentReregisteredMessage(
            AGENT, 1.0, (Reconciliation(FRAMEWORK, (TaskReference(command_task("t9").task_id),)),)
        ),
        ShutdownMessage("go away"),
    ):
        succession.say(order)
        assert succession.state() == before, f"{type(order).__name__} is obeyed"


def test_the_pings_of_a_former_master_are_only_answered(succession: Succession):
    registrations = len(succession.cluster.master.got(ReregisterAgentMessage))
    succession.say(PingAgentMessage(connected=False))
    succession.cluster.world.advance(seconds=2)
    assert len(succession.cluster.master.got(ReregisterAgentMessage)) == registrations


def test_the_same_orders_of_the_new_master_are_obeyed(succession: Succession):
    succession.cluster.tell(KillTaskMessage(FRAMEWORK, command_task("t1").task_id, AGENT))
    assert succession.cluster.machine.signals == [signal.SIGTERM]
