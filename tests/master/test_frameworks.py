"""Frameworks register, fail over, come back and end."""

from __future__ import annotations

import pytest

from mesos.ids import FrameworkID, TaskID
from mesos.messages import (
    DeactivateFrameworkMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    KillTaskMessage,
    RegisterFrameworkMessage,
    RequestResourcesMessage,
    ReregisterFrameworkMessage,
    RescindResourceOfferMessage,
    ReviseFrameworkMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    StatusUpdateMessage,
    UnregisterFrameworkMessage,
    UpdateFrameworkMessage,
)
from mesos.resources import Resources
from mesos.types import FrameworkCapability, FrameworkInfo, OfferFilter, ResourceRequest, TaskState
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, framework_info, reported, task_on

MULTI_ROLE = FrameworkCapability.MULTI_ROLE
ALL = Resources.parse("cpus:4;mem:4096")


def test_frameworks_get_ids_of_their_own_that_begin_with_the_masters(scene: Scene):
    first, second = scene.scheduler().register(), scene.scheduler().register()

    assert first.id == f"{scene.master.info.id}-0000"
    assert second.id == f"{scene.master.info.id}-0001"
    assert first.last(FrameworkRegisteredMessage).master_info.pid == scene.master.pid


def test_a_framework_that_registers_twice_gets_the_same_answer_twice(scene: Scene, scheduler: SchedulerPeer):
    scheduler.register()

    assert [each.framework_id for each in scheduler.all(FrameworkRegisteredMessage)] == [scheduler.id, scheduler.id]
    assert scheduler.offer().resources == ALL


REFUSED = [
    ({"id": FrameworkID("F")}, "expected a framework that registers to have no id yet, found F"),
    ({"role": "a b"}, "expected a role without blanks, backslashes and control characters, found 'a b'"),
    ({"roles": ("a",)}, "expected role or the capability MULTI_ROLE, found roles a without it"),
    (
        {"role": "a", "roles": ("b",), "capabilities": (MULTI_ROLE,)},
        "expected a framework with MULTI_ROLE to set roles, found role 'a'",
    ),
    (
        {"roles": ("a", "b", "a"), "capabilities": (MULTI_ROLE,)},
        "expected every role once, found several times: a",
    ),
    ({"failover_timeout_seconds": -1.0}, "expected failover_timeout of at least 0 seconds, found -1"),
    ({"failover_timeout_seconds": float("inf")}, "expected failover_timeout of at least 0 seconds, found inf"),
    (
        {"role": "a", "offer_filters": (OfferFilter("b"),)},
        "expected offer_filters to be among the framework's roles a, found b",
    ),
]


@pytest.mark.parametrize(("info", "text"), REFUSED)
def test_a_framework_that_cannot_be_is_told_why(scene: Scene, info: dict[str, object], text: str):
    scheduler = scene.scheduler()
    scheduler.say(RegisterFrameworkMessage(framework_info(**info)))

    assert scheduler.last(FrameworkErrorMessage).message == text
    assert scene.master.cluster.frameworks == {}


def test_a_framework_has_roles_that_the_operator_listed():
    scene = Scene(roles=("eng", "eng/web"))
    stranger = scene.scheduler(MULTI_ROLE, roles=("eng", "ops")).register()
    text = "expected roles that the master's --roles lists: eng, eng/web; found ops"
    assert stranger.last(FrameworkErrorMessage).message == text

    assert scene.scheduler(MULTI_ROLE, roles=("*", "eng/web")).register().id
    change = scene.get("/weights", "PUT", '[{"role": "ops", "weight": 2}]')
    assert (change.status, text in change.body.decode()) == (400, True)
    quota = '{"role": "ops", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}]}'
    assert scene.get("/quota", "POST", quota).status == 400


def test_suppressed_roles_must_be_the_frameworks_own(scene: Scene):
    scheduler = scene.scheduler(role="a")
    scheduler.register(suppressed_roles=("b",))

    text = "expected suppressed_roles to be among the framework's roles a, found b"
    assert scheduler.last(FrameworkErrorMessage).message == text


# Coming back.


def test_a_framework_comes_back_to_a_new_master_with_its_id(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)

    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    scheduler.reregister(framework_id)

    assert scheduler.last(FrameworkReregisteredMessage).framework_id == framework_id
    assert list(scene.master.cluster.frameworks[framework_id].tasks) == [task.task_id]
    assert agent.last(UpdateFrameworkMessage).pid == scheduler.pid
    assert scheduler.offer().resources == Resources.parse("cpus:3;mem:4032")


def test_it_may_come_back_before_its_agents_do(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)

    scene.restart_master()
    scheduler.reregister(framework_id)
    agent.reregister(agent_id, **reported(order))
    agent.inbox.append(order)
    scheduler.say(UnregisterFrameworkMessage(framework_id))

    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id


def test_updates_reach_the_scheduler_once_it_is_back(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id, order = scheduler.id, agent.last(RunTaskMessage)
    scheduler.die()
    agent.update(task, TaskState.TASK_RUNNING)
    assert scene.master.cluster.frameworks[framework_id].tasks[task.task_id].state is TaskState.TASK_RUNNING

    heir = scene.scheduler(failover_timeout_seconds=60.0).reregister(framework_id, failover_timeout_seconds=60.0)
    agent.inbox.append(order)
    agent.update(task, TaskState.TASK_RUNNING)

    assert heir.status(task).state is TaskState.TASK_RUNNING


def test_offers_that_a_returning_scheduler_has_forgotten_are_made_anew(scene: Scene, scheduler: SchedulerPeer):
    old = scheduler.offer()
    scheduler.reregister(scheduler.id)

    assert scheduler.all(RescindResourceOfferMessage)[0].offer_id == old.id
    assert scheduler.offer().resources == ALL
    assert scene.metric("outstanding_offers") == 1


def test_another_scheduler_is_refused_while_the_first_is_there(scene: Scene, scheduler: SchedulerPeer):
    other = scene.scheduler().reregister(scheduler.id)

    assert other.last(FrameworkErrorMessage).message == (
        f"Framework failed over: {scheduler.pid} is the scheduler of {scheduler.id} now"
    )
    assert scene.master.cluster.frameworks[scheduler.id].pid == scheduler.pid


def test_another_scheduler_takes_over_by_force(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)
    framework_id = scheduler.id

    heir = scene.scheduler().reregister(framework_id, force=True)
    agent.update(task, TaskState.TASK_RUNNING)

    assert scheduler.last(FrameworkErrorMessage).message == "Framework failed over: it has another scheduler now"
    assert heir.status(task).state is TaskState.TASK_RUNNING
    assert scheduler.all(StatusUpdateMessage) == []
    assert agent.last(UpdateFrameworkMessage).pid == heir.pid


def test_the_offers_of_a_dismissed_scheduler_are_no_news_to_its_heir(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    assert scheduler.offer().agent_id == agent.id
    heir = scene.scheduler().reregister(scheduler.id, force=True)
    scene.world.advance(1)
    assert heir.all(RescindResourceOfferMessage) == []
    assert heir.offer().agent_id == agent.id


def test_the_end_of_a_dismissed_scheduler_means_nothing(scene: Scene, scheduler: SchedulerPeer):
    heir = scene.scheduler().reregister(scheduler.id, force=True)
    scheduler.die()
    scene.world.advance(1)

    assert scene.master.cluster.frameworks[heir.id].connected


def test_what_a_dismissed_scheduler_asks_for_is_ignored(scene: Scene, scheduler: SchedulerPeer):
    scene.scheduler().reregister(scheduler.id, force=True)
    scheduler.say(UnregisterFrameworkMessage(scheduler.id))

    assert scheduler.id in scene.master.cluster.frameworks
    assert scene.metric("dropped_messages") == 1


def test_a_scheduler_whose_link_broke_registers_again_before_it_is_heard(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=600.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    scene.world.cut(scene.node, scheduler.node)
    scene.world.cut(scheduler.node, scene.node)
    scene.world.advance(60)
    scene.world.mend()
    assert scene.metric("frameworks_disconnected") == 1
    scheduler.say(KillTaskMessage(scheduler.id, TaskID("t1")))
    assert agent.all(KillTaskMessage) == []

    scheduler.reregister(scheduler.id, failover_timeout_seconds=600.0)
    scheduler.say(KillTaskMessage(scheduler.id, TaskID("t1")))
    assert agent.last(KillTaskMessage).task_id == "t1"


def test_a_scheduler_speaks_for_one_framework(scene: Scene, scheduler: SchedulerPeer):
    scheduler.reregister(FrameworkID("other"))

    text = f"expected framework {scheduler.id}, which has its scheduler here, found other"
    assert scheduler.last(FrameworkErrorMessage).message == text


def test_a_framework_cannot_change_its_principal(scene: Scene):
    scheduler = scene.scheduler(principal="ops").register()
    scheduler.reregister(scheduler.id, principal="dev")

    text = "expected a framework to keep its principal 'ops', found 'dev'"
    assert scheduler.last(FrameworkErrorMessage).message == text


def test_a_framework_that_comes_back_keeps_its_user_and_whether_it_is_checkpointed(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    scheduler.reregister(scheduler.id, user="root", checkpoint=True, name="renamed")
    scheduler.launch(task_on(scheduler.offer()))

    told = agent.last(RunTaskMessage).framework
    assert (told.user, told.checkpoint, told.name) == ("somebody", False, "renamed")


def test_a_framework_that_comes_back_must_have_an_id(scene: Scene):
    scheduler = scene.scheduler()
    scheduler.say(ReregisterFrameworkMessage(FrameworkInfo("somebody", "tests")))

    assert "to have an id" in scheduler.last(FrameworkErrorMessage).message


def test_changed_roles_count_from_the_return_on(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(MULTI_ROLE, roles=("a",)).register()
    assert scheduler.offer().role == "a"

    scheduler.reregister(scheduler.id, capabilities=(MULTI_ROLE,), roles=("b",))

    assert scheduler.offer().role == "b"


# Leaving.


def test_a_scheduler_that_is_gone_gets_its_failover_timeout(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id = scheduler.id
    scheduler.die()

    scene.world.advance(59)
    assert framework_id in scene.master.cluster.frameworks
    assert agent.all(ShutdownFrameworkMessage) == []

    scene.world.advance(1)
    assert framework_id in scene.master.cluster.completed
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id


def test_a_scheduler_that_comes_back_in_time_stops_the_clock(scene: Scene):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    framework_id = scheduler.id
    scheduler.die()
    scene.world.advance(59)

    scene.scheduler().reregister(framework_id, failover_timeout_seconds=60.0)
    scene.world.advance(60)

    assert framework_id in scene.master.cluster.frameworks


def test_without_a_failover_timeout_a_framework_ends_with_its_scheduler(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    task = task_on(scheduler.offer(), executor=executor())
    scheduler.launch(task)
    framework_id = scheduler.id
    scheduler.die()
    scene.world.advance(0)

    ended = scene.master.cluster.completed[framework_id]
    assert [(each.task_id, each.state) for each in ended.completed_tasks] == [(task.task_id, TaskState.TASK_KILLED)]
    assert scene.metric("tasks_killed") == 1
    assert scene.scheduler().register().offer().resources == ALL


def test_what_a_gone_scheduler_was_offered_goes_to_others(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=1000.0).register()
    other = scene.scheduler().register()
    assert other.offers() == []

    scheduler.die()

    assert other.offer().resources == ALL


def test_a_scheduler_that_gives_up_gets_no_offers_and_its_clock_runs(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    scheduler.say(DeactivateFrameworkMessage(scheduler.id))

    assert scheduler.offers() == []
    assert scene.metric("frameworks_inactive") == 1
    scene.world.advance(60)
    assert scheduler.id in scene.master.cluster.completed


def test_whoever_gave_up_and_then_went_has_one_clock(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(failover_timeout_seconds=60.0).register()
    framework_id = scheduler.id
    scheduler.say(DeactivateFrameworkMessage(framework_id))
    scene.world.advance(30)
    scheduler.die()
    scene.world.advance(20)
    heir = scene.scheduler(failover_timeout_seconds=60.0).reregister(framework_id, failover_timeout_seconds=60.0)
    scene.world.advance(100)
    assert framework_id in scene.master.cluster.frameworks

    heir.say(DeactivateFrameworkMessage(framework_id))
    scene.world.advance(30)
    heir.die()
    scene.world.advance(30)
    assert framework_id in scene.master.cluster.completed


def test_a_framework_that_only_its_agents_know_gets_time_to_come(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler().register()
    scheduler.launch(task_on(scheduler.offer()))
    framework_id, agent_id, order = scheduler.id, agent.id, agent.last(RunTaskMessage)

    scene.restart_master()
    agent.reregister(agent_id, **reported(order))
    scene.world.advance(599)
    assert agent.all(ShutdownFrameworkMessage) == []

    scene.world.advance(1)
    assert agent.last(ShutdownFrameworkMessage).framework_id == framework_id


# Changing.


def test_a_framework_changes_while_it_is_there(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(MULTI_ROLE, roles=("eng", "ops")).register()
    scheduler.launch(task_on(scheduler.offer()))
    changed = framework_info(id=scheduler.id, name="other", roles=("ops",), capabilities=(MULTI_ROLE,))
    scheduler.say(ReviseFrameworkMessage(changed))

    assert scene.master.cluster.frameworks[scheduler.id].info == changed
    assert agent.last(UpdateFrameworkMessage).framework_info == changed
    assert {offer.role for offer in scheduler.offers()} == {"ops"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"user": "else"}, "expected a framework to keep its user 'somebody', found 'else'"),
        ({"checkpoint": True}, "expected a framework to keep checkpoint=False, found True"),
        ({"principal": "else"}, "expected a framework to keep its principal '', found 'else'"),
    ],
)
def test_a_framework_cannot_become_just_anything(scene: Scene, change: dict[str, object], text: str):
    scheduler = scene.scheduler().register()
    scheduler.say(ReviseFrameworkMessage(framework_info(id=scheduler.id, **change)))

    assert scheduler.last(FrameworkErrorMessage).message == text


def test_requests_change_nothing(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.say(RequestResourcesMessage(scheduler.id, (ResourceRequest(Resources.of(cpus=99)),)))

    assert scheduler.offer().resources == ALL
