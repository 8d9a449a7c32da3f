"""The algebra of resources: its laws on random resources, and its cases that have a story."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from mesos.resources import (
    DiskInfo,
    DiskSource,
    DiskSourceType,
    Kind,
    Mount,
    Ranges,
    Reservation,
    ReservationType,
    Resource,
    Resources,
    Set,
    ValueType,
)
from tests.mesos.strategies import resources

NOTHING = Resources()
ENG = Reservation("eng")


def volume(name: str = "v1", megabytes: float = 100, path: str = "data", shared: bool = False) -> Resources:
    disk = DiskInfo(persistence_id=name, volume=Mount(path))
    return Resources.of(Resource.of(Kind("disk", reservations=(ENG,), disk=disk, shared=shared), megabytes))


def disjoint(one: Resources, other: Resources) -> bool:
    """Whether no number of a range and no name of a set is in both, so that adding loses nothing."""
    amounts = dict(one.items)
    return not any(
        set(amounts[kind]) & set(amount)
        for kind, amount in other.items
        if kind in amounts and not isinstance(amount, int)
    )


# Laws.


@given(resources, resources)
def test_what_is_added_can_be_taken_away(one: Resources, other: Resources) -> None:
    both = one + other
    assert both.contains(one)
    assert both.contains(other)
    if disjoint(one, other):
        assert both - other == one
        assert both - one == other


@given(resources, resources)
def test_the_order_of_adding_plays_no_part(one: Resources, other: Resources) -> None:
    assert one + other == other + one
    assert hash(one + other) == hash(other + one)
    assert Resources.sum([one, other, NOTHING]) == one + other
    assert msgspec.msgpack.encode(one + other) == msgspec.msgpack.encode(other + one)


@given(resources, resources, resources)
def test_the_grouping_of_adding_plays_no_part(one: Resources, two: Resources, three: Resources) -> None:
    assert (one + two) + three == one + (two + three)


@given(resources, resources)
def test_what_contains_can_be_subtracted_from_and_nothing_else(one: Resources, other: Resources) -> None:
    if one.contains(other):
        assert (one - other) + other == one
    else:
        with pytest.raises(ValueError, match="cannot be taken from"):
            one - other


@given(resources)
def test_nothing_is_neutral(some: Resources) -> None:
    assert some + NOTHING == some == NOTHING + some == some - NOTHING
    assert some - some == NOTHING
    assert some.contains(NOTHING)
    assert bool(some) == (some != NOTHING)


@given(resources)
def test_the_canonical_form_survives_the_wire(some: Resources) -> None:
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode(some), type=Resources)
    assert decoded == some
    assert decoded + some == some + some


@given(resources)
def test_items_in_any_order_and_in_parts_make_the_same(some: Resources) -> None:
    assert Resources(tuple(reversed(some.items))) == some
    assert Resources((*some.items, *some.items)) == some + some


@given(resources)
def test_choosing_splits_without_loss(some: Resources) -> None:
    assert some.unreserved() + some.reserved() == some
    assert Resources.sum(some.allocations().values()) == some


@given(resources)
def test_a_reservation_that_is_pushed_can_be_popped(some: Resources) -> None:
    assert some.push_reservation(ENG).pop_reservation() == some
    assert some.push_reservation(ENG).reserved("eng") == some.push_reservation(ENG)


@given(resources)
def test_allocating_keeps_the_amounts(some: Resources) -> None:
    assert some.allocate("ops").quantities() == some.unallocate().quantities()
    assert some.allocate("ops").unallocate() == some.unallocate()
    assert all(each.kind.allocated_to == "ops" for each in some.allocate("ops"))


@given(resources, resources)
def test_what_is_found_is_what_was_wanted(some: Resources, wanted: Resources) -> None:
    found = some.find(wanted)
    if found is not None:
        assert some.contains(found)
        assert found.flatten() == wanted.flatten()
    else:
        assert not some.contains(wanted)


# Scalars are exact.


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    assert Resources.of(cpus=0.1) + Resources.of(cpus=0.2) == Resources.of(cpus=0.3)


def test_a_thousand_thousandths_are_one() -> None:
    assert Resources.sum([Resources.of(cpus=0.001)] * 1000) == Resources.of(cpus=1)


def test_totals_go_over_all_kinds() -> None:
    some = Resources.parse("cpus:1.5;cpus(eng):2;mem:64;ports:[1-3]")
    assert some.scalar("cpus") == 3.5
    assert some.thousandths("mem") == 64000
    assert some.scalar("gpus") == 0
    assert some.quantities() == {"cpus": 3500, "mem": 64000}
    assert list(some.ranges("ports")) == [1, 2, 3]
    assert some.set("bugs") == Set()


# Kinds are kept apart.


def test_reserved_resources_do_not_stand_in_for_others() -> None:
    own = Resources.parse("cpus(eng):4")
    assert not own.contains(Resources.of(cpus=1))
    assert own.flatten().contains(Resources.of(cpus=1))


@pytest.mark.parametrize(
    ("role", "text"),
    [("eng/backend", "cpus(eng):1;cpus(eng/backend):2;cpus:4"), ("eng", "cpus(eng):1;cpus:4"), ("engine", "cpus:4")],
)
def test_a_role_may_have_its_own_and_its_ancestors_reservations(role: str, text: str) -> None:
    total = Resources.parse("cpus(eng):1;cpus(eng/backend):2;cpus:4;cpus(ops):8")
    assert total.allocatable_to(role) == Resources.parse(text)


def test_principals_and_labels_keep_reservations_apart() -> None:
    mine = Resources.of(cpus=1).push_reservation(Reservation("eng", ReservationType.DYNAMIC, "me"))
    yours = Resources.of(cpus=1).push_reservation(Reservation("eng", ReservationType.DYNAMIC, "you"))
    assert len(mine + yours) == 2
    assert not (mine + mine).contains(yours)


def test_a_scalar_and_ranges_of_one_name_never_meet() -> None:
    scalar, ports = Resources.of(ports=2), Resources.parse("ports:[1-2]")
    assert not scalar.contains(ports)
    assert len(scalar + ports) == 2


def test_what_is_not_reserved_cannot_be_unreserved() -> None:
    with pytest.raises(ValueError, match="expected cpus to be reserved"):
        Resources.of(cpus=1).pop_reservation()


def test_finding_takes_reserved_resources_first() -> None:
    offer = Resources.parse("cpus(eng):1;cpus:4;ports:[10-20]").allocate("eng")
    found = offer.find(Resources.parse("cpus:1.5;ports:[11-12]"))
    assert found == Resources.parse("cpus(eng):1;cpus:0.5;ports:[11-12]").allocate("eng")
    assert offer.find(Resources.of(cpus=6)) is None


# What cannot be cut.


def test_a_volume_is_held_whole_or_not_at_all() -> None:
    assert not volume(megabytes=100).contains(volume(megabytes=50))
    assert not volume("v1").contains(volume("v2"))
    assert volume().scalar("disk") == 100


def test_where_a_volume_is_mounted_does_not_make_it_another() -> None:
    assert volume(path="data").contains(volume(path="elsewhere"))
    assert volume(path="data") - volume(path="elsewhere") == NOTHING


def test_a_mounted_disk_is_not_carved() -> None:
    def disk(type: DiskSourceType, megabytes: float) -> Resources:
        return Resources.of(Resource.of(Kind("disk", disk=DiskInfo(DiskSource(type, "/mnt"))), megabytes))

    assert disk(DiskSourceType.PATH, 100).contains(disk(DiskSourceType.PATH, 40))
    assert not disk(DiskSourceType.MOUNT, 100).contains(disk(DiskSourceType.MOUNT, 40))


def test_a_shared_volume_counts_its_holders() -> None:
    one = volume(shared=True)
    two = one + one
    assert two.contains(one)
    assert two - one == one
    assert two.scalar("disk") == 100
    assert not one.contains(two)


# What somebody else sends.


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        (Kind("cpus"), -1, "at least 0 of cpus, found -1"),
        (Kind(""), 1, "name of a resource"),
        (Kind("ports"), Ranges(((1, 2),)), r"expected ports to be a scalar, found \[1-2\]"),
        (Kind("ports", ValueType.RANGES), 5, "expected ports to be a ranges, found 5"),
        (Kind("cpus", size=7), 1, "just when it cannot be cut"),
        (Kind("disk", disk=DiskInfo(persistence_id="v1")), 1, "just when it cannot be cut"),
    ],
)
def test_impossible_resources_are_refused_on_the_wire(kind: Kind, amount: int | Ranges, reason: str) -> None:
    data = msgspec.msgpack.encode([[(kind, amount)]])
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.msgpack.decode(data, type=Resources)


def test_empty_amounts_are_dropped() -> None:
    assert Resources.parse("cpus:0;ports:[];bugs:{}") == NOTHING


def test_resources_read_as_their_text() -> None:
    some = volume() + Resources.parse("cpus(eng/backend):0.5;mem:64").allocate("*")
    assert str(some) == "cpus(eng/backend):0.5;disk(eng, volume v1):100;mem:64"
