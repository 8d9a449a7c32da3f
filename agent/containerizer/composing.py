"""Several containerizers as one: each container goes to the first that runs its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.ports import ContainerConfig, Containerizer, ContainerTerminatedMessage, Recovered
from libprocess.pid import PID
from libprocess.runtime import Runtime
from mesos.ids import ContainerID
from mesos.resources import Resources
from mesos.types import CheckInfo, ContainerType, HealthCheck, Reason, ResourceLimit


@dataclass(frozen=True)
class Choice:
    """A containerizer, and the types of containers that it runs."""

    containerizer: Containerizer
    types: frozenset[ContainerType]


class ComposingContainerizer:
    """See `agent.ports.Containerizer`. A container without a type is of the type MESOS."""

    def __init__(self, runtime: Runtime, choices: Mapping[str, Choice]) -> None:
        """`choices` are by name, the most wanted first."""
        self._runtime = runtime
        self._choices = choices
        self._all: Sequence[Containerizer] = [choice.containerizer for choice in choices.values()]

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """See `agent.ports.Containerizer`."""
        kind = _kind(config)
        chosen = next((choice.containerizer for choice in self._choices.values() if kind in choice.types), None)
        if chosen is not None:
            chosen.launch(owner, config)
            return
        text = f"no containerizer of this agent runs containers of the type {kind}; it has {', '.join(self._choices)}"
        reason = Reason.REASON_CONTAINER_LAUNCH_FAILED
        self._runtime.send(owner, ContainerTerminatedMessage(config.container_id, None, reason, text))

    def recover(self, containers: Sequence[Recovered]) -> None:
        """See `agent.ports.Containerizer`."""
        for choice in self._choices.values():
            own = [known for known in containers if _kind(known.config) in choice.types]
            choice.containerizer.recover(own)

    def forget(self, container_id: ContainerID) -> None:
        """See `agent.ports.Containerizer`."""
        for containerizer in self._all:
            containerizer.forget(container_id)

    # Who does not know a container ignores it, so all can be told.

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        """See `agent.ports.Containerizer`."""
        for containerizer in self._all:
            containerizer.update(container_id, resources, limits)

    def signal(self, container_id: ContainerID, number: int) -> None:
        """See `agent.ports.Containerizer`."""
        for containerizer in self._all:
            containerizer.signal(container_id, number)

    def destroy(self, container_id: ContainerID) -> None:
        """See `agent.ports.Containerizer`."""
        for containerizer in self._all:
            containerizer.destroy(container_id)

    def usage(self, asker: PID) -> None:
        """See `agent.ports.Containerizer`. The asker gets an answer from each."""
        for containerizer in self._all:
            containerizer.usage(asker)

    def probe(self, asker: PID, container_id: ContainerID, check: HealthCheck | CheckInfo) -> None:
        """See `agent.ports.Containerizer`."""
        for containerizer in self._all:
            containerizer.probe(asker, container_id, check)


def _kind(config: ContainerConfig) -> ContainerType:
    return config.container.type if config.container else ContainerType.MESOS
