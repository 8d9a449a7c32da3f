"""Frameworks that ended are over, for this master and every later one, until an operator adopts them."""

from __future__ import annotations

import json

from libprocess.http import HttpRequest, HttpResponse
from master.registrar.messages import RegistryStoredMessage
from mesos.messages import (
    FrameworkErrorMessage,
    FrameworkReregisteredMessage,
    FrameworkUnregisteredMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    UnregisterAgentMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, reported, task_on


def test_a_framework_that_ended_cannot_come_back(scene: Scene, scheduler: SchedulerPeer):
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    scheduler.reregister(scheduler.id)

    assert scheduler.last(FrameworkErrorMessage).message.startswith("Framework has been removed")


def test_who_speaks_of_what_ended_is_told_so_again(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    lost = scene.world.drop(ShutdownFrameworkMessage)
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    scene.world.restore(lost)
    agent.update(task, TaskState.TASK_RUNNING)

    assert agent.last(ShutdownFrameworkMessage).framework_id == scheduler.id


def test_so_many_frameworks_that_ended_are_remembered():
    scene = Scene(max_completed_frameworks=2)
    for _ in range(3):
        scheduler = scene.scheduler().register()
        scheduler.say(UnregisterFrameworkMessage(scheduler.id))

    assert len(scene.master.cluster.completed) == 2


# Adoption.


def test_a_framework_that_was_removed_comes_back_once_an_operator_adopts_it(scene: Scene):
    scheduler = scene.scheduler().register()
    framework_id = scheduler.id
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    heir = scene.scheduler().reregister(framework_id)
    assert heir.last(FrameworkErrorMessage).message.startswith("Framework has been removed")

    adopted = scene.get("/adopt", "POST", f"frameworkId={framework_id}")
    heir.reregister(framework_id)

    assert adopted.status == 200
    assert heir.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert framework_id not in scene.master.cluster.completed


def test_what_an_agent_out_of_reach_still_runs_of_an_adopted_framework_lives(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    agent.say(UnregisterAgentMessage(agent_id))
    scheduler.say(UnregisterFrameworkMessage(framework_id))

    scene.get("/adopt", "POST", f"frameworkId={framework_id}")
    agent.reregister(agent_id, **reported(order))

    assert list(scene.master.cluster.frameworks[framework_id].tasks) == [task.task_id]
    assert agent.all(ShutdownFrameworkMessage) == []


def test_only_what_ended_is_adopted(scene: Scene, scheduler: SchedulerPeer):
    there = scene.get("/adopt", "POST", f"frameworkId={scheduler.id}")
    unknown = scene.get("/adopt", "POST", "frameworkId=nobody")

    assert (there.status, unknown.status) == (409, 404)
    assert b"found 'nobody'; there are none" in unknown.body


# For later masters.


def test_what_ended_is_over_for_every_master(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    agent.inbox.clear()
    scene.restart_master()
    scheduler.reregister(framework_id)
    agent.reregister(agent_id, **reported(order))  # it was out of reach when its framework ended

    assert scheduler.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id
    assert scene.master.cluster.frameworks == {}
    (shown,) = json.loads(scene.get("/frameworks").body)["completed_frameworks"]
    assert (shown["id"], shown["name"], shown["active"]) == (framework_id, "tests", False)
    assert shown["unregistered_time"] > shown["registered_time"] - 1


def test_what_was_adopted_may_come_back_at_every_master(scene: Scene, scheduler: SchedulerPeer):
    framework_id = scheduler.id
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    scene.restart_master()
    with scene.writing():
        adopted: list[HttpResponse] = []
        scene.ask(HttpRequest("POST", "/adopt", (), (), f"frameworkId={framework_id}".encode()), adopted.append)
        assert adopted == []  # not before later masters know
    scene.restart_master()
    scheduler.reregister(framework_id)
    assert [each.status for each in adopted] == [200]
    assert scheduler.last(FrameworkReregisteredMessage).framework_id == framework_id


def test_who_tears_down_is_answered_when_that_is_written(scene: Scene, scheduler: SchedulerPeer):
    with scene.writing():
        answers: list[HttpResponse] = []
        scene.ask(HttpRequest("POST", "/teardown", (), (), f"frameworkId={scheduler.id}".encode()), answers.append)
        assert scheduler.all(FrameworkErrorMessage) == []
        assert answers == []
    assert [each.status for each in answers] == [200]
    assert scheduler.all(FrameworkErrorMessage) != []


def test_a_framework_whose_end_is_not_written_lives_on(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)
    scene.world.drop(RegistryStoredMessage)
    scheduler.say(UnregisterFrameworkMessage(framework_id))
    assert agent.all(ShutdownFrameworkMessage) == []

    del scene.registry["framework/" + framework_id]  # what the store was given never arrived
    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    assert agent.all(ShutdownFrameworkMessage) == []
    scene.scheduler().reregister(framework_id, failover_timeout_seconds=600.0)
    assert list(scene.master.cluster.frameworks[framework_id].tasks) == [order.task.task_id]


def test_a_scheduler_that_stops_is_answered_when_that_is_written(scene: Scene, scheduler: SchedulerPeer):
    writing = scene.world.hold(RegistryStoredMessage)
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))
    assert scheduler.all(FrameworkUnregisteredMessage) == []
    scene.world.release(writing)
    scene.world.settle()
    assert scheduler.all(FrameworkUnregisteredMessage) == [FrameworkUnregisteredMessage(scheduler.id)]


def test_nobody_speaks_for_a_framework_while_its_end_is_written(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    framework_id, offer = scheduler.id, scheduler.offer()
    with scene.writing():
        scheduler.say(UnregisterFrameworkMessage(framework_id))
        scheduler.launch(task_on(offer), on=[offer])
        scene.world.advance(5)
        assert scheduler.offers() == []
        scheduler.reregister(framework_id)
        assert scene.get("/teardown", "POST", f"frameworkId={framework_id}").status == 409
        assert agent.all(RunTaskMessage) == []
    assert scheduler.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
    assert scene.master.cluster.frameworks == {}


def test_more_is_refused_than_is_shown():
    scene = Scene(max_completed_frameworks=1, registry_max_framework_count=2, registry_gc_interval_seconds=60.0)
    ids = []
    for _ in range(3):
        scheduler = scene.scheduler().register()
        ids.append(scheduler.id)
        scheduler.say(UnregisterFrameworkMessage(scheduler.id))
        scene.world.advance(1)
    scene.world.advance(60)
    scene.restart_master()
    assert list(scene.master.cluster.completed) == ids[2:]
    assert list(scene.master.cluster.ended) == ids[1:]
    oldest, younger = (scene.scheduler().reregister(id_) for id_ in ids[:2])
    assert oldest.last(FrameworkReregisteredMessage).framework_id == ids[0]
    assert younger.last(FrameworkErrorMessage).message.startswith("Framework has been removed")
