"""Agents fall silent, links break: what is lost, when, and who hears of it."""

from __future__ import annotations

from master.observer import AgentUnresponsiveMessage
from mesos.messages import AgentLostMessage, PingAgentMessage, RescindResourceOfferMessage, RunTaskMessage
from mesos.types import FrameworkCapability, Reason, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on

PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


def test_an_agent_that_answers_pings_stays(scene: Scene, agent: AgentPeer):
    scene.world.advance(1000)

    assert agent.id in scene.master.cluster.agents


def test_an_agent_that_misses_five_pings_in_a_row_is_given_up(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.answers_pings = False

    scene.world.advance(89)  # the first ping comes after 15 s, and each of five has 15 s for its answer
    assert agent.id in scene.master.cluster.agents

    scene.world.advance(1)
    assert agent.id not in scene.master.cluster.agents
    assert scheduler.last(AgentLostMessage).agent_id == agent.id
    assert scheduler.status(task).state is TaskState.TASK_LOST
    assert scheduler.status(task).reason is Reason.REASON_AGENT_REMOVED
    assert scheduler.status(task).message == f"agent {agent.id}: it did not answer 5 pings"
    assert scheduler.status(task).uuid == b""
    assert scene.metric("slaves_unreachable") == 1
    assert scene.metric("tasks_lost") == 1


def test_who_has_an_offer_of_an_agent_that_is_given_up_is_told(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    offer = scheduler.offer()
    agent.answers_pings = False
    scene.world.advance(90)

    assert scheduler.last(AgentLostMessage).agent_id == agent.id
    assert [message.offer_id for message in scheduler.all(RescindResourceOfferMessage)] == [offer.id]


def test_an_answer_in_between_makes_the_count_begin_again(scene: Scene, agent: AgentPeer):
    agent.answers_pings = False
    scene.world.advance(70)
    agent.answers_pings = True
    scene.world.advance(15)
    agent.answers_pings = False
    scene.world.advance(70)

    assert agent.id in scene.master.cluster.agents


def test_an_agent_that_comes_back_again_and_again_is_not_given_up_for_the_pings_in_between(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    """Found by killing one every 15 s, always just before its ping: its tasks were lost, though it was there."""
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    for _ in range(8):
        agent.die()
        scene.world.advance(14)
        agent = scene.agent(node=scene.world.node("agent-1")).reregister(agent_id, **reported(order))
        agent.answers_pings = False
        scene.world.advance(1)

    assert agent_id in scene.master.cluster.agents
    assert scheduler.statuses(task) == []


def test_ping_limits_are_flags():
    scene = Scene(agent_ping_timeout_seconds=1.0, max_agent_ping_timeouts=2)
    agent = scene.agent().register()
    agent.answers_pings = False
    scene.world.advance(3)

    assert scene.master.cluster.agents == {}


def test_a_partition_aware_framework_hears_unreachable_and_since_when(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.answers_pings = False
    scene.world.advance(100)

    status = scheduler.status(task)
    assert status.state is TaskState.TASK_UNREACHABLE
    assert status.unreachable_time == status.timestamp == scene.master.started + 90
    assert scene.metric("tasks_unreachable") == 1


def test_a_task_that_had_ended_when_its_agent_was_given_up_stays_as_it_ended(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_FINISHED)  # and the scheduler did not acknowledge it
    agent.answers_pings = False
    scene.world.advance(100)

    assert scheduler.status(task).state is TaskState.TASK_FINISHED
    assert scene.metric("tasks_lost") == 0


def test_an_end_that_was_not_told_yet_is_told_by_the_agent_when_it_is_back(scene: Scene, agent: AgentPeer):
    """Behind what it has to tell before that: what has ended does not run again afterwards."""
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent.update(task, TaskState.TASK_RUNNING, latest=TaskState.TASK_FINISHED)
    agent.answers_pings = False
    scene.world.advance(100)
    assert scheduler.status(task).state is TaskState.TASK_UNREACHABLE


def test_a_broken_link_loses_nothing_but_offers(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer(), resources="cpus:1")
    scheduler.launch(task, refuse_seconds=0)
    scene.world.advance(1)
    standing = scheduler.offer()

    agent.die()

    assert scheduler.last(RescindResourceOfferMessage).offer_id == standing.id
    assert scheduler.statuses(task) == []
    assert scene.metric("slaves_disconnected") == 1
    assert scene.metric("outstanding_offers") == 0


def test_a_disconnected_agent_that_is_silent_is_given_up_by_its_pings(scene: Scene, agent: AgentPeer):
    agent.die()
    scene.world.advance(90)

    assert scene.master.cluster.agents == {}


def test_an_agent_whose_link_broke_is_told_so_with_the_next_ping(scene: Scene, agent: AgentPeer):
    scene.world.partition([scene.node], [agent.node])
    scene.world.run_until(lambda: scene.metric("slaves_disconnected") == 1)
    scene.world.heal()
    scene.world.advance(15)

    assert not agent.last(PingAgentMessage).connected


def test_an_agent_that_answers_but_does_not_register_again_is_given_up_in_the_end():
    scene = Scene(agent_reregister_timeout_seconds=300.0)
    agent = scene.agent().register()
    scene.world.partition([scene.node], [agent.node])
    scene.world.run_until(lambda: scene.metric("slaves_disconnected") == 1)
    scene.world.heal()

    scene.world.advance(299)
    assert agent.id in scene.master.cluster.agents
    scene.world.advance(2)
    assert agent.id not in scene.master.cluster.agents


def test_an_agent_that_registers_again_in_time_stays(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    agent.die()
    scene.world.advance(30)

    scene.agent(node=scene.world.node("agent-1")).reregister(agent_id, **reported(order))
    scene.world.advance(2000)

    assert agent_id in scene.master.cluster.agents
    assert scheduler.statuses(task) == []


def test_only_its_observer_can_give_an_agent_up(scene: Scene, agent: AgentPeer):
    stranger = scene.agent()
    stranger.say(AgentUnresponsiveMessage(agent.id, 5))

    assert agent.id in scene.master.cluster.agents
