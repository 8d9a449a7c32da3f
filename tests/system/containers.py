"""Containers for tests on a real kernel: a containerizer, an owner, and a look at what is left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.containerizer.mesos import MesosContainerizer
from agent.fetcher import Fetcher
from agent.fetcher.cache import Cache
from agent.isolators.cgroups.groups import ROOT as ROOT_GROUP
from agent.isolators.cgroups.groups import Groups
from agent.isolators.choice import Settings, choose
from agent.isolators.isolator import Isolator
from agent.ports import (
    ContainerConfig,
    ContainerLaunchedMessage,
    ContainerTerminatedMessage,
    ProbedMessage,
    UsageMessage,
)
from libprocess import Process
from libprocess.edge import open_node, run
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import (
    CheckInfo,
    CommandInfo,
    Environment,
    HealthCheck,
)
from tests.system.waiting import eventually_here

LIMIT_SECONDS = 30.0
LOOK_SECONDS = 0.05
PIDS_MAX = 50
CACHE_BYTES = 1 << 20
ROOT = os.geteuid() == 0

needs_root = pytest.mark.skipif(not ROOT, reason="isolation takes root")


class Owner(Process):
    """Whoever has containers launched: notes what becomes of them."""

    def __init__(self) -> None:
        self.launched: dict[ContainerID, int] = {}
        self.terminated: dict[ContainerID, ContainerTerminatedMessage] = {}
        self._news = asyncio.Event()

    def container_launched(self, message: ContainerLaunchedMessage) -> None:
        self.launched[message.container_id] = message.process_id
        self._news.set()

    def container_terminated(self, message: ContainerTerminatedMessage) -> None:
        self.terminated[message.container_id] = message
        self._news.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something that was told makes the condition true."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                self._news.clear()
                await self._news.wait()


class Containers:
    """A containerizer, and the test as its owner."""

    def __init__(self, containerizer: MesosContainerizer, owner: Owner, work_dir: Path) -> None:
        self.containerizer = containerizer
        self.owner = owner
        self.work_dir = work_dir
        self._serial = 0

    def launch(self, line: str, **config: Any) -> ContainerID:
        self._serial += 1
        id_ = ContainerID(f"{self.work_dir.name}-{self._serial}")
        config.setdefault("command", CommandInfo(line))
        config.setdefault("resources", Resources.of(cpus=1, mem=64))
        whole = ContainerConfig(id_, directory=str(self.work_dir / id_), **config)
        self.containerizer.launch(self.owner.pid, whole)
        return id_

    async def start(self, line: str, **config: Any) -> ContainerID:
        """Launch, and wait until it runs."""
        id_ = self.launch(line, **config)
        await self.owner.until(lambda: id_ in self.owner.launched)
        return id_

    async def end(self, id_: ContainerID) -> ContainerTerminatedMessage:
        """Wait until it has ended."""
        await self.owner.until(lambda: id_ in self.owner.terminated)
        return self.owner.terminated[id_]

    async def run(self, line: str, **config: Any) -> ContainerTerminatedMessage:
        """Launch, and wait until it has ended."""
        return await self.end(self.launch(line, **config))

    def output(self, id_: ContainerID | None = None, name: str = "stdout") -> str:
        """What a container wrote, by default the one that was launched last."""
        return (self.work_dir / (id_ or f"{self.work_dir.name}-{self._serial}") / name).read_text()


@asynccontextmanager
async def containers(
    work_dir: Path, isolation: tuple[str, ...] | None, further: Isolator | None
) -> AsyncIterator[Containers]:
    """With these isolators, none for None, or those of an agent that is told nothing; and a further one."""
    settings = Settings(
        Groups(),
        cfs=True,
        pids_max=PIDS_MAX,
        enforce_disk=True,
        disk_interval_seconds=LOOK_SECONDS,
        ports_interval_seconds=LOOK_SECONDS,
    )
    isolators = {} if isolation is None else choose(isolation, settings)
    if further is not None:
        isolators["further"] = further
    async with open_node() as node:
        fetcher = Fetcher(Cache(work_dir / "fetch", CACHE_BYTES), str(work_dir / "home"), node.metrics)
        containerizer = MesosContainerizer(node, str(work_dir / "run"), isolators, fetcher, switch_user=ROOT)
        owner = Owner()
        node.spawn(owner, "owner")
        try:
            yield Containers(containerizer, owner, work_dir)
        finally:
            await containerizer.close()


Story = Callable[[Containers], Coroutine[Any, Any, None]]

CGROUPS = (needs_root, pytest.mark.cgroups)
"""Of a test that runs again on control groups of version 2, see test_cgroups_2."""

ISOLATED = [pytest.param((), marks=needs_root, id="isolated"), pytest.param(None, id="plain")]


def play(work_dir: Path, story: Story, isolation: tuple[str, ...] | None = (), further: Isolator | None = None) -> None:
    """Let a story happen, and see that it leaves nothing behind."""

    async def play_it() -> None:
        async with containers(work_dir, isolation, further) as stage:
            await story(stage)

    run(play_it())
    assert list((work_dir / "run").iterdir()) == []
    assert left_of(work_dir.name) == []


def left_of(name: str) -> list[str]:
    """The processes, mounts and control groups of a test's containers."""
    processes = [
        f"process {process.pid} {process.name()}"
        for process in psutil.process_iter()
        if name in " ".join(environment_of(process))
    ]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if name in line]
    pattern = f"{ROOT_GROUP}/{name}-*"  # below one tree for all controllers, or one of several
    groups = [str(path) for tree in (pattern, f"*/{pattern}") for path in Path("/sys/fs/cgroup").glob(tree)]
    return processes + mounts + groups


def environment_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.environ().values()) if process.pid != os.getpid() else []
    except psutil.Error:
        return []


def marked(work_dir: Path) -> Environment:
    """Variables by which what is left of a container can be found."""
    return Environment.of({"TEST": work_dir.name})


async def written(stage: Containers, id_: ContainerID, text: str) -> None:
    """Wait until a container's output is that."""
    path = stage.work_dir / id_ / "stdout"
    await eventually_here(lambda: path.exists() and path.read_text() == text, f"{path} holds {text!r}", LIMIT_SECONDS)


def open_up(path: Path) -> None:
    """Let other users than that of the test reach a directory of pytest's."""
    for parent in (path, *path.parents):
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)


class Asker(Process):
    """Whoever has a container probed or measured."""

    def __init__(self) -> None:
        self.results: asyncio.Queue[ProbedMessage] = asyncio.Queue()
        self.usages: asyncio.Queue[UsageMessage] = asyncio.Queue()

    def probed(self, message: ProbedMessage) -> None:
        self.results.put_nowait(message)

    def usage(self, message: UsageMessage) -> None:
        self.usages.put_nowait(message)


async def measure(stage: Containers, id_: ContainerID) -> dict[str, float]:
    """What a container uses now."""
    asker = Asker()
    stage.owner.spawn(asker)
    stage.containerizer.usage(asker.pid)
    async with asyncio.timeout(LIMIT_SECONDS):
        usages = (await asker.usages.get()).usages
    return dict(next(usage.numbers for usage in usages if usage.container_id == id_))


async def probe(stage: Containers, id_: ContainerID, check: HealthCheck | CheckInfo) -> ProbedMessage:
    asker = Asker()
    stage.owner.spawn(asker)
    stage.containerizer.probe(asker.pid, id_, check)
    async with asyncio.timeout(LIMIT_SECONDS):
        return await asker.results.get()
