"""Random resources for the tests of the algebra and its written forms."""

from __future__ import annotations

from hypothesis import strategies as st

from mesos.labels import Label
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
)

ROLES = ("eng", "eng/backend", "ops")

reservations = st.builds(
    Reservation,
    role=st.sampled_from(ROLES),
    type=st.sampled_from(ReservationType),
    principal=st.sampled_from(("", "p1")),
    labels=st.sampled_from(((), (Label("k", "v"),))),
)
disks = st.builds(
    DiskInfo,
    source=st.none() | st.builds(DiskSource, st.sampled_from(DiskSourceType), st.sampled_from(("/mnt/1", "/mnt/2"))),
    persistence_id=st.sampled_from(("", "v1", "v2")),
    principal=st.sampled_from(("", "p1")),
    volume=st.none() | st.builds(Mount, st.sampled_from(("data", "logs"))),
)
spans = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda span: (span[0], span[0] + span[1]))
ranges = st.builds(Ranges, st.lists(spans, max_size=4).map(tuple))
sets = st.builds(Set, st.lists(st.sampled_from("abcdef"), max_size=4).map(tuple))
units = st.integers(0, 5_000_000).map(lambda thousandths: thousandths / 1000)


def kinds(name: str) -> st.SearchStrategy[Kind]:
    return st.builds(
        Kind,
        name=st.just(name),
        reservations=st.lists(reservations, max_size=2).map(tuple),
        allocated_to=st.sampled_from(("", "*", "eng")),
        revocable=st.booleans(),
    )


def volumes(shared: bool) -> st.SearchStrategy[Kind]:
    return st.builds(Kind, name=st.just("disk"), disk=disks, shared=st.just(shared))


divisible = st.one_of(
    st.builds(Resource.of, st.sampled_from(("cpus", "mem", "disk")).flatmap(kinds), units),
    st.builds(Resource.of, kinds("ports"), ranges),
    st.builds(Resource.of, kinds("bugs"), sets),
)
any_resource = divisible | st.builds(Resource.of, volumes(shared=False) | volumes(shared=True), units.filter(bool))
resources = st.lists(any_resource, max_size=6).map(lambda many: Resources.of(*many))
