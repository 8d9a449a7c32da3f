"""Masters and agents: what they tell of themselves."""

from __future__ import annotations

from enum import StrEnum

from libprocess.pid import PID
from mesos.ids import AgentID
from mesos.resources import Resources
from mesos.struct import Struct
from mesos.types.common import Attributes, DomainInfo

MASTER_PORT = 5050
AGENT_PORT = 5051


class MasterCapability(StrEnum):
    """What a master can do; what a newer one adds is UNKNOWN to an older peer."""

    UNKNOWN = "UNKNOWN"
    AGENT_UPDATE = "AGENT_UPDATE"
    AGENT_DRAINING = "AGENT_DRAINING"
    QUOTA_V2 = "QUOTA_V2"

    @classmethod
    def _missing_(cls, value: object) -> MasterCapability:
        return cls.UNKNOWN


class AgentCapability(StrEnum):
    """What an agent can do; what a newer one adds is UNKNOWN to an older master."""

    UNKNOWN = "UNKNOWN"
    MULTI_ROLE = "MULTI_ROLE"
    HIERARCHICAL_ROLE = "HIERARCHICAL_ROLE"
    RESERVATION_REFINEMENT = "RESERVATION_REFINEMENT"
    RESOURCE_PROVIDER = "RESOURCE_PROVIDER"
    RESIZE_VOLUME = "RESIZE_VOLUME"
    AGENT_OPERATION_FEEDBACK = "AGENT_OPERATION_FEEDBACK"
    AGENT_DRAINING = "AGENT_DRAINING"
    TASK_RESOURCE_LIMITS = "TASK_RESOURCE_LIMITS"

    @classmethod
    def _missing_(cls, value: object) -> AgentCapability:
        return cls.UNKNOWN


class MasterInfo(Struct, frozen=True):
    """A master: its actor's PID, and where its web page is (`hostname`, `ip` and `port`)."""

    id: str
    pid: PID
    hostname: str = ""
    ip: str = ""
    port: int = MASTER_PORT
    version: str = ""
    domain: DomainInfo | None = None
    capabilities: tuple[MasterCapability, ...] = ()


class AgentInfo(Struct, frozen=True):
    """An agent: what it has to give, and where its web page is (`hostname` and `port`). The master gives it its id."""

    hostname: str
    id: AgentID | None = None
    port: int = AGENT_PORT
    resources: Resources = Resources()
    attributes: Attributes = ()
    checkpoint: bool = False
    domain: DomainInfo | None = None
