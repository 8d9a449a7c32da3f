"""The allocator against the naive algorithm: whatever happens, both hand out the same, in the same order."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from master.allocator.cluster import Cluster
from master.allocator.cycle import allocate
from master.allocator.explain import explain
from master.allocator.messages import Why
from master.allocator.options import Options
from master.allocator.quota import Allowance
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Kind, Reservation, Resource, Resources
from mesos.resources.kind import DiskInfo, DiskSource, DiskSourceType
from mesos.types import AgentInfo, Attribute, FrameworkCapability, FrameworkInfo
from tests.master.allocator.naive import Naive, NaiveAgent, NaiveFramework, NaiveQuota

AGENTS = [f"agent{n}" for n in range(4)]
FRAMEWORKS = [f"framework{n}" for n in range(4)]
ROLES = ["*", "eng", "eng/backend", "eng/backend/search", "eng/web", "ops", "ads"]
TOP_LEVEL = ["eng", "ops", "ads"]
ABILITIES = [
    FrameworkCapability.GPU_RESOURCES,
    FrameworkCapability.REVOCABLE_RESOURCES,
    FrameworkCapability.RESERVATION_REFINEMENT,
    FrameworkCapability.SHARED_RESOURCES,
]


def mount(number: int) -> Kind:
    return Kind("disk", disk=DiskInfo(DiskSource(DiskSourceType.MOUNT, f"/mnt/{number}")))


VOLUME = Kind("disk", reservations=(Reservation("eng"),), disk=DiskInfo(persistence_id="v1"), shared=True)

extras = st.lists(
    st.one_of(
        st.sampled_from(ROLES[1:]).flatmap(
            lambda role: st.sampled_from(
                [
                    Resource.of(Kind("cpus", reservations=(Reservation(role),)), 1),
                    Resource.of(Kind("mem", reservations=(Reservation(role),)), 128),
                    Resource.of(Kind("cpus", reservations=(Reservation("eng"), Reservation("eng/web"))), 2),
                ]
            )
        ),
        st.sampled_from(
            [
                Resource.of(Kind("cpus", revocable=True), 2),
                Resource.of(mount(1), 100),
                Resource.of(mount(2), 50),
                Resource.of("gpus", 1),
                Resource.of(VOLUME, 10),
                *Resources.parse("ports:[31000-31005]"),
            ]
        ),
    ),
    max_size=3,
    unique_by=lambda resource: resource.kind,
)
resources = st.builds(
    lambda cpus, mem, more: Resources.of(*more, cpus=cpus, mem=mem),
    st.sampled_from([0.5, 1, 2, 4]),
    st.sampled_from([0, 16, 64, 128, 256]),
    extras,
)
roles = st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True)
abilities = st.sets(st.sampled_from(ABILITIES))
amounts = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"cpus": st.integers(0, 4)}),
    st.fixed_dictionaries({"cpus": st.integers(0, 4), "mem": st.sampled_from([0, 16, 100, 300])}),
    st.fixed_dictionaries({"disk": st.sampled_from([60, 120])}),
)


def info(roles: list[str], abilities: set[FrameworkCapability]) -> FrameworkInfo:
    return FrameworkInfo(
        "user", "name", roles=tuple(roles), capabilities=(*sorted(abilities), FrameworkCapability.MULTI_ROLE)
    )


class Both(RuleBasedStateMachine):
    """Does the same to a cluster of each kind. Agents come in an order that is drawn from a seed, the same for both."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.cluster = Cluster(Options(), random.Random(0))
        self.naive = Naive()

    @initialize(
        totals=st.lists(resources, min_size=2, max_size=len(AGENTS)),
        wishes=st.lists(st.tuples(roles, abilities), min_size=2, max_size=len(FRAMEWORKS)),
        quotas=st.lists(st.tuples(st.sampled_from(TOP_LEVEL), amounts, amounts), max_size=2),
    )
    def begin(
        self, totals: list[Resources], wishes: list[tuple[list[str], set[Any]]], quotas: list[tuple[str, Any, Any]]
    ) -> None:
        for quota in quotas:
            self.set_quota(*quota)
        for id, total in zip(AGENTS, totals, strict=False):
            self.add_agent(id, total)
        for id, (roles, abilities) in zip(FRAMEWORKS, wishes, strict=False):
            self.add_framework(id, roles, abilities, set())

    # Agents.

    @rule(id=st.sampled_from(AGENTS), total=resources)
    def add_agent(self, id: str, total: Resources) -> None:
        self.cluster.add_agent(AgentID(id), AgentInfo(id), total)
        before = self.naive.agents.pop(id, None)
        self.naive.agents[id] = agent = NaiveAgent(AgentInfo(id), total)
        if before is not None and before.info.attributes == agent.info.attributes:
            agent.refused = before.refused
        self.naive.forget_times()

    @rule(id=st.sampled_from(AGENTS), total=resources, rack=st.sampled_from("ab"))
    def change_agent(self, id: str, total: Resources, rack: str) -> None:
        about = AgentInfo(id, attributes=(Attribute("rack", rack),))
        self.cluster.change_agent(AgentID(id), about, total)
        if agent := self.naive.agents.get(id):
            if agent.info.attributes != about.attributes:
                agent.refused.clear()
            agent.info, agent.total = about, total

    @rule(id=st.sampled_from(AGENTS))
    def remove_agent(self, id: str) -> None:
        self.cluster.remove_agent(AgentID(id))
        self.naive.agents.pop(id, None)
        self.naive.forget_times()

    @rule(id=st.sampled_from(AGENTS), active=st.booleans())
    def set_agent_active(self, id: str, active: bool) -> None:
        self.cluster.set_agent_active(AgentID(id), active)
        if id in self.naive.agents:
            self.naive.agents[id].active = active

    @rule(hostnames=st.one_of(st.none(), st.none(), st.sets(st.sampled_from(AGENTS))))
    def set_whitelist(self, hostnames: set[str] | None) -> None:
        self.cluster.set_whitelist(hostnames)
        self.naive.whitelist = hostnames

    # Frameworks.

    @rule(
        id=st.sampled_from(FRAMEWORKS),
        roles=roles,
        abilities=abilities,
        suppressed=st.sets(st.sampled_from(ROLES), max_size=1),
    )
    def add_framework(self, id: str, roles: list[str], abilities: set[Any], suppressed: set[str]) -> None:
        self.cluster.clients.add(
            FrameworkID(id), info(roles, abilities), suppressed=suppressed, constraints=(), is_active=True, now=self.now
        )
        before = self.naive.frameworks.get(id)
        for agent in self.naive.agents.values():
            for role in (before.roles - set(roles)) | (before.suppressed - suppressed) if before else ():
                agent.refused.pop((id, role), None)
        self.naive.frameworks[id] = NaiveFramework(set(roles), abilities, True, suppressed & set(roles))
        self.naive.forget_times()

    @rule(id=st.sampled_from(FRAMEWORKS))
    def remove_framework(self, id: str) -> None:
        self.cluster.remove_framework(FrameworkID(id))
        self.naive.frameworks.pop(id, None)
        for agent in self.naive.agents.values():
            for client in [*agent.held, *agent.refused]:
                if client[0] == id:
                    agent.held.pop(client, None)
                    agent.refused.pop(client, None)
        self.naive.forget_times()

    @rule(id=st.sampled_from(FRAMEWORKS), active=st.booleans())
    def set_framework_active(self, id: str, active: bool) -> None:
        self.cluster.clients.set_active(FrameworkID(id), active)
        if framework := self.naive.frameworks.get(id):
            framework.active = active
            if not active:
                self._forget(id, ROLES)

    @rule(id=st.sampled_from(FRAMEWORKS), roles=st.lists(st.sampled_from(ROLES), max_size=2))
    def suppress(self, id: str, roles: list[str]) -> None:
        self.cluster.clients.suppress(FrameworkID(id), roles)
        if framework := self.naive.frameworks.get(id):
            framework.suppressed |= framework.roles & set(roles or ROLES)

    @rule(id=st.sampled_from(FRAMEWORKS), roles=st.lists(st.sampled_from(ROLES), max_size=2))
    def revive(self, id: str, roles: list[str]) -> None:
        self.cluster.clients.revive(FrameworkID(id), roles)
        if framework := self.naive.frameworks.get(id):
            framework.suppressed -= set(roles or ROLES)
            self._forget(id, roles or ROLES)

    def _forget(self, id: str, roles: list[str]) -> None:
        for agent in self.naive.agents.values():
            for role in roles:
                agent.refused.pop((id, role), None)

    # Resources.

    @precondition(lambda self: any(lots for agent in self.naive.agents.values() for lots in agent.held.values()))
    @rule(data=st.data(), seconds=st.one_of(st.none(), st.sampled_from([1.0, 3.0, 1000.0])), part=st.booleans())
    def give_back(self, data: st.DataObject, seconds: float | None, part: bool) -> None:
        found = [
            (id, client, lot)
            for id, agent in sorted(self.naive.agents.items())
            for client in sorted(agent.held)
            for lot in agent.held[client]
        ]
        for id, client, lot in data.draw(st.lists(st.sampled_from(found), min_size=1, unique=True)):
            if part and lot.contains(Resources.of(cpus=0.5)):
                self._recover(id, client, lot, Resources.of(cpus=0.5), seconds)
            else:
                self._recover(id, client, lot, lot, seconds)

    def _recover(
        self, id: str, client: tuple[str, str], lot: Resources, given: Resources, seconds: float | None
    ) -> None:
        agent = self.naive.agents[id]
        if lot not in agent.held[client]:
            return
        until = None if seconds is None else self.now + seconds
        known = self.cluster.clients.find(FrameworkID(client[0]), client[1])
        assert known is not None
        self.cluster.recover(known, [(self.cluster.agents[AgentID(id)], given)], until)
        agent.held[client].remove(lot)
        agent.held[client] += [lot - given] if lot - given else []
        framework = self.naive.frameworks[client[0]]
        if until is not None and client[1] in framework.roles and framework.active:
            agent.refused[client].append((until, given))
        self.naive.forget_times()

    @precondition(lambda self: self.naive.agents and self.naive.frameworks)
    @rule(data=st.data())
    def bring(self, data: st.DataObject) -> None:
        """Tasks of a framework come with an agent, and use something there."""
        id = data.draw(st.sampled_from(sorted(self.naive.agents)))
        framework = data.draw(st.sampled_from(sorted(self.naive.frameworks)))
        role = data.draw(st.sampled_from(ROLES))
        used = Resources.of(cpus=0.5)
        if not self.naive.agents[id].free.contains(used):
            return
        client = self.cluster.clients.get(FrameworkID(framework), role, self.now)
        self.cluster.bring(self.cluster.agents[AgentID(id)], client, used)
        self.naive.agents[id].held[framework, role].append(used)
        self.naive.count((framework, role))

    @rule(seconds=st.sampled_from([1.0, 2.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.cluster.end_refusals(self.now)

    # Roles.

    @rule(role=st.sampled_from(TOP_LEVEL), guarantees=amounts, limits=amounts)
    def set_quota(self, role: str, guarantees: dict[str, int], limits: dict[str, int]) -> None:
        guarantees = {name: amount * 1000 for name, amount in guarantees.items() if amount}
        limits = {name: max(amount * 1000, guarantees.get(name, 0)) for name, amount in limits.items()}
        self.cluster.set_quotas([Allowance(role, guarantees.items(), limits.items())])
        self.naive.quotas.pop(role, None)
        if guarantees or limits:
            self.naive.quotas[role] = NaiveQuota(guarantees, limits)

    @rule(role=st.sampled_from(ROLES), weight=st.sampled_from([0.5, 1.0, 2.0, 3.0]))
    def weigh(self, role: str, weight: float) -> None:
        self.cluster.tree.weigh(role, weight)
        self.naive.weights[role] = weight

    # Allocating.

    @rule(seed=st.integers(0, 3))
    def allocate(self, seed: int) -> None:
        def rank(id: str) -> float:
            return int.from_bytes(sha256(f"{seed} {id}".encode()).digest()[:6])

        lots = allocate(self.cluster, self.now, lambda agent: rank(agent.id))
        handed_out = {
            (client.framework.id, client.role): [(lot.agent_id, str(lot.resources)) for lot in each]
            for client, each in lots.items()
        }
        expected: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for framework_id, role, agent_id, resources in self.naive.allocate(self.now, rank):
            expected.setdefault((framework_id, role), []).append((agent_id, resources))
        assert list(handed_out) == list(expected)
        for client, each in expected.items():
            if len(expected) == 1:  # the order of agents decides nothing, and may be any
                assert sorted(handed_out[client]) == sorted(each)
            else:
                assert handed_out[client] == each
        self._check_reasons()

    def _check_reasons(self) -> None:
        """Whoever might get something got it: to say that nothing is in the way would be no explanation."""
        for client in self.cluster.clients:
            for agent in self.cluster.agents.values():
                reasons = explain(self.cluster, client.framework.id, client.role, agent.id)
                if not any(kind.shared for kind, _ in agent.free.resources.items):  # that is offered again next time
                    assert reasons[0].why is not Why.NOTHING, reasons

    @rule(seed=st.integers(0, 3), seconds=st.sampled_from([1.0, 2.0, 3.0, 1000.0]))
    def decline_all(self, seed: int, seconds: float) -> None:
        """All decline what they have; some of it comes again at once to others, some in a while."""
        self.allocate(seed)
        for id, agent in sorted(self.naive.agents.items()):
            for client, lots in sorted(agent.held.items()):
                for lot in list(lots):
                    self._recover(id, client, lot, lot, seconds)
        self.allocate(seed)
        self.wait(min(seconds, 3.0))
        self.allocate(seed)

    @invariant()
    def the_books_agree(self) -> None:
        assert {id: agent.free.resources for id, agent in self.cluster.agents.items()} == {
            id: agent.free for id, agent in self.naive.agents.items()
        }


TestBoth = Both.TestCase
TestBoth.settings = settings(max_examples=300, stateful_step_count=30)
