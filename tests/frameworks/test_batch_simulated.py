"""Batches on simulated clusters whose network and machines fail: every output arrives, whole and once."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from frameworks.batch.ledger import Item, Ledger
from frameworks.batch.results import Results
from frameworks.batch.scheduler import FAILOVER_SECONDS, BatchScheduler, Plan
from frameworks.batch.template import Template
from frameworks.carrier import carrier
from frameworks.carrier.executor import Carrier
from frameworks.carrier.protocol import CHUNK_BYTES, Job, Outcome, Stream
from libprocess import Message, Runtime
from libprocess.simulation import Faults
from mesos.driver import DriverStatus
from mesos.executor import ExecutorCalls
from mesos.ids import TaskID
from mesos.messages import ExecutorToFrameworkMessage, FrameworkToExecutorMessage
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver
from mesos.types import FrameworkInfo, TaskInfo
from tools.simulate.cluster import Cluster

INPUTS = [f"input {number}" for number in range(20)]
RUN_SECONDS = 2.0
TROUBLE_SECONDS = 60.0
HOUR = 3600.0


def output(line: str, stream: Stream) -> bytes:
    """What a virtual command writes: up to three chunks, and to stderr now and then."""
    seed = zlib.crc32(f"{line} {stream}".encode())
    size = seed % (3 * CHUNK_BYTES) if stream is Stream.STDOUT or seed % 4 == 0 else 0
    return (f"{line} on {stream.name}; " * (size // 10 + 1)).encode()[:size]


class VirtualCommand:
    """A command that takes its time, and writes all of its output at the end."""

    def __init__(self, line: str, node: Runtime, ended: Callable[[Outcome], None]) -> None:
        self._outputs = {stream: output(line, stream) for stream in Stream}
        self._node = node
        self._ended = ended
        self.is_running = True

    def start(self, environment: object) -> None:
        self._node.clock.later(RUN_SECONDS, self._end)

    def _end(self) -> None:
        self.is_running = False
        self._ended(Outcome(0, self.size(Stream.STDOUT), self.size(Stream.STDERR), RUN_SECONDS, 0.0))
        self._node.drain()

    def size(self, stream: Stream) -> int:
        return len(self._outputs[stream])

    def read(self, stream: Stream, offset: int) -> bytes:
        return self._outputs[stream][offset : offset + CHUNK_BYTES]

    def forget(self) -> None:
        self._outputs = dict.fromkeys(Stream, b"")


class VirtualCarrier(Carrier):
    """A carrier of virtual commands, inside its actor."""

    def __init__(self) -> None:
        super().__init__(Path())

    def launch_task(self, driver: ExecutorCalls, task: TaskInfo) -> None:
        self._node = driver.process._runtime
        super().launch_task(driver, task)

    def _command(self, job: Job, task_id: TaskID, ended: Callable[[Outcome], None]) -> VirtualCommand:
        return VirtualCommand(job.command.value, self._node, ended)

    def shutdown(self, driver: ExecutorCalls) -> None:
        """Its machine ends it."""


class Audience:
    def done(self, item: Item) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


class Batch:
    """A batch on a simulated cluster."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self.ledger = Ledger.of(INPUTS)
        self.results = Results(directory, len(INPUTS))
        self.template = Template(("work {}",), "")
        plan = Plan(self.template, Resources.of(cpus=1, mem=64), carrier("python3"), jobs_max=100)
        node = cluster.node("scheduler")
        scheduler = BatchScheduler(self.ledger, plan, self.results, Audience(), node.clock.now)
        self.driver = LocalSchedulerDriver(
            scheduler,
            FrameworkInfo(user="ann", name="batch", failover_timeout_seconds=FAILOVER_SECONDS),
            lambda pid: cluster._detector(node, pid),
            implicit_acknowledgements=False,
        )
        node.spawn(self.driver.process, "scheduler")
        self._cluster = cluster

    def finish(self) -> None:
        """Let time pass until all is done, and look at what there is."""
        self._cluster.run_until(lambda: self.driver.status is DriverStatus.STOPPED, HOUR)
        assert [item.problem for item in self.ledger.items] == [""] * len(INPUTS)
        for item in self.ledger.items:
            for stream in Stream:
                path = self.results.path(item.index, stream)
                written = path.read_bytes() if path.exists() else b""
                assert written == output(self.template.job(item.input).command.value, stream)

    @property
    def losses(self) -> int:
        return sum(item.losses for item in self.ledger.items)


@pytest.fixture
def batch(cluster: Cluster, tmp_path: Path) -> Batch:
    cluster.executors["python3"] = VirtualCarrier
    cluster.add_agent("agent-2")
    cluster.add_agent("agent-3")
    cluster.elect()
    return Batch(cluster, tmp_path)


def test_a_batch_on_a_sound_cluster_loses_nothing(cluster: Cluster, batch: Batch):
    batch.finish()
    assert batch.losses == 0
    assert cluster.elapsed < 60


@pytest.mark.parametrize("cluster", range(12), indirect=True)
def test_a_batch_gets_all_its_outputs_over_a_network_that_breaks(cluster: Cluster, batch: Batch):
    cluster.faults = Faults(delay_seconds=(0.0, 0.05), breaks=0.003)
    cluster.advance(TROUBLE_SECONDS)
    cluster.heal()
    batch.finish()


@pytest.mark.parametrize("lost", [ExecutorToFrameworkMessage, FrameworkToExecutorMessage])
def test_a_batch_asks_again_for_output_that_got_lost(cluster: Cluster, batch: Batch, lost: type[Message]):
    dropped = cluster.drop(lost)
    cluster.advance(TROUBLE_SECONDS / 3)
    assert dropped.seen
    assert batch.driver.status is DriverStatus.RUNNING
    cluster.restore(dropped)
    batch.finish()
    assert batch.losses == 0


@pytest.mark.parametrize("cluster", range(6), indirect=True)
def test_a_batch_survives_the_death_of_agents(cluster: Cluster, batch: Batch):
    cluster.run_until(lambda: batch.ledger.running_count >= 8, 60)
    cluster.advance(cluster.chance.uniform(0, RUN_SECONDS + 1))
    cluster.crash(cluster.node_of(cluster.agents[0]))
    batch.finish()


@pytest.mark.parametrize("cluster", range(6), indirect=True)
def test_a_batch_survives_the_death_of_the_master(cluster: Cluster, batch: Batch):
    cluster.run_until(lambda: batch.ledger.running_count >= 8, 60)
    cluster.advance(cluster.chance.uniform(0, RUN_SECONDS + 1))
    cluster.crash(cluster.node_of(cluster.master))
    cluster.elect(cluster.add_master("master-2"))
    batch.finish()
