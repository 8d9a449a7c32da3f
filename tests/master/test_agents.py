"""Agents register, come back, and tell a new master all that it knows."""

from __future__ import annotations

from msgspec.structs import replace

from mesos.ids import AgentID
from mesos.messages import (
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    KillTaskMessage,
    PingAgentMessage,
    RegisterAgentMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UnregisterAgentMessage,
    UnregisterFrameworkMessage,
    UpdateFrameworkMessage,
)
from mesos.resources import Resources
from mesos.types import AgentInfo, FrameworkCapability, Reason, TaskReference, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, reported, task_on

PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


def test_agents_get_ids_of_their_own_that_begin_with_the_masters(scene: Scene):
    first, second = scene.agent().register(), scene.agent().register()

    assert first.id == f"{scene.master.info.id}-S0"
    assert second.id == f"{scene.master.info.id}-S1"
    assert first.last(AgentRegisteredMessage).total_ping_timeout_seconds == 75.0


def test_an_agent_that_registers_twice_gets_the_same_answer_twice(scene: Scene, agent: AgentPeer):
    agent.register()

    assert [message.agent_id for message in agent.all(AgentRegisteredMessage)] == [agent.id, agent.id]
    assert scene.metric("slave_registrations") == 1


def test_an_agent_that_registers_with_an_id_is_sent_away(scene: Scene):
    agent = scene.agent()
    agent.say(RegisterAgentMessage(AgentInfo("host", AgentID("S7")), "1"))

    assert agent.last(ShutdownMessage).message == "expected an agent that registers to have no id yet, found S7"


def test_a_new_agent_at_the_address_of_a_lost_one_takes_its_place(scene: Scene, scheduler: SchedulerPeer):
    old = scene.master.cluster.agents[scheduler.offer().agent_id]
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    scene.world.crash(scene.world.nodes[old.pid.address])
    scene.world.settle()

    new = scene.agent(node=scene.world.node(old.pid.host)).register()

    assert new.id != old.id
    assert old.id not in scene.master.cluster.agents
    assert scheduler.status(task).state is TaskState.TASK_LOST
    assert scheduler.status(task).message.startswith(f"another agent registered in place of {old.id}")


def test_an_agent_that_comes_back_to_a_new_master_keeps_its_id_and_its_tasks(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer(), executor=executor())
    scheduler.launch(task)
    agent_id, framework_id, order = agent.id, scheduler.id, agent.last(RunTaskMessage)

    scene.restart_master()
    agent.reregister(agent_id, **reported(order))

    assert agent.last(AgentReregisteredMessage).agent_id == agent_id
    record = scene.master.cluster.agents[agent_id]
    assert record.tasks[framework_id, task.task_id].state is TaskState.TASK_RUNNING
    assert record.used.total().unallocate() == Resources.parse("cpus:1.5;mem:96")
    assert scene.metric("frameworks_recovered") == 1


def test_what_a_returned_task_uses_is_not_offered(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    agent_id, order = agent.id, agent.last(RunTaskMessage)

    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    other = scene.scheduler().register()

    assert other.offer().resources == Resources.parse("cpus:3;mem:4032")


def test_tasks_that_a_returned_agent_does_not_report_are_asked_for(
    agent: AgentPeer, scheduler: SchedulerPeer, scene: Scene
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)

    agent.reregister(agent.id)

    (missing,) = agent.last(AgentReregisteredMessage).reconciliations
    assert missing.framework_id == scheduler.id
    assert missing.tasks == (TaskReference(task.task_id, agent.id),)


def test_what_ended_on_an_agent_that_was_started_anew_since_has_ended_so(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    """Found by seed 10: the agent was asked for it, did not know it, and a task that had failed was lost after that."""
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING, latest=TaskState.TASK_FINISHED)
    agent.die()
    again = scene.agent(node=scene.world.node(agent.pid.host)).reregister(agent.id)
    assert again.last(AgentReregisteredMessage).reconciliations == ()
    assert scheduler.status(task).state is TaskState.TASK_FINISHED


def test_executors_that_a_restarted_agent_does_not_report_are_gone(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    scheduler.launch(task_on(scheduler.offer(), executor=executor()))
    agent_id = agent.id
    agent.die()

    scene.agent(node=scene.world.node("agent-1")).reregister(agent_id)

    assert scene.master.cluster.agents[agent_id].executors == {}
    assert scheduler.offer().resources == Resources.parse("cpus:3;mem:4032")  # all but the task's own


def test_an_executor_on_its_way_to_an_agent_that_registers_again_stays(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    order = scene.world.hold(RunTaskMessage)
    scheduler.launch(task_on(scheduler.offer(), executor=executor()))
    agent.reregister(agent.id)
    scene.world.release(order)
    scene.world.settle()

    assert agent.last(RunTaskMessage).launch_executor
    assert list(scene.master.cluster.agents[agent.id].executors) == [(scheduler.id, "e1")]


def test_an_agent_whose_report_makes_no_sense_is_not_answered(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    report = reported(agent.last(RunTaskMessage)) | {"frameworks": ()}
    agent.reregister(agent.id, **report)

    assert agent.all(ShutdownMessage) == agent.all(AgentReregisteredMessage) == []
    assert scene.metric("dropped_messages") == 1


def test_there_is_one_agent_at_one_address(scene: Scene, agent: AgentPeer):
    agent.reregister(AgentID("other-S5"))

    assert list(scene.master.cluster.agents) == ["other-S5"]


def test_an_agent_cannot_come_back_on_another_machine(scene: Scene, agent: AgentPeer):
    impostor = scene.agent()
    impostor.reregister(agent.id)

    assert impostor.last(ShutdownMessage).message == (
        f"expected agent {agent.id} on agent-1 (agentpeer(1)@agent-1:5050), found it on agent-2"
    )
    assert scene.master.cluster.agents[agent.id].pid == agent.pid


def test_an_agent_may_come_back_at_another_port(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    agent_id = agent.id
    agent.die()
    restarted = scene.agent(node=scene.world.node("agent-1", port=6000))
    restarted.reregister(agent_id)

    scheduler.launch(task_on(scheduler.offer()))

    assert restarted.last(RunTaskMessage)


def test_agents_learn_where_the_scheduler_of_what_they_run_is(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))

    agent.reregister(agent.id, **reported(agent.last(RunTaskMessage)))

    assert agent.last(UpdateFrameworkMessage).pid == scheduler.pid


def test_an_agent_that_runs_something_of_a_framework_that_is_over_shuts_it_down(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    scheduler.launch(task_on(scheduler.offer()))
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    scene.world.partition([scene.node], [agent.node])
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    scene.world.advance(120)
    scene.world.heal()

    agent.reregister(agent_id, **reported(order))

    assert agent.last(ShutdownFrameworkMessage).framework_id == scheduler.id
    assert scene.master.cluster.agents[agent_id].tasks == {}


def test_a_kill_that_came_while_the_agent_was_away_is_sent_when_it_is_back(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.die()
    scheduler.say(KillTaskMessage(scheduler.id, task.task_id))

    restarted = scene.agent(node=scene.world.node("agent-1")).reregister(agent_id, **reported(order))

    assert restarted.last(KillTaskMessage).task_id == task.task_id
    restarted.reregister(agent_id, **reported(order))
    assert len(restarted.all(KillTaskMessage)) == 1


def test_a_partition_aware_framework_hears_that_a_task_is_in_reach_again(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.answers_pings = False
    scene.world.advance(100)
    assert scheduler.status(task).state is TaskState.TASK_UNREACHABLE

    agent.reregister(agent_id, **reported(order))

    assert scheduler.status(task).state is TaskState.TASK_RUNNING
    assert scheduler.status(task).reason is Reason.REASON_AGENT_REREGISTERED
    assert scene.metric("slaves_unreachable") == 0


def test_another_framework_is_not_told_anew_of_what_it_was_told_is_lost(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.answers_pings = False
    scene.world.advance(100)
    agent.reregister(agent_id, **reported(order))

    assert [status.state for status in scheduler.statuses(task)] == [TaskState.TASK_LOST]
    assert scene.master.cluster.frameworks[scheduler.id].tasks[task.task_id].state is TaskState.TASK_RUNNING


def test_a_task_in_reach_again_is_as_far_as_its_framework_will_hear(scene: Scene, agent: AgentPeer):
    """Found by seed 17: one that had ended meanwhile was told to have, and then to start, as its agent had to tell."""
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    order = agent.last(RunTaskMessage)
    agent.answers_pings = False
    scene.world.advance(100)
    report = reported(order, TaskState.TASK_FINISHED)
    (known,) = report["tasks"]
    begun = replace(known, status_update_state=TaskState.TASK_STARTING)
    agent.reregister(agent.id, **(report | {"tasks": (begun,)}))
    assert scheduler.status(task).state is TaskState.TASK_STARTING


def test_an_agent_that_shuts_down_is_forgotten_with_its_tasks(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)

    agent.say(UnregisterAgentMessage(agent.id))

    assert scene.master.cluster.agents == {}
    assert scheduler.status(task).state is TaskState.TASK_LOST


def test_only_an_agent_itself_can_take_leave(scene: Scene, agent: AgentPeer):
    stranger = scene.agent()
    stranger.say(UnregisterAgentMessage(agent.id))

    assert agent.id in scene.master.cluster.agents
    assert scene.metric("dropped_messages") == 1


def test_an_agent_is_pinged_and_told_whether_it_is_connected(scene: Scene, agent: AgentPeer):
    scene.world.advance(15)

    assert agent.last(PingAgentMessage).connected
