"""How an agent finds its place with a master, and notices when it has lost it."""

from __future__ import annotations

from agent.dialogues.base import AgentState
from agent.dialogues.registration import BACKOFF_SECONDS_MAX
from mesos.detector import MasterDetectedMessage
from mesos.ids import AgentID
from mesos.messages import (
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    EndedFrameworkMessage,
    PingAgentMessage,
    PongAgentMessage,
    RegisterAgentMessage,
    ReregisterAgentMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
)
from tests.agent.cluster import AGENT, FRAMEWORK, PING_TIMEOUT_SECONDS, Cluster, Seat, command_task, executor_task


def test_an_agent_registers_with_the_master_that_is_detected(unregistered: Cluster):
    unregistered.world.settle()

    (registration,) = unregistered.master.got(RegisterAgentMessage)
    assert registration.agent.resources.scalar("cpus") == 4
    assert unregistered.agent.info.id == AGENT
    assert unregistered.agent.state is AgentState.REGISTERED


def test_a_registration_that_is_lost_is_sent_again_with_back_off(unregistered: Cluster):
    lost = unregistered.world.drop(RegisterAgentMessage)
    unregistered.world.advance(seconds=300)
    assert 5 <= len(lost.seen) <= 16

    unregistered.world.restore(lost)
    unregistered.world.advance(seconds=BACKOFF_SECONDS_MAX)
    assert unregistered.agent.state is AgentState.REGISTERED


def test_an_answer_from_another_than_the_master_is_ignored(unregistered: Cluster):
    unregistered.master.admits = False
    unregistered.world.settle()
    impostor = unregistered.world.node("elsewhere")
    impostor.send(unregistered.agent.pid, AgentRegisteredMessage(AGENT, 75.0))
    unregistered.world.settle()

    assert unregistered.agent.state is AgentState.DISCONNECTED


def test_an_agent_does_not_become_another_one(cluster: Cluster):
    cluster.master.admits = False
    cluster.tell(PingAgentMessage(connected=False))
    cluster.world.advance(seconds=1)
    cluster.tell(AgentRegisteredMessage(AgentID("A2"), PING_TIMEOUT_SECONDS))

    assert cluster.agent.info.id == AGENT
    assert cluster.agent.state is AgentState.DISCONNECTED


def test_a_new_master_is_told_all_that_runs(cluster: Cluster):
    cluster.run(command_task("t1"), executor_task("t2"))
    cluster.start_program()
    cluster.world.close(cluster.master_node)
    cluster.world.settle()
    assert cluster.agent.state is AgentState.DISCONNECTED

    cluster.elect(Seat(), host="standby")
    cluster.world.advance(seconds=1)

    (told,) = cluster.master.got(ReregisterAgentMessage)
    assert told.agent.id == AGENT
    assert [(task.task_id, task.state.name) for task in told.tasks] == [("t1", "TASK_RUNNING"), ("t2", "TASK_STAGING")]
    assert [executor.executor_id for executor in told.executor_infos] == ["E1"]
    assert [framework.id for framework in told.frameworks] == ["F1"]


def test_a_master_that_was_told_what_is_being_ended_is_told_when_that_has_ended(cluster: Cluster):
    cluster.run(command_task(line="trap '' TERM"))
    cluster.tell(ShutdownFrameworkMessage(FRAMEWORK))
    cluster.master.admits = False  # and hears nothing but that an agent is there
    cluster.tell(PingAgentMessage(connected=False))
    cluster.world.advance(seconds=1)
    assert cluster.master.got(ReregisterAgentMessage)[0].ending_frameworks == (FRAMEWORK,)

    cluster.world.run_until(lambda: bool(cluster.master.got(EndedFrameworkMessage)))
    cluster.tell(AgentReregisteredMessage(AGENT, PING_TIMEOUT_SECONDS))
    assert cluster.master.got(EndedFrameworkMessage) == [EndedFrameworkMessage(AGENT, FRAMEWORK)] * 2


def test_what_an_earlier_agent_here_was_to_end_means_nothing_to_one_without_an_id(unregistered: Cluster):
    """Found by seed 50."""
    unregistered.master.admits = False
    unregistered.world.settle()
    unregistered.tell(ShutdownFrameworkMessage(FRAMEWORK))
    assert unregistered.master.got(EndedFrameworkMessage) == []
    assert unregistered.agent.pid in unregistered.node.processes


def test_pings_are_answered_and_keep_the_agent_content(cluster: Cluster):
    for _ in range(10):
        cluster.world.advance(seconds=PING_TIMEOUT_SECONDS / 2)
        cluster.tell(PingAgentMessage(connected=True))

    assert len(cluster.master.got(PongAgentMessage)) == 10
    assert cluster.master.got(ReregisterAgentMessage) == []


def test_an_agent_without_pings_registers_again(cluster: Cluster):
    cluster.tell(PingAgentMessage(connected=True))
    cluster.world.advance(seconds=PING_TIMEOUT_SECONDS + 1)

    assert len(cluster.master.got(ReregisterAgentMessage)) == 1
    assert cluster.agent.state is AgentState.REGISTERED


def test_an_agent_that_the_master_lost_registers_again(cluster: Cluster):
    cluster.tell(PingAgentMessage(connected=False))
    cluster.world.advance(seconds=1)

    assert len(cluster.master.got(ReregisterAgentMessage)) == 1


def test_an_agent_without_a_master_waits(cluster: Cluster):
    cluster.node.send(cluster.agent.pid, MasterDetectedMessage(None))
    cluster.world.advance(seconds=600)

    assert cluster.agent.state is AgentState.DISCONNECTED
    assert cluster.master.got(ReregisterAgentMessage) == []


def test_an_agent_that_is_sent_away_ends_its_tasks_and_itself(cluster: Cluster):
    cluster.run(command_task())
    cluster.tell(ShutdownMessage("you are not welcome"))
    cluster.world.advance(seconds=10)

    assert cluster.machine.running == []
    assert cluster.agent.pid not in cluster.node.processes
