"""The master's flags: what they mean, and what an operator may get wrong."""

from __future__ import annotations

import pytest

from libprocess.errors import OperatorError
from master.flags import MasterFlags
from mesos.resources import Resources


def load(*argv: str) -> MasterFlags:
    return MasterFlags.load(["--work_dir=w", *argv], environ={})


def test_defaults_are_those_of_mesos():
    flags = load()

    assert flags.port == 5050
    assert (flags.agent_ping_timeout_seconds, flags.max_agent_ping_timeouts) == (15.0, 5)
    assert flags.total_ping_timeout_seconds == 75.0
    assert flags.min_allocatable_resources == (Resources.of(cpus=0.01), Resources.of(mem=32))
    assert flags.as_dict()["min_allocatable_resources"] == "cpus:0.01|mem:32"


@pytest.mark.parametrize(
    ("argv", "port"), [((), 6050), (("--port=7000",), 8000), (("--port=0",), 0), (("--actor_port=9",), 9)]
)
def test_actors_listen_a_thousand_ports_above_the_web(argv: tuple[str, ...], port: int):
    assert load(*argv).chosen_actor_port == port


def test_weights():
    assert load("--weights=eng=2,ops/night=0.5").weights == (("eng", 2.0), ("ops/night", 0.5))


def test_an_operator_of_mesos_finds_the_flags_as_they_are_used_to():
    flags = load("--quorum=2", "--slave_ping_timeout=10secs", "--max_slave_ping_timeouts=3", "--authenticate_slaves")
    assert (flags.agent_ping_timeout_seconds, flags.max_agent_ping_timeouts) == (10.0, 3)
    assert flags.authenticate_agents


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--weights=eng", "expected a role and a weight above 0, such as eng=2, found 'eng'"),
        ("--weights=eng=0", "expected a role and a weight above 0, such as eng=2, found 'eng=0'"),
        ("--weights=a b=1", "expected a role and a weight above 0, such as eng=2, found 'a b=1'"),
        ("--min_allocatable_resources=cpus", "expected a resource such as cpus:4 or disk(role):100, found 'cpus'"),
        ("--role_sorter=fifo", "found no sorter 'fifo', expected one of: drf, random"),
        ("--agent_ping_timeout=15", "expected a duration such as 15secs"),
        ("--max_agent_ping_timeouts=0", "expected more than 0, found '0'"),
        ("--zk_session_timeout=0secs", "expected more than 0, found '0secs'"),
        ("--max_completed_frameworks=-1", "expected 0 or more, found '-1'"),
        ("--logging_level=LOUD", "expected DEBUG or INFO or WARNING or ERROR, found 'LOUD'"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(argument: str, text: str):
    with pytest.raises(OperatorError) as error:
        load(argument)

    assert text in str(error.value)
    assert "\n" not in str(error.value)
