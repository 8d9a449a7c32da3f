"""What operations make of resources, and what an agent has to remember of that."""

from __future__ import annotations

import pytest

from mesos.conversions import base, conversion, must_last, with_lasting
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
)
from mesos.types import Create, Destroy, GrowVolume, Launch, Operation, Reserve, ShrinkVolume, Unreserve

ENG = Reservation("eng", ReservationType.DYNAMIC)
BACKEND = Reservation("eng/backend", ReservationType.DYNAMIC)
DISK = Kind("disk", reservations=(ENG,))
VOLUME = Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v1", volume=Mount("data")))
MOUNTED = DiskSource(DiskSourceType.MOUNT, "/mnt/1")
PATH = DiskSource(DiskSourceType.PATH, "/mnt/2")


def volume(megabytes: float, kind: Kind = VOLUME) -> Resource:
    return Resource.of(kind, megabytes)


def check(operation: Operation, taken: Resources, made: Resources) -> None:
    assert conversion(operation) == (taken, made)


def test_reserve_pushes_a_reservation_and_unreserve_pops_it():
    plain = Resources.parse("cpus:2;ports:[1-9]")
    reserved = plain.push_reservation(ENG)
    refined = reserved.push_reservation(BACKEND)

    check(Reserve(reserved), plain, reserved)
    check(Reserve(refined), reserved, refined)
    check(Reserve(refined, source=plain), plain, refined)
    check(Unreserve(refined), refined, reserved)


def test_create_makes_a_volume_of_all_of_a_disk_and_destroy_gives_it_back():
    check(Create(Resources.of(volume(100))), Resources.of(Resource.of(DISK, 100)), Resources.of(volume(100)))
    check(Destroy(Resources.of(volume(100))), Resources.of(volume(100)), Resources.of(Resource.of(DISK, 100)))


def test_two_volumes_come_out_of_one_disk():
    other = Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v2"))
    both = Resources.of(volume(100), volume(20, other))

    check(Create(both), Resources.of(Resource.of(DISK, 120)), both)


@pytest.mark.parametrize("source", [MOUNTED, PATH])
def test_a_volume_keeps_the_source_of_its_disk(source: DiskSource):
    disk = Kind("disk", reservations=(ENG,), disk=DiskInfo(source))
    made = Kind("disk", reservations=(ENG,), disk=DiskInfo(source, "v1"))

    check(Create(Resources.of(volume(100, made))), Resources.of(volume(100, disk)), Resources.of(volume(100, made)))


def test_what_is_below_a_shared_volume_is_not_shared():
    shared = Kind("disk", reservations=(ENG,), disk=DiskInfo(persistence_id="v1"), shared=True)

    check(
        Create(Resources.of(volume(100, shared))),
        Resources.of(Resource.of(DISK, 100)),
        Resources.of(volume(100, shared)),
    )


def test_a_volume_grows_and_shrinks():
    disk = Resource.of(DISK, 30)

    check(GrowVolume(volume(100), disk), Resources.of(volume(100), disk), Resources.of(volume(130)))
    check(ShrinkVolume(volume(100), 30_000), Resources.of(volume(100)), Resources.of(volume(70), disk))


@pytest.mark.parametrize("subtracted", [0, 100_000, 100_001])
def test_a_volume_does_not_shrink_to_nothing(subtracted: int):
    with pytest.raises(ValueError, match="less than all"):
        conversion(ShrinkVolume(volume(100), subtracted))


def test_a_launch_converts_nothing():
    check(Launch(()), Resources(), Resources())


def test_allocations_play_no_part():
    reserved = Resources.parse("cpus:2").push_reservation(ENG)

    assert conversion(Unreserve(reserved.allocate("eng"))) == (reserved, Resources.parse("cpus:2"))


def test_what_was_reserved_or_made_is_remembered_and_found_again():
    given = Resources.parse("cpus:4;cpus(ops):2;disk:500")
    dynamic = Resources.parse("cpus:1").push_reservation(ENG)
    refined = Resources.parse("cpus(ops):2").push_reservation(Reservation("ops/x", ReservationType.DYNAMIC))
    lasting = dynamic + refined + Resources.of(volume(100))
    whole = Resources.parse("cpus:3;disk:400") + lasting

    assert with_lasting(given, lasting) == whole
    assert must_last(whole) == lasting
    assert base(lasting) == Resources.parse("cpus:1;cpus(ops):2;disk:100")


def test_an_agent_that_has_less_than_was_reserved_there_is_told_so():
    with pytest.raises(ValueError, match="expected at least cpus:4, "):
        with_lasting(Resources.parse("cpus:2"), Resources.parse("cpus:4").push_reservation(ENG))
