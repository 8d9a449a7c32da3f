"""Agents that operators drain, deactivate, or never want back; and what their frameworks are told, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libprocess.http import HttpRequest
from master.records.notices import Response
from master.registrar.messages import ChangeRegistryMessage, RegistryChangedMessage, RegistryStoredMessage
from master.registrar.operations import FinishDrain
from mesos.ids import AgentID
from mesos.messages import (
    AcceptInverseOffersMessage,
    DeclineInverseOffersMessage,
    EndedFrameworkMessage,
    InverseOffersMessage,
    KillTaskMessage,
    RescindInverseOfferMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import FrameworkCapability, TaskInfo, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported

PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


@pytest.fixture
def scheduler(scene: Scene, agent: AgentPeer) -> SchedulerPeer:
    """One that knows how tasks can be lost."""
    return scene.scheduler(PARTITION_AWARE, failover_timeout_seconds=600.0).register()


def call(scene: Scene, type_: str, agent_id: str, **more: Any) -> int:
    """An operator's call about an agent; returns the answer's status."""
    (status,) = call_later(scene, type_, agent_id, **more)
    return status


def call_later(scene: Scene, type_: str, agent_id: str, **more: Any) -> list[int]:
    """Where the answer's status will be."""
    body = json.dumps({"type": type_, type_.lower(): {"agent_id": {"value": agent_id}, **more}}).encode()
    headers = (("content-type", "application/json"),)
    statuses: list[int] = []
    scene.ask(HttpRequest("POST", "/api/v1", (), headers, body), lambda answer: statuses.append(answer.status))
    return statuses


def shown(scene: Scene) -> dict[str, Any]:
    """The only agent at /slaves."""
    (agent,) = json.loads(scene.get("/slaves").body)["slaves"]
    found: dict[str, Any] = agent
    return found


def test_a_drained_agent_is_offered_no_more_and_empty_by_the_deadline(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    assert call(scene, "DRAIN_AGENT", agent.id, max_grace_period={"seconds": 60}) == 200
    scene.world.advance(1)
    assert scheduler.offers() == []
    (offer,) = scheduler.last(InverseOffersMessage).inverse_offers
    assert offer.unavailability.start == pytest.approx(scene.node.clock.now() + 59, abs=1)
    assert shown(scene)["drain_info"] == {
        "state": "DRAINING",
        "config": {"mark_gone": False, "max_grace_period": {"nanoseconds": 60_000_000_000}},
    }
    assert shown(scene)["drain_progress"]["tasks"] == 1

    scene.world.advance(57)
    assert agent.all(KillTaskMessage) == []
    scene.world.advance(15)
    orders = agent.all(KillTaskMessage)
    assert [(order.task_id, order.is_drain) for order in orders] == [(task.task_id, True)] * 2  # the first may be lost

    agent.update(task, TaskState.TASK_KILLED, b"k")
    scheduler.acknowledge(task, b"k")
    scene.world.advance(2)
    assert shown(scene)["drain_info"]["state"] == "DRAINED"
    assert (shown(scene)["active"], shown(scene)["deactivated"]) == (False, True)
    scene.world.advance(60)
    assert scheduler.offers() == []


def test_an_agent_is_drained_early_when_its_tasks_are_moved(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    other = scene.agent().register()
    call(scene, "DRAIN_AGENT", agent.id, max_grace_period={"seconds": 600})
    scene.world.advance(2)
    assert {offer.agent_id for offer in scheduler.offers()} == {other.id}
    scheduler.say(KillTaskMessage(scheduler.id, task.task_id, agent.id))
    agent.update(task, TaskState.TASK_KILLED, b"k")
    scheduler.acknowledge(task, b"k")
    scene.world.advance(2)
    assert scene.master.cluster.agents[agent.id].drain == scene.master.cluster.orders[agent.id]
    assert "DRAINED" in scene.get("/slaves").body.decode()


def test_without_a_grace_period_tasks_are_killed_at_once(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    call(scene, "DRAIN_AGENT", agent.id)
    scene.world.advance(0.1)
    assert len(agent.all(KillTaskMessage)) == 1


@pytest.mark.parametrize(
    ("message", "response"),
    [(AcceptInverseOffersMessage, Response.ACCEPT), (DeclineInverseOffersMessage, Response.DECLINE)],
)
def test_what_frameworks_say_to_it_is_noted(
    scene: Scene,
    agent: AgentPeer,
    scheduler: SchedulerPeer,
    task: TaskInfo,
    message: type[AcceptInverseOffersMessage | DeclineInverseOffersMessage],
    response: Response,
):
    call(scene, "DRAIN_AGENT", agent.id, max_grace_period={"seconds": 60})
    scene.world.advance(1)
    (offer,) = scheduler.last(InverseOffersMessage).inverse_offers
    scheduler.say(message(scheduler.id, (offer.id,)))
    (notice,) = scene.master.cluster.notices.of(agent.id)
    assert notice.response is response


def test_a_drain_can_be_called_off(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo):
    call(scene, "DRAIN_AGENT", agent.id, max_grace_period={"seconds": 60})
    scene.world.advance(5)
    assert call(scene, "REACTIVATE_AGENT", agent.id) == 200
    assert scheduler.all(RescindInverseOfferMessage)
    scene.world.advance(120)
    assert agent.all(KillTaskMessage) == []
    assert scheduler.offer().agent_id == agent.id
    assert "drain_info" not in shown(scene)


def test_a_drain_outlives_the_master(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo):
    agent_id, framework_id, order = agent.id, scheduler.id, agent.last(RunTaskMessage)
    call(scene, "DRAIN_AGENT", agent_id, max_grace_period={"seconds": 60})
    scene.world.advance(20)
    scene.restart_master()
    scheduler.reregister(framework_id, failover_timeout_seconds=600.0)
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(1)
    assert len(scheduler.all(InverseOffersMessage)) == 2
    assert scheduler.offers() == []
    scene.world.advance(35)
    assert agent.all(KillTaskMessage) == []
    scene.world.advance(6)
    assert agent.all(KillTaskMessage)


def test_a_scheduler_that_takes_over_is_told_too(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    call(scene, "DRAIN_AGENT", agent.id, max_grace_period={"seconds": 60})
    scene.world.advance(2)
    heir = scene.scheduler().reregister(scheduler.id, force=True, failover_timeout_seconds=600.0)
    scene.world.advance(2)
    assert len(heir.all(InverseOffersMessage)) == 1


def test_an_agent_out_of_reach_is_drained_when_it_is_back(scene: Scene, agent: AgentPeer):
    agent_id = agent.id
    agent.answers_pings = False
    scene.world.advance(120)
    assert call(scene, "DRAIN_AGENT", agent_id) == 200
    agent.reregister(agent_id)
    scene.world.advance(2)
    assert shown(scene)["drain_info"]["state"] == "DRAINED"


def test_an_agent_is_gone_once_it_is_drained_where_that_is_said(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    agent_id = agent.id
    call(scene, "DRAIN_AGENT", agent_id, mark_gone=True)
    agent.update(task, TaskState.TASK_KILLED, b"k")
    scene.world.advance(2)
    assert agent.all(ShutdownMessage) == []
    scheduler.acknowledge(task, b"k")
    scene.world.advance(2)
    assert agent.all(ShutdownMessage)
    assert list(scene.master.cluster.gone) == [agent_id]


def finish(agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo) -> None:
    """The last that runs there ends."""
    agent.update(task, TaskState.TASK_KILLED, b"k")
    scheduler.acknowledge(task, b"k")


def test_an_agent_is_not_drained_before_it_says_that_what_is_to_end_there_has_ended(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    """Found by seed 25: its framework ended, which it had not learned, and it counted as empty."""
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    call(scene, "DRAIN_AGENT", agent_id, max_grace_period={"seconds": 600})
    agent.die()
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    scene.world.advance(5)
    assert shown(scene)["drain_info"]["state"] == "DRAINING"

    again = scene.world.node(agent.pid.host)
    back = scene.agent(node=again, hostname=agent.info.hostname).reregister(agent_id, **reported(order))
    assert back.last(ShutdownFrameworkMessage).framework_id == scheduler.id
    scene.world.advance(5)
    assert shown(scene)["drain_info"]["state"] == "DRAINING"

    back.say(EndedFrameworkMessage(agent_id, scheduler.id))
    scene.world.advance(2)
    assert shown(scene)["drain_info"]["state"] == "DRAINED"


def test_that_an_agent_is_drained_is_written_once_however_long_that_takes(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    """Found by seed 185: a registry that took 9 s a write was asked for the same every second."""
    call(scene, "DRAIN_AGENT", agent.id)
    written = scene.world.expect(ChangeRegistryMessage)
    held = scene.world.hold(RegistryChangedMessage, to=scene.master.pid)
    finish(agent, scheduler, task)
    scene.world.advance(10)
    assert [message.operation for message in written.seen] == [FinishDrain(agent.id)]

    scene.world.release(held)
    scene.world.settle()
    assert shown(scene)["drain_info"]["state"] == "DRAINED"


def test_an_agent_that_is_to_be_gone_once_it_is_drained_is_so_whenever_the_master_ends(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    """It was written down as drained, and then as gone: a master that ended in between left it at that."""
    agent_id = agent.id
    call(scene, "DRAIN_AGENT", agent_id, mark_gone=True)
    scene.world.hold(RegistryChangedMessage, to=scene.master.pid)
    finish(agent, scheduler, task)
    scene.world.advance(2)
    scene.restart_master()
    assert list(scene.master.cluster.gone) == [agent_id]


def test_deactivated_agents_are_not_offered_and_what_runs_there_runs_on(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    assert call(scene, "DEACTIVATE_AGENT", agent.id) == 200
    agent_id, order = agent.id, agent.last(RunTaskMessage)
    scene.world.advance(60)
    assert (scheduler.offers(), agent.all(KillTaskMessage), scheduler.all(InverseOffersMessage)) == ([], [], [])
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(5)
    assert scheduler.offers() == []
    call(scene, "REACTIVATE_AGENT", agent_id)
    scene.world.advance(5)
    assert scheduler.offers()


def test_tasks_of_an_agent_that_is_gone_are_gone_by_the_operator(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    agent_id = agent.id
    assert call(scene, "MARK_AGENT_GONE", agent_id) == 200
    assert agent.last(ShutdownMessage).message == f"agent {agent_id}: an operator said that it is gone"
    assert scheduler.status(task).state is TaskState.TASK_GONE_BY_OPERATOR
    assert call(scene, "MARK_AGENT_GONE", agent_id) == 200


def test_nothing_is_ordered_of_an_agent_that_is_gone_by_the_time_it_is_written_down(scene: Scene, agent: AgentPeer):
    """Found by seed 358: it was to be drained for ever."""
    agent_id = agent.id
    writing = scene.world.hold(RegistryStoredMessage)
    gone = call_later(scene, "MARK_AGENT_GONE", agent_id)
    drained = call_later(scene, "DRAIN_AGENT", agent_id)
    scene.world.release(writing)
    scene.world.settle()
    assert (gone, drained) == ([200], [409])
    assert scene.master.cluster.orders == {}


def test_so_are_tasks_of_one_that_was_out_of_reach(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer, task: TaskInfo
):
    agent_id = agent.id
    agent.answers_pings = False
    scene.world.advance(120)
    assert scheduler.status(task).state is TaskState.TASK_UNREACHABLE
    assert call(scene, "MARK_AGENT_GONE", agent_id) == 200
    assert scheduler.status(task).state is TaskState.TASK_GONE_BY_OPERATOR
    agent.reregister(agent_id)
    assert agent.all(ShutdownMessage)


@pytest.mark.parametrize("type_", ["DRAIN_AGENT", "DEACTIVATE_AGENT", "REACTIVATE_AGENT", "MARK_AGENT_GONE"])
def test_agents_that_nobody_knows_are_refused(scene: Scene, type_: str):
    assert call(scene, type_, AgentID("nobody")) == 400


def test_weights_and_quotas_are_set_by_calls(scene: Scene, agent: AgentPeer):
    def post(type_: str, **body: Any) -> int:
        text = json.dumps({"type": type_, type_.lower(): body})
        return scene.get("/api/v1", "POST", text, headers=(("content-type", "application/json"),)).status

    config = {"role": "eng", "guarantees": {"cpus": {"value": 1.0}}, "limits": {"cpus": {"value": 2.0}}}
    request = {"role": "ops", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}}]}
    assert post("UPDATE_WEIGHTS", weight_infos=[{"role": "eng", "weight": 2.5}]) == 200
    assert post("UPDATE_QUOTA", quota_configs=[config]) == 200
    assert post("SET_QUOTA", quota_request=request) == 200
    roles = scene.master.cluster.roles
    assert (roles.weights, sorted(roles.quotas)) == ({"eng": 2.5}, ["eng", "ops"])
    assert post("REMOVE_QUOTA", role="ops") == 200
    assert post("REMOVE_QUOTA", role="ops") == 400
    assert sorted(roles.quotas) == ["eng"]
