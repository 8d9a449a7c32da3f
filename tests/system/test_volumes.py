"""A persistent volume in a cluster of real processes: its data outlives its task, and its agent's process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesos.ids import TaskID
from mesos.resources import DiskInfo, Kind, Mount, Reservation, ReservationType, Resource, Resources
from mesos.scheduler import SchedulerDriver
from mesos.types import CommandInfo, Create, Filters, FrameworkInfo, Launch, Offer, Reserve, TaskInfo, TaskState
from tests.system.framework import Framework
from tools.local import LocalCluster

FLAGS = {
    "master_flags": ("--agent_ping_timeout=200ms", "--max_agent_ping_timeouts=3"),
    "agent_flags": ("--registration_backoff_factor=100ms",),
}
ENG = (Reservation("eng", ReservationType.DYNAMIC),)
DISK = Resources.of(Resource.of(Kind("disk", reservations=ENG), 10))
VOLUME = Resources.of(Resource.of(Kind("disk", reservations=ENG, disk=DiskInfo(None, "v1", "", Mount("data"))), 10))
SMALL = Resources.parse("cpus:0.1;mem:32")


class EngFramework(Framework):
    """One of a role for which something can be reserved."""

    def __init__(self, cluster: LocalCluster) -> None:
        super().__init__(cluster.address)
        self.driver = SchedulerDriver(self, FrameworkInfo(user="", name="test", role="eng"), cluster.address)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    with LocalCluster(tmp_path, resources="cpus:2;mem:512;disk:100", **FLAGS) as cluster:
        yield cluster


def task(id: str, line: str, offer: Offer) -> TaskInfo:
    """A command that uses the volume."""
    return TaskInfo(id, TaskID(id), offer.agent_id, SMALL + VOLUME, CommandInfo(line))


def offer_with_volume(framework: Framework) -> Offer:
    """Wait until the volume is offered; what comes before is declined."""
    while True:
        offer = framework.next_offer()
        if offer.resources.unallocate().contains(VOLUME):
            return offer
        framework.driver.decline_offer(offer.id, Filters(0.0))


def test_the_data_on_a_volume_outlives_its_task_and_its_agent(cluster: LocalCluster):
    with EngFramework(cluster) as framework:
        offer = framework.next_offer()
        writer = task("writer", "echo hello > data/file", offer)
        framework.driver.accept_offers([offer.id], [Reserve(DISK), Create(VOLUME), Launch((writer,))])
        framework.wait_for("writer", TaskState.TASK_FINISHED)

        agent = cluster.agents[0]
        agent.signal(signal.SIGKILL)
        agent.stop(0)
        agent.start()

        offer = offer_with_volume(framework)
        framework.launch(task("reader", 'test "$(cat data/file)" = hello', offer), offer)
        framework.wait_for("reader", TaskState.TASK_FINISHED)
