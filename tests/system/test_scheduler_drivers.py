"""The drivers of schedulers, on a thread and on a loop, against a real master."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesos.ids import FrameworkID
from mesos.scheduler import AsyncSchedulerDriver, DriverStatus, Scheduler, SchedulerCalls, SchedulerDriver
from mesos.types import FrameworkInfo, MasterInfo
from tools.cli.__main__ import main as cli
from tools.local import LocalCluster

FRAMEWORK = FrameworkInfo(user="", name="driven", failover_timeout_seconds=60.0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with LocalCluster(tmp_path_factory.mktemp("cluster"), agents=0) as cluster:
        yield cluster


def frameworks(cluster: LocalCluster, key: str = "frameworks") -> list[str]:
    return [framework["id"] for framework in cluster.get("/state")[key]]


class Meeting(Scheduler):
    """Says when it is registered."""

    def __init__(self) -> None:
        self.met = threading.Event()
        self.framework_id = FrameworkID("")
        self.thread = 0

    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.framework_id = framework_id
        self.thread = threading.get_ident()
        self.met.set()

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        self.met.set()


class StopAtOnce(Scheduler):
    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        driver.stop()


class Fragile(Scheduler):
    def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        raise ZeroDivisionError("shards")


class Refused(Scheduler):
    """Takes its time to say why it cannot go on."""

    def __init__(self) -> None:
        self.said = ""

    def error(self, driver: SchedulerCalls, message: str) -> None:
        time.sleep(0.2)  # nobody waits for this: it is how long the callback takes
        self.said = message


class AsyncRefused(Refused):
    async def error(self, driver: SchedulerCalls, message: str) -> None:
        await asyncio.sleep(0.2)
        self.said = message


def test_who_waits_for_the_end_is_told_when_the_scheduler_knows_why(cluster: LocalCluster):
    framework = FrameworkInfo(user="", name="driven", role="//")
    scheduler = Refused()
    assert SchedulerDriver(scheduler, framework, cluster.address).run() is DriverStatus.ABORTED
    assert "//" in scheduler.said

    async def run(scheduler: Scheduler) -> DriverStatus:
        async with AsyncSchedulerDriver(scheduler, framework, cluster.address) as driver:
            return await driver.join()

    other = AsyncRefused()
    assert asyncio.run(run(other)) is DriverStatus.ABORTED
    assert other.said == scheduler.said


def test_a_scheduler_on_a_thread_registers_and_unregisters(cluster: LocalCluster):
    scheduler = Meeting()
    driver = SchedulerDriver(scheduler, FRAMEWORK, str(cluster.address))
    assert driver.status is DriverStatus.NOT_STARTED
    assert driver.start() is DriverStatus.RUNNING
    assert scheduler.met.wait(30)
    assert scheduler.thread != threading.get_ident()
    assert scheduler.framework_id in frameworks(cluster)
    assert driver.stop() is DriverStatus.STOPPED
    assert driver.join() is DriverStatus.STOPPED
    cluster.wait_until(lambda: scheduler.framework_id in frameworks(cluster, "completed_frameworks"), "it is gone")


def test_a_scheduler_may_stop_its_driver_from_a_callback(cluster: LocalCluster):
    assert SchedulerDriver(StopAtOnce(), FRAMEWORK, cluster.address).run() is DriverStatus.STOPPED


def test_what_a_callback_raises_aborts_the_driver_and_comes_out_of_join(cluster: LocalCluster):
    driver = SchedulerDriver(Fragile(), FRAMEWORK, cluster.address)
    with pytest.raises(ZeroDivisionError, match="shards"):
        driver.run()
    assert driver.status is DriverStatus.ABORTED
    assert driver.stop() is DriverStatus.STOPPED


def test_a_scheduler_that_stops_for_a_failover_is_followed_by_another(cluster: LocalCluster):
    first, second = Meeting(), Meeting()
    driver = SchedulerDriver(first, FRAMEWORK, cluster.address)
    driver.start()
    assert first.met.wait(30)
    driver.stop(failover=True)
    again = FrameworkInfo(user="", name="driven", id=first.framework_id, failover_timeout_seconds=60.0)
    driver = SchedulerDriver(second, again, cluster.address)
    driver.start()
    assert second.met.wait(30)
    assert frameworks(cluster).count(first.framework_id) == 1
    driver.stop()


def test_a_framework_that_was_removed_is_adopted_by_a_command(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    first, second = Meeting(), Meeting()
    driver = SchedulerDriver(first, FRAMEWORK, cluster.address)
    driver.start()
    assert first.met.wait(30)
    driver.stop()
    id_ = first.framework_id
    cluster.wait_until(lambda: id_ in frameworks(cluster, "completed_frameworks"), "it is gone")

    monkeypatch.setattr("sys.argv", ["tools.cli", "adopt", id_, "--master", str(cluster.address)])
    assert cli() == 0
    assert capsys.readouterr().out == f"{id_} (driven) may register again\n"

    driver = SchedulerDriver(second, FrameworkInfo(user="", name="driven", id=id_), cluster.address)
    driver.start()
    assert second.met.wait(30)
    assert id_ in frameworks(cluster)
    driver.stop()


def test_a_driver_waits_for_a_master_that_is_not_there_yet(cluster: LocalCluster, tmp_path: Path):
    with LocalCluster(tmp_path, agents=0) as late:
        late.master.stop(10)
        scheduler = Meeting()
        driver = SchedulerDriver(scheduler, FRAMEWORK, late.address)
        driver.start()
        assert not scheduler.met.is_set()
        late.start_master()
        assert scheduler.met.wait(30)
        driver.stop()


def test_stopping_a_driver_that_never_found_a_master_takes_no_time(tmp_path: Path):
    address = LocalCluster(tmp_path).address  # nothing is started
    driver = SchedulerDriver(Meeting(), FRAMEWORK, address)
    driver.start()
    assert driver.stop() is DriverStatus.STOPPED
    assert driver.join() is DriverStatus.STOPPED


class Patient(Scheduler):
    """Takes its time in a callback."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0

    async def registered(self, driver: SchedulerCalls, framework_id: FrameworkID, master_info: MasterInfo) -> None:
        self.began = time.monotonic()
        await asyncio.sleep(0)
        self.ended = time.monotonic()
        driver.stop()


def test_a_scheduler_on_a_loop_may_have_coroutines_as_callbacks(cluster: LocalCluster):
    async def main() -> DriverStatus:
        async with AsyncSchedulerDriver(scheduler, FRAMEWORK, cluster.address) as driver:
            return await driver.join()

    scheduler = Patient()
    assert asyncio.run(main()) is DriverStatus.STOPPED
    assert scheduler.ended > scheduler.began


def test_what_a_callback_on_a_loop_raises_comes_out_of_join(cluster: LocalCluster):
    async def main() -> None:
        async with AsyncSchedulerDriver(Fragile(), FRAMEWORK, cluster.address) as driver:
            await driver.join()

    with pytest.raises(ZeroDivisionError, match="shards"):
        asyncio.run(main())
