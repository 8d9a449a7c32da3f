"""Virtual containers: an agent's `Containerizer` in a simulation. Their commands are a few words of shell, played,
not run.
"""

from __future__ import annotations

import math
import random
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.ports import (
    ContainerConfig,
    ContainerLaunchedMessage,
    ContainerTerminatedMessage,
    ProbedMessage,
    Recovered,
    Usage,
    UsageMessage,
)
from libprocess import PID, Message, Runtime
from libprocess.ports import Cancellable
from libprocess.simulation import World
from mesos.executor import Executor, ExecutorPlace, LocalExecutorDriver
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import CheckInfo, CommandInfo, HealthCheck, ResourceLimit

START_SECONDS = (0.01, 0.2)
EXIT_SECONDS = (0.0, 0.05)
"""How long it takes to start a container and to see that one ended, by chance."""

FIRST_PORT = 20000
"""From here on the nodes of executors have their ports."""


@dataclass(frozen=True)
class Plot:
    """What a command does: runs so long, exits so, and minds SIGTERM or not."""

    seconds: float = 0.0
    status: int = 0
    ignores_sigterm: bool = False


def read_command(command: CommandInfo) -> Plot:
    """Understand `sleep 5`, `sleep infinity`, `exit 3`, `true`, `false` and `trap '' TERM`, joined by `;` or `&&`.

    Any other command does nothing, at once and well.
    """
    line = command.value if command.shell else " ".join(command.arguments or (command.value,))
    seconds, status, ignores = 0.0, 0, False
    for words in (part.split() for part in re.split(r";|&&", line)):
        match words:
            case ["sleep", length]:
                seconds += math.inf if length == "infinity" else float(length)
            case ["exit", number]:
                return Plot(seconds, int(number) << 8, ignores)
            case ["trap", "''", *_]:
                ignores = True
            case [word]:
                status = 1 << 8 if word == "false" else 0
    return Plot(seconds, status, ignores)


@dataclass
class Container:
    """One container of a machine."""

    owner: PID
    config: ContainerConfig
    resources: Resources
    plot: Plot
    runs: bool = False
    process_id: int = 0
    is_ending: bool = False
    """It was told to end, nicely or not."""
    status: int | None = None
    """How it ended; None while it lives."""
    alarms: list[Cancellable] = field(default_factory=list)
    program: Runtime | None = None
    """The node of the executor that runs in it."""

    @property
    def key(self) -> tuple[str, str]:
        """The framework, and the executor: for a command, the task."""
        variables = {variable.name: variable.value for variable in self.config.environment.variables}
        return variables["MESOS_FRAMEWORK_ID"], variables["MESOS_EXECUTOR_ID"]


class VirtualContainers:
    """The containers of one machine, whose agent may come and go: those that live on stay. A crash ends all.

    A command that is one of `executors` is no command but the executor which that makes, on a node of its own.
    """

    def __init__(self, world: World, host: str, executors: Mapping[str, Callable[[], Executor]]) -> None:
        self.living: dict[ContainerID, Container] = {}
        """Those that hold resources: starting, running or not yet seen to have ended."""
        self.launched: list[ContainerConfig] = []
        """All that were ever asked for."""
        self.when_launched: Callable[[], None] | None = None
        self.when_struck: Callable[[Container, int], None] | None = None
        """Called before the agent signals a container, or destroys it."""
        self.outcomes: dict[tuple[str, str], int] = {}
        """By framework and executor: the status of those that ended, and had not fallen with the machine or the agent.
        """
        self._world = world
        self._host = host
        self._node: Runtime | None = None
        self._ends: dict[ContainerID, int] = {}
        """Of those that live on: how they ended, until the agent says that it knows."""
        self._executors = executors
        self._process_id = 1000
        self._chance = random.Random(f"containers {host} {world.seed}")

    def serve(self, node: Runtime) -> None:
        """An agent lives there now."""
        self._node = node

    # The port: see `agent.ports.Containerizer`.

    def recover(self, containers: Sequence[Recovered]) -> None:
        """Take up those, and destroy all others."""
        known = {config.container_id for _, config in containers}
        for container in [each for id_, each in self.living.items() if id_ not in known]:
            self._strike(container, signal.SIGKILL)
            self._end(container, signal.SIGKILL)
        for owner, config in containers:
            self._take_up(owner, config)

    def _take_up(self, owner: PID, config: ContainerConfig) -> None:
        id_ = config.container_id
        container = self.living.get(id_)
        if container is not None:
            container.owner = owner
            if container.runs:
                self._tell(owner, ContainerLaunchedMessage(id_, container.process_id))
        elif id_ in self._ends:
            self._tell(owner, ContainerTerminatedMessage(id_, self._ends[id_]))
        else:
            self.launch(owner, config)

    def forget(self, container_id: ContainerID) -> None:
        """Its end need not be told again."""
        self._ends.pop(container_id, None)

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """Begin to start a container."""
        container = Container(owner, config, config.resources, read_command(config.command))
        self.living[config.container_id] = container
        self.launched.append(config)
        self._later(START_SECONDS, container, lambda: self._started(container))
        if self.when_launched is not None:
            self.when_launched()

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        """Let it have more, or less."""
        container = self.living.get(container_id)
        if container is not None:
            container.resources = resources

    def signal(self, container_id: ContainerID, number: int) -> None:
        """Signal its processes."""
        container = self.living.get(container_id)
        if container is None or not container.runs:
            return
        self._strike(container, number)
        if number == signal.SIGKILL or (number == signal.SIGTERM and not container.plot.ignores_sigterm):
            self._end(container, number)

    def destroy(self, container_id: ContainerID) -> None:
        """Kill it, whatever it does."""
        container = self.living.get(container_id)
        if container is not None:
            self._strike(container, signal.SIGKILL)
            self._end(container, signal.SIGKILL)

    def _strike(self, container: Container, number: int) -> None:
        if self.when_struck is not None:
            self.when_struck(container, number)
        container.is_ending = True

    def usage(self, asker: PID) -> None:
        """Say that nothing is used."""
        if self._node is not None:
            now = self._node.clock.now()
            self._tell(asker, UsageMessage(tuple(Usage(id_, now) for id_ in self.living)))

    def probe(self, asker: PID, container_id: ContainerID, check: HealthCheck | CheckInfo) -> None:
        """Find it well."""
        container = self.living.get(container_id)
        if container is not None and container.runs:
            is_health = isinstance(check, HealthCheck)
            well = ProbedMessage(container_id, is_health, exit_code=0, status_code=200, succeeded=True)
            self._later(EXIT_SECONDS, container, lambda: self._tell(asker, well))

    # What happens in them.

    def fall(self) -> None:
        """The machine crashed, with all that ran on it."""
        for container in list(self.living.values()):
            self._vanish(container)
        self._ends.clear()
        self._node = None

    def part(self) -> None:
        """The agent ended, and with it what does not live on."""
        for container in [each for each in self.living.values() if not each.config.lives_on]:
            self._vanish(container)
        self._node = None

    def _vanish(self, container: Container) -> None:
        for alarm in container.alarms:
            alarm.cancel()
        self._stop_program(container)
        del self.living[container.config.container_id]

    def _tell(self, to: PID, message: Message) -> None:
        if self._node is not None:
            self._node.send(to, message)

    def _started(self, container: Container) -> None:
        container.runs = True
        self._process_id += 1
        container.process_id = self._process_id
        self._tell(container.owner, ContainerLaunchedMessage(container.config.container_id, container.process_id))
        executor = self._executors.get(container.config.command.value)
        seconds = container.plot.seconds
        if executor is not None:
            self._start_program(container, executor())
        elif seconds < math.inf:
            self._later((seconds, seconds), container, lambda: self._end(container, container.plot.status))

    def _start_program(self, container: Container, executor: Executor) -> None:
        variables = {variable.name: variable.value for variable in container.config.environment.variables}
        driver = LocalExecutorDriver(executor, ExecutorPlace.from_environment(variables))
        program = container.program = self._world.node(self._host, FIRST_PORT + self._process_id)
        pid = program.spawn(driver.process, "executor")
        program.when_exited(pid, lambda _: self._end(container, 0))

    def _stop_program(self, container: Container) -> None:
        if container.program is not None:
            self._world.crash(container.program)

    def _end(self, container: Container, status: int) -> None:
        if container.status is not None:
            return
        container.status = self.outcomes[container.key] = status
        for alarm in container.alarms:
            alarm.cancel()
        self._later(EXIT_SECONDS, container, lambda: self._ended(container))

    def _ended(self, container: Container) -> None:
        id_ = container.config.container_id
        self._stop_program(container)
        del self.living[id_]
        if container.config.lives_on:
            self._ends[id_] = container.status or 0
        self._tell(container.owner, ContainerTerminatedMessage(id_, container.status))

    def _later(self, seconds: tuple[float, float], container: Container, callback: Callable[[], None]) -> None:
        moment = self._world.elapsed + self._chance.uniform(*seconds)
        container.alarms.append(self._world.timeline.at(moment, callback))
