"""Where things are and what they say of themselves: domains, attributes, ports, discovery."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from mesos.labels import Labels
from mesos.resources.amounts import Ranges, Set
from mesos.struct import Struct


class Attribute(Struct, frozen=True):
    """A fact about an agent, `rack:abc` or `level:10`: a text, a number, ranges or a set."""

    name: str
    value: str | float | Ranges | Set


Attributes: TypeAlias = tuple[Attribute, ...]


class FaultDomain(Struct, frozen=True):
    """What fails together: a zone, and the region it lies in."""

    region: str
    zone: str


class DomainInfo(Struct, frozen=True):
    """Where a master or an agent stands."""

    fault_domain: FaultDomain | None = None


class Unavailability(Struct, frozen=True):
    """When something will be away; without a duration, for good."""

    start: float
    """Unix time in seconds."""
    duration_seconds: float | None = None


class MachineID(Struct, frozen=True):
    """A machine, by its hostname, its address, or both."""

    hostname: str = ""
    ip: str = ""


class Window(Struct, frozen=True):
    """Machines that will be away at the same time."""

    machine_ids: tuple[MachineID, ...]
    unavailability: Unavailability


class Schedule(Struct, frozen=True):
    """All machines that operators plan to take away."""

    windows: tuple[Window, ...] = ()


class Visibility(StrEnum):
    """Who may discover something."""

    FRAMEWORK = "FRAMEWORK"
    CLUSTER = "CLUSTER"
    EXTERNAL = "EXTERNAL"


class Port(Struct, frozen=True):
    """A port that a task serves."""

    number: int
    name: str = ""
    protocol: str = ""
    visibility: Visibility | None = None
    labels: Labels = ()


class DiscoveryInfo(Struct, frozen=True):
    """How others find a task or an executor."""

    visibility: Visibility
    name: str = ""
    environment: str = ""
    location: str = ""
    version: str = ""
    ports: tuple[Port, ...] = ()
    labels: Labels = ()
