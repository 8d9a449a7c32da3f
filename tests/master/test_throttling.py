"""Frameworks that talk too much: their messages wait, in order, and beyond what may wait they are told so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mesos.access.rate_limits import RateLimits, format_rate_limits, parse_rate_limits
from mesos.ids import TaskID
from mesos.messages import (
    FrameworkErrorMessage,
    KillTaskMessage,
    ReconcileTasksMessage,
    StatusUpdateMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import TaskReference
from mesos.v1.media import Media
from tests.master.scene import Scene, SchedulerPeer
from tests.master.test_scheduler_api import HttpClient


def limited(**limits: Any) -> Scene:
    read = parse_rate_limits(msgspec.json.encode(limits).decode())
    scene = Scene(rate_limits=read, agent_reregister_timeout_seconds=1.0)
    scene.world.advance(10)  # so that tasks that are not known are told to be so
    return scene


def asks(scheduler: SchedulerPeer, *ids: str) -> None:
    """Ask how tasks are that nobody knows: each question has one answer."""
    for id_ in ids:
        scheduler.say(ReconcileTasksMessage(scheduler.id, (TaskReference(TaskID(id_)),)))


def heard(scheduler: SchedulerPeer) -> list[str]:
    return [message.update.status.task_id for message in scheduler.all(StatusUpdateMessage)]


def test_what_comes_too_fast_waits_and_keeps_its_order():
    scene = limited(limits=[{"principal": "ada", "qps": 1}])
    scheduler = scene.scheduler(principal="ada").register()
    asks(scheduler, "t1", "t2", "t3")
    assert heard(scheduler) == ["t1"]
    scene.world.advance(1.5)
    assert heard(scheduler) == ["t1", "t2"]
    asks(scheduler, "t4")
    scene.world.advance(10)
    assert heard(scheduler) == ["t1", "t2", "t3", "t4"]
    assert not scheduler.all(FrameworkErrorMessage)
    assert not scene.master._released


def test_who_sends_more_than_may_wait_is_told_that_it_is_not_heard():
    scene = limited(limits=[{"principal": "ada", "qps": 1, "capacity": 1}])
    scheduler = scene.scheduler(principal="ada").register()
    asks(scheduler, "t1", "t2", "t3")
    told = scheduler.last(FrameworkErrorMessage).message
    assert told == "Message ReconcileTasksMessage dropped: capacity(1) exceeded"
    scene.world.advance(10)
    assert heard(scheduler) == ["t1", "t2"]


def test_one_principal_does_not_wait_for_another():
    scene = limited(limits=[{"principal": "ada", "qps": 0.1}, {"principal": "bob"}], aggregate_default_qps=0.1)
    ada, bob = scene.scheduler(principal="ada").register(), scene.scheduler(principal="bob").register()
    asks(ada, "t1", "t2")
    asks(bob, "t1", "t2", "t3")
    assert heard(ada) == ["t1"]
    assert heard(bob) == ["t1", "t2", "t3"]


def test_those_without_a_limit_of_their_own_share_the_default():
    scene = limited(aggregate_default_qps=1, aggregate_default_capacity=1)
    one, two = scene.scheduler(principal="one").register(), scene.scheduler().register()
    asks(one, "t1")
    asks(two, "t2")
    assert (heard(one), heard(two)) == (["t1"], [])
    asks(one, "t3")
    assert one.all(FrameworkErrorMessage)
    scene.world.advance(2)
    assert heard(two) == ["t2"]


def test_what_is_heard_and_what_waits_is_counted():
    scene = limited(limits=[{"principal": "ada", "qps": 1}])
    scheduler = scene.scheduler(principal="ada").register()
    asks(scheduler, "t1", "t2", "t3")
    numbers = scene.node.metrics.snapshot()
    assert numbers["frameworks/ada/messages_received"] == 3
    assert numbers["frameworks/ada/messages_processed"] == 1
    scene.world.advance(5)
    assert scene.node.metrics.snapshot()["frameworks/ada/messages_processed"] == 3


def test_what_was_heard_of_a_principal_is_counted_until_its_last_framework_is_over():
    scene = limited(limits=[])
    one, two = scene.scheduler(principal="ada").register(), scene.scheduler(principal="ada").register()
    for scheduler, is_counted in ((one, True), (two, False)):
        asks(scheduler, "t1")
        scheduler.say(UnregisterFrameworkMessage(scheduler.id))
        scene.world.settle()
        assert ("frameworks/ada/messages_received" in scene.node.metrics.snapshot()) is is_counted


def test_what_waits_of_a_scheduler_that_is_gone_is_forgotten():
    scene = limited(limits=[{"principal": "ada", "qps": 1}])
    scheduler = scene.scheduler(principal="ada").register()
    scheduler.say(KillTaskMessage(scheduler.id, TaskID("t1")))
    asks(scheduler, "t2")
    scheduler.die()
    scene.world.advance(10)
    assert not scene.master.cluster.frameworks
    assert not scene.master._released


def test_a_scheduler_over_http_is_limited_as_well():
    scene = limited(limits=[], aggregate_default_qps=1, aggregate_default_capacity=0)
    client = HttpClient(scene, Media.JSON).subscribe()
    for _ in range(2):
        client.call("RECONCILE", tasks=[])
    assert client.all("ERROR")[-1]["message"] == "Message ReconcileTasksMessage dropped: capacity(0) exceeded"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "expected"),
        ('{"limits": [{"qps": 1}]}', "principal"),
        ('{"limits": [{"principal": "a", "qps": 0}]}', "expected a qps above 0, found 0"),
        ('{"limits": [{"principal": "a", "capacity": -1}]}', "expected a capacity of 0 or more, found -1"),
        ('{"limits": [{"principal": "a"}, {"principal": "a"}]}', "expected one limit for each principal, found a, a"),
        ('{"aggregate_default_qps": "fast"}', "float"),
    ],
)
def test_wrong_limits_are_told(text: str, told: str):
    with pytest.raises(ValueError, match=told):
        parse_rate_limits(text)


def test_limits_are_written_as_they_are_read():
    text = '{"limits": [{"principal": "a", "qps": 2.5, "capacity": 3}], "aggregate_default_qps": 1}'
    limits = parse_rate_limits(text)
    assert isinstance(limits, RateLimits)
    assert parse_rate_limits(format_rate_limits(limits)) == limits
