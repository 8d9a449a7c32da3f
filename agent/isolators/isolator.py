"""What an isolator is: one way to keep a container's processes from harming others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.forker.plan import Plan, Report
from agent.ports import NO_RESOURCES, ContainerConfig
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit


class ContainerError(Exception):
    """A container cannot be started; the text says why, to whoever asked for it."""


@dataclass(frozen=True)
class Limitation:
    """A limit that a container hit, so that it was ended."""

    reason: Reason
    message: str
    resources: Resources = NO_RESOURCES


Tell = Callable[[ContainerID, Limitation], None]
"""How an isolator says that a container hit a limit."""


class Isolator:
    """Base of every isolator. For each container its methods are called in the order in which they stand here.

    None of them blocks for long: they are called on the agent's loop. What the kernel takes its time for is done by the
    container's init, as its plan says. OSError from one is told as any ContainerError.
    """

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """Add to the plan what the container needs. ContainerError if that cannot be."""

    def watch(self, container_id: ContainerID, config: ContainerConfig, init: int, tell: Tell) -> None:
        """The container runs, with this process as its init: from now on, tell of a limit that it hits."""

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """The container, which runs, may use this much from now on."""

    def usage(self, container_id: ContainerID, init: int) -> dict[str, float]:
        """What the running container uses, by Mesos' names. Called on a thread, where it may take its time."""
        return {}

    def limitation(self, container_id: ContainerID, report: Report) -> Limitation | None:
        """Nothing of the container runs any more, as its init reports: the limit that it hit, if it did."""
        return None

    def cleanup(self, container_id: ContainerID) -> None:
        """Remove what is left of the container. Also called for one whose `prepare` failed; OSError: try again soon."""


def limit_of(name: str, resources: Resources, limits: tuple[ResourceLimit, ...]) -> float | None:
    """How much of a scalar a container may use at most, in units; None where it is not limited."""
    given = next((limit.value for limit in limits if limit.name == name), None)
    if given is not None:
        return None if given == float("inf") else given
    return resources.scalar(name) or None
