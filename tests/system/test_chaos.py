"""One cluster, and one fault after the other: processes that die or hang, networks that are cut. No task notices."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.chaos.cluster import AGENT_NAMES, MACHINES, SILENCE, SILENCE_SECONDS, ZOOKEEPER_NAMES, Cluster, table
from tests.system.machines import HERE, Network
from tests.system.zookeeper import ZooKeeper

FAILED = 1
SILENT_SECONDS = SILENCE_SECONDS + 1.0
"""After so long a link that is cut is known to be broken."""
STOPPED_SECONDS = 1.0
"""How long a process is stopped, or a cable cut, that nobody gives up for it."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")


@pytest.fixture(scope="module")
def network() -> Iterator[Network | None]:
    if os.geteuid() != 0:
        yield None
        return
    with Network(MACHINES) as network:
        yield network


@pytest.fixture(scope="module")
def cluster(
    network: Network | None, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Cluster]:
    """All is well with it at the beginning, and a test that ends well leaves it so."""
    work_dir = tmp_path_factory.mktemp("chaos")
    marker = f"600.{abs(hash(work_dir)) % 10**9:09}"
    machines = network.machines if network is not None else {}
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in SILENCE.items():
            patch.setenv(name, value)
        places = [machines.get(name, HERE) for name in ZOOKEEPER_NAMES]
        zookeeper = stack.enter_context(ZooKeeper(work_dir / "zookeeper", places, is_awaited=False))
        cluster = Cluster(zookeeper, work_dir / "cluster", marker, machines)
        stack.enter_context(cluster.masters)
        stack.callback(cluster.close)
        cluster.masters.await_agents(cluster.masters.await_leader())
        cluster.start_scheduler()
        cluster.begin()
        yield cluster
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print("", *table(cluster.survived), sep="\n")
        cluster.end()


def wait_a_moment(cluster: Cluster, seconds: float = STOPPED_SECONDS) -> None:
    until = time.monotonic() + seconds
    cluster.wait_until(lambda: time.monotonic() > until, "it was so for long enough")


# Processes.


def test_the_leading_master_dies(cluster: Cluster):
    leader = cluster.masters.await_leader()
    with cluster.fault("kill -9 of the leading master", cluster.registers_again()):
        cluster.masters.masters[leader].signal(signal.SIGKILL)
        cluster.masters.masters[leader].wait(30)


def test_the_leading_master_hangs(cluster: Cluster):
    leader = cluster.masters.await_leader()
    with cluster.fault("SIGSTOP of the leading master", cluster.registers_again()):
        cluster.masters.masters[leader].signal(signal.SIGSTOP)
        cluster.masters.await_leader(other_than=leader)
        cluster.masters.masters[leader].signal(signal.SIGCONT)
        assert cluster.masters.masters[leader].wait(30) == FAILED


def test_zookeepers_leader_dies(cluster: Cluster):
    zookeeper = cluster.zookeeper
    first = zookeeper.await_leader()
    with cluster.fault("kill -9 of ZooKeeper's leader", cluster.writes):
        zookeeper.restart(first)


def test_zookeepers_leader_hangs(cluster: Cluster):
    zookeeper = cluster.zookeeper
    first = zookeeper.await_leader()
    with cluster.fault("SIGSTOP of ZooKeeper's leader", cluster.writes):
        zookeeper.processes[first].send_signal(signal.SIGSTOP)
        zookeeper.await_leader(other_than=first)
        zookeeper.processes[first].send_signal(signal.SIGCONT)


def test_an_agent_dies(cluster: Cluster):
    with cluster.fault("kill -9 of an agent", cluster.agents_register_again()):
        cluster.masters.agents[0].signal(signal.SIGKILL)
        cluster.masters.agents[0].wait(30)


def test_an_agent_hangs(cluster: Cluster):
    with cluster.fault("SIGSTOP of an agent, SIGCONT a second later"):
        cluster.masters.agents[1].signal(signal.SIGSTOP)
        wait_a_moment(cluster)
        cluster.masters.agents[1].signal(signal.SIGCONT)


def test_the_scheduler_dies(cluster: Cluster):
    with cluster.fault("kill -9 of the scheduler", cluster.registers_again()):
        cluster.kill_scheduler()
        cluster.start_scheduler(cluster.registrations[0])


def test_the_scheduler_hangs(cluster: Cluster):
    with cluster.fault("SIGSTOP of the scheduler until it is given up", cluster.registers_again()):
        cluster.signal_scheduler(signal.SIGSTOP)
        cluster.wait_until(lambda: cluster.active_frameworks() == 0, "the scheduler is given up")
        cluster.signal_scheduler(signal.SIGCONT)


def test_an_executor_hangs(cluster: Cluster):
    with cluster.fault("SIGSTOP of a framework's executor, SIGCONT a second later"):
        cluster.process_of("lasting").suspend()
        wait_a_moment(cluster)
        cluster.process_of("lasting").resume()


def test_an_executor_dies(cluster: Cluster):
    victim, tasks = cluster.process_of("doomed"), cluster.orders["doomed"].tasks
    cluster.doom(*tasks)
    with cluster.fault(
        "kill -9 of a framework's executor", lambda: cluster.executor("doomed") in cluster.executors_lost
    ):
        victim.kill()
    for task in tasks:
        assert cluster.states(task)[-1] == "TASK_FAILED"
        assert cluster.reasons(task)[-1] == "REASON_EXECUTOR_TERMINATED"


def test_a_task_dies(cluster: Cluster):
    victim = min(cluster.processes, key=cluster.task_of)
    task = cluster.task_of(victim)
    cluster.doom(task)
    with cluster.fault("kill -9 of a task", lambda: cluster.states(task)[-1] == "TASK_FAILED"):
        victim.kill()


# Cables.


@needs_root
def test_nobody_notices_a_cable_that_nobody_needs(cluster: Cluster, network: Network):
    before, leader, standbys = cluster.noticed(), cluster.leading(), cluster.standbys()
    with cluster.fault("cut: agents, scheduler, standbys | each other and ZooKeeper"):
        for agent in AGENT_NAMES:
            network.cut(agent, "scheduler", *(other for other in AGENT_NAMES if other < agent))
        network.cut(leader, *standbys)
        for name in (*AGENT_NAMES, "scheduler", *standbys):  # only who leads needs ZooKeeper
            network.cut(name, *ZOOKEEPER_NAMES)
        wait_a_moment(cluster, SILENT_SECONDS)
        network.heal()
    assert cluster.noticed() == before


@needs_root
def test_the_leader_is_cut_off_from_zookeeper(cluster: Cluster, network: Network):
    leader = cluster.masters.await_leader()
    with cluster.fault("cut: leading master | ZooKeeper", cluster.registers_again()):
        network.cut(f"master-{leader}", *ZOOKEEPER_NAMES)
        assert cluster.masters.masters[leader].wait(30) == FAILED
        cluster.masters.await_leader(other_than=leader)
        network.heal()


@needs_root
def test_the_leaders_machine_is_gone(cluster: Cluster, network: Network):
    leader, registered = cluster.leading(), cluster.registers_again()
    with cluster.fault("cut: leading master | everybody"):
        network.cut(leader, *(name for name in MACHINES if name != leader))
        cluster.wait_until(lambda: cluster.leads_all(but=leader) and registered(), "all are at another master")
        network.heal()


@needs_root
def test_the_leader_is_cut_off_from_its_server_of_zookeeper(cluster: Cluster, network: Network):
    before, zookeeper = cluster.noticed(), cluster.zookeeper
    cluster.wait_until(lambda: len(zookeeper.servers_of("/chaos")) == 1, "it has one server")
    servers = zookeeper.servers_of("/chaos")
    with cluster.fault("cut: leading master | its server of ZooKeeper", cluster.writes):
        network.cut(cluster.leading(), *(ZOOKEEPER_NAMES[server] for server in servers))
        cluster.wait_until(lambda: bool(zookeeper.servers_of("/chaos") - servers), "it has another server")
        network.heal()
    assert cluster.noticed() == before


@needs_root
def test_zookeepers_leader_is_cut_off(cluster: Cluster, network: Network):
    zookeeper = cluster.zookeeper
    first = zookeeper.await_leader()
    with cluster.fault("cut: ZooKeeper's leader | its followers", cluster.writes):
        network.cut(ZOOKEEPER_NAMES[first], *(name for name in ZOOKEEPER_NAMES if name != ZOOKEEPER_NAMES[first]))
        zookeeper.await_leader(other_than=first)
        network.heal()


@needs_root
def test_an_agent_is_cut_off_for_a_moment(cluster: Cluster, network: Network):
    with cluster.fault("cut: leading master | an agent, for a second"):
        network.cut(cluster.leading(), "agent-2")
        wait_a_moment(cluster)
        network.heal()


@needs_root
def test_an_agent_is_cut_off_until_it_is_given_up(cluster: Cluster, network: Network):
    with cluster.fault("cut: leading master | an agent, until it is given up", cluster.agents_register_again()):
        network.cut(cluster.leading(), "agent-3")
        cluster.wait_until(lambda: cluster.unreachable_agents() == 1, "the agent is given up")
        network.heal()


@needs_root
def test_an_agent_hears_nothing_and_another_is_not_heard(cluster: Cluster, network: Network):
    leader = cluster.leading()
    with cluster.fault("cut one way: leading master > an agent, another > it", cluster.agents_register_again(2)):
        network.cut_one_way(leader, "agent-0")
        network.cut_one_way("agent-4", leader)
        cluster.wait_until(lambda: cluster.disconnected_agents() == 2, "both links are broken")
        network.heal()


@needs_root
def test_the_scheduler_is_cut_off(cluster: Cluster, network: Network):
    with cluster.fault("cut: leading master | scheduler, until it is given up", cluster.registers_again()):
        network.cut(cluster.leading(), "scheduler")
        cluster.wait_until(lambda: cluster.active_frameworks() == 0, "the scheduler is given up")
        network.heal()


# All of it at once.

ROUNDS = 40


@needs_root
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_several_faults_of_any_kind_at_once(cluster: Cluster, network: Network):
    chance = random.Random(1)
    for _ in range(ROUNDS):
        does = chance.choices((an_end, a_stop, a_cut, a_cut_one_way), k=chance.randint(1, 4))
        with ExitStack() as over, cluster.fault("several at once"):
            over.callback(network.heal)
            for do in does:
                do(cluster, network, chance, over)
                wait_a_moment(cluster, chance.choice((0.0, 0.3, 1.0, 3.0)))
            wait_a_moment(cluster, chance.choice((0.0, 0.5, 2.0, 8.0)))
            over.close()


def an_end(cluster: Cluster, network: Network, chance: random.Random, over: ExitStack) -> None:
    """kill -9 of something that is started again."""
    daemons, zookeeper = [*cluster.masters.masters, *cluster.masters.agents], cluster.zookeeper
    victim = chance.randrange(len(daemons) + len(zookeeper.processes) + 1)
    if victim < len(daemons):
        daemons[victim].signal(signal.SIGKILL)
    elif victim == len(daemons):
        cluster.kill_scheduler()
        cluster.start_scheduler(cluster.registrations[0])
    else:
        zookeeper.restart(victim - len(daemons) - 1)


def a_stop(cluster: Cluster, network: Network, chance: random.Random, over: ExitStack) -> None:
    """SIGSTOP of something."""
    daemons = [*cluster.masters.masters, *cluster.masters.agents]
    servers = cluster.zookeeper.processes
    tell = chance.choice([*(each.signal for each in daemons), *(each.send_signal for each in servers)])
    tell(signal.SIGSTOP)
    over.callback(tell, signal.SIGCONT)


def a_cut(cluster: Cluster, network: Network, chance: random.Random, over: ExitStack) -> None:
    """One machine hears nothing of another, or of any."""
    one, other = chance.sample(MACHINES, 2)
    network.cut(one, *chance.choice(((other,), tuple(name for name in MACHINES if name != one))))


def a_cut_one_way(cluster: Cluster, network: Network, chance: random.Random, over: ExitStack) -> None:
    """One machine is not heard by another."""
    network.cut_one_way(*chance.sample(MACHINES, 2))
