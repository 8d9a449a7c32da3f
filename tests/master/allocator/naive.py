"""The allocation algorithm as one would write it down: slow, without memory of earlier runs, and nothing in common with
the allocator but the Resources algebra. What it hands out, and in which order, is what the allocator must hand out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from mesos.resources import Kind, Resource, Resources
from mesos.types import AgentInfo, FrameworkCapability

Client = tuple[str, str]
Grant = tuple[str, str, str, str]
"""Framework, role, agent, resources as text."""

MINIMA = ({"cpus": 10}, {"mem": 32000})


@dataclass
class NaiveAgent:
    info: AgentInfo
    total: Resources
    active: bool = True
    held: dict[Client, list[Resources]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[Client, list[tuple[float, Resources]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def free(self) -> Resources:
        held = Resources.sum(lot for lots in self.held.values() for lot in lots)
        left = {}
        for kind, amount in self.total.items:
            taken = dict(held.items).get(kind)
            if taken is not None and not kind.shared:
                amount = max(0, amount - taken) if isinstance(amount, int) else amount - taken
            left[kind] = amount
        return Resources(tuple(left.items()))


@dataclass
class NaiveFramework:
    roles: set[str]
    capabilities: set[FrameworkCapability]
    active: bool = True
    suppressed: set[str] = field(default_factory=set)


@dataclass
class NaiveQuota:
    guarantees: dict[str, int]
    limits: dict[str, int]


class Naive:
    """A whole cluster; `allocate` looks at every agent for every framework, every time."""

    def __init__(self) -> None:
        self.agents: dict[str, NaiveAgent] = {}
        self.frameworks: dict[str, NaiveFramework] = {}
        self.quotas: dict[str, NaiveQuota] = {}
        self.weights: dict[str, float] = {}
        self.whitelist: set[str] | None = None
        self.times: Counter[tuple[str, ...]] = Counter()
        """How often something was handed out: to a client, to a role's own clients, to a role and all below."""

    # Who is there.

    def clients(self) -> set[Client]:
        """Those who have the role, or hold something in it."""
        found = {(id, role) for id, framework in self.frameworks.items() for role in framework.roles}
        return found | {client for agent in self.agents.values() for client, lots in agent.held.items() if lots}

    def wanting(self) -> set[Client]:
        return {
            (id, role)
            for id, framework in self.frameworks.items()
            if framework.active
            for role in framework.roles - framework.suppressed
        }

    def forget_times(self) -> None:
        """Who is gone for good begins anew if it comes back."""
        clients = self.clients()
        present = {("client", *client) for client in clients} | {("own", role) for _, role in clients}
        present |= {("role", path) for _, role in clients for path in paths(role)}
        self.times = Counter({key: count for key, count in self.times.items() if key in present})

    # In which order.

    def totals(self) -> dict[str, int]:
        return sum((Counter(agent.total.quantities()) for agent in self.agents.values()), Counter())

    def share(self, clients: set[Client], weight: float) -> Fraction:
        totals = self.totals()
        held: Counter[str] = Counter()
        for agent in self.agents.values():
            lots = Resources.sum(lot for client in clients for lot in agent.held.get(client, ()))
            held.update(lots.quantities())
        shares = [Fraction(held[name], total) for name, total in totals.items() if total]
        return max(shares, default=Fraction()) / Fraction(weight)

    def in_order(self) -> list[Client]:
        everybody = self.clients()
        return [client for client in self._walk("", everybody) if client in self.wanting()]

    def _walk(self, parent: str, everybody: set[Client]) -> Iterator[Client]:
        places = []
        for path in {path for _, role in everybody for path in paths(role) if above(path) == parent}:
            below = {client for client in everybody if path in paths(client[1])}
            share = self.share(below, self.weights.get(path, 1.0))
            places.append((share, self.times["role", path], path, False))
        if own := {client for client in everybody if client[1] == parent}:
            places.append((self.share(own, 1.0), self.times["own", parent], parent + "/.", True))
        for _, _, path, is_own in sorted(places):
            if is_own:
                yield from sorted(
                    own, key=lambda client: (self.share({client}, 1), self.times["client", *client], client[0])
                )
            else:
                yield from self._walk(path, everybody)

    # What quotas allow.

    def consumed(self, top: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for agent in self.agents.values():
            total.update(agent.total.filter(lambda kind: kind.role.split("/")[0] == top).quantities())
            for (_, role), lots in agent.held.items():
                if role.split("/")[0] == top:
                    total.update(Resources.sum(lots).filter(counted).quantities())
        return total

    def due(self, top: str) -> dict[str, int]:
        if top not in self.quotas:
            return {}
        consumed = self.consumed(top)
        left = {name: amount - consumed[name] for name, amount in self.quotas[top].guarantees.items()}
        return {name: amount for name, amount in left.items() if amount > 0}

    def room(self, top: str) -> dict[str, int]:
        if top not in self.quotas:
            return {}
        consumed = self.consumed(top)
        return {name: max(0, amount - consumed[name]) for name, amount in self.quotas[top].limits.items()}

    def surplus(self) -> dict[str, int]:
        required = sum((Counter(self.due(top)) for top in self.quotas), Counter())
        available = Counter()
        for agent in self.agents.values():
            available.update(agent.free.filter(counted).quantities())
        return {name: max(0, available[name] - required[name]) for name in self.totals()}

    # The run.

    def allocate(self, now: float, rank: Callable[[str], float]) -> list[Grant]:
        self.forget_times()
        grants: list[Grant] = []
        shared: set[str] = set()
        ids = [id for id, agent in self.agents.items() if agent.active and self.lists(agent)]
        for stage in (self.guaranteed, self.fair):
            for id in sorted(ids, key=rank):
                for client in self.in_order():
                    part = self.part(self.agents[id], client, id in shared)
                    lot = stage(client, part)
                    if lot is None or not enough(lot) or self.refuses(self.agents[id], client, lot, now):
                        continue
                    self.agents[id].held[client].append(lot)
                    self.count(client)
                    grants.append((*client, id, str(lot)))
                    if any(kind.shared for kind, _ in lot.items):
                        shared.add(id)
        return grants

    def lists(self, agent: NaiveAgent) -> bool:
        return self.whitelist is None or agent.info.hostname in self.whitelist

    def refuses(self, agent: NaiveAgent, client: Client, lot: Resources, now: float) -> bool:
        return any(until > now and refused.contains(lot) for until, refused in agent.refused[client])

    def count(self, client: Client) -> None:
        self.times["client", *client] += 1
        self.times["own", client[1]] += 1
        for path in paths(client[1]):
            self.times["role", path] += 1

    def part(self, agent: NaiveAgent, client: Client, shared_is_gone: bool) -> Resources:
        """What of the free resources it may have by what they are."""
        framework, role = self.frameworks[client[0]], client[1]
        can = framework.capabilities
        if agent.total.quantities().get("gpus") and FrameworkCapability.GPU_RESOURCES not in can:
            return Resources()

        def may_have(kind: Kind) -> bool:
            if kind.reservations and kind.role not in paths(role):
                return False
            if len(kind.reservations) > 1 and FrameworkCapability.RESERVATION_REFINEMENT not in can:
                return False
            if kind.revocable and FrameworkCapability.REVOCABLE_RESOURCES not in can:
                return False
            return not kind.shared or (FrameworkCapability.SHARED_RESOURCES in can and not shared_is_gone)

        return agent.free.filter(may_have)

    def guaranteed(self, client: Client, part: Resources) -> Resources | None:
        """What is due to its role, with what may come beside."""
        top = client[1].split("/")[0]
        due = self.due(top)
        core = cut(part.filter(counted), due | {name: 0 for name in self.totals() if name not in due})
        got = core.quantities()
        if not due or not got or not enough(part):
            return None
        caps = self.surplus()
        for name, amount in self.room(top).items():
            caps[name] = min(caps.get(name, 0), amount - got.get(name, 0))
        return core + cut(part - core, caps)

    def fair(self, client: Client, part: Resources) -> Resources:
        """What nobody else is guaranteed, and its own role's limits allow."""
        if not self.quotas:
            return part
        caps = self.surplus()
        for name, amount in self.room(client[1].split("/")[0]).items():
            caps[name] = min(caps.get(name, 0), amount)
        return cut(part, caps)


def paths(role: str) -> list[str]:
    """A role and those above it: eng, eng/backend."""
    parts = role.split("/")
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]


def above(role: str) -> str:
    return role.rpartition("/")[0]


def counted(kind: Kind) -> bool:
    return not (kind.reservations or kind.revocable or kind.shared)


def enough(lot: Resources) -> bool:
    have = lot.quantities()
    return any(all(have.get(name, 0) >= least for name, least in minimum.items()) for minimum in MINIMA)


def cut(resources: Resources, caps: dict[str, int]) -> Resources:
    """No more of the counted scalars than that; what cannot be cut stays out unless it fits."""
    left = dict(caps)
    kept = Resources()
    for resource in resources:
        kind, amount = resource.kind, resource.amount
        if isinstance(amount, int) and counted(kind) and kind.name in left:
            fits = min(amount, left[kind.name] // (kind.size or 1))
            left[kind.name] -= fits * (kind.size or 1)
            resource = Resource(kind, fits)
        if resource.amount:
            kept += Resources.of(resource)
    return kept
