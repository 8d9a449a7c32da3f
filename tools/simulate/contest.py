"""Contest: a story of frameworks that want more than there is, while machines crash, links break and masters change.

There are roles with quotas, gluttons in them, a hoarder, a decliner, and one framework that wants little. At every
allocation no quota is exceeded and nothing given twice. And once all is well again, who wants little does not wait for
longer than it takes to take an offer back and for a task to end, limits hold by the master's books, too, what is
guaranteed is there, and no offer stands for longer than it may.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from libprocess.http import HttpRequest, HttpResponse
from libprocess.recording import Sink
from master.allocator.quantities import add, holds
from master.master import MASTER, Master
from master.records import Cluster as Books
from master.records.roles import consumption, counted, lineage
from mesos.ids import OfferID
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.scheduler import Scheduler
from mesos.types import FrameworkInfo
from tools.simulate.audit import Audit, BrokenPromiseError
from tools.simulate.cluster import Cluster
from tools.simulate.sharing import TASK, Decliner, Glutton, Hoarder, Modest, audited

if TYPE_CHECKING:
    from tools.simulate.story import Setting

RESOURCES = Resources.parse("cpus:2;mem:1024;disk:100")
LIMITED, GUARANTEED = 1 / 3, 1 / 2
"""The part of all processors that eng may have at most, and the part that ops must get: more than its share."""

OFFER_TIMEOUT_SECONDS = 5.0
LONGEST_TASK_SECONDS = 8.0
WAIT_SECONDS_MAX = 2 * (OFFER_TIMEOUT_SECONDS + LONGEST_TASK_SECONDS)
"""An offer may have to be taken back, and a task to end, on the way to who wants little; both twice is too long."""

MASTER_FLAGS = {
    "offer_timeout_seconds": OFFER_TIMEOUT_SECONDS,
    "agent_ping_timeout_seconds": 5.0,
    "max_agent_ping_timeouts": 2,
    "agent_reregister_timeout_seconds": 20.0,
}
FAILOVER_SECONDS = 600.0
"""Nobody is given up for having been cut off."""

SHORT_SECONDS_MAX = 3.0
"""What is guaranteed is kept free; for so long it may be on its way to who wants it."""

BETWEEN_SECONDS = 20.0
"""On average, from one trouble to the next."""

MENDING_SECONDS = 120.0
"""So long it may take after all troubles until everybody is back, and what was in the way of all is over."""

CALM_SECONDS = 120.0
"""For so long all goes well in the end."""

MASTER_HOSTS = ("master-1", "master-2")


class Contest:
    """One seed's cluster."""

    def __init__(self, seed: int, setting: Setting, recording: Sink | None = None) -> None:
        self.cluster = Cluster(seed, setting.agents, RESOURCES, MASTER_FLAGS, is_watched=bool(seed % 2))
        if recording is not None:
            self.cluster.record(recording)
        audit = Audit(self.cluster)
        for agent in self.cluster.agents:
            audit.watch(self.cluster.containers[agent.pid.host], agent)
        self.gluttons: list[Glutton] = []
        self.modest = Modest(TASK, lambda: self.cluster.elapsed)
        cpus = RESOURCES.scalar("cpus") * setting.agents
        self._limit = Resources.of(cpus=cpus * LIMITED)
        self._guarantee = Resources.of(cpus=cpus * GUARANTEED)
        self._setting = setting
        self._is_over = False
        self._short_since: float | None = None
        """Since when ops has less than is guaranteed."""
        self._offers: dict[OfferID, float] = {}
        """Those that stand, and when they were seen first."""

    @property
    def tasks(self) -> int:
        """How many were launched, about."""
        return sum(glutton.launched for glutton in self.gluttons) + len(self.modest.waits)

    def play(self) -> None:
        """Let it happen. BrokenPromiseError as soon as something happens that must not."""
        with audited({"eng": self._limit.quantities()}):
            self.begin()
            self._strike_later()
            self.cluster.advance(self._setting.seconds)
            self._is_over = True
            self._heal()
            self.cluster.advance(MENDING_SECONDS)
            self._check_calm()

    def begin(self) -> None:
        """A cluster in which all want something."""
        self.cluster.elect()
        self.cluster.advance(5)
        self._set_quota("eng", limit=self._limit)
        self._set_quota("ops", guarantee=self._guarantee)
        for role in ("eng/web", "eng/db", "other", "ops"):
            self.gluttons.append(Glutton(role.replace("/", "-"), self.cluster.chance))
            self.run(self.gluttons[-1], role)
        self.run(Hoarder(), "hoarders")
        self.run(Decliner(), "decliners")
        self.run(self.modest, "modest")

    def run(self, scheduler: Scheduler, role: str) -> None:
        """Start a scheduler for a role."""
        info = FrameworkInfo("someone", role, role=role, failover_timeout_seconds=FAILOVER_SECONDS)
        self.cluster.run(scheduler, info)

    def _set_quota(self, role: str, **amounts: Resources) -> None:
        lists = {name: resources_to_json(resources) for name, resources in amounts.items()}
        body = json.dumps({"role": role, **lists})
        answers: list[HttpResponse] = []
        node = self.cluster.node_of(self.cluster.master)
        node.routes.root = MASTER
        node.routes.request(HttpRequest("POST", "/quota", body=body.encode()), answers.append)
        self.cluster.settle()
        assert answers[0].status == 200, answers[0].body

    # Troubles.

    def _strike_later(self) -> None:
        chance = self.cluster.chance
        strike = chance.choice((self._crash_agent, self._cut, self._crash_master, self._depose_master))
        self._later(chance.expovariate(1 / BETWEEN_SECONDS), lambda: self._is_over or strike())

    def _later(self, seconds: float, callback: object) -> None:
        self.cluster.timeline.at(self.cluster.elapsed + seconds, callback)  # type: ignore[arg-type]

    def _crash_agent(self) -> None:
        if self.cluster.agents:
            agent = self.cluster.chance.choice(self.cluster.agents)
            self.cluster.crash(self.cluster.node_of(agent))
            self._later(self.cluster.chance.uniform(1, 30), partial(self._restart_agent, agent.pid.host))
        self._strike_later()

    def _restart_agent(self, host: str) -> None:
        if all(agent.pid.host != host for agent in self.cluster.agents):
            self.cluster.add_agent(host, RESOURCES)

    def _cut(self) -> None:
        nodes = list(self.cluster.nodes)
        if len(nodes) > 1:
            self.cluster.cut(*self.cluster.chance.sample(nodes, 2))
        self._later(self.cluster.chance.uniform(1, 30), self.cluster.mend)
        self._strike_later()

    def _crash_master(self) -> None:
        """The master ends; another one is elected some seconds later."""
        for master in self.cluster.masters:
            self._end(master)
        self._later(self.cluster.chance.uniform(0.2, 10), self._lead)
        self._strike_later()

    def _depose_master(self) -> None:
        """Another one is elected while the master lives, and does not know."""
        if len(self.cluster.masters) == 1:
            self._later(self.cluster.chance.uniform(0, 10), partial(self._end, self.cluster.masters[0]))
            self._elect_another()
        self._strike_later()

    def _end(self, master: Master) -> None:
        if master in self.cluster.masters:
            self.cluster.crash(self.cluster.node_of(master))

    def _lead(self) -> None:
        """Somebody leads who lives."""
        leader = self.cluster.leader
        if leader is None or all(master.pid != leader.pid for master in self.cluster.masters):
            self._elect_another()

    def _elect_another(self) -> None:
        taken = [master.pid.host for master in self.cluster.masters]
        host = next(host for host in MASTER_HOSTS if host not in taken)
        self.cluster.elect(self.cluster.add_master(host))

    def _heal(self) -> None:
        self.cluster.heal()
        self._lead()
        for master in self.cluster.masters[:-1]:
            self._end(master)
        for host in self.cluster.containers:
            self._restart_agent(host)

    # What must be true in the end.

    def _check_calm(self) -> None:
        begun, before = self.cluster.elapsed, len(self.modest.waits)
        while self.cluster.elapsed < begun + CALM_SECONDS:
            self.cluster.advance(1.0)
            self._check_quotas(self.cluster.masters[-1].cluster)
            self._check_offers()
            longest = max([*self.modest.waits[before + 1 :], min(self.modest.waits_for, self.cluster.elapsed - begun)])
            if longest > WAIT_SECONDS_MAX:
                raise BrokenPromiseError(f"who wants little waited for {longest:.0f} s beside those who want all")
        had = len(self.modest.waits) - before
        if had < CALM_SECONDS / WAIT_SECONDS_MAX:
            raise BrokenPromiseError(f"who wants little got only {had} offers in {CALM_SECONDS:g} s")

    def _check_quotas(self, books: Books) -> None:
        """By what the master knows of tasks and offers: the allocator has books of its own."""
        held = consumption(books.agents.values(), books.frameworks.values())
        for offer in books.offers.values():
            for role in lineage(offer.role):
                add(held[role], counted(offer.resources).quantities().items())
        for name, limit in self._limit.quantities().items():
            if held["eng"].get(name, 0) > limit:
                raise BrokenPromiseError(f"eng has {held['eng'][name]} of {name}, by the master; its limit is {limit}")
        is_short = not holds(held["ops"], self._guarantee.quantities().items())
        self._short_since = (self._short_since or self.cluster.elapsed) if is_short else None
        if self._short_since is not None and self.cluster.elapsed - self._short_since > SHORT_SECONDS_MAX:
            raise BrokenPromiseError(f"ops has {dict(held['ops'])}, and {self._guarantee} is guaranteed")

    def _check_offers(self) -> None:
        """No offer stands for longer than it may."""
        now = self.cluster.elapsed
        self._offers = {id: self._offers.get(id, now) for id in self.cluster.masters[-1].cluster.offers}
        oldest = now - min(self._offers.values(), default=now)
        if oldest > OFFER_TIMEOUT_SECONDS + 1.0:
            raise BrokenPromiseError(f"an offer stands for {oldest:.0f} s, and is to be taken back sooner")
