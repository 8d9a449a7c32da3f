"""The allocator, driven by its messages: full cycles, idle ones, single events, quotas; beside a plain loop's time.

All times are those that the thread had the processor: it waits for nothing, and what others do on the machine does not
count.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from libprocess import PID, Message, Process, Runtime, open_node, run
from master.allocator import Allocator, Options
from master.allocator.actor import AllocateMessage
from master.allocator.bundle import Bundle
from master.allocator.cluster import Cluster
from master.allocator.cycle import Cycle
from master.allocator.holding import Grant, Holding
from master.allocator.messages import (
    AddAgentMessage,
    AddFrameworkMessage,
    ChangeAgentMessage,
    OfferResourcesMessage,
    Quota,
    RecoverResourcesMessage,
    SetQuotasMessage,
    SetWhitelistMessage,
)
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.types import AgentInfo, Filters, FrameworkInfo
from tools.bench import measure
from tools.bench.measure import Figure
from tools.options import Parser, count

REPEATS = 5
EVENTS = 200
REFUSALS_MAX = 10_000_000
A_DAY = Filters(86400.0)

AGENT = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]"
SMALL_AGENT = "cpus:2;mem:2048;disk:2048"
SMALL_ROLES, LARGE_ROLES = 2500, 500

# What the figures may be at most, as multiples of the reference.
BARS = {
    "cycle_own_ms": 0.7,
    "cycle_one_ms": 0.5,
    "idle_ms": 0.002,
    "event_ms": 0.0006,
    "churn_ms": 0.06,
    "declined_ms": 0.12,
    "add_framework_ms": 0.002,
    "quota_ms": 1.0,
    "quota_idle_ms": 0.002,
}
RECORD_PERCENT_MAX = 3.0
RECORD_REPEATS = 60
RECORD_PART = 5
"""It is measured on a cluster so many times smaller, often: the difference is small against what else goes on."""
EXPLAINED = {
    "cycle_own_ms": "everything is free, and offered: a role per framework",
    "cycle_one_ms": "everything is free, and offered: one role for all",
    "idle_ms": "nothing has changed",
    "event_ms": "an agent is added, and offered",
    "churn_ms": "a hundredth of the agents grow, and what is new is offered",
    "declined_ms": "all declined everything, and a new framework is offered all",
    "add_framework_ms": "a framework is added where nothing is free",
    "quota_ms": "everything is offered, within the quotas of 3,000 roles",
    "quota_idle_ms": "nothing has changed, within these quotas",
}


class BeginMessage(Message, frozen=True):
    """Bench → its master: send these to the allocator, and say how long it took to do what follows from them."""

    messages: tuple[Message, ...]


class RoundMessage(Message, frozen=True):
    """Bench's master → itself: everything that was in the mailbox before has been handled."""

    left: int


class MeasuredMessage(Message, frozen=True):
    """Bench's master → who asked: so many seconds until the last offers, or until nothing was left to do."""

    seconds: float


class BenchMaster(Process):
    """Sends to the allocator what it is told to, and takes its offers."""

    def __init__(self) -> None:
        self.allocator: PID
        self.offers: list[OfferResourcesMessage] = []
        self._asker: PID
        self._began = self._ended = 0.0

    def begin(self, message: BeginMessage) -> None:
        """See the message."""
        self._asker = self.sender
        self.offers = []
        self._began = time.thread_time()
        for each in message.messages:
            self.send(self.allocator, each)
        self.send(self.pid, RoundMessage(2))

    def round(self, message: RoundMessage) -> None:
        """Two rounds: what was sent is handled in the first; what the allocator sent itself then, in the second."""
        if message.left:
            self.send(self.pid, RoundMessage(message.left - 1))
        else:
            now = time.thread_time()
            self.send(self._asker, MeasuredMessage((self._ended if self.offers else now) - self._began))

    def offer_resources(self, message: OfferResourcesMessage) -> None:
        """Take offers."""
        self._ended = time.thread_time()
        self.offers.append(message)


@dataclass
class Bench:
    """An allocator with agents and frameworks."""

    runtime: Runtime
    master: BenchMaster

    async def do(self, *messages: Message) -> float:
        """Let the allocator handle messages and what follows from them; returns how many milliseconds that took."""
        measured = await self.runtime.ask(self.master.pid, BeginMessage(messages), timeout=600)
        assert isinstance(measured, MeasuredMessage)
        assert not self.runtime.failures, str(self.runtime.failures[0])
        return measured.seconds * 1000

    @property
    def offered(self) -> int:
        """How many lots were offered the last time."""
        return sum(len(allotment.lots) for offers in self.master.offers for allotment in offers.allotments)

    def offered_of(self, name: str) -> int:
        """How many thousandths of a scalar were offered the last time."""
        lots = (lot for offers in self.master.offers for allotment in offers.allotments for lot in allotment.lots)
        return sum(lot.resources.thousandths(name) for lot in lots)

    def returned(self, filters: Filters | None = None) -> list[RecoverResourcesMessage]:
        """The messages that give back what was offered the last time."""
        return [
            RecoverResourcesMessage(allotment.framework_id, allotment.role, allotment.lots, filters)
            for offers in self.master.offers
            for allotment in offers.allotments
        ]

    async def take_all_back(self) -> None:
        """Let all that was offered the last time be free, and hidden."""
        await self.do(SetWhitelistMessage(()), *self.returned())

    async def show(self) -> float:
        """Let all be offered; returns the milliseconds that this took."""
        return await self.do(SetWhitelistMessage(None))


@asynccontextmanager
async def bench(agents: Iterable[Message], frameworks: Iterable[Message]) -> AsyncIterator[Bench]:
    """An allocator for which all agents are hidden yet."""
    async with open_node() as runtime:
        master = BenchMaster()
        runtime.spawn(master)
        master.allocator = runtime.spawn(Allocator(master.pid))
        the_bench = Bench(runtime, master)
        await the_bench.do(SetWhitelistMessage(()), *frameworks, *agents)
        yield the_bench


def agent(number: int, resources: str = AGENT) -> AddAgentMessage:
    """An agent of that number joins."""
    return AddAgentMessage(AgentID(f"agent-{number}"), AgentInfo(f"host-{number}"), Resources.parse(resources))


def framework(number: int, role: str = "") -> AddFrameworkMessage:
    """A framework of that number joins, in its own role unless another is given."""
    return AddFrameworkMessage(
        FrameworkID(f"framework-{number}"), FrameworkInfo("user", "bench", role=role or f"role-{number}")
    )


def silent(number: int) -> AddFrameworkMessage:
    """A framework of that number joins, and wants no offers."""
    joins = framework(number)
    return replace(joins, suppressed_roles=joins.framework.all_roles)


def least(values: Iterable[float]) -> float:
    """The best of repeated measurements: what disturbs them only makes them longer."""
    return min(values)


async def measure_roles(agents: int, frameworks: int, role: str) -> dict[str, float]:
    """Everything that needs no quota, with a role for each framework or one role for all."""
    async with bench(map(agent, range(agents)), [framework(number, role) for number in range(frameworks)]) as it:
        return {
            "cycle": await cycle(it, agents),
            "idle": least([await it.do(AllocateMessage()) for _ in range(EVENTS)]),
            "add_framework": least([await it.do(framework(frameworks + n, role)) for n in range(REPEATS)]),
            "event": await event(it, agents),
            "churn": least([await churn(it, agents, n) for n in range(REPEATS)]),
        }


async def cycle(it: Bench, agents: int) -> float:
    """All agents are free, and offered; in the end they are taken."""
    taken = []
    for _ in range(REPEATS):
        await it.take_all_back()
        taken.append(await it.show())
        assert it.offered == agents, f"{it.offered} of {agents} agents were offered"
    return least(taken)


async def event(it: Bench, agents: int) -> float:
    """The median of many agents that are added, one at a time."""
    taken = []
    for number in range(EVENTS):
        taken.append(await it.do(agent(agents + number)))
        assert it.offered == 1
    return measure.percentile(taken, 0.5)


async def churn(it: Bench, agents: int, n: int) -> float:
    """A hundredth of the agents have more than before: each of them is offered."""
    grown = Resources.parse(f"cpus:{25 + n};mem:{5000 + n};disk:4096;ports:[31000-32000]")
    changed = range(n, agents, 100)
    messages = [
        ChangeAgentMessage(AgentID(f"agent-{number}"), AgentInfo(f"host-{number}"), grown) for number in changed
    ]
    taken = await it.do(*messages)
    assert it.offered == len(changed)
    return taken


class Unrecorded(Cycle):
    """An allocation that leaves nothing for `explain`: all that it hands out looks alike."""

    _alike: Holding | None = None

    def _recorded(self, lot: Bundle, eligible: int) -> Holding:
        if self._alike is None or self._alike.offers[0].bundle is not lot:
            self._alike = Holding((Grant(lot, 0.0),))
        return self._alike


def measure_record(agents: int, frameworks: int) -> dict[str, float]:
    """How much more a cycle takes since it records its decisions, in percent."""
    books = Cluster(Options(), random.Random(0))
    for each in map(framework, range(frameworks)):
        books.clients.add(each.framework_id, each.framework, (), (), True, 0.0)
    for number in range(agents):
        joins = agent(number)
        books.add_agent(joins.agent_id, joins.agent, joins.total)

    ratios = [_taken(books, Cycle) / _taken(books, Unrecorded) for _ in range(RECORD_REPEATS)]
    return {"record_percent": 100 * (measure.percentile(ratios, 0.5) - 1)}


def _taken(books: Cluster, kind: type[Cycle]) -> float:
    """What a cycle takes that offers everything; then all of it is free again."""
    cycle = kind(books, 0.0)
    began = time.thread_time()
    cycle.run(lambda _: books.chance.random())
    taken = time.thread_time() - began
    for client, lots in cycle.lots.items():
        books.recover(client, [(books.agents[lot.agent_id], lot.resources) for lot in lots], None)
    return taken


async def measure_declined(agents: int, frameworks: int) -> dict[str, float]:
    """Each framework is offered everything and declines it; and what the last ones waited for their offers.

    If that would be more refusals than are to be held, the others want no offers.
    """
    before = memory_mb()
    refusers = min(frameworks, REFUSALS_MAX // agents)
    async with bench(map(agent, range(agents)), map(silent, range(refusers + 1, frameworks))) as it:
        await it.show()
        taken = []
        for number in range(refusers + 1):
            taken.append(await it.do(framework(number)))
            assert it.offered == agents
            await it.do(*it.returned(A_DAY))
        return {
            "declined_ms": least(taken[-REPEATS:]),
            "idle": least([await it.do(AllocateMessage()) for _ in range(EVENTS)]),
            "refusals": (len(taken) - 1) * agents,
            "memory_mb": memory_mb() - before,
        }


async def measure_quota() -> dict[str, float]:
    """Small roles with quota for half an agent, large ones with quota for two."""
    roles = SMALL_ROLES + LARGE_ROLES
    small, large = quantities(SMALL_AGENT, 0.5), quantities(SMALL_AGENT, 2)
    quotas = [Quota(f"role-{n}", limit, limit) for n in range(roles) for limit in [small if n < SMALL_ROLES else large]]
    agents = (agent(number, SMALL_AGENT) for number in range(roles))
    async with bench(agents, [SetQuotasMessage(tuple(quotas)), *map(framework, range(roles))]) as it:
        taken = []
        for _ in range(3):
            await it.take_all_back()
            taken.append(await it.show())
            assert it.offered_of("cpus") == sum(dict(quota.limits)["cpus"] for quota in quotas)
        return {
            "quota_ms": least(taken),
            "quota_idle_ms": least([await it.do(AllocateMessage()) for _ in range(EVENTS)]),
        }


def quantities(text: str, times: float) -> tuple[tuple[str, int], ...]:
    """So many times the scalars of a text."""
    return tuple((name, int(amount * times)) for name, amount in Resources.parse(text).quantities().items())


def memory_mb() -> float:
    """What this process has used at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reference_ms() -> float:
    """Adding up 10 million integers in a plain for loop."""
    began = time.thread_time()
    total = 0
    for number in range(10_000_000):
        total += number
    return (time.thread_time() - began) * 1000


async def measured(agents: int, frameworks: int) -> dict[str, float]:
    """All figures, in milliseconds."""
    reference = [reference_ms()]
    own = await measure_roles(agents, frameworks, role="")
    one = await measure_roles(agents, frameworks, role="everybody")
    reference.append(reference_ms())
    quota = await measure_quota()
    declined = await measure_declined(agents, frameworks)
    reference.append(reference_ms())
    record = measure_record(agents // RECORD_PART, frameworks // RECORD_PART)
    both = {f"{name}_ms": max(own[name], one[name]) for name in ("event", "churn", "add_framework")}
    idle = {"idle_ms": max(own["idle"], one["idle"], declined.pop("idle"))}
    cycles = {"cycle_own_ms": own["cycle"], "cycle_one_ms": one["cycle"]}
    return {"reference_ms": least(reference)} | cycles | idle | both | declined | quota | record


def figures(found: dict[str, float]) -> list[Figure]:
    """Each beside its bar; the reference, and what has no bar, as they are."""
    reference = found["reference_ms"]
    shown = [Figure("reference_ms", reference, float("inf"), own="10 million integers added up in a plain loop")]
    for key, factor in BARS.items():
        shown.append(
            Figure(key, found[key], factor * reference, own=EXPLAINED[key], reference=f"{factor:g} of reference")
        )
    own = "what a cycle takes longer since it records why, for `explain`: the median of pairs"
    shown.append(Figure("record_percent", found["record_percent"], RECORD_PERCENT_MAX, own=own))
    for key in ("refusals", "memory_mb"):
        shown.append(
            Figure(key, found[key], float("inf"), own="that were held, and what they and their agents occupied")
        )
    return shown


def main(arguments: list[str]) -> int:
    """Measure, and print figures beside their bars; 1 if a bar is not met."""
    parser = Parser(prog="python -m tools.bench allocator", description=__doc__)
    parser.add_argument("--agents", type=count, default=10_000, help="how many agents (10000)")
    parser.add_argument("--frameworks", type=count, default=1_000, help="how many frameworks (1000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--core", type=int, help="the core to run on (the last one)")
    options = parser.parse_args(arguments)
    measure.pin(options.core)
    return measure.show(figures(run(measured(options.agents, options.frameworks))), options.json)
