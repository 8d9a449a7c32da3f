"""The agent's flags."""

from __future__ import annotations

from typing import Literal

from agent.isolators.choice import FOR_ROOT, FOR_USERS, ISOLATORS
from libprocess.flags import BYTES, DURATION, PATH, PORT, Kind, flag
from libprocess.flags.kinds import COUNT, above_zero
from mesos.access.flags import ACCESS
from mesos.detector import MASTER, MasterPlace
from mesos.domains import format_domain, parse_domain
from mesos.node import NETWORK, NodeFlags
from mesos.types import DomainInfo

CONTAINERIZERS = ("mesos",)
"""The names of all there are."""

DOMAIN = Kind("JSON", parse_domain, format_domain)

CONTAINERS = "Containers"
DISK = "Disk"
EXECUTORS = "Executors"
FETCHER = "Fetcher"
RECOVERY = "Recovery"


class AgentFlags(
    NodeFlags,
    program="mesos-agent",
    environment=("MESOS_AGENT_", "MESOS_SLAVE_", "MESOS_"),
    directory="/etc/mesos-agent",
    shared={"master": "/etc/mesos/zk"},
):
    """Runs an agent: it offers this machine's resources to a master, and runs the tasks that it is given."""

    master: MasterPlace = flag(
        kind=MASTER, help="The master's web address, or where masters meet: zk://[user:password@]host:port,…/path."
    )
    work_dir: str = flag(kind=PATH, help="Where sandboxes and what must last are kept.")
    resources: str = flag(
        default="",
        help="What this machine has to give, such as 'cpus:4;mem:4096;ports:[31000-32000]', or as JSON. "
        "What is not named of cpus, mem, disk and ports is detected; name:0 gives none of it.",
    )
    attributes: str = flag(default="", help="Facts that frameworks may choose by, such as 'rack:abc;level:10'.")
    domain: DomainInfo | None = flag(
        default=None, kind=DOMAIN, help="The region and zone of this machine, as JSON; frameworks may choose by it."
    )
    default_role: str = flag(default="*", help="The role that resources without one are reserved for.")

    port: int = flag(
        default=5051, kind=PORT, group=NETWORK, help="The port of the web page and of HTTP; 0 is any free one."
    )
    registration_backoff_factor_seconds: float = flag(
        default=1.0,
        kind=above_zero(DURATION),
        help="An agent that sees a new master waits up to so long before it registers, twice as long before it tries "
        "again, and so on up to a minute.",
        group=NETWORK,
    )

    credential: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help='A file with what this agent proves to the master with: {"principal": …, "secret": …}, or a line of both.',
    )
    http_credentials: str | None = flag(
        default=None,
        kind=PATH,
        group=ACCESS,
        help='A file with the secrets of principals that use this agent over HTTP: {"credentials": [{"principal": …, '
        '"secret": …}, …]}, or a line for each with the principal and its secret.',
    )

    containerizers: tuple[str, ...] = flag(
        default=("mesos",),
        help=f"What runs containers; each goes to the first that runs its type. There are {', '.join(CONTAINERIZERS)}.",
        group=CONTAINERS,
    )
    launcher: Literal["linux", "posix"] | None = flag(
        default=None,
        help="What holds a container together: linux is namespaces, which takes root, and posix the tree of its "
        "processes; by default linux if root runs the agent.",
        group=CONTAINERS,
    )
    authenticate_http_executors: bool = flag(
        default=False,
        group=ACCESS,
        help="Only executors that show the token they were started with may register over HTTP; it is signed with "
        "--jwt_secret_key.",
    )

    isolation: tuple[str, ...] = flag(
        default=(),
        help="The isolators that keep containers apart; by default those that work here of "
        f"{', '.join(FOR_ROOT)}, or of {', '.join(FOR_USERS)} if it is not root that runs the agent. There are "
        f"{', '.join(ISOLATORS)}.",
        group=CONTAINERS,
    )
    cgroups_root: str = flag(
        default="mesos",
        help="The control group around those of all containers, which is made: a name, or a path of names below the "
        "uppermost group.",
        group=CONTAINERS,
    )
    cgroups_enable_cfs: bool = flag(
        default=False, help="Give a container no more than its cpus even if others are idle.", group=CONTAINERS
    )
    cgroups_limit_swap: bool = flag(
        default=False,
        help="Let no container have memory beyond its limit by having it swapped to a disk.",
        group=CONTAINERS,
    )
    pids_max: int = flag(
        default=4096, kind=COUNT, help="How many processes and threads a container may have.", group=CONTAINERS
    )
    effective_capabilities: tuple[str, ...] | None = flag(
        default=None,
        help="The capabilities of a container that asks for none itself, such as 'NET_RAW,KILL'; otherwise all.",
        group=CONTAINERS,
    )
    bounding_capabilities: tuple[str, ...] | None = flag(
        default=None, help="The capabilities that containers may have at most; otherwise all.", group=CONTAINERS
    )
    enforce_container_disk_quota: bool = flag(
        default=False, help="End a container whose sandbox takes more than its disk.", group=CONTAINERS
    )
    container_disk_watch_interval_seconds: float = flag(
        default=15.0, kind=above_zero(DURATION), help="How often sandboxes are measured.", group=CONTAINERS
    )
    container_ports_watch_interval_seconds: float = flag(
        default=30.0,
        kind=above_zero(DURATION),
        help="How often it is looked where containers listen.",
        group=CONTAINERS,
    )
    max_log_size_bytes: int = flag(
        default=0,
        kind=BYTES,
        help="A stdout or stderr that is larger is moved aside, and nine such parts are kept; 0B is never.",
        group=CONTAINERS,
    )
    switch_user: bool = flag(
        default=True,
        help="Run commands as the user that they name; if root runs the agent.",
        group=CONTAINERS,
    )

    frameworks_home: str = flag(
        default="", help="Where relative paths of what is to be fetched are looked for.", group=FETCHER
    )
    fetcher_cache_dir: str = flag(
        default="", help="Where what is fetched with cache=true is kept; otherwise in --work_dir.", group=FETCHER
    )
    fetcher_cache_size_bytes: int = flag(
        default=2 << 30,
        kind=BYTES,
        help="How much of that is kept; what was used longest ago goes first.",
        group=FETCHER,
    )

    gc_delay_seconds: float = flag(
        default=604800.0,
        kind=DURATION,
        help="How long a sandbox stays after its executor has ended, on an empty disk; less on a fuller one.",
        group=DISK,
    )
    gc_disk_headroom: float = flag(
        default=0.1, help="The part of the disk that is to stay free: when it is reached, no sandbox stays.", group=DISK
    )
    disk_watch_interval_seconds: float = flag(
        default=60.0, kind=above_zero(DURATION), help="How often the disk is looked at.", group=DISK
    )

    executor_registration_timeout_seconds: float = flag(
        default=60.0, kind=DURATION, help="How long an executor may take to register.", group=EXECUTORS
    )
    executor_shutdown_grace_period_seconds: float = flag(
        default=5.0,
        kind=DURATION,
        help="How long an executor may take to shut down, unless it says so itself.",
        group=EXECUTORS,
    )
    launch_wait_timeout_seconds: float = flag(
        default=60.0,
        kind=DURATION,
        help="How long a task waits for what the master had freed and is still in use here; then it is dropped.",
        group=EXECUTORS,
    )
    max_completed_executors_per_framework: int = flag(
        default=150, kind=COUNT, help="How many executors that ended are shown.", group=EXECUTORS
    )

    recover: Literal["reconnect", "cleanup"] = flag(
        default="reconnect",
        help="What becomes of tasks that outlived the last agent, as those of frameworks with checkpoint do: they are "
        "taken up again, or ended, with the agent and its id after them.",
        group=RECOVERY,
    )
    strict: bool = flag(
        default=True, help="Do not start when what the last agent wrote down is damaged.", group=RECOVERY
    )
    recovery_timeout_seconds: float = flag(
        default=900.0,
        kind=DURATION,
        help="How long an executor waits for its agent to come back before it ends, and the agent for an executor "
        "whose connection broke.",
        group=RECOVERY,
    )
    executor_reregistration_timeout_seconds: float = flag(
        default=2.0,
        kind=DURATION,
        help="How long an executor may take to come back to an agent that was restarted, at most 15secs.",
        group=RECOVERY,
    )
    executor_reregistration_retry_interval_seconds: float = flag(
        default=1.0,
        kind=above_zero(DURATION),
        help="How often an executor that is to come back is asked to.",
        group=RECOVERY,
    )
    reconfiguration_policy: Literal["equal", "additive"] = flag(
        default="equal",
        help="How resources and attributes may differ from those of the last agent here, whose tasks are to be taken "
        "up: not at all, or by more.",
        group=RECOVERY,
    )
