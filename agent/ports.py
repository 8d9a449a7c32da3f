"""The agent's ports to the machine: what starts, limits and ends containers, and what keeps volumes.

The agent's actors never fork, wait or touch a cgroup. They are handed a `Containerizer` and ask it; it answers by
messages. The real one is in `agent.containerizer`; a simulation hands a virtual one. `Volumes` are in `agent.volumes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from libprocess.message import Message
from libprocess.pid import PID
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types import (
    CheckInfo,
    CommandInfo,
    ContainerInfo,
    Environment,
    HealthCheck,
    Reason,
    ResourceLimit,
    TaskEnding,
)

NO_RESOURCES = Resources()


class VolumeMount(Struct, frozen=True):
    """A persistent volume in a container."""

    source: str
    """The volume's directory."""
    container_path: str
    """Where it appears: an absolute path, or one in the sandbox."""
    is_read_only: bool = False


class ContainerConfig(Struct, frozen=True):
    """All that is needed to start a container."""

    container_id: ContainerID
    command: CommandInfo
    """What to run in it, and what to fetch into its sandbox first. `user` is who runs it; empty: who runs the agent."""
    directory: str
    """The sandbox, an absolute path. The containerizer makes it; the command starts in it, its output goes to the files
    stdout and stderr."""
    environment: Environment = Environment()
    """What the agent adds to the command's own variables; of two with the same name the command's counts."""
    resources: Resources = Resources()
    limits: tuple[ResourceLimit, ...] = ()
    container: ContainerInfo | None = None
    volumes: tuple[VolumeMount, ...] = ()
    lives_on: bool = False
    """It goes on when the agent ends."""


class Recovered(NamedTuple):
    """A container that an agent knows from an earlier life, and whom to tell of it."""

    owner: PID
    config: ContainerConfig


class ContainerLaunchedMessage(Message, frozen=True):
    """From the containerizer to who launched a container: its first process runs."""

    container_id: ContainerID
    process_id: int
    """As the agent's host numbers it."""


class ContainerTerminatedMessage(Message, frozen=True):
    """From the containerizer to who launched a container: nothing of it runs any more, or it could not be started.

    Comes exactly once for each `launch`, and is the last word about that container.
    """

    container_id: ContainerID
    status: int | None = None
    """How its first process ended, as by waitpid(2); None where that is not known, or if it was never started."""
    reason: Reason | None = None
    """Why the containerizer ended it or could not start it; None if it ended by itself or because it was asked to."""
    message: str = ""
    limitation: Resources = Resources()
    """The resources whose limit it hit."""
    peak_memory_bytes: int | None = None
    last_lines: str = ""
    """See `TaskEnding`."""

    @property
    def ending(self) -> TaskEnding:
        """What the history of its task will know of it."""
        return TaskEnding(self.status, self.peak_memory_bytes, self.last_lines)


class ProbedMessage(Message, frozen=True):
    """From the containerizer to who asked it to probe a container, once per `probe`: what came of it.

    What is not a result of that type of probe is None; all are if the probe failed.
    """

    container_id: ContainerID
    is_health: bool
    """As it was asked."""
    exit_code: int | None = None
    status_code: int | None = None
    succeeded: bool | None = None
    error: str = ""
    """Why there is no result."""


class Usage(Struct, frozen=True):
    """What a container uses, at one moment."""

    container_id: ContainerID
    timestamp: float
    """Unix time in seconds."""
    numbers: tuple[tuple[str, float], ...] = ()
    """By Mesos' names, such as cpus_user_time_secs and mem_rss_bytes, in their order."""


class UsageMessage(Message, frozen=True):
    """From the containerizer to who asked it for the usage of its containers: that of each which runs."""

    usages: tuple[Usage, ...]


class Containerizer(Protocol):
    """Starts, limits and ends containers. No method blocks or raises; unknown containers are ignored."""

    def recover(self, containers: Sequence[Recovered]) -> None:
        """Take up the containers of an earlier life; asked once, before all else.

        Their owners are told as after `launch`, also of an end that came meanwhile. One that was never started is
        started now. All others of an earlier life are destroyed.
        """

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """Start a container. `owner` is sent ContainerLaunchedMessage, and in the end ContainerTerminatedMessage."""

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        """From now on, the container may use this much."""

    def signal(self, container_id: ContainerID, number: int) -> None:
        """Send a signal to every process in the container."""

    def destroy(self, container_id: ContainerID) -> None:
        """End the container at once, also one that is still being started."""

    def forget(self, container_id: ContainerID) -> None:
        """The end of a container that lives on is known for good: a later `recover` need not tell it."""

    def usage(self, asker: PID) -> None:
        """Measure all containers; `asker` is sent a UsageMessage."""

    def probe(self, asker: PID, container_id: ContainerID, check: HealthCheck | CheckInfo) -> None:
        """Probe a running container from inside; `asker` is sent a ProbedMessage within the check's timeout."""


class Volumes(Protocol):
    """Keeps the directories of persistent volumes. No method blocks for long or raises."""

    def create(self, path: str) -> None:
        """There is a new volume: an empty directory, whatever was there before."""

    def keep(self, path: str) -> None:
        """There was a volume already; its directory is made if it is missing."""

    def remove(self, path: str) -> None:
        """The volume is over, with all that is on it."""
