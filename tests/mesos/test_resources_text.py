"""What operators write for --resources, as text and as JSON, and what they are told when it cannot be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from mesos.resources.jsonform import resources_from_json, resources_to_json
from mesos.resources.text import parse_resources
from tests.mesos.strategies import resources

# Text.


def test_every_form_of_the_text_is_read() -> None:
    text = " cpus:24 ; mem:24576;disk(role):100;ports:[21000-24000, 30000-34000];bugs(debug):{a, b,c}; gpus : 0.5;"
    assert parse_resources(text) == (
        Resource.of("cpus", 24),
        Resource.of("mem", 24576),
        Resource.of(Kind("disk", reservations=(Reservation("role"),)), 100),
        Resource.of("ports", Ranges(((21000, 24000), (30000, 34000)))),
        Resource.of(Kind("bugs", reservations=(Reservation("debug"),)), Set(("a", "b", "c"))),
        Resource.of("gpus", 0.5),
    )


@pytest.mark.parametrize("text", ["", "  ", ";", "[]"])
def test_nothing_may_be_written(text: str) -> None:
    assert parse_resources(text) == ()


def test_what_names_no_role_gets_the_default_one() -> None:
    assert Resources.parse("cpus:4;mem(ops):1;disk(*):2", default_role="eng") == Resources.parse(
        "cpus(eng):4;mem(ops):1;disk:2"
    )


def test_resources_of_amount_0_are_seen_by_who_detects_the_rest() -> None:
    assert [each.name for each in parse_resources("gpus:0;ports:[]")] == ["gpus", "ports"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cpus", "expected a resource such as cpus:4 or disk(role):100, found 'cpus'"),
        ("cpus:", "expected a resource such as cpus:4 or disk(role):100, found 'cpus:'"),
        (":4", "expected a resource such as cpus:4 or disk(role):100, found ':4'"),
        ("cpus:4,mem:64", "cpus: expected a number from 0 to 1000000000000, found '4,mem:64'"),
        ("cpus:four", "cpus: expected a number from 0 to 1000000000000, found 'four'"),
        ("cpus:-1", "cpus: expected a number from 0 to 1000000000000, found '-1'"),
        ("mem:nan", "mem: expected a number from 0 to 1000000000000, found 'nan'"),
        ("ports:[1-2", "ports: expected ']' at the end, found '[1-2'"),
        ("ports:[1]", "ports: expected a range such as 31000-32000, found '1'"),
        ("ports:[2-1]", "ports: expected a range of ascending numbers from 0 to 9223372036854775807, found 2-1"),
        ("bugs:{a", "bugs: expected '}' at the end, found '{a'"),
        ("cpus():4", "cpus: expected a role such as eng or eng/backend, found the part '' in ''"),
        ("cpus(a//b):4", "cpus: expected a role such as eng or eng/backend, found the part '' in 'a//b'"),
        ("cpus(-a):4", "cpus: expected the parts of a role not to begin with '-', found '-a'"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        Resources.parse(text)
    assert str(caught.value) == reason


@given(resources)
def test_plain_resources_survive_being_written(some: Resources) -> None:
    plain = some.flatten().filter(lambda kind: str(kind) == kind.name)
    assert Resources.parse(str(plain)) == plain


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    reason = ""
    try:
        Resources.parse(text)
    except ValueError as error:
        reason = str(error)
    assert len(reason.splitlines()) <= 1


# JSON.


@given(resources)
def test_resources_survive_json(some: Resources) -> None:
    written = json.dumps(resources_to_json(some))
    assert Resources.parse(written) == some


def test_json_has_the_shape_that_mesos_gives_it() -> None:
    reservation = Reservation("dev", ReservationType.DYNAMIC, "ops")
    disk = DiskInfo(DiskSource(DiskSourceType.MOUNT, "/mnt/1"), "vol1", "ops", Mount("vol"))
    written = resources_to_json(
        [
            Resource.of(Kind("cpus", allocated_to="dev", revocable=True), 0.5),
            Resource.of("ports", Ranges(((1, 2), (4, 5)))),
            Resource.of("bugs", Set(("b", "a"))),
            Resource.of(Kind("disk", reservations=(reservation,), disk=disk, shared=True), 50),
        ]
    )
    assert json.loads(json.dumps(written)) == [
        {
            "name": "cpus",
            "type": "SCALAR",
            "scalar": {"value": 0.5},
            "allocation_info": {"role": "dev"},
            "revocable": {},
        },
        {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 1, "end": 2}, {"begin": 4, "end": 5}]}},
        {"name": "bugs", "type": "SET", "set": {"item": ["a", "b"]}},
        {
            "name": "disk",
            "type": "SCALAR",
            "scalar": {"value": 50.0},
            "reservations": [{"role": "dev", "type": "DYNAMIC", "principal": "ops"}],
            "disk": {
                "persistence": {"id": "vol1", "principal": "ops"},
                "volume": {"container_path": "vol", "mode": "RW"},
                "source": {"type": "MOUNT", "mount": {"root": "/mnt/1"}},
            },
            "shared": {},
        },
    ]


def scalar(**fields: object) -> str:
    return json.dumps([{"name": "cpus", "type": "SCALAR", "scalar": {"value": 4}, **fields}])


@pytest.mark.parametrize(
    ("text", "reservations"),
    [
        (scalar(), ()),
        (scalar(role="*"), ()),
        (scalar(role="eng"), (Reservation("eng"),)),
        (scalar(role="eng", reservation={"principal": "p"}), (Reservation("eng", ReservationType.DYNAMIC, "p"),)),
        (scalar(role="x", reservations=[{"role": "eng", "type": "STATIC"}]), (Reservation("eng"),)),
    ],
)
def test_both_notations_of_reservations_are_read(text: str, reservations: tuple[Reservation, ...]) -> None:
    assert resources_from_json(text) == (Resource.of(Kind("cpus", reservations=reservations), 4),)


def test_json_without_a_role_gets_the_default_one() -> None:
    assert resources_from_json(scalar(), default_role="eng")[0].kind.role == "eng"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "expected a JSON array of resources: Input data was truncated"),
        ("[4]", "expected a JSON array of resources: Expected `object`, got `int` - at `$[0]`"),
        (scalar(name=4), "expected a JSON array of resources: Expected `str`, got `int` - at `$[0].name`"),
        (scalar(nmae=4), "expected a JSON array of resources: Object contains unknown field `nmae` - at `$[0]`"),
        (scalar(scalar={"value": -1}), "cpus: expected a number from 0 to 1000000000000, found -1.0"),
        (scalar(type="RANGES"), "cpus: expected the field 'ranges' beside type RANGES, found none"),
        (scalar(role="a b"), "cpus: expected a role without blanks, backslashes and control characters, found 'a b'"),
    ],
)
def test_json_that_cannot_be_read_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        Resources.parse(text)
    assert str(caught.value) == reason


def test_a_value_keeps_its_type() -> None:
    kinds = [each.kind.type for each in parse_resources("cpus:1;ports:[1-2];bugs:{a}")]
    assert kinds == [ValueType.SCALAR, ValueType.RANGES, ValueType.SET]
