"""What an agent says it has: given by its operator, or found."""

from __future__ import annotations

import pytest

from agent.detection import Machine, resources, this_machine
from libprocess.errors import OperatorError
from mesos.resources import Resources

MEGABYTE = 1 << 20
MACHINE = Machine(cpus=8, memory_bytes=16_384 * MEGABYTE, disk_bytes=102_400 * MEGABYTE)


def test_all_is_found_but_what_the_system_needs_itself():
    assert resources("", "*", MACHINE) == Resources.parse("cpus:8;mem:15360;disk:97280;ports:[31000-32000]")


def test_half_of_a_small_machine_is_kept_back():
    small = Machine(cpus=1, memory_bytes=1_000 * MEGABYTE, disk_bytes=4_000 * MEGABYTE)
    assert resources("", "*", small) == Resources.parse("cpus:1;mem:500;disk:2000;ports:[31000-32000]")


def test_what_is_given_counts_and_the_rest_is_found():
    given = resources("cpus:2;bugs:{a,b};ports:[1-2]", "*", MACHINE)
    assert given == Resources.parse("cpus:2;bugs:{a,b};ports:[1-2];mem:15360;disk:97280")


def test_nothing_is_found_of_what_there_is_to_be_none():
    assert resources("cpus:0;mem:100;disk:0;ports:[]", "*", MACHINE) == Resources.parse("mem:100")


def test_all_belongs_to_the_default_role():
    assert resources("cpus(ops):2;mem:100;disk:0", "eng", MACHINE) == Resources.parse(
        "cpus(ops):2;mem(eng):100;ports(eng):[31000-32000]"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cpus", "--resources: expected a resource such as cpus:4 or disk(role):100, found 'cpus'"),
        ("cpus:many", "--resources: cpus: expected a number"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, fault: str):
    with pytest.raises(OperatorError) as raised:
        resources(text, "*", MACHINE)
    assert str(raised.value).startswith(fault)


def test_this_machine_has_something():
    machine = this_machine("/tmp/not/there/yet")
    assert machine.cpus > 0
    assert machine.memory_bytes > MEGABYTE
    assert machine.disk_bytes > MEGABYTE
