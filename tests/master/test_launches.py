"""Offers become tasks: which are launched, which are refused and why, and what goes back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from master.allocator.messages import UseResourcesMessage
from mesos.ids import ExecutorID, OfferID, TaskID
from mesos.messages import AcceptOffersMessage, RegisterAgentMessage, RunTaskMessage
from mesos.resources import DiskInfo, Reservation, Resource, Resources
from mesos.resources.kind import Kind
from mesos.types import (
    URI,
    AgentCapability,
    CheckInfo,
    CheckType,
    CommandInfo,
    ContainerInfo,
    ContainerType,
    DockerInfo,
    ExecutorInfo,
    ExecutorType,
    FrameworkCapability,
    HealthCheck,
    HTTPCheckInfo,
    Image,
    KillPolicy,
    Launch,
    LaunchGroup,
    LinuxInfo,
    MesosInfo,
    NetworkInfo,
    Reason,
    ResourceLimit,
    Source,
    TaskGroupInfo,
    TaskInfo,
    TaskState,
)
from tests.master.scene import AgentPeer, Scene, SchedulerPeer, executor, offer_ids, task_on

PARTITION_AWARE = FrameworkCapability.PARTITION_AWARE


def test_a_task_goes_to_the_agent_of_its_offer(agent: AgentPeer, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer())
    scheduler.launch(task)

    order = agent.last(RunTaskMessage)
    assert order.task.task_id == task.task_id
    assert order.task.resources == task.resources.allocate("*")
    assert order.framework.id == scheduler.id
    assert order.pid == scheduler.pid
    assert scheduler.statuses(task) == []


def test_what_a_launch_leaves_over_is_offered_to_others_at_once(scene: Scene, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    scheduler.launch(task_on(scheduler.offer(), resources="cpus:1;mem:1000"))

    assert other.offer().resources == Resources.parse("cpus:3;mem:3096")


def test_what_a_launch_leaves_over_is_refused_with_its_filters(scene: Scene, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer()), refuse_seconds=20)

    scene.world.advance(19)
    assert scheduler.offers() == []
    scene.world.advance(2)
    assert scheduler.offer().resources == Resources.parse("cpus:3;mem:4032")


def test_to_launch_nothing_is_to_decline(scene: Scene, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    scheduler.launch()

    assert other.offer().resources == Resources.parse("cpus:4;mem:4096")


def test_the_allocator_hears_what_of_an_offer_is_used(scene: Scene, scheduler: SchedulerPeer):
    used = scene.world.expect(UseResourcesMessage)
    offer = scheduler.offer()
    scheduler.launch(task_on(offer, "t1"), task_on(offer, "t2"))

    (message,) = used.seen
    assert message.lots[0].resources == Resources.parse("cpus:2;mem:128")


def test_an_executor_is_launched_with_its_first_task_and_paid_for_once(
    scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer
):
    offer = scheduler.offer()
    first, second = task_on(offer, "t1", executor=executor()), task_on(offer, "t2", executor=executor())
    scheduler.launch(first, second)

    assert [order.launch_executor for order in agent.all(RunTaskMessage)] == [True, False]
    assert agent.last(RunTaskMessage).task.executor.framework_id == scheduler.id
    used = scene.master.cluster.agents[agent.id].used.total().unallocate()
    assert used == Resources.parse("cpus:2.5;mem:160")


def test_several_offers_of_one_agent_are_used_together(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scheduler.launch(task_on(scheduler.offer(), "t0", "cpus:2;mem:1000"), refuse_seconds=0)
    scene.world.advance(1)
    rest = scheduler.offer()
    agent.update(TaskID("t0"), TaskState.TASK_FINISHED)
    freed = scheduler.offer()
    assert (rest.resources, freed.resources) == (Resources.parse("cpus:2;mem:3096"), Resources.parse("cpus:2;mem:1000"))

    task = task_on(rest, "t1", "cpus:4;mem:4096")
    scheduler.launch(task, on=[rest, freed])

    assert agent.last(RunTaskMessage).task.task_id == task.task_id


# Refusals.


def test_a_task_that_asks_for_more_than_its_offer_is_told_both(scheduler: SchedulerPeer, agent: AgentPeer):
    offer = scheduler.offer()
    task = task_on(offer, "t7", "cpus:5;mem:64")
    scheduler.launch(task)

    status = scheduler.status(task)
    assert (status.state, status.reason, status.source) == (
        TaskState.TASK_ERROR,
        Reason.REASON_TASK_INVALID,
        Source.SOURCE_MASTER,
    )
    assert status.message == f"task t7 asks for cpus:5 but offer {offer.id} holds cpus:4"
    assert agent.all(RunTaskMessage) == []


def test_tasks_before_it_leave_a_task_less(scheduler: SchedulerPeer):
    offer = scheduler.offer()
    task = task_on(offer, "t2", "cpus:2;gpus:1")
    scheduler.launch(task_on(offer, "t1", "cpus:3"), task)

    assert scheduler.status(task).message == (
        f"task t2 asks for cpus:2;gpus:1 but offer {offer.id} holds cpus:4, of which cpus:1 is left"
    )


def test_a_refused_task_does_not_stop_those_after_it(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    offer = scheduler.offer()
    scheduler.launch(task_on(offer, "bad", "cpus:5"), task_on(offer, "good"))

    assert agent.last(RunTaskMessage).task.task_id == "good"
    assert scene.metric("tasks_error") == 1


def on_wrong_agent(task: TaskInfo) -> TaskInfo:
    return replace(task, agent_id="S9")


def of(**changes: object) -> object:
    return lambda task: replace(task, **changes)


VOLUME = Kind("disk", reservations=(Reservation("eng"),), disk=DiskInfo(persistence_id="v1"))
SAME_ID = replace(VOLUME, reservations=(Reservation("ops"),))
SHARED_VOLUME = replace(VOLUME, shared=True)

INVALID = [
    (of(task_id=TaskID("")), "task id: expected an id, found ''"),
    (of(task_id=TaskID("a/b")), "task id: expected an id without separators and control characters, found '/'"),
    (of(command=None), "task t1 must have either a command or an executor; it has neither"),
    (of(executor=executor()), "task t1 must have either a command or an executor; it has both"),
    (of(resources=Resources()), "task t1 is not valid: resources: expected at least one resource, found none"),
    (
        of(kill_policy=KillPolicy(-1.0)),
        "task t1 is not valid: kill_policy: expected grace_period of at least 0 seconds, found -1",
    ),
    (
        of(max_completion_time_seconds=float("nan")),
        "task t1 is not valid: task: expected max_completion_time of at least 0 seconds, found nan",
    ),
    (
        of(resources=Resources.of(cpus=1, gpus=0.5)),
        "task t1 is not valid: resources: expected a whole number of gpus, found 0.5",
    ),
    (
        of(resources=Resources.of(cpus=1).allocate("ops")),
        "task t1 is not valid: resources: expected resources allocated to *, found them allocated to ops",
    ),
    (
        of(resources=Resources.of(Resource.of(Kind("cpus", revocable=True), 1), cpus=1)),
        "task t1 is not valid: resources: expected cpus to be revocable or not, found some of both",
    ),
    (
        of(limits=(ResourceLimit("cpus", 2.0),)),
        "task t1 is not valid: limits: the agent knows no limits beyond resources",
    ),
    (
        of(command=None, executor=ExecutorInfo(ExecutorID("e"), None)),
        "task t1 is not valid: executor: expected the command of a custom executor, found none",
    ),
    (
        of(command=None, executor=executor(framework_id="F9")),
        "task t1 is not valid: executor: expected the framework's own id",
    ),
    (
        of(command=None, executor=replace(executor(), type=ExecutorType.DEFAULT, command=None)),
        "task t1 is not valid: executor: expected the type CUSTOM, found DEFAULT; a default executor runs task groups",
    ),
    (
        of(command=None, executor=executor(shutdown_grace_period_seconds=-1.0)),
        "task t1 is not valid: executor: expected shutdown_grace_period of at least 0 seconds, found -1",
    ),
    (
        of(command=None, executor=executor(resources="ports:[1-2]"), resources=Resources.parse("cpus:1;ports:[2-3]")),
        "task t1 is not valid: resources: expected each of ports to be asked for once, found [1-2] asked for again",
    ),
    (
        of(
            command=None,
            executor=ExecutorInfo(ExecutorID("e"), CommandInfo("x"), Resources.of(Resource.of(SHARED_VOLUME, 1))),
        ),
        "task t1 is not valid: executor's resources: expected nothing shared, found disk(eng, volume v1, shared)",
    ),
    (
        of(resources=Resources.of(Resource.of(VOLUME, 64), Resource.of(SAME_ID, 64), cpus=1)),
        "task t1 is not valid: resources: expected every persistent volume once, found several times: v1",
    ),
    (
        of(container=ContainerInfo(ContainerType.MESOS, linux_info=LinuxInfo(share_cgroups=False))),
        "task t1 is not valid: container: expected share_cgroups to be false only in a task group, found it here",
    ),
    (
        of(container=ContainerInfo(ContainerType.DOCKER)),
        "task t1 is not valid: container: expected the docker details of a container of type DOCKER, found none",
    ),
    (
        of(command=CommandInfo("true", uris=(URI(""),))),
        "task t1 is not valid: command: expected the value of every URI, found ''",
    ),
    (
        of(check=CheckInfo(CheckType.TCP)),
        "task t1 is not valid: check: expected the details of a probe of type TCP, found none",
    ),
    (
        of(health_check=HealthCheck(CheckType.HTTP, http=HTTPCheckInfo(80, "x"))),
        "task t1 is not valid: health_check: expected a path that begins with /, found 'x'",
    ),
]


@pytest.mark.parametrize(("change", "text"), INVALID, ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_an_invalid_task_is_told_what_is_wrong_with_it(scheduler: SchedulerPeer, change, text: str):
    task = change(task_on(scheduler.offer()))
    scheduler.launch(task)

    assert scheduler.status(task).state is TaskState.TASK_ERROR
    assert scheduler.status(task).message.startswith(text)


def test_a_task_must_be_meant_for_the_agent_of_its_offer(scheduler: SchedulerPeer, agent: AgentPeer):
    task = on_wrong_agent(task_on(scheduler.offer()))
    scheduler.launch(task)

    assert scheduler.status(task).message == f"task t1 is meant for agent S9 but its offers are of agent {agent.id}"


def test_an_id_is_used_once(scene: Scene, scheduler: SchedulerPeer):
    offer = scheduler.offer()
    scheduler.launch(task_on(offer, "t1"), task_on(offer, "t1"))

    assert scheduler.status(TaskID("t1")).message == (
        "task t1 has the id of another task of its framework; give every task an id of its own"
    )


def test_the_id_of_a_task_out_of_reach_is_not_free(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    scheduler.launch(task_on(scheduler.offer()))
    agent.answers_pings = False
    scene.world.advance(100)
    scene.agent().register()
    task = task_on(scheduler.offer())
    scheduler.launch(task)

    assert scheduler.status(task).state is TaskState.TASK_ERROR


def test_an_executor_that_runs_cannot_be_redefined(scheduler: SchedulerPeer):
    offer = scheduler.offer()
    changed = executor(data=b"other")
    task = task_on(offer, "t2", executor=changed)
    scheduler.launch(task_on(offer, "t1", executor=executor()), task)

    assert scheduler.status(task).message == (
        "task t2 is not valid: executor: expected e1 to be the same as the one that runs on the agent, found it changed"
    )


LIMITS = [
    (ResourceLimit("disk", 2.0), "expected a limit of cpus or mem, found 'disk'"),
    (ResourceLimit("cpus", 0.5), "expected a limit of at least the cpus:1 asked for, found 0.5"),
    (ResourceLimit("mem", 99.0), "expected mem to be asked for where it has a limit, found none"),
]


@pytest.mark.parametrize(("limit", "text"), LIMITS)
def test_limits_are_of_what_a_task_asks_for_and_above_it(scene: Scene, limit: ResourceLimit, text: str):
    agent, scheduler = scene.agent(), scene.scheduler().register()
    agent.say(RegisterAgentMessage(agent.info, "1", capabilities=(AgentCapability.TASK_RESOURCE_LIMITS,)))
    task = task_on(scheduler.offer(), resources="cpus:1", limits=(limit,))
    scheduler.launch(task)

    assert scheduler.status(task).message == f"task t1 is not valid: limits: {text}"


# Groups.


NET = ContainerInfo(ContainerType.MESOS, network_infos=(NetworkInfo("n"),))
OWN_CGROUPS = ContainerInfo(ContainerType.MESOS, linux_info=LinuxInfo(share_cgroups=False))
IN_DOCKER = ContainerInfo(ContainerType.DOCKER, docker=DockerInfo("debian"))
IN_IMAGE = ContainerInfo(ContainerType.MESOS, mesos=MesosInfo(Image("debian")))


def pod(resources: str = "cpus:0.5;mem:32;disk:10", **fields: object) -> ExecutorInfo:
    return replace(executor("pod", resources), **({"type": ExecutorType.DEFAULT, "command": None} | fields))


GROUPS = [
    (pod(), {}, "this master does not launch task groups yet; launch the tasks one by one"),
    (executor("mine", "cpus:1;mem:32;disk:1"), {}, "this master does not launch task groups yet"),
    (pod(command=CommandInfo("x")), {}, "executor pod: expected no command of a default executor, found one"),
    (pod(type=ExecutorType.UNKNOWN), {}, "executor pod: expected the type CUSTOM or DEFAULT"),
    (pod(container=IN_DOCKER), {}, "executor pod: expected a container of type MESOS, found DOCKER"),
    (pod(container=IN_IMAGE), {}, "executor pod: expected no image of a default executor, found one"),
    (pod("mem:32;disk:10"), {}, "executor pod: expected at least cpus:0.01, found 0"),
    (pod("cpus:1;mem:31;disk:10"), {}, "executor pod: expected at least mem:32, found 31"),
    (pod("cpus:1;mem:32"), {}, "executor pod: expected some disk, found none"),
    (pod(), {"executor": executor("other")}, "task b is not valid: expected the executor of its group, pod, found"),
    (pod(), {"container": IN_DOCKER}, "task b is not valid: expected a container of type MESOS in a group, found"),
    (
        pod(),
        {"container": NET, "health_check": HealthCheck(CheckType.HTTP, http=HTTPCheckInfo(80))},
        "task b is not valid: expected no HTTP probe of a task with networks of its own, found one",
    ),
    (pod(), {"container": OWN_CGROUPS}, "expected the same share_cgroups of all tasks, found both"),
    (pod(), {"task_id": TaskID("a")}, "expected every task once, found several times: a"),
    (pod(), {"resources": Resources()}, "task b is not valid: resources: expected at least one resource, found none"),
    (
        pod("cpus:1;mem:32;disk:1;ports:[1-2]"),
        {"resources": Resources.parse("ports:[2-3]")},
        "expected each of ports to be asked for once, found [1-2] asked for again",
    ),
    (pod(), {"resources": Resources.of(cpus=4)}, "it asks for cpus:5.5 but offer"),
]


@pytest.mark.parametrize(("executor", "change", "text"), GROUPS)
def test_a_group_is_refused_whole_and_told_why(scene: Scene, executor: ExecutorInfo, change: dict, text: str):
    scene.agent("cpus:4;mem:4096;disk:100").register()
    scheduler = scene.scheduler().register()
    offer = scheduler.offer()
    first, second = task_on(offer, "a"), replace(task_on(offer, "b"), **change)
    scheduler.accept(LaunchGroup(executor, TaskGroupInfo((first, second))), on=[offer])

    for task in (first, second):
        status = scheduler.statuses(task)[0]
        assert (status.state, status.reason) == (TaskState.TASK_ERROR, Reason.REASON_TASK_GROUP_INVALID)
        assert status.message.removeprefix("the task group is not valid: ").startswith(text)


def test_limits_in_a_group_need_control_groups_of_their_own(scene: Scene):
    agent, scheduler = scene.agent(), scene.scheduler().register()
    agent.say(RegisterAgentMessage(agent.info, "1", capabilities=(AgentCapability.TASK_RESOURCE_LIMITS,)))
    offer = scheduler.offer()
    task = task_on(offer, limits=(ResourceLimit("cpus", 2.0),))
    scheduler.accept(LaunchGroup(pod(), TaskGroupInfo((task,))), on=[offer])

    assert "expected limits only with share_cgroups set to false, found them" in scheduler.status(task).message


# Offers that cannot be accepted.


def accept(scheduler: SchedulerPeer, task: TaskInfo, *ids: OfferID) -> str:
    scheduler.say(AcceptOffersMessage(scheduler.id, ids, (Launch((task,)),)))
    assert scheduler.status(task).reason is Reason.REASON_INVALID_OFFERS
    return scheduler.status(task).message


def test_offers_that_no_longer_stand_lose_their_tasks(scheduler: SchedulerPeer, agent: AgentPeer):
    task = task_on(scheduler.offer())

    assert accept(scheduler, task, *offer_ids("O7")) == "offer O7 no longer stands"
    assert scheduler.status(task).state is TaskState.TASK_LOST
    assert agent.all(RunTaskMessage) == []


def test_a_partition_aware_framework_is_told_dropped(scene: Scene, agent: AgentPeer):
    scheduler = scene.scheduler(PARTITION_AWARE).register()
    task = task_on(scheduler.offer())
    accept(scheduler, task, *offer_ids("O7", "O8"))

    assert scheduler.status(task).state is TaskState.TASK_DROPPED
    assert scheduler.status(task).message == "offers O7, O8 no longer stand"


def test_offers_of_several_agents_cannot_be_accepted_together(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    scene.agent("cpus:1").register()
    offers = scheduler.offers()
    names = ", ".join(sorted(offer.agent_id for offer in offers))
    task = task_on(offers[0])

    text = accept(scheduler, task, *(offer.id for offer in offers))
    assert text == f"expected offers of one agent, found agents {names}"
    assert len(scheduler.offers()) == 2  # all is offered again


def test_offers_for_several_roles_cannot_be_accepted_together(scene: Scene):
    agent = scene.agent("cpus(a):1;cpus(b):1").register()
    scheduler = scene.scheduler(FrameworkCapability.MULTI_ROLE, roles=("a", "b")).register()
    offers = scheduler.offers()
    assert [offer.agent_id for offer in offers] == [agent.id, agent.id]

    text = accept(scheduler, task_on(offers[0], resources="cpus(a):1"), *(offer.id for offer in offers))
    assert text == "expected offers of one role, found roles a, b"


def test_an_offer_counts_once(scheduler: SchedulerPeer):
    offer = scheduler.offer()

    text = accept(scheduler, task_on(offer), offer.id, offer.id)
    assert text == f"expected every offer once, found several times: {offer.id}"


def test_nobody_accepts_the_offers_of_another(scene: Scene, agent: AgentPeer, scheduler: SchedulerPeer):
    other = scene.scheduler().register()
    offer = scheduler.offer()

    text = accept(other, task_on(offer), offer.id)
    assert text == f"offer {offer.id} was made to another framework"
    assert offer.id in scene.master.cluster.offers


def test_no_offers_are_no_ground_for_a_task(scheduler: SchedulerPeer):
    assert accept(scheduler, task_on(scheduler.offer())) == "expected at least one offer, found none"


def test_the_same_call_twice_does_not_lose_the_task(scheduler: SchedulerPeer, agent: AgentPeer):
    offer = scheduler.offer()
    task = task_on(offer)
    for _ in range(2):
        scheduler.launch(task, on=[offer])

    assert len(agent.all(RunTaskMessage)) == 1
    assert scheduler.statuses(task) == []


def test_a_command_may_bring_its_user_along(scene: Scene, scheduler: SchedulerPeer):
    task = task_on(scheduler.offer(), command=CommandInfo("true", user="nobody"))
    scheduler.launch(task)

    record = scene.master.cluster.frameworks[scheduler.id].tasks[task.task_id]
    assert record.report().user == "nobody"
