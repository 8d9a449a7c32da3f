"""What an isolator is: one way to keep a container's processes from harming others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.forker.plan import Plan
from agent.ports import NO_RESOURCES, ContainerConfig
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import Reason, ResourceLimit


class ContainerError(Exception):
    """A container cannot be started; the text says why, to whoever asked for it."""


@dataclass(frozen=True)
class Limitation:
    """A limit that a container hit, so that it is ended."""

    reason: Reason
    message: str
    resources: Resources = NO_RESOURCES


Report = Callable[[ContainerID, Limitation], None]
"""How an isolator says that a container hit a limit."""


class Isolator:
    """Base of every isolator. For each container its methods are called in the order in which they stand here.

    None of them blocks for long: they are called on the agent's loop. OSError from one is told as any ContainerError.
    """

    def prepare(self, config: ContainerConfig, plan: Plan) -> None:
        """Make ready what the container needs, and add to its plan. ContainerError if that cannot be."""

    def watch(self, container_id: ContainerID, report: Report) -> None:
        """The container starts: from now on, report a limit that it hits."""

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...]) -> None:
        """The container may use this much from now on."""

    def limitation(self, container_id: ContainerID) -> Limitation | None:
        """Nothing of the container runs any more: the limit that it hit, if it did."""

    def cleanup(self, container_id: ContainerID) -> None:
        """Remove all that was made for the container. Also called for one whose `prepare` failed."""


def limit_of(name: str, resources: Resources, limits: tuple[ResourceLimit, ...]) -> float | None:
    """How much of a scalar a container may use at most, in units; None where it is not limited."""
    given = next((limit.value for limit in limits if limit.name == name), None)
    if given is not None:
        return None if given == float("inf") else given
    return resources.scalar(name) or None
