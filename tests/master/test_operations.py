"""Operations on offers: what they make of them, what is refused, and what becomes of each one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from master.validation.operation import check_operation
from mesos.ids import OperationID
from mesos.messages import (
    AcknowledgeOperationStatusMessage,
    ApplyOperationMessage,
    PingAgentMessage,
    ReconcileOperationsMessage,
    RegisterAgentMessage,
    RunTaskMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import (
    DiskInfo,
    DiskSource,
    DiskSourceType,
    Kind,
    Mount,
    Reservation,
    ReservationType,
    Resource,
    Resources,
    VolumeMode,
)
from mesos.types import (
    AgentCapability,
    Create,
    Destroy,
    FrameworkCapability,
    GrowVolume,
    Launch,
    Operation,
    OperationReference,
    OperationReport,
    OperationState,
    OperationStatus,
    Reserve,
    ShrinkVolume,
    TaskState,
    Unreserve,
)
from tests.master.scene import CAPABILITIES, AgentPeer, Scene, SchedulerPeer, task_on

ALL = "cpus:4;mem:4096;disk:1000"
ENG = Reservation("eng", ReservationType.DYNAMIC)
DISK = Kind("disk", reservations=(ENG,))
VOLUME = Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v1", volume=Mount("data")))
CPUS = Resources.parse("cpus:1").push_reservation(ENG)
RESERVED = Resources.of(Resource.of(DISK, 100))
CREATED = Resources.of(Resource.of(VOLUME, 100))
MINE = OperationID("mine")

PENDING, FINISHED = OperationState.OPERATION_PENDING, OperationState.OPERATION_FINISHED
ERROR, DROPPED = OperationState.OPERATION_ERROR, OperationState.OPERATION_DROPPED


@pytest.fixture
def agent(scene: Scene) -> AgentPeer:
    """An agent with disk."""
    return scene.agent(ALL).register()


@pytest.fixture
def eng(scene: Scene, agent: AgentPeer) -> SchedulerPeer:
    """A scheduler of role eng that was offered all that the agent has."""
    return scene.scheduler(role="eng").register()


def status(scheduler: SchedulerPeer) -> OperationStatus:
    """The last thing that it heard of an operation."""
    return scheduler.last(UpdateOperationStatusMessage).status


def test_what_is_reserved_is_offered_as_such_the_next_time(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS), refuse_seconds=0)
    scene.world.advance(2)

    assert agent.last(ApplyOperationMessage).operation == Reserve(CPUS)
    assert eng.offer().resources == Resources.parse("cpus:3;mem:4096;disk:1000") + CPUS


def test_what_one_role_reserved_is_not_offered_to_another(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS))
    other = scene.scheduler(role="ops").register()

    assert other.offer().resources == Resources.parse("cpus:3;mem:4096;disk:1000")


def test_a_task_runs_on_what_was_reserved_and_created_in_the_same_breath(agent: AgentPeer, eng: SchedulerPeer):
    task = replace(task_on(eng.offer()), resources=Resources.parse("cpus:1;mem:64") + CREATED)
    eng.accept(Reserve(RESERVED), Create(CREATED), Launch((task,)))

    orders = [message for message in agent.inbox if isinstance(message, ApplyOperationMessage | RunTaskMessage)]
    assert [type(order) for order in orders] == [ApplyOperationMessage, ApplyOperationMessage, RunTaskMessage]
    assert orders[-1].task.resources.unallocate() == task.resources


def test_operations_apply_to_all_offers_together(scene: Scene, eng: SchedulerPeer, agent: AgentPeer):
    eng.launch(task_on(eng.offer(), resources="cpus:2"), refuse_seconds=0)
    scene.world.advance(2)
    agent.update(task_on(eng.offer()), TaskState.TASK_FINISHED)
    reserved = Resources.parse("cpus:4").push_reservation(ENG)
    eng.accept(Reserve(reserved, id=MINE), on=eng.offers())

    assert len(eng.offers()) == 0
    assert agent.last(ApplyOperationMessage).operation.id == MINE


def test_an_operation_that_comes_too_early_in_the_order_is_refused(agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Create(CREATED, id=MINE), Reserve(RESERVED))

    assert status(eng).state is ERROR
    assert [type(order.operation) for order in agent.all(ApplyOperationMessage)] == [Reserve]


def test_what_is_unreserved_is_everybodys(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS), Unreserve(CPUS))
    other = scene.scheduler(role="ops").register()

    assert other.offer().resources == Resources.parse(ALL)


def test_a_destroyed_volume_is_disk_again(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(RESERVED), Create(CREATED), Destroy(CREATED), refuse_seconds=0)
    scene.world.advance(2)

    assert eng.offer().resources == Resources.parse("cpus:4;mem:4096;disk:900") + RESERVED


def test_a_volume_is_offered_whole_after_its_task(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    task = replace(task_on(eng.offer()), resources=Resources.parse("cpus:1") + CREATED)
    eng.accept(Reserve(RESERVED), Create(CREATED), Launch((task,)), refuse_seconds=0)
    scene.world.advance(2)
    assert not eng.offer().resources.contains(CREATED)

    agent.update(task, TaskState.TASK_FINISHED)
    assert eng.offer().resources.contains(CREATED)


def test_a_volume_grows_and_shrinks(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    disk = Resource.of(DISK, 50)
    eng.accept(
        Reserve(Resources.of(Resource.of(DISK, 150))),
        Create(CREATED),
        GrowVolume(Resource.of(VOLUME, 100), disk),
        ShrinkVolume(Resource.of(VOLUME, 150), 130_000),
        refuse_seconds=0,
    )
    scene.world.advance(2)

    made = Resources.of(Resource.of(VOLUME, 20), Resource.of(DISK, 130))
    assert eng.offer().resources == Resources.parse("cpus:4;mem:4096;disk:850") + made


def with_(kind: Kind = VOLUME, **changes: object) -> Resources:
    return Resources.of(Resource.of(replace(kind, **changes), 100))


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Reserve(Resources()), "expected at least one of resources, found none"),
        (Reserve(Resources.parse("cpus:1")), "expected a reservation, found cpus reserved for nobody"),
        (Reserve(Resources.parse("cpus(eng):1")), "expected a dynamic reservation, found cpus(eng): a static one"),
        (
            Reserve(Resources.parse("cpus:1").push_reservation(Reservation("ops", ReservationType.DYNAMIC))),
            "expected a reservation for role eng, which the offers are for, found cpus(ops dynamic)",
        ),
        (
            Reserve(Resources.parse("cpus:9").push_reservation(ENG)),
            "expected cpus:9 in what is left of offer",
        ),
        (
            Reserve(CPUS.push_reservation(Reservation("ops/x", ReservationType.DYNAMIC))),
            "expected a role below eng to refine its reservation, found ops/x",
        ),
        (Reserve(CPUS, source=Resources.parse("cpus:2")), "expected a source of cpus:1, as much as is to be reserved"),
        (
            Reserve(RESERVED, source=CREATED),
            "expected no persistent volume, found disk(eng dynamic, volume v1); destroy",
        ),
        (Unreserve(Resources.parse("cpus:1")), "expected a reservation, found cpus reserved for nobody"),
        (Unreserve(CPUS), "expected cpus(eng dynamic):1 in what is left of offer"),
        (Unreserve(CREATED), "expected no persistent volume, found disk(eng dynamic, volume v1); destroy it first"),
        (Create(RESERVED), "expected a disk with a persistence id, found disk(eng dynamic)"),
        (Create(with_(reservations=())), "expected a volume on disk that is reserved, found disk(volume v1)"),
        (Create(with_(disk=DiskInfo(persistence_id="v1"))), "expected the container_path of every volume"),
        (Create(with_(disk=DiskInfo(persistence_id="a/b", volume=Mount("x")))), "expected an id without separators"),
        (
            Create(with_(disk=DiskInfo(persistence_id="v1", volume=Mount("x", VolumeMode.RO)))),
            "expected a volume that can be written to",
        ),
        (Create(with_(shared=True)), "expected the capability SHARED_RESOURCES for a shared volume, found none"),
        (Destroy(CREATED), "expected a volume that agent"),
        (GrowVolume(Resource.of(VOLUME, 100), Resource.of(DISK, 1)), "expected a volume that agent"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    agent: AgentPeer, eng: SchedulerPeer, operation: Operation, text: str
):
    eng.accept(replace(operation, id=MINE))

    assert (status(eng).state, status(eng).operation_id) == (ERROR, MINE)
    assert text in status(eng).message
    assert not agent.all(ApplyOperationMessage)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Create(CREATED), "expected an id that no volume on agent"),
        (
            GrowVolume(Resource.of(VOLUME, 100), Resource.of("disk", 1)),
            "expected an addition of disk(eng dynamic) as the volume is made of, found disk:1",
        ),
        (ShrinkVolume(Resource.of(VOLUME, 100), 100_000), "expected to take away more than nothing and less than all"),
    ],
)
def test_what_cannot_be_done_with_a_volume_is_refused(
    agent: AgentPeer, eng: SchedulerPeer, operation: Operation, text: str
):
    eng.accept(Reserve(RESERVED), Create(CREATED), replace(operation, id=MINE))

    assert status(eng).state is ERROR
    assert text in status(eng).message


MOUNT = DiskSource(DiskSourceType.MOUNT, "/mnt")


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        (replace(VOLUME, shared=True), "expected a volume that is not shared"),
        (
            replace(VOLUME, reservations=(Reservation("eng"),), disk=DiskInfo(MOUNT, "v1", volume=Mount("data"))),
            "which has a mount to itself",
        ),
    ],
)
def test_a_volume_that_cannot_be_cut_keeps_its_size(scene: Scene, volume: Kind, text: str):
    whole = Resource.of(Kind("disk", reservations=(Reservation("eng"),), disk=DiskInfo(MOUNT)), 100)
    peer = scene.agent()
    peer.say(
        RegisterAgentMessage(replace(peer.info, resources=Resources.of(whole, cpus=4, disk=100)), "1", CAPABILITIES)
    )
    eng = scene.scheduler(FrameworkCapability.SHARED_RESOURCES, role="eng").register()
    made = Resource.of(volume, 100)
    eng.accept(Reserve(RESERVED), Create(Resources.of(made)), ShrinkVolume(made, 10_000, id=MINE))

    assert status(eng).state is ERROR
    assert text in status(eng).message


def test_a_reservation_is_not_refined_by_who_does_not_know_how(agent: AgentPeer, scene: Scene):
    scheduler = scene.scheduler(role="eng/backend").register()
    refined = CPUS.push_reservation(Reservation("eng/backend", ReservationType.DYNAMIC))
    scheduler.accept(Reserve(refined, source=Resources.parse("cpus:1"), id=MINE))

    assert "expected the capability RESERVATION_REFINEMENT" in status(scheduler).message


def test_who_asks_as_a_principal_reserves_as_that_principal(scene: Scene, agent: AgentPeer):
    eng = scene.scheduler(role="eng", principal="ada").register()
    eng.accept(Reserve(CPUS, id=MINE))

    assert status(eng).message == ("expected the reservation to have the principal 'ada' of who asks for it, found ''")


def test_who_asks_as_a_principal_makes_volumes_as_that_principal(scene: Scene, agent: AgentPeer):
    ada = Reservation("eng", ReservationType.DYNAMIC, "ada")
    volume = with_(reservations=(ada,))
    eng = scene.scheduler(role="eng", principal="ada").register()
    eng.accept(Reserve(with_(DISK, reservations=(ada,))), Create(volume, id=MINE))

    assert status(eng).message == "expected the volume to have the principal 'ada' of who asks for it, found ''"


def test_an_agent_that_gives_no_feedback_is_asked_for_none(scene: Scene):
    old = scene.agent(ALL)
    old.say(RegisterAgentMessage(old.info, "1"))
    eng = scene.scheduler(role="eng").register()
    eng.accept(Reserve(CPUS, id=MINE))

    assert "expected no id of an operation on agent" in status(eng).message


def test_a_reservation_is_refined_by_who_knows_how(scene: Scene, agent: AgentPeer):
    backend = Reservation("eng/backend", ReservationType.DYNAMIC)
    scheduler = scene.scheduler(FrameworkCapability.RESERVATION_REFINEMENT, role="eng/backend").register()
    refined = CPUS.push_reservation(backend)
    scheduler.accept(Reserve(refined, source=Resources.parse("cpus:1")), refuse_seconds=0)
    scene.world.advance(2)

    assert scheduler.offer().resources.contains(refined)


def test_what_an_agent_does_not_know_how_to_keep_is_not_made_there(scene: Scene):
    old = scene.agent(ALL)
    old.say(RegisterAgentMessage(old.info, "1", (AgentCapability.AGENT_OPERATION_FEEDBACK,)))
    eng = scene.scheduler(FrameworkCapability.RESERVATION_REFINEMENT, role="eng").register()
    eng.accept(Reserve(RESERVED), Create(CREATED), GrowVolume(Resource.of(VOLUME, 100), Resource.of(DISK, 1), id=MINE))
    assert "expected no change of a volume's size on agent" in status(eng).message

    below = Reservation("eng/web", ReservationType.DYNAMIC)
    record = scene.master.cluster.agents[old.id]
    for reservations, text in (((below,), "expected a role without roles above it"), ((ENG, below), "which knows no")):
        resources = Resources.of(Resource.of(Kind("cpus", reservations=reservations), 1))
        assert text in str(check_operation(Reserve(resources), record, ""))


def test_labels_keep_reservations_apart(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    from mesos.labels import Label

    labelled = Resources.parse("cpus:1").push_reservation(replace(ENG, labels=(Label("for", "db"),)))
    eng.accept(Reserve(CPUS), Reserve(labelled), refuse_seconds=0)
    scene.world.advance(2)

    assert eng.offer().resources == Resources.parse("cpus:2;mem:4096;disk:1000") + CPUS + labelled


def test_operations_on_offers_that_no_longer_stand_are_refused(agent: AgentPeer, eng: SchedulerPeer):
    offer = eng.offer()
    eng.launch(task_on(offer))
    eng.accept(Reserve(CPUS, id=MINE), on=[offer])

    assert status(eng).state is ERROR
    assert "no longer stands" in status(eng).message


# Feedback.


def test_who_gave_an_id_learns_what_becomes_of_its_operation(agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS, id=MINE))
    order = agent.last(ApplyOperationMessage)
    agent.finish(order)
    assert (status(eng).state, status(eng).operation_id) == (FINISHED, MINE)
    assert not agent.all(AcknowledgeOperationStatusMessage)

    eng.say(AcknowledgeOperationStatusMessage(agent.id, status(eng).uuid, MINE, eng.id))
    assert agent.last(AcknowledgeOperationStatusMessage).operation_uuid == order.uuid
    assert agent.last(AcknowledgeOperationStatusMessage).uuid == status(eng).uuid


def test_the_master_acknowledges_what_nobody_asked_about(agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS))
    agent.finish(agent.last(ApplyOperationMessage))

    assert not eng.all(UpdateOperationStatusMessage)
    assert agent.all(AcknowledgeOperationStatusMessage)


def test_an_acknowledgement_of_another_update_changes_nothing(agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS, id=MINE))
    agent.finish(agent.last(ApplyOperationMessage))
    eng.say(AcknowledgeOperationStatusMessage(agent.id, b"another", MINE, eng.id))

    assert not agent.all(AcknowledgeOperationStatusMessage)


def test_an_id_is_given_to_one_operation_at_a_time(agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS, id=MINE), Unreserve(CPUS, id=MINE))

    assert status(eng).message == "expected an id that no other operation has, found mine again"


def test_schedulers_may_ask_how_far_operations_got(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS, id=MINE))
    eng.say(ReconcileOperationsMessage(eng.id))
    assert (status(eng).operation_id, status(eng).state) == (MINE, PENDING)

    eng.say(ReconcileOperationsMessage(eng.id, (OperationReference(OperationID("what"), agent.id),)))
    assert (status(eng).operation_id, status(eng).state) == ("what", OperationState.OPERATION_UNKNOWN)


def test_an_agent_that_could_not_apply_an_operation_is_asked_what_it_has(
    scene: Scene, agent: AgentPeer, eng: SchedulerPeer
):
    eng.accept(Reserve(CPUS, id=MINE))
    agent.finish(agent.last(ApplyOperationMessage), DROPPED)
    assert agent.last(PingAgentMessage) == PingAgentMessage(connected=False)
    assert status(eng).state is DROPPED

    agent.reregister(agent.id)
    assert eng.offer().resources == Resources.parse(ALL)


# When links break.


def test_what_was_lost_with_a_link_is_dropped_and_undone(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    id_ = agent.id
    eng.accept(Reserve(CPUS, id=MINE))
    agent.die()
    scene.agent(ALL, hostname="agent-1", node=scene.world.node("agent-1")).reregister(id_)

    assert status(eng).state is DROPPED
    assert eng.offer().resources == Resources.parse(ALL)


def test_what_is_on_its_way_still_counts_when_an_agent_registers_again(
    scene: Scene, agent: AgentPeer, eng: SchedulerPeer
):
    eng.accept(Reserve(CPUS, id=MINE), refuse_seconds=0)
    agent.reregister(agent.id)
    scene.world.advance(2)

    assert not eng.all(UpdateOperationStatusMessage)
    assert eng.offer().resources.contains(CPUS)


def test_a_new_master_learns_of_reservations_and_operations(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    id_, framework_id = agent.id, eng.id
    scene.restart_master()
    finished = OperationStatus(FINISHED, MINE, id_, uuid=b"s")
    report = OperationReport(b"o", Reserve(CPUS, id=MINE), finished, framework_id)
    agent.reregister(id_, checkpointed_resources=CPUS, operations=(report,))
    agent.say(UpdateOperationStatusMessage(b"o", finished, framework_id))
    assert not agent.all(AcknowledgeOperationStatusMessage)  # who asked may come

    eng.reregister(framework_id, role="eng")
    assert eng.offer().resources == Resources.parse("cpus:3;mem:4096;disk:1000") + CPUS
    agent.say(UpdateOperationStatusMessage(b"o", finished, framework_id))
    assert status(eng) == finished
    eng.say(AcknowledgeOperationStatusMessage(id_, b"s", MINE, framework_id))
    assert agent.last(AcknowledgeOperationStatusMessage).operation_uuid == b"o"


def test_an_agent_that_has_less_than_was_reserved_there_is_sent_away(scene: Scene):
    from mesos.messages import RegisterAgentMessage, ShutdownMessage

    peer = scene.agent("cpus:0.5")
    peer.say(RegisterAgentMessage(peer.info, "1", checkpointed_resources=CPUS))

    assert peer.last(ShutdownMessage).message.startswith("its resources: expected at least cpus:1")


def test_who_loses_the_agent_learns_what_is_known_of_its_operation(scene: Scene, agent: AgentPeer, eng: SchedulerPeer):
    eng.accept(Reserve(CPUS, id=MINE))
    agent.die()
    scene.world.advance(601)

    assert status(eng).state is OperationState.OPERATION_UNREACHABLE
    assert status(eng).agent_id == agent.id
