"""Many want more than there is: no quota is exceeded, nothing is given twice, and nobody starves."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from libprocess import Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.testing import check_failures
from master.allocator.quota import Allowance
from master.master import MASTER
from mesos.conversions import is_volume
from mesos.resources import Resources
from mesos.resources.jsonform import resources_to_json
from mesos.scheduler import Scheduler
from mesos.types import FrameworkInfo
from tools.simulate.cluster import Cluster
from tools.simulate.playing import play
from tools.simulate.sharing import Glutton, Shares, audited
from tools.simulate.story import Setting

RESOURCES = Resources.parse("cpus:2;mem:1024;disk:100")
AGENTS = 6
OFFER_TIMEOUT_SECONDS = 5.0
MASTER_FLAGS = {"offer_timeout_seconds": OFFER_TIMEOUT_SECONDS, "agent_reregister_timeout_seconds": 20.0}

SEEDS = range(2)
TROUBLES = 5


@pytest.fixture
def shares() -> Iterator[Shares]:
    """What an audit of every allocation saw."""
    with audited() as shares:
        yield shares


def start(seed: int) -> Cluster:
    """A cluster with quotas: eng has at most 4 of 12 cpus, ops is guaranteed 2."""
    cluster = Cluster(seed, AGENTS, RESOURCES, MASTER_FLAGS)
    cluster.elect()
    cluster.advance(5)
    set_quota(cluster, "eng", limit="cpus:4")
    set_quota(cluster, "ops", guarantee="cpus:2")
    run(cluster, Glutton("web", cluster.chance), "eng/web")
    run(cluster, Glutton("db", cluster.chance), "eng/db")
    run(cluster, Glutton("any", cluster.chance), "other")
    run(cluster, Glutton("ops", cluster.chance), "ops")
    return cluster


def set_quota(cluster: Cluster, role: str, **amounts: str) -> None:
    lists = {name: resources_to_json(Resources.parse(text)) for name, text in amounts.items()}
    body = json.dumps({"role": role, **lists})
    answers: list[HttpResponse] = []
    node = cluster.node_of(cluster.master)
    node.routes.root = MASTER
    node.routes.request(HttpRequest("POST", "/quota", body=body.encode()), answers.append)
    cluster.settle()
    assert answers[0].status == 200, answers[0].body


def run(cluster: Cluster, scheduler: Scheduler, role: str) -> None:
    cluster.run(scheduler, FrameworkInfo("someone", role, role=role, failover_timeout_seconds=60.0))


def trouble(cluster: Cluster) -> None:
    """A machine crashes, or links break; some seconds later all is well again."""
    if cluster.chance.random() < 0.5:
        agent = cluster.chance.choice(cluster.agents)
        host = agent.pid.host
        cluster.crash(cluster.node_of(agent))
        cluster.advance(cluster.chance.uniform(1, 30))
        cluster.add_agent(host, RESOURCES)
    else:
        cluster.cut(*cluster.chance.sample(list(cluster.nodes), 2))
        cluster.advance(cluster.chance.uniform(1, 30))
        cluster.mend()
    cluster.advance(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_quota_is_exceeded_nothing_given_twice_and_nobody_starves_whatever_breaks(seed: int):
    """Masters crash and are deposed, too: one seed where all learn of elections, one where they have to look."""
    outcome = play(seed, Setting(agents=AGENTS, seconds=100.0, story="contest"))

    assert outcome.broken == ""
    assert outcome.tasks > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_when_all_is_well_again_master_and_agents_have_the_same_reservations_and_volumes(seed: int):
    cluster = start(seed)
    for _ in range(TROUBLES):
        trouble(cluster)
    cluster.heal()
    cluster.run_until(lambda: len(cluster.master.cluster.agents) == AGENTS, limit_seconds=120)
    cluster.partition([cluster.node_of(cluster.master)], schedulers(cluster))
    cluster.advance(30)

    made = 0
    for agent in cluster.agents:
        known = cluster.master.cluster.agents[agent.id]
        assert known.total == agent.lasting.total
        assert not known.operations
        assert not agent.lasting.operations
        volumes = [kind for kind, _ in agent.lasting.total.items if is_volume(kind)]
        assert len(cluster.volumes[agent.pid.host].contents) == len(volumes)
        made += len(agent.lasting.resources)
    assert made


def schedulers(cluster: Cluster) -> list[Runtime]:
    return [node for address, node in cluster.nodes.items() if address.host.startswith("scheduler")]


def test_a_limit_is_used_up_and_no_more(shares: Shares):
    cluster = start(0)
    cluster.advance(60)

    check_failures(cluster)
    assert shares.allocations > 50
    assert shares.peaks["eng"]["cpus"] == 4000


def test_the_audit_notices_a_quota_that_does_not_hold(monkeypatch: pytest.MonkeyPatch, shares: Shares):
    monkeypatch.setattr(Allowance, "room", lambda self: {})
    monkeypatch.setattr(Allowance, "is_spent", property(lambda self: False, lambda self, value: None))
    cluster = start(0)
    cluster.advance(60)

    assert any("its limit is 4000" in str(failure) for failure in cluster.failures)
