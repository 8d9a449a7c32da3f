"""The Master: an actor that checks what it is asked for, decides through its records, and sends.

Its handlers stand in `master.dialogues`, by subject; its state and the rules about that in `master.records`. Who is
offered what is decided by the allocator, an actor of its own.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.routes import About, RouteHandler
from libprocess.pid import PID, Address
from libprocess.process import ExitedMessage
from libprocess.version import VERSION
from master.allocator import Allocator
from master.allocator.messages import RoleWeight, SetWeightsMessage
from master.dialogues.agents import Agents
from master.dialogues.executors import Executors
from master.dialogues.launches import Launches
from master.dialogues.recovery import Recovery
from master.dialogues.tasks import Tasks
from master.dialogues.throttling import Throttling
from master.flags import MasterFlags
from master.history.store import MemoryTaskHistory, TaskHistory
from master.http.deciding import Deciding
from master.http.explain import Explain
from master.http.history import TaskHistories
from master.http.scheduler_api import SchedulerApi
from master.http.watched import WatchedCluster
from master.limiter import Limiter
from master.metrics import MasterMetrics
from master.records.cluster import History
from master.records.roles import Roles
from master.registrar.actor import Registrar
from master.registrar.store import MemoryStore, Store
from master.whitelist import Whitelist, reader
from mesos.types import MasterCapability, MasterInfo

MASTER = "master"
"""The id that a master is spawned with: its PID is found under this name."""


CAPABILITIES = (MasterCapability.AGENT_UPDATE, MasterCapability.AGENT_DRAINING, MasterCapability.QUOTA_V2)
"""What it can do, in Mesos' words."""

ALWAYS_SERVED = ("/", "/webui/*", "/health", "/version", "/flags", "/pid", "/redirect")
"""What does not depend on what former masters knew."""


class Master(Throttling, Agents, Recovery, Launches, Tasks, Executors, Deciding, Explain, TaskHistories, SchedulerApi):
    """One cluster's master. `web` is where its HTTP API is reached; `id_` is its name, unless it is to choose one.

    The `store` keeps what must outlive it, and the `history` what became of tasks; without one that is forgotten.
    `credentials` are the secrets of principals.
    """

    def __init__(
        self,
        flags: MasterFlags,
        web: Address,
        id_: str = "",
        store: Store | None = None,
        credentials: Mapping[str, str] | None = None,
        history: TaskHistory | None = None,
    ) -> None:
        self.flags = flags
        self.credentials = credentials or {}
        self.web = web
        self._id = id_
        self._store = store
        self._history = history

    whitelist: PID | None = None
    """The actor that reads the whitelist, if there is one."""

    def initialize(self) -> None:
        """The first turn: an empty cluster, under a name that no other master has."""
        self.started = self.now
        id_ = self._id or new_id(self.chance)
        self.info = describe(self.flags, self.web, self.pid, id_)
        self.history = self._history or MemoryTaskHistory(self._runtime)
        self.cluster = WatchedCluster(id_, _history(self.flags))
        self.counts = MasterMetrics(self.metrics, self.cluster, lambda: self.now)
        self.metrics.gauge("master/event_queue_messages", lambda: self._runtime.mailbox_depths()[self.pid])
        self.cluster.roles = Roles(self.flags.weights or ())
        self._wishes = deque()
        self.challenges, self.proved = {}, {}
        self.begin_throttling(self.flags.rate_limits)
        self._until_written = {}
        self.early = {}
        self.expected = {}
        self.expected_ids = set()
        self.leaving = set()
        self.ending = {}
        self.returning = {}
        self.overdue = set()
        rate = self.flags.agent_removal_rate_limit
        self.limiter = Limiter(rate.permits, rate.seconds) if rate else Limiter()
        self._start_allocator()
        self._start_registrar()
        self.serve()

    def route(
        self,
        path: str,
        handler: RouteHandler,
        methods: Sequence[str] = ("GET",),
        access: str = "",
        about: About | Callable[[], About] | None = None,
    ) -> None:
        """See Process. Nothing is said of a cluster before it is known what former masters knew of it."""
        if path not in ALWAYS_SERVED:
            handler = partial(self._once_recovered, handler)
        super().route(path, handler, methods, access, about)

    def _once_recovered(self, handler: RouteHandler, request: HttpRequest) -> HttpResponse | None:
        if self.is_recovered:
            return handler(request)
        return HttpResponse.error(503, "503 Service Unavailable. The registry is not recovered yet; ask again.")

    def _start_registrar(self) -> None:
        """Have what former masters knew read; this one listens to nobody before it knows that."""
        store = self._store or MemoryStore(self._runtime)
        fetch_seconds, store_seconds = (
            self.flags.registry_fetch_timeout_seconds,
            self.flags.registry_store_timeout_seconds,
        )
        self.registrar = self.spawn(Registrar(self.pid, self.info, store, fetch_seconds, store_seconds))
        self.link(self.registrar)

    def _start_allocator(self) -> None:
        self.allocator = self.spawn(Allocator(self.pid, self.flags.allocation), "allocator")
        self.link(self.allocator)
        if self.flags.weights:
            weights = tuple(RoleWeight(role, weight) for role, weight in self.flags.weights)
            self.send(self.allocator, SetWeightsMessage(weights))
        if self.flags.whitelist:
            self.whitelist = self.spawn(Whitelist(self.allocator, reader(self.flags.whitelist)), "whitelist")

    def finalize(self) -> None:
        """The last turn: what it spawned ends with it."""
        for agent in self.cluster.agents.values():
            self.terminate(agent.observer)
        self.terminate(self.allocator)
        self.terminate(self.registrar)
        self.terminate(self.files)
        if self.whitelist is not None:
            self.terminate(self.whitelist)

    def exited(self, message: ExitedMessage) -> None:
        """An agent, a scheduler, or the allocator is gone, or the link to it broke."""
        self.peer_exited(message.pid)
        agent = self.cluster.agent_at(message.pid)
        framework = self.cluster.framework_at(message.pid)
        # Whoever proves again who it is, is linked before it is back: such a link may break as well, and means nothing.
        if agent is not None and agent.connected:
            self.agent_exited(agent, message.reason)
        if framework is not None and framework.connected:
            self.scheduler_exited(framework, message.reason)
        if message.pid == self.allocator:
            raise RuntimeError(f"the allocator ended, and without it there is nothing to offer: {message.reason}")
        if message.pid == self.registrar:
            raise RuntimeError(f"the registrar ended, and without it nothing can be written down: {message.reason}")


def describe(flags: MasterFlags, web: Address, pid: PID, id_: str) -> MasterInfo:
    """What a master of these flags says of itself."""
    return MasterInfo(
        id_,
        pid,
        hostname=flags.hostname or web.host,
        ip=pid.host,
        port=web.port,
        version=VERSION,
        domain=flags.domain,
        capabilities=CAPABILITIES,
    )


def new_id(chance: random.Random) -> str:
    """A name that no other master has, in the form that Mesos' users know."""
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _history(flags: MasterFlags) -> History:
    return History(
        frameworks_max=flags.max_completed_frameworks,
        completed_tasks_max=flags.max_completed_tasks_per_framework,
        unreachable_tasks_max=flags.max_unreachable_tasks_per_framework,
    )
