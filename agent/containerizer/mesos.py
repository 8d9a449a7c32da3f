"""The mesos containerizer: runs commands in sandboxes, as trees of processes of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

from agent.containerizer.forker import ForkerClient, ForkError, Init
from agent.containerizer.plans import ContainerError, make_plan
from agent.forker.plan import Plan
from agent.ports import ContainerConfig, ContainerLaunchedMessage, ContainerTerminatedMessage
from libprocess.pid import PID
from libprocess.runtime import Runtime
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit

log = logging.getLogger("agent.containerizer")


class Container:
    """One container, from its launch to its end."""

    def __init__(self, owner: PID, config: ContainerConfig, status_path: str) -> None:
        self.owner = owner
        self.config = config
        self.status_path = status_path
        self.init: Init | None = None
        """Its first process, once there is one."""
        self.is_destroyed = False

    @property
    def id(self) -> ContainerID:
        """What the agent calls it."""
        return self.config.container_id


class MesosContainerizer:
    """See `agent.ports.Containerizer`. It works on the loop that the agent's node runs on.

    `runtime_dir` is where it keeps what it knows of running containers.
    """

    def __init__(self, runtime: Runtime, runtime_dir: str, switch_user: bool) -> None:
        self._runtime = runtime
        self._runtime_dir = Path(runtime_dir)
        self._switch_user = switch_user
        self._forker = ForkerClient()
        self._containers: dict[ContainerID, Container] = {}
        self._lives: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected
        self._runtime_dir.mkdir(parents=True, exist_ok=True)

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """See `agent.ports.Containerizer`."""
        container = Container(owner, config, str(self._runtime_dir / config.container_id))
        self._containers[container.id] = container
        life = asyncio.get_running_loop().create_task(self._live(container))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        """See `agent.ports.Containerizer`."""

    def signal(self, container_id: ContainerID, number: int) -> None:
        """See `agent.ports.Containerizer`."""
        container = self._containers.get(container_id)
        if container is not None and container.init is not None:
            container.init.signal(number)

    def destroy(self, container_id: ContainerID) -> None:
        """See `agent.ports.Containerizer`."""
        container = self._containers.get(container_id)
        if container is not None:
            container.is_destroyed = True
            if container.init is not None:
                container.init.kill()

    async def close(self) -> None:
        """End all containers, and the forker."""
        for container_id in list(self._containers):
            self.destroy(container_id)
        await asyncio.gather(*self._lives)
        await self._forker.close()

    async def _live(self, container: Container) -> None:
        termination = await self._run(container)
        del self._containers[container.id]
        self._runtime.send(container.owner, termination)

    async def _run(self, container: Container) -> ContainerTerminatedMessage:
        """Start a container, and wait until it has ended."""
        try:
            plan = make_plan(container.config, container.status_path, self._switch_user)
            _make_sandbox(plan)
            container.init = init = await self._forker.fork(plan)
        except (ContainerError, ForkError, OSError) as error:
            return self._failed(container, str(error))
        if container.is_destroyed:
            init.kill()
        else:
            self._runtime.send(container.owner, ContainerLaunchedMessage(container.id, init.process_id))
        await init.ended
        return self._ended(container)

    def _failed(self, container: Container, text: str) -> ContainerTerminatedMessage:
        log.warning("container %s cannot be started: %s", container.id, text)
        return ContainerTerminatedMessage(container.id, None, Reason.REASON_CONTAINER_LAUNCH_FAILED, text)

    def _ended(self, container: Container) -> ContainerTerminatedMessage:
        """What the init left behind says how it was."""
        try:
            with open(container.status_path) as file:
                text = file.read()
            os.unlink(container.status_path)
        except FileNotFoundError:
            text = str(int(signal.SIGKILL))  # so the init was killed, and with it the command
        if text.startswith("error: "):
            return self._failed(container, text.removeprefix("error: "))
        return ContainerTerminatedMessage(container.id, int(text) if text else None)


def _make_sandbox(plan: Plan) -> None:
    os.makedirs(plan["directory"], exist_ok=True)
    if "user" in plan:
        os.chown(plan["directory"], plan["user"][0], plan["user"][1])
