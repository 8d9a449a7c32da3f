"""Tasks that are probed: what is told of them, and when they are killed."""

from __future__ import annotations

import signal

import pytest

from agent.checks import Health, check_status
from agent.ports import ProbedMessage
from mesos.ids import ContainerID, TaskID
from mesos.messages import KillTaskMessage, StatusUpdateMessage
from mesos.types import (
    CheckInfo,
    CheckStatusInfo,
    CheckType,
    CommandInfo,
    HealthCheck,
    HTTPCheckInfo,
    Reason,
    TaskState,
    TCPCheckInfo,
)
from tests.agent.cluster import FRAMEWORK, Cluster, command_task

CONTAINER = ContainerID("c1")
HEALTH = HealthCheck(
    CheckType.COMMAND, delay_seconds=5, interval_seconds=10, grace_period_seconds=12, command=CommandInfo("true")
)
CHECK = CheckInfo(CheckType.HTTP, delay_seconds=5, interval_seconds=10, http=HTTPCheckInfo(8080))

WELL, ILL = {"exit_code": 0}, {"exit_code": 1}


def healths(cluster: Cluster) -> list[bool | None]:
    """What the master was told of the task's health, once it was running."""
    updates = [message.update.status for message in cluster.master.got(StatusUpdateMessage)]
    return [status.healthy for status in updates if status.state is TaskState.TASK_RUNNING]


def test_a_task_is_healthy_when_a_probe_says_so(cluster: Cluster):
    cluster.machine.finding = WELL
    cluster.run(command_task(health_check=HEALTH))
    cluster.world.advance(seconds=4)
    assert cluster.machine.probes == []
    assert healths(cluster) == [None]

    cluster.world.advance(seconds=32)
    assert len(cluster.machine.probes) == 4
    assert healths(cluster) == [None, True]
    assert cluster.master.status.reason is Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED


def test_a_task_that_is_starting_is_not_called_ill(cluster: Cluster):
    cluster.machine.finding = ILL
    cluster.run(command_task(health_check=HEALTH))
    cluster.world.advance(seconds=11)
    assert healths(cluster) == [None]

    cluster.world.advance(seconds=5)
    assert healths(cluster) == [None, False]


def test_each_failure_is_told_and_the_third_one_kills(cluster: Cluster):
    cluster.machine.finding = WELL
    cluster.run(command_task(health_check=HEALTH))
    cluster.world.advance(seconds=6)
    cluster.machine.finding = ILL
    cluster.world.advance(seconds=20)
    assert healths(cluster) == [None, True, False, False]
    assert cluster.machine.signals == []

    cluster.world.advance(seconds=10)
    assert healths(cluster) == [None, True, False, False, False]
    assert cluster.machine.signals == [signal.SIGTERM]

    cluster.world.advance(seconds=30)
    assert cluster.master.status.state is TaskState.TASK_KILLED
    assert cluster.master.status.healthy is False


def test_a_task_that_recovers_starts_counting_anew(cluster: Cluster):
    cluster.run(command_task(health_check=HEALTH))
    for finding in (ILL, ILL, ILL, WELL, ILL, ILL, WELL):
        cluster.machine.finding = finding
        cluster.world.advance(seconds=10)

    assert healths(cluster) == [None, False, False, True, False, False, True]
    assert cluster.machine.signals == []


def test_a_task_that_is_being_killed_is_not_probed(cluster: Cluster):
    cluster.machine.finding = WELL
    cluster.run(command_task(health_check=HEALTH))
    cluster.tell(KillTaskMessage(FRAMEWORK, TaskID("t1")))
    cluster.world.advance(seconds=30)

    assert cluster.machine.probes == []


def test_a_check_is_told_when_it_changes_and_judges_nothing(cluster: Cluster):
    cluster.run(command_task(check=CHECK))
    assert cluster.master.status.check_status == CheckStatusInfo(CheckType.HTTP)

    for code in (200, 200, 500, 500):
        cluster.machine.finding = {"status_code": code}
        cluster.world.advance(seconds=10)
    told = [message.update.status.check_status for message in cluster.master.got(StatusUpdateMessage)]
    assert [status.status_code for status in told if status] == [None, None, 200, 500]
    assert cluster.master.status.reason is Reason.REASON_TASK_CHECK_STATUS_UPDATED

    cluster.machine.finding = {"error": "no answer within 20 s"}
    cluster.world.advance(seconds=10)
    assert cluster.master.status.check_status == CheckStatusInfo(CheckType.HTTP)
    assert cluster.master.status.message == "no answer within 20 s"


def test_the_last_status_tells_what_was_known(cluster: Cluster):
    cluster.machine.finding = WELL
    cluster.run(command_task(health_check=HEALTH))
    cluster.world.advance(seconds=10)
    cluster.machine.end()
    cluster.world.settle()

    assert cluster.master.status.state is TaskState.TASK_FINISHED
    assert cluster.master.status.healthy is True


@pytest.mark.parametrize(
    ("type", "finding", "is_good"),
    [
        (CheckType.COMMAND, {"exit_code": 0}, True),
        (CheckType.COMMAND, {"exit_code": 1}, False),
        (CheckType.COMMAND, {"exit_code": -9}, False),
        (CheckType.COMMAND, {"error": "no answer within 20 s"}, False),
        (CheckType.HTTP, {"status_code": 200}, True),
        (CheckType.HTTP, {"status_code": 399}, True),
        (CheckType.HTTP, {"status_code": 404}, False),
        (CheckType.HTTP, {"error": "connection refused"}, False),
        (CheckType.TCP, {"succeeded": True}, True),
        (CheckType.TCP, {"succeeded": False}, False),
    ],
)
def test_what_counts_as_healthy(type: CheckType, finding: dict[str, object], is_good: bool):
    check = HealthCheck(type, grace_period_seconds=0, http=HTTPCheckInfo(80), tcp=TCPCheckInfo(80))
    health = Health(check, began=0.0)
    verdict = health.judge(ProbedMessage(CONTAINER, True, **finding), now=1.0)
    assert health.healthy is is_good
    assert verdict.tells
    assert not verdict.kills


def test_results_of_checks_are_passed_on_as_they_are():
    probed = ProbedMessage(CONTAINER, False, exit_code=7)
    assert check_status(CheckInfo(CheckType.COMMAND), probed) == CheckStatusInfo(CheckType.COMMAND, exit_code=7)
