"""The master's flags, with Mesos' names."""

from __future__ import annotations

import math
from dataclasses import dataclass

from libprocess.flags import DURATION, PATH, PORT, Kind, flag
from libprocess.flags.kinds import COUNT, above_zero, one_of
from libprocess.units import format_duration, parse_duration
from master.allocator.options import MIN_ALLOCATABLE, Options
from master.allocator.sorter import find_sorter
from mesos.access.flags import ACCESS
from mesos.access.rate_limits import RateLimits, format_rate_limits, parse_rate_limits
from mesos.detector.zookeeper import ZOOKEEPER, ZooKeeperUrl
from mesos.domains import format_domain, parse_domain
from mesos.node import NETWORK, NodeFlags
from mesos.resources import Resources
from mesos.roles import check_role
from mesos.types import DomainInfo

AGENTS = "Agents"
REGISTRY = "Registry"
ELECTION = "Election"
ALLOCATION = "Allocation"
HISTORY = "History"


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


@dataclass(frozen=True)
class Rate:
    """So much in so long."""

    permits: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """Read `1/10mins`."""
    count, slash, time = text.partition("/")
    try:
        rate = Rate(int(count), parse_duration(time))
    except ValueError:
        rate = Rate(0, 0.0)
    if not slash or rate.permits < 1 or not 0 < rate.seconds < math.inf:
        raise ValueError(f"expected a number and a time, such as 1/10mins, found {text!r}")
    return rate


def format_rate(rate: Rate) -> str:
    """Write what `parse_rate` reads."""
    return f"{rate.permits}/{format_duration(rate.seconds)}"


def parse_share(text: str) -> float:
    """Read `80%`."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = math.nan
    if not text.endswith("%") or not 0 <= share <= 1:
        raise ValueError(f"expected a share from 0% to 100%, found {text!r}")
    return share


RATE = Kind("N/DURATION", parse_rate, format_rate)
SHARE = Kind("N%", parse_share, lambda share: f"{share * 100:g}%")
ENOUGH = Kind("RESOURCES|…", parse_enough, lambda choices: "|".join(map(str, choices)))
WEIGHTS = Kind("ROLE=WEIGHT,…", parse_weights, format_weights)
SORTER = Kind("SORTER", parse_sorter)
RATE_LIMITS = Kind("JSON", parse_rate_limits, format_rate_limits)
DOMAIN = Kind("JSON", parse_domain, format_domain)


class MasterFlags(
    NodeFlags,
    program="mesos-master",
    environment=("MESOS_MASTER_", "MESOS_"),
    directory="/etc/mesos-master",
    shared={"zk": "/etc/mesos/zk"},
):
    """Runs a master: agents offer their resources through it, and frameworks launch tasks on them."""

    work_dir: str = flag(kind=PATH, help="The directory for what the master must keep.")
    port: int = flag(
        default=5050,
        kind=PORT,
        group=NETWORK,
        help="The port of the web page and of HTTP, which is all that others need to know; 0 is any free one.",
    )
    cluster: str | None = flag(default=None, help="The name of the cluster, for people.")

    credentials: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help='A file with the secrets of principals: {"credentials": [{"principal": …, "secret": …}, …]}, or a line '
        "for each with the principal and its secret.",
    )
    authenticate_frameworks: bool = flag(
        default=False,
        group=ACCESS,
        help="Only schedulers that prove who they are may register, by messages.",
        aliases=("authenticate",),
    )
    authenticate_agents: bool = flag(
        default=False,
        group=ACCESS,
        help="Only agents that prove who they are may register.",
        aliases=("authenticate_slaves",),
    )
    authentication_v0_timeout_seconds: float = flag(
        default=15.0, kind=DURATION, group=ACCESS, help="How long they may take for that."
    )
    rate_limits: RateLimits | None = flag(
        default=None,
        kind=RATE_LIMITS,
        group=ACCESS,
        help='How many messages a second frameworks may send, such as {"limits": [{"principal": "ads", "qps": 50, '
        '"capacity": 1000}], "aggregate_default_qps": 10}, or file://PATH. Others wait; beyond the capacity a '
        "framework is told that it is not heard.",
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
        kind=above_zero(DURATION),
        group=ELECTION,
        help="A master that ZooKeeper does not hear of for so long leads no more. ZooKeeper must allow it: see its "
        "maxSessionTimeout.",
    )

    quorum: int | None = flag(
        default=None,
        kind=COUNT,
        group=ELECTION,
        help="Taken, but not needed: where masters of Mesos agree among themselves, ZooKeeper keeps the registry here.",
    )

    registry: str | None = flag(
        default=None,
        kind=one_of(("sqlite", "zookeeper", "in_memory")),
        group=REGISTRY,
        help="Where it is kept what must outlive every master: sqlite in --work_dir, zookeeper at --zk, or in_memory, "
        "which forgets. Otherwise zookeeper with --zk, and sqlite without.",
    )
    registry_fetch_timeout_seconds: float = flag(
        default=60.0,
        kind=above_zero(DURATION),
        group=REGISTRY,
        help="A master that cannot read the registry within that, ends.",
    )
    registry_store_timeout_seconds: float = flag(
        default=20.0,
        kind=above_zero(DURATION),
        group=REGISTRY,
        help="A master that cannot write to the registry within that, ends.",
    )
    registry_gc_interval_seconds: float = flag(
        default=900.0,
        kind=above_zero(DURATION),
        group=REGISTRY,
        help="How often agents out of reach or gone, and frameworks that ended, are gone through for those to forget.",
    )
    registry_max_agent_age_seconds: float = flag(
        default=14 * 86400.0, kind=DURATION, group=REGISTRY, help="For how long these are remembered."
    )
    registry_max_agent_count: int = flag(
        default=102400,
        kind=COUNT,
        group=REGISTRY,
        help="How many agents out of reach are remembered, and how many that are gone.",
    )
    registry_max_framework_count: int = flag(
        default=10_000,
        kind=COUNT,
        group=REGISTRY,
        help="How many frameworks that ended are remembered: their ids are refused until an operator adopts them.",
    )

    agent_ping_timeout_seconds: float = flag(
        default=15.0,
        kind=above_zero(DURATION),
        group=AGENTS,
        help="How often an agent is pinged, and how long its answer may take.",
        aliases=("slave_ping_timeout",),
    )
    max_agent_ping_timeouts: int = flag(
        default=5,
        kind=above_zero(COUNT),
        group=AGENTS,
        help="An agent that misses so many pings in a row is out of reach: its tasks are lost.",
        aliases=("max_slave_ping_timeouts",),
    )
    agent_reregister_timeout_seconds: float = flag(
        default=600.0,
        kind=DURATION,
        group=AGENTS,
        help="How long an agent may stay away after its link broke, and how long those of a former master may.",
        aliases=("slave_reregister_timeout",),
    )
    agent_removal_rate_limit: Rate | None = flag(
        default=None,
        kind=RATE,
        group=AGENTS,
        help="How many agents may be given up in what time, such as 1/10mins. Others wait, and may come back.",
        aliases=("slave_removal_rate_limit",),
    )
    recovery_agent_removal_limit: float = flag(
        default=1.0,
        kind=SHARE,
        group=AGENTS,
        help="When more of the agents of a former master than that stay away, it is no accident: the master ends.",
        aliases=("recovery_slave_removal_limit",),
    )

    allocation_interval_seconds: float = flag(
        default=1.0,
        kind=above_zero(DURATION),
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
    require_agent_domain: bool = flag(
        default=False, group=ALLOCATION, help="Take no agent that does not say in which fault domain it is."
    )
    weights: tuple[tuple[str, float], ...] | None = flag(
        default=None,
        kind=WEIGHTS,
        group=ALLOCATION,
        help="What roles are due, against those of weight 1, until operators change it.",
    )

    roles: tuple[str, ...] = flag(
        default=(),
        group=ALLOCATION,
        help="The roles that frameworks may have, and weights and quotas be set for, besides *; otherwise any.",
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

    max_completed_frameworks: int = flag(
        default=50, kind=COUNT, group=HISTORY, help="How many frameworks that ended are shown."
    )
    max_completed_tasks_per_framework: int = flag(
        default=1000, kind=COUNT, group=HISTORY, help="How many tasks that ended are shown of each framework."
    )
    max_unreachable_tasks_per_framework: int = flag(
        default=1000,
        kind=COUNT,
        group=HISTORY,
        help="How many tasks on agents out of reach are remembered of each framework.",
    )

    max_history_tasks: int = flag(
        default=100_000, kind=COUNT, group=HISTORY, help="How many tasks that ended the history keeps, in --work_dir."
    )
    history_age_seconds: float = flag(
        default=28 * 86400.0, kind=DURATION, group=HISTORY, help="How long the history keeps a task that ended."
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
    def chosen_registry(self) -> str:
        """Where the registry is, whether that was said or not."""
        return self.registry or ("sqlite" if self.zk is None else "zookeeper")
