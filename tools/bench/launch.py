"""Launching tasks: commands and a framework's own executor, through real masters, agents and drivers."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from libprocess import Address
from libprocess.edge import run
from mesos.ids import ExecutorID, TaskID
from mesos.resources import Resources
from mesos.scheduler import AsyncSchedulerDriver, Scheduler, SchedulerCalls
from mesos.states import terminal
from mesos.types import (
    CommandInfo,
    ExecutorInfo,
    Filters,
    FrameworkInfo,
    Offer,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from tools.bench.measure import Figure, percentile, show
from tools.local.cluster import LocalCluster
from tools.options import Parser, count

AGENT_RESOURCES = "cpus:4000;mem:4000000;disk:100000"
COMMAND_RESOURCES = Resources.of(cpus=0.1, mem=32)
CONTROL_RESOURCES = Resources.of(cpus=0.01, mem=1)
EXECUTOR_RESOURCES = Resources.of(cpus=0.1, mem=256)  # on a busy machine many updates wait in it
NO_RESOURCES = Resources()
SINGLES = 40
SINGLE_PAUSE_SECONDS = 0.1
SEQUENTIAL = 100
CONTROL = 1_000
CONTROL_MANY = 20_000
LIMIT_SECONDS = 300.0


class Launcher(Scheduler):
    """Launches tasks when the bench says so, and notes when it hears what of them."""

    def __init__(self) -> None:
        self.running: dict[TaskID, float] = {}
        self.ended: dict[TaskID, TaskStatus] = {}
        self._offers: asyncio.Queue[Offer] = asyncio.Queue()
        self._news = asyncio.Event()

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            self._offers.put_nowait(offer)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running[status.task_id] = time.perf_counter()
        if terminal(status.state):
            self.ended[status.task_id] = status
        self._news.set()

    async def offers(self, needed: Resources) -> list[Offer]:
        """As many of the next offers as are needed: what tasks set free comes back piece by piece."""
        offers: list[Offer] = []
        async with asyncio.timeout(LIMIT_SECONDS):
            while not Resources.sum(offer.resources for offer in offers).unallocate().contains(needed):
                offers.append(await self._offers.get())
        return offers

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for news that make the condition true."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                self._news.clear()
                await self._news.wait()


@dataclass(frozen=True)
class Kind:
    """A kind of task: what makes one, and what is needed for each, and once for all of them."""

    make: Callable[[TaskID, Offer], TaskInfo]
    each: Resources
    around: Resources = NO_RESOURCES


class Bench:
    """A cluster, and a framework on it."""

    def __init__(self, cluster: LocalCluster, launcher: Launcher, driver: AsyncSchedulerDriver) -> None:
        self._cluster = cluster
        self._launcher = launcher
        self._driver = driver
        self._serial = 0

    async def launch(self, count: int, kind: Kind) -> tuple[float, list[float]]:
        """Launch tasks in one accept, and wait for their end; seconds for all, and until each was running."""
        launcher = self._launcher
        offers = await launcher.offers(Resources.sum([kind.around, *[kind.each] * count]))
        ids = [TaskID(f"t{self._serial + number}") for number in range(count)]
        self._serial += count
        tasks = [kind.make(id_, offers[0]) for id_ in ids]
        began = time.perf_counter()
        self._driver.launch_tasks([offer.id for offer in offers], tasks, Filters(0.0))
        await launcher.until(lambda: ids[-1] in launcher.ended and all(id_ in launcher.ended for id_ in ids))
        seconds = time.perf_counter() - began
        failed = [launcher.ended[id_] for id_ in ids if launcher.ended[id_].state is not TaskState.TASK_FINISHED]
        if failed:
            raise RuntimeError(f"{len(failed)} of {count} tasks did not finish; the first: {failed[0]}")
        return seconds, [launcher.running[id_] - began for id_ in ids]

    def cpu_seconds(self) -> float:
        """Processor time of all that takes part, children that have ended included."""
        pids = [os.getpid(), *(daemon.pid for daemon in self._cluster.daemons)]
        processes = [psutil.Process(pid) for pid in pids]
        processes += [child for process in processes[1:] for child in process.children()]  # the forkers
        return sum(sum(process.cpu_times()[:4]) for process in processes)


def command_task(id_: TaskID, offer: Offer) -> TaskInfo:
    """A task that is a command which does nothing."""
    resources = COMMAND_RESOURCES.allocate(offer.role)
    return TaskInfo(str(id_), id_, offer.agent_id, resources, command=CommandInfo("true"))


def control_task(id_: TaskID, offer: Offer) -> TaskInfo:
    """A task for the executor that answers at once."""
    line = f"exec {sys.executable} -m tools.bench.answering"
    executor = ExecutorInfo(ExecutorID("answering"), CommandInfo(line), EXECUTOR_RESOURCES.allocate(offer.role))
    resources = CONTROL_RESOURCES.allocate(offer.role)
    return TaskInfo(str(id_), id_, offer.agent_id, resources, executor=executor)


command = Kind(command_task, COMMAND_RESOURCES)
control = Kind(control_task, CONTROL_RESOURCES, EXECUTOR_RESOURCES)


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench launch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--tasks", type=count, default=500, help="how many commands to launch in one accept")
    parser.add_argument("--agent", action="append", default=[], metavar="FLAG", help="a further flag for the agent")
    parser.add_argument("--checkpoint", action="store_true", help="launch tasks that are to outlive their agent")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        cluster = LocalCluster(Path(directory), 1, resources=AGENT_RESOURCES, agent_flags=options.agent)
        with cluster:
            figures = run(_measure(cluster, options.tasks, Path(directory), options.checkpoint))
    return show(figures, options.json)


async def _measure(cluster: LocalCluster, tasks: int, directory: Path, checkpoint: bool) -> list[Figure]:
    launcher = Launcher()
    framework = FrameworkInfo(user="", name="bench", checkpoint=checkpoint)
    address: Address = cluster.address
    async with AsyncSchedulerDriver(launcher, framework, address) as driver:
        bench = Bench(cluster, launcher, driver)
        await bench.launch(5, command)
        singles = [await _single(bench) for _ in range(SINGLES)]
        sequential_seconds = await _sequential(bench)
        before = bench.cpu_seconds()
        seconds, running = await bench.launch(tasks, command)
        cpu_ms = (bench.cpu_seconds() - before) / tasks * 1000
        reference_ms = _reference(tasks, directory)
        await bench.launch(1, control)
        control_seconds, _ = await bench.launch(CONTROL, control)
        many_seconds, _ = await bench.launch(CONTROL_MANY, control)
    p50, p99 = percentile(singles, 0.5) * 1000, percentile(running, 0.99) * 1000
    return [
        Figure("tasks_per_second", tasks / seconds, 200, at_least=True, own=f"{tasks} commands in one accept"),
        Figure("cpu_ms_per_task", cpu_ms, 8, own="all processes of the cluster and the framework"),
        Figure("reference_cpu_ms", reference_ms, float("inf"), own="posix_spawn of sh -c true with a sandbox"),
        Figure("single_running_p50_ms", p50, 35, own=f"accept → RUNNING of {SINGLES} single commands"),
        Figure(
            "sequential_tasks_per_second",
            SEQUENTIAL / sequential_seconds,
            40,
            at_least=True,
            own=f"{SEQUENTIAL} commands, one after another",
        ),
        Figure(
            "control_tasks_per_second",
            CONTROL / control_seconds,
            1500,
            at_least=True,
            own=f"{CONTROL} tasks of one executor in one accept",
        ),
        Figure(
            "control_20k_tasks_per_second",
            CONTROL_MANY / many_seconds,
            1500,
            at_least=True,
            own=f"{CONTROL_MANY} tasks of one executor in one accept",
        ),
        Figure("running_p99_ms", p99, float("inf"), own=f"accept → RUNNING of {tasks} commands in one accept"),
    ]


async def _single(bench: Bench) -> float:
    """Launch one command on a cluster that is idle; seconds until it runs."""
    await asyncio.sleep(SINGLE_PAUSE_SECONDS)
    _, (running,) = await bench.launch(1, command)
    return running


async def _sequential(bench: Bench) -> float:
    began = time.perf_counter()
    for _ in range(SEQUENTIAL):
        await bench.launch(1, command)
    return time.perf_counter() - began


def _reference(count: int, directory: Path) -> float:
    """Milliseconds of processor time that the least of a launch takes: a directory, two files, and a shell."""
    before = os.times()
    for number in range(count):
        sandbox = directory / f"reference-{number}"
        sandbox.mkdir()
        flags = os.O_WRONLY | os.O_CREAT
        actions = [
            (os.POSIX_SPAWN_OPEN, descriptor, sandbox / name, flags, 0o644)
            for descriptor, name in ((1, "stdout"), (2, "stderr"))
        ]
        process = os.posix_spawn("/bin/sh", ["sh", "-c", "true"], os.environ, file_actions=actions)
        os.waitpid(process, 0)
    after = os.times()
    return (sum(after[:4]) - sum(before[:4])) / count * 1000
