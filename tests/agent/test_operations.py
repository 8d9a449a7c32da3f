"""Operations on an agent's resources: applied, remembered over its end, told until they are acknowledged."""

from __future__ import annotations

from msgspec.structs import replace

from mesos.ids import OperationID
from mesos.messages import (
    AcknowledgeOperationStatusMessage,
    ApplyOperationMessage,
    ReregisterAgentMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import DiskInfo, Kind, Mount, Reservation, ReservationType, Resource, Resources, VolumeMode
from mesos.types import Create, Destroy, GrowVolume, Operation, OperationState, Reserve, Unreserve
from tests.agent.cluster import AGENT, Cluster, command_task

FINISHED = OperationState.OPERATION_FINISHED
ENG = Reservation("eng/web", ReservationType.DYNAMIC)
DISK = Kind("disk", reservations=(ENG,))
VOLUME = Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v1", volume=Mount("data")))
RESERVED = Resources.of(Resource.of(DISK, 100))
CREATED = Resources.of(Resource.of(VOLUME, 100))
PLACE = "/srv/mesos/volumes/roles/eng web/v1"


def with_disk() -> Cluster:
    cluster = Cluster(Resources.parse("cpus:4;mem:1024;disk:500"))
    cluster.register()
    return cluster


def apply(cluster: Cluster, operation: Operation, uuid: bytes = b"o1") -> UpdateOperationStatusMessage:
    """Order it; returns what the agent says of it."""
    cluster.tell(ApplyOperationMessage(uuid, operation))
    return cluster.master.got(UpdateOperationStatusMessage)[-1]


def acknowledge(cluster: Cluster, update: UpdateOperationStatusMessage) -> None:
    cluster.tell(AcknowledgeOperationStatusMessage(AGENT, update.status.uuid, operation_uuid=update.operation_uuid))


def test_an_operation_changes_what_the_agent_has_and_says_what_it_made():
    cluster = with_disk()
    update = apply(cluster, Reserve(RESERVED, id=OperationID("mine")))

    assert (update.status.state, update.status.operation_id) == (FINISHED, "mine")
    assert update.status.converted_resources == RESERVED
    assert cluster.agent.lasting.total == Resources.parse("cpus:4;mem:1024;disk:400") + RESERVED


def test_what_was_reserved_is_there_after_a_crash():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    cluster.restart_agent()
    cluster.register()

    assert cluster.master.got(ReregisterAgentMessage)[0].checkpointed_resources == RESERVED


def test_nothing_is_said_of_an_operation_that_did_not_reach_the_disk():
    cluster = with_disk()
    cluster.node.storage.lose_power_after(0)
    cluster.tell(ApplyOperationMessage(b"o1", Reserve(RESERVED)))

    assert not cluster.master.got(UpdateOperationStatusMessage)
    cluster.restart_agent()
    cluster.register()
    assert cluster.master.got(ReregisterAgentMessage)[0].checkpointed_resources == Resources()


def test_an_update_is_told_again_until_it_is_acknowledged():
    cluster = with_disk()
    update = apply(cluster, Reserve(RESERVED))

    cluster.world.advance(35)
    assert cluster.master.got(UpdateOperationStatusMessage) == [update] * 3  # after 10 and 30 s

    acknowledge(cluster, update)
    cluster.world.advance(1000)
    assert len(cluster.master.got(UpdateOperationStatusMessage)) == 3


def test_an_unacknowledged_update_survives_a_crash():
    cluster = with_disk()
    update = apply(cluster, Reserve(RESERVED))
    cluster.restart_agent()
    cluster.register()
    cluster.world.settle()

    assert cluster.master.got(UpdateOperationStatusMessage) == [update]


def test_an_acknowledged_update_is_forgotten_for_good():
    cluster = with_disk()
    acknowledge(cluster, apply(cluster, Reserve(RESERVED)))
    cluster.restart_agent()
    cluster.register()
    cluster.world.advance(30)

    assert not cluster.master.got(UpdateOperationStatusMessage)


def test_an_order_that_comes_twice_is_applied_once():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    apply(cluster, Reserve(RESERVED))

    assert cluster.agent.lasting.resources == RESERVED


def test_an_operation_that_cannot_be_applied_is_dropped_with_the_reason():
    cluster = with_disk()
    status = apply(cluster, Unreserve(RESERVED)).status

    assert status.state is OperationState.OPERATION_DROPPED
    assert status.message.startswith(f"expected the agent to have {RESERVED}, found ")
    assert cluster.agent.lasting.resources == Resources()


def test_the_end_of_an_operation_that_was_dropped_survives_a_crash_too():
    cluster = with_disk()
    update = apply(cluster, Unreserve(RESERVED))
    cluster.restart_agent()
    cluster.register()
    cluster.world.settle()

    assert cluster.master.got(UpdateOperationStatusMessage) == [update]


def test_what_is_on_a_volume_is_there_until_its_destruction_is_on_disk():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    apply(cluster, Create(CREATED), b"o2")
    cluster.node.storage.lose_power_after(0)  # type: ignore[attr-defined]
    cluster.tell(ApplyOperationMessage(b"o3", Destroy(CREATED)))

    assert cluster.volumes.paths == [PLACE]


def test_a_volume_has_a_directory_from_its_creation_to_its_destruction():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    apply(cluster, Create(CREATED), b"o2")
    assert cluster.volumes.paths == [PLACE]

    apply(cluster, Destroy(CREATED), b"o3")
    assert cluster.volumes.paths == []
    assert cluster.agent.lasting.resources == RESERVED


def test_a_volume_that_grows_keeps_its_directory():
    cluster = with_disk()
    apply(cluster, Reserve(Resources.of(Resource.of(DISK, 150))))
    apply(cluster, Create(CREATED), b"o2")
    cluster.volumes.paths.append("untouched")
    apply(cluster, GrowVolume(Resource.of(VOLUME, 100), Resource.of(DISK, 50)), b"o3")

    assert cluster.volumes.paths == [PLACE, "untouched"]
    assert cluster.agent.lasting.resources == Resources.of(Resource.of(VOLUME, 150))


def test_a_volume_that_lost_its_directory_gets_one_when_the_agent_starts():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    apply(cluster, Create(CREATED), b"o2")
    cluster.volumes.paths.clear()
    cluster.restart_agent()
    cluster.world.settle()

    assert cluster.volumes.paths == [PLACE]


def test_a_task_is_given_the_volumes_among_its_resources():
    cluster = with_disk()
    apply(cluster, Reserve(RESERVED))
    apply(cluster, Create(CREATED), b"o2")
    mounted = replace(VOLUME, disk=DiskInfo(persistence_id="v1", volume=Mount("old", VolumeMode.RO)))
    cluster.run(command_task(resources=Resources.of(Resource.of(mounted, 100), cpus=1)))

    (volume,) = cluster.machine.config.volumes
    assert (volume.source, volume.container_path, volume.is_read_only) == (PLACE, "old", True)


def test_what_comes_back_tells_of_its_operations(cluster: Cluster):
    reserved = Resources.parse("cpus:1").push_reservation(ENG)
    update = apply(cluster, Reserve(reserved))
    cluster.master.tell(cluster.agent.pid, AcknowledgeOperationStatusMessage(AGENT, b"another", operation_uuid=b"o1"))
    cluster.elect(type(cluster.master)(), "master-2")
    cluster.world.run_until(lambda: bool(cluster.master.got(ReregisterAgentMessage)))
    message = cluster.master.got(ReregisterAgentMessage)[0]

    assert message.checkpointed_resources == reserved
    assert [(report.uuid, report.status) for report in message.operations] == [(b"o1", update.status)]


def test_an_order_of_somebody_else_is_not_obeyed(cluster: Cluster):
    reserved = Resources.parse("cpus:1").push_reservation(ENG)
    cluster.node.send(cluster.agent.pid, ApplyOperationMessage(b"o1", Reserve(reserved)))
    cluster.world.settle()

    assert cluster.agent.lasting.resources == Resources()
