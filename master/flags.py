"""The master's flags, with Mesos' names."""

from __future__ import annotations

import math
from typing import Literal

from libprocess.flags import DURATION, PATH, PORT, Kind, flag
from master.allocator.options import MIN_ALLOCATABLE, Options
from master.allocator.sorter import find_sorter
from mesos.access.flags import ACCESS, AccessFlags
from mesos.detector.zookeeper import ZOOKEEPER, ZooKeeperUrl
from mesos.domains import format_domain, parse_domain
from mesos.resources import Resources
from mesos.roles import check_role
from mesos.types import DomainInfo

AGENTS = "Agents"
ELECTION = "Election"
ALLOCATION = "Allocation"
HISTORY = "History"

ACTOR_PORT_OFFSET = 1000


def parse_enough(text: str) -> tuple[Resources, ...]:
    """Read `cpus:0.01|mem:32`: one of these is enough."""
    return tuple(Resources.parse(part) for part in text.split("|") if part.strip())


def parse_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Read `eng=2,ops=0.5`."""
    return tuple(_parse_weight(part.strip()) for part in text.split(",") if part.strip())


def _parse_weight(text: str) -> tuple[str, float]:
    role, _, number = text.rpartition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if check_role(role) is not None or not 0 < weight < math.inf:
        raise ValueError(f"expected a role and a weight above 0, such as eng=2, found {text!r}")
    return role, weight


def format_weights(weights: tuple[tuple[str, float], ...]) -> str:
    """Write what `parse_weights` reads."""
    return ",".join(f"{role}={weight:g}" for role, weight in weights)


def parse_sorter(text: str) -> str:
    """Read the name of a sorter that there is."""
    find_sorter(text)
    return text


ENOUGH = Kind("RESOURCES|…", parse_enough, lambda choices: "|".join(map(str, choices)))
WEIGHTS = Kind("ROLE=WEIGHT,…", parse_weights, format_weights)
SORTER = Kind("SORTER", parse_sorter)
DOMAIN = Kind("JSON", parse_domain, format_domain)


class MasterFlags(
    AccessFlags, program="mesos-master", environment=("MESOS_MASTER_", "MESOS_"), directory="/etc/mesos-master"
):
    """Runs a master: agents offer their resources through it, and frameworks launch tasks on them."""

    work_dir: str = flag(kind=PATH, help="The directory for what the master must keep.")
    ip: str = flag(default="127.0.0.1", help="The address to listen on.")
    port: int = flag(default=5050, kind=PORT, help="The port of the web pages and HTTP API; 0 for a free one.")
    actor_port: int | None = flag(
        default=None,
        kind=PORT,
        help=f"The port for agents and schedulers, told to them by --port; otherwise that + {ACTOR_PORT_OFFSET}.",
    )
    hostname: str | None = flag(default=None, help="The name that browsers reach the web pages by; otherwise --ip.")
    advertise_ip: str | None = flag(
        default=None, help="The address that agents and schedulers reach the master at, where it is not --ip."
    )
    insecure: bool = flag(default=False, help="Listen beyond loopback although links are not encrypted.")
    cluster: str | None = flag(default=None, help="The name of the cluster, for people.")
    logging_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = flag(
        default="INFO", help="The least important news that is logged, on stderr."
    )

    credentials: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help='A file with the secrets of principals: {"credentials": [{"principal": …, "secret": …}, …]}, or a line '
        "for each with the principal and its secret.",
    )
    authenticate_http_frameworks: bool = flag(
        default=False, group=ACCESS, help="Only schedulers that prove who they are may register over HTTP."
    )

    zk: ZooKeeperUrl | None = flag(
        default=None,
        kind=ZOOKEEPER,
        group=ELECTION,
        help="Where several masters meet, and elect the one that leads: zk://[user:password@]host:port,…/path, or "
        "file://PATH of a file with that. Without it this master stands alone.",
    )
    zk_session_timeout_seconds: float = flag(
        default=10.0,
        kind=DURATION,
        group=ELECTION,
        help="A master that ZooKeeper does not hear of for so long leads no more. ZooKeeper must allow it: see its "
        "maxSessionTimeout.",
    )

    agent_ping_timeout_seconds: float = flag(
        default=15.0,
        kind=DURATION,
        group=AGENTS,
        help="How often an agent is pinged, and how long its answer may take.",
    )
    max_agent_ping_timeouts: int = flag(
        default=5, group=AGENTS, help="An agent that misses so many pings in a row is out of reach: its tasks are lost."
    )
    agent_reregister_timeout_seconds: float = flag(
        default=600.0,
        kind=DURATION,
        group=AGENTS,
        help="How long an agent may stay away after its link broke, and how long those of a former master may.",
    )

    allocation_interval_seconds: float = flag(
        default=1.0,
        kind=DURATION,
        group=ALLOCATION,
        help="How often resources whose refusal is over are offered again.",
    )
    offer_timeout_seconds: float | None = flag(
        default=None, kind=DURATION, group=ALLOCATION, help="An offer that is not used for so long is taken back."
    )
    min_allocatable_resources: tuple[Resources, ...] = flag(
        default=MIN_ALLOCATABLE,
        kind=ENOUGH,
        group=ALLOCATION,
        help="An offer holds at least one of these.",
    )
    whitelist: str | None = flag(
        default=None,
        kind=PATH,
        group=ALLOCATION,
        help="A file with the hostnames of the only agents to be offered, a line each; it is read every 5 seconds.",
    )
    domain: DomainInfo | None = flag(
        default=None,
        kind=DOMAIN,
        group=ALLOCATION,
        help="Where this master stands. Agents of other regions are offered only to frameworks that know of regions.",
    )
    weights: tuple[tuple[str, float], ...] | None = flag(
        default=None, kind=WEIGHTS, group=ALLOCATION, help="What roles are due, against those of weight 1."
    )

    role_sorter: str = flag(
        default="drf",
        kind=SORTER,
        group=ALLOCATION,
        help="Which of several roles comes first: drf, random, or a plug-in's.",
    )
    framework_sorter: str = flag(
        default="drf", kind=SORTER, group=ALLOCATION, help="Which framework of a role comes first: drf, random, …"
    )
    fair_sharing_excluded_resource_names: tuple[str, ...] = flag(
        default=(), group=ALLOCATION, help="Resources of which nobody's share is counted."
    )
    filter_gpu_resources: bool = flag(
        default=True,
        group=ALLOCATION,
        help="Offer agents with GPUs only to frameworks that say that they know of GPUs.",
    )

    max_completed_frameworks: int = flag(default=50, group=HISTORY, help="How many frameworks that ended are shown.")
    max_completed_tasks_per_framework: int = flag(
        default=1000, group=HISTORY, help="How many tasks that ended are shown of each framework."
    )
    max_unreachable_tasks_per_framework: int = flag(
        default=1000, group=HISTORY, help="How many tasks on agents out of reach are remembered of each framework."
    )

    @property
    def total_ping_timeout_seconds(self) -> float:
        """After how long without an answer an agent is out of reach, and without a ping an agent looks for a master."""
        return self.agent_ping_timeout_seconds * self.max_agent_ping_timeouts

    @property
    def allocation(self) -> Options:
        """What the allocator is told."""
        return Options(
            allocation_interval_seconds=self.allocation_interval_seconds,
            min_allocatable=self.min_allocatable_resources,
            role_sorter=self.role_sorter,
            framework_sorter=self.framework_sorter,
            fair_sharing_excluded_resource_names=self.fair_sharing_excluded_resource_names,
            filter_gpu_resources=self.filter_gpu_resources,
            region=self.domain.fault_domain.region if self.domain and self.domain.fault_domain else None,
        )

    @property
    def chosen_actor_port(self) -> int:
        """The port for actors, whether it was given or not."""
        if self.actor_port is not None:
            return self.actor_port
        return self.port + ACTOR_PORT_OFFSET if self.port else 0
