"""Frameworks: what a scheduler tells of itself when it registers."""

from __future__ import annotations

from enum import StrEnum

from mesos.ids import FrameworkID
from mesos.labels import Labels
from mesos.resources import Resources
from mesos.roles import ANY_ROLE
from mesos.struct import Struct


class FrameworkCapability(StrEnum):
    """What a framework can deal with; what a newer one adds is UNKNOWN to an older master."""

    UNKNOWN = "UNKNOWN"
    REVOCABLE_RESOURCES = "REVOCABLE_RESOURCES"
    TASK_KILLING_STATE = "TASK_KILLING_STATE"
    GPU_RESOURCES = "GPU_RESOURCES"
    SHARED_RESOURCES = "SHARED_RESOURCES"
    PARTITION_AWARE = "PARTITION_AWARE"
    MULTI_ROLE = "MULTI_ROLE"
    RESERVATION_REFINEMENT = "RESERVATION_REFINEMENT"
    REGION_AWARE = "REGION_AWARE"

    @classmethod
    def _missing_(cls, value: object) -> FrameworkCapability:
        return cls.UNKNOWN


class OfferFilter(Struct, frozen=True):
    """The least that an offer for a role must hold to be worth making: one of these quantities."""

    role: str
    min_allocatable_resources: tuple[Resources, ...] = ()


class FrameworkInfo(Struct, frozen=True):
    """A framework.

    Its tasks live on for `failover_timeout_seconds` after its scheduler is gone; 0 means not at all. With `checkpoint`
    they survive a restart of their agent. `roles` counts for a framework with MULTI_ROLE, `role` for any other.
    """

    user: str
    name: str
    id: FrameworkID | None = None
    failover_timeout_seconds: float = 0.0
    checkpoint: bool = False
    role: str = ANY_ROLE
    roles: tuple[str, ...] = ()
    hostname: str = ""
    principal: str = ""
    webui_url: str = ""
    capabilities: tuple[FrameworkCapability, ...] = ()
    labels: Labels = ()
    offer_filters: tuple[OfferFilter, ...] = ()

    @property
    def all_roles(self) -> tuple[str, ...]:
        """The roles it subscribes to, whichever way it says so."""
        return self.roles if FrameworkCapability.MULTI_ROLE in self.capabilities else (self.role,)
