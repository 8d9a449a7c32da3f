"""The mesos containerizer: runs commands in sandboxes, as trees of processes that isolators keep apart."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agent.containerizer.forker import ForkerClient, ForkError, Init
from agent.containerizer.plans import make_plan
from agent.containerizer.probes import Check, Prober
from agent.containerizer.reports import (
    forget_other_boots,
    last_lines,
    lives,
    names,
    peak_memory_bytes,
    read,
    read_trace,
    remove,
)
from agent.containerizer.strays import strays
from agent.containerizer.support import check as check_support
from agent.fetcher.fetcher import Fetcher
from agent.fetcher.sources import Reader
from agent.forker.plan import Plan
from agent.isolators.isolator import ContainerError, Isolator, Limitation
from agent.ports import (
    ContainerConfig,
    ContainerLaunchedMessage,
    ContainerTerminatedMessage,
    Recovered,
    Usage,
    UsageMessage,
)
from libprocess.pid import PID
from libprocess.runtime import Runtime
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit

log = logging.getLogger("agent.containerizer")

CLEANUP_ATTEMPTS = 100
CLEANUP_PAUSE_SECONDS = 0.05


class Container:
    """One container, from its launch to its end."""

    def __init__(self, owner: PID, config: ContainerConfig, status_path: str) -> None:
        self.owner = owner
        self.config = config
        self.status_path = status_path
        self.plan: Plan | None = None
        self.init: Init | None = None
        """Its first process, once there is one."""
        self.life: asyncio.Task[None] | None = None
        """Sees it through."""
        self.fetching: asyncio.Task[None] | None = None
        """Brings what it asks for into its sandbox."""
        self.is_destroyed = False
        self.limitation: Limitation | None = None
        """Why it was destroyed, if that was not its owner's wish."""

    @property
    def id(self) -> ContainerID:
        """What the agent calls it."""
        return self.config.container_id

    def destroy(self) -> None:
        """End it at once, or do not start it."""
        self.is_destroyed = True
        if self.fetching is not None:
            self.fetching.cancel()
        if self.init is not None:
            self.init.kill()


Life = Callable[[Container], Awaitable[ContainerTerminatedMessage]]
"""What sees a container through to its end."""


class MesosContainerizer:
    """See `agent.ports.Containerizer`. It works on the loop that the agent's node runs on.

    `runtime_dir` is where it keeps what it knows of running containers; `isolators` are asked in their order.
    """

    def __init__(
        self,
        runtime: Runtime,
        runtime_dir: str,
        isolators: Mapping[str, Isolator],
        fetcher: Fetcher,
        switch_user: bool,
    ) -> None:
        self._runtime = runtime
        self._runtime_dir = Path(runtime_dir)
        self._isolators = list(isolators.values())
        self._isolator_names = frozenset(isolators)
        self._fetcher = fetcher
        self._switch_user = switch_user
        self._forker = ForkerClient(os.path.realpath(runtime_dir))
        self._prober = Prober(self._forker, self._runtime_dir, switch_user)
        self._containers: dict[ContainerID, Container] = {}
        self._sizes: dict[ContainerID, tuple[Resources, tuple[ResourceLimit, ...]]] = {}
        self._work: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected
        self._leftovers = runtime.metrics.counter("containerizer/mesos/container_destroy_errors")
        self._runtime_dir.mkdir(parents=True, exist_ok=True)

    # The port.

    def recover(self, containers: Sequence[Recovered]) -> None:
        """See `agent.ports.Containerizer`."""
        forget_other_boots(self._runtime_dir)
        left = names(self._runtime_dir)
        traces = (read_trace(self._status_path(ContainerID(name))) for name in left)
        for stray in strays(os.path.realpath(self._runtime_dir), {trace["init"] for trace in traces if trace}):
            log.warning("the container of process %d left no trace here; destroying it", stray)
            self._begin(_end(stray))
        for owner, config in containers:
            if config.container_id in left:
                self._add(owner, config, self._go_on)
            else:
                self.launch(owner, config)
        for container_id in left:
            if ContainerID(container_id) not in self._containers:
                self._begin(self._destroy_orphan(ContainerID(container_id)))

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """See `agent.ports.Containerizer`."""
        self._add(owner, config, self._run)

    def _add(self, owner: PID, config: ContainerConfig, life: Life) -> None:
        container = Container(owner, config, self._status_path(config.container_id))
        self._containers[container.id] = container
        container.life = self._begin(self._live(container, life))

    def _status_path(self, container_id: ContainerID) -> str:
        return str(self._runtime_dir / container_id)

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        """See `agent.ports.Containerizer`."""
        if not self._sizes:  # an executor may be given thousands of tasks in one turn: the last size counts
            asyncio.get_running_loop().call_soon(self._resize)
        self._sizes[container_id] = (resources, limits)

    def signal(self, container_id: ContainerID, number: int) -> None:
        """See `agent.ports.Containerizer`."""
        container = self._containers.get(container_id)
        if container is not None and container.init is not None:
            container.init.signal(number)

    def destroy(self, container_id: ContainerID) -> None:
        """See `agent.ports.Containerizer`."""
        container = self._containers.get(container_id)
        if container is not None:
            container.destroy()

    def forget(self, container_id: ContainerID) -> None:
        """See `agent.ports.Containerizer`."""
        remove(self._status_path(container_id))

    def usage(self, asker: PID) -> None:
        """See `agent.ports.Containerizer`."""
        self._begin(self._measure(asker))

    def probe(self, asker: PID, container_id: ContainerID, check: Check) -> None:
        """See `agent.ports.Containerizer`."""
        container = self._containers.get(container_id)
        if container is not None and container.init is not None and container.plan is not None:
            self._begin(self._probe(asker, container.config, container.plan, container.init, check))

    async def close(self) -> None:
        """End the forker, and all containers but those that live on."""
        containers = list(self._containers.values())
        for container in containers:
            if not container.config.lives_on:
                container.destroy()
            elif container.life is not None:
                container.life.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._forker.close(any(container.config.lives_on for container in containers))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    def _resize(self) -> None:
        """Let containers have the sizes that they were given since the last turn."""
        sizes, self._sizes = self._sizes, {}
        for container_id, (resources, limits) in sizes.items():
            container = self._containers.get(container_id)
            if container is None or container.init is None:
                continue
            for isolator in self._isolators:
                try:
                    isolator.update(container_id, resources, limits)
                except OSError as error:
                    log.warning("container %s keeps its old limits: %s", container_id, error)

    # A container's life.

    async def _live(self, container: Container, life: Life) -> None:
        try:
            termination = await life(container)
        except (ContainerError, ForkError, OSError) as error:
            termination = _failed(container, str(error))
        except Exception as error:  # of a plug-in, or ours: whoever owns the container waits to hear of its end
            log.exception("container %s", container.id)
            termination = _failed(container, f"{type(error).__name__}: {error}")
        if container.init is not None and not container.init.ended.done():  # it runs, and was not to be
            container.init.kill()
            await container.init.ended
        await self._clean_up(container.id)
        del self._containers[container.id]
        if not container.config.lives_on:
            remove(container.status_path)
        self._runtime.send(container.owner, termination)

    async def _run(self, container: Container) -> ContainerTerminatedMessage:
        """Start a container, and wait until it has ended."""
        check_support(container.config, self._isolator_names)
        plan = container.plan = make_plan(container.config, container.status_path, self._switch_user)
        _make_sandbox(plan)
        if container.config.command.uris and not await self._fetch(container, plan):
            return ContainerTerminatedMessage(container.id, signal.SIGKILL)
        for isolator in self._isolators:
            isolator.prepare(container.config, plan)
        container.init = init = await self._forker.fork(plan)
        if init is None:
            return self._ended(container)
        return await self._see_through(container, init)

    async def _see_through(self, container: Container, init: Init) -> ContainerTerminatedMessage:
        """A container runs: wait until it has ended."""
        if container.is_destroyed:
            init.kill()
        else:
            for isolator in self._isolators:
                isolator.watch(container.id, container.config, init.process_id, self._limit)
            self._runtime.send(container.owner, ContainerLaunchedMessage(container.id, init.process_id))
        await init.ended
        return self._ended(container)

    async def _go_on(self, container: Container) -> ContainerTerminatedMessage:
        """Take up a container of an earlier life."""
        trace = read_trace(container.status_path)
        if trace is None or not lives(trace):
            return self._ended(container)
        container.plan, container.init = trace["plan"], Init(trace["init"])
        container.init.watch()
        return await self._see_through(container, container.init)

    async def _destroy_orphan(self, container_id: ContainerID) -> None:
        """End what is left of a container of an earlier life that nobody knows."""
        path = self._status_path(container_id)
        trace = read_trace(path)
        if trace is not None:
            log.warning("container %s is nobody's; destroying it", container_id)
            if lives(trace):
                await _end(trace["init"])
        await self._clean_up(container_id)
        remove(path)

    async def _measure(self, asker: PID) -> None:
        running = [(id_, container.init) for id_, container in self._containers.items() if container.init is not None]
        now = self._runtime.clock.now
        usages = await asyncio.to_thread(lambda: tuple(self._usage(id_, init, now()) for id_, init in running))
        self._runtime.send(asker, UsageMessage(usages))

    def _usage(self, container_id: ContainerID, init: Init, now: float) -> Usage:
        """Called on a thread."""
        numbers: dict[str, float] = {}
        for isolator in self._isolators:
            numbers |= isolator.usage(container_id, init.process_id)
        return Usage(container_id, now, tuple(sorted(numbers.items())))

    async def _probe(self, asker: PID, config: ContainerConfig, plan: Plan, init: Init, check: Check) -> None:
        self._runtime.send(asker, await self._prober.probe(config, plan, init.process_id, check))

    async def _fetch(self, container: Container, plan: Plan) -> bool:
        """Bring what a container asks for into its sandbox; False if it was destroyed meanwhile."""
        reader = Reader(*plan["user"]) if "user" in plan else None
        fetch = self._fetcher.fetch(container.config.command.uris, plan["directory"], reader)
        container.fetching = asyncio.get_running_loop().create_task(fetch)
        try:
            await container.fetching
        except asyncio.CancelledError:
            if not container.is_destroyed:
                raise
        container.fetching = None
        return not container.is_destroyed

    def _ended(self, container: Container) -> ContainerTerminatedMessage:
        """What the init left behind says how it was."""
        report = read(container.status_path)
        if "error" in report:
            return _failed(container, report["error"])
        status = report.get("status")
        found = (isolator.limitation(container.id, report) for isolator in self._isolators)
        limitation = container.limitation or next((limitation for limitation in found if limitation is not None), None)
        ended = ContainerTerminatedMessage(
            container.id,
            status,
            peak_memory_bytes=peak_memory_bytes(report),
            last_lines=last_lines(container.config.directory),
        )
        if limitation is None:
            return ended
        reason, text = limitation.reason, limitation.message
        return replace(ended, reason=reason, message=text, limitation=limitation.resources)

    def _limit(self, container_id: ContainerID, limitation: Limitation) -> None:
        """A container hit a limit, and is to end."""
        container = self._containers.get(container_id)
        if container is not None and not container.is_destroyed:
            log.info("container %s: %s", container_id, limitation.message)
            container.limitation = limitation
            container.destroy()

    async def _clean_up(self, container_id: ContainerID) -> None:
        """Have the isolators remove what they made, which takes as long as the kernel holds on to it."""
        for isolator in reversed(self._isolators):
            for attempt in range(CLEANUP_ATTEMPTS):
                try:
                    isolator.cleanup(container_id)
                    break
                except OSError as error:
                    if attempt == CLEANUP_ATTEMPTS - 1:
                        self._leftovers.value += 1
                        log.error("something is left of container %s: %s", container_id, error)
                await asyncio.sleep(CLEANUP_PAUSE_SECONDS)


async def _end(process_id: int) -> None:
    """Kill the container of this init, and wait for that."""
    init = Init(process_id)
    init.watch()
    init.kill()
    await init.ended


def _make_sandbox(plan: Plan) -> None:
    _make_directory(plan["directory"])
    if "user" in plan:
        os.chown(plan["directory"], plan["user"][0], plan["user"][1])


def _make_directory(path: str) -> None:
    """Make a directory, and those above it. Most of the time only the last few are missing."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        _make_directory(os.path.dirname(path))
        os.mkdir(path)
    except FileExistsError:
        return


def _failed(container: Container, text: str) -> ContainerTerminatedMessage:
    log.warning("container %s cannot be started: %s", container.id, text)
    return ContainerTerminatedMessage(container.id, None, Reason.REASON_CONTAINER_LAUNCH_FAILED, text)
