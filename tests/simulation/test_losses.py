"""Stories of a whole cluster: what crashes, comes back, or is cut off."""

from __future__ import annotations

from msgspec.structs import replace

from agent.dialogues.base import AgentState
from libprocess import Runtime
from master.registrar.messages import ChangeRegistryMessage
from mesos.ids import TaskID
from mesos.resources import Resources
from mesos.types import TaskReference, TaskState
from tests.simulation.frameworks import Runner, framework
from tools.simulate.cluster import Cluster

RUNNING = TaskState.TASK_RUNNING


def scheduler_node(cluster: Cluster) -> Runtime:
    """Where the first scheduler lives."""
    return next(node for address, node in cluster.nodes.items() if address.host == "scheduler-1")


def start(cluster: Cluster, *commands: str, keep: bool = False) -> Runner:
    """A framework whose tasks run; with `keep` they are to outlive their agent."""
    cluster.elect()
    runner = Runner(*commands)
    cluster.run(runner, framework(checkpoint=keep))
    cluster.run_until(
        lambda: len(runner.states) == len(commands) and {s[-1] for s in runner.states.values()} <= {RUNNING}
    )
    return runner


def test_a_new_master_learns_all_from_those_who_come_back(cluster: Cluster):
    runner = start(cluster, "sleep infinity", "sleep infinity")
    cluster.crash(cluster.node_of(cluster.master))
    cluster.elect(cluster.add_master("master-2"))
    cluster.advance(seconds=10)

    assert cluster.agent.state is AgentState.REGISTERED
    assert runner.news == ["registered", "disconnected", "reregistered"]
    assert {id_: task.state for id_, task in cluster.master.cluster.frameworks[runner.id].tasks.items()} == {
        TaskID("t1"): RUNNING,
        TaskID("t2"): RUNNING,
    }
    assert len(cluster.containers["agent-1"].living) == 2


def test_what_runs_is_not_offered_by_the_new_master(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    cluster.crash(cluster.node_of(cluster.master))
    cluster.elect(cluster.add_master("master-2"))
    runner.offers.clear()
    cluster.advance(seconds=10)
    assert {offer.resources.unallocate().scalar("cpus") for offer in runner.offers} == {3.0}


def test_without_a_master_tasks_go_on_and_their_ends_are_told_later(cluster: Cluster):
    runner = start(cluster, "sleep 20")
    cluster.crash(cluster.node_of(cluster.master))
    cluster.advance(seconds=60)
    assert runner.state("t1") is RUNNING

    cluster.elect(cluster.add_master("master-2"))
    cluster.advance(seconds=20)
    assert runner.state("t1") is TaskState.TASK_FINISHED


def test_tasks_of_a_machine_that_crashed_are_out_of_reach(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    cluster.crash(cluster.node_of(cluster.agent))
    flags = cluster.master.flags
    cluster.advance(seconds=flags.total_ping_timeout_seconds + flags.agent_reregister_timeout_seconds)
    assert runner.state("t1") is TaskState.TASK_UNREACHABLE
    assert runner.news == ["registered", "agent lost"]


def test_a_machine_that_comes_back_empty_is_another_agent(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    old = cluster.agent.id
    cluster.crash(cluster.node_of(cluster.agent))
    cluster.replace_disk("agent-1")
    cluster.add_agent("agent-1")
    cluster.advance(seconds=10)
    assert cluster.agent.id != old
    assert runner.state("t1") is TaskState.TASK_GONE


def test_a_machine_that_comes_back_is_the_same_agent_and_its_tasks_are_gone(cluster: Cluster):
    runner = start(cluster, "sleep infinity", keep=True)
    old = cluster.agent.id
    cluster.crash(cluster.node_of(cluster.agent))
    cluster.add_agent("agent-1")
    cluster.advance(seconds=10)
    assert cluster.agent.id == old
    assert runner.state("t1") is TaskState.TASK_GONE


def test_what_is_to_live_on_goes_on_when_its_agent_is_killed(cluster: Cluster):
    runner = start(cluster, "sleep infinity", "sleep 20; exit 1", keep=True)
    process_ids = [container.process_id for container in cluster.containers["agent-1"].living.values()]
    cluster.kill(cluster.node_of(cluster.agent))
    cluster.advance(seconds=25)
    cluster.add_agent("agent-1")
    cluster.advance(seconds=10)
    assert cluster.agent.state is AgentState.REGISTERED
    assert [task.id for task in cluster.agent.frameworks.tasks()] == ["t1"]
    assert [container.process_id for container in cluster.containers["agent-1"].living.values()] == process_ids[:1]
    assert runner.states[TaskID("t2")][-1] is TaskState.TASK_FAILED
    assert "status 1" in runner.statuses[-1].message


def test_what_is_not_to_live_on_ends_with_its_agent(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    cluster.kill(cluster.node_of(cluster.agent))
    assert not cluster.containers["agent-1"].living
    cluster.add_agent("agent-1")
    cluster.advance(seconds=10)
    assert runner.state("t1") is TaskState.TASK_DROPPED


def test_a_short_partition_is_not_noticed_by_anybodys_tasks(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    master, agent = cluster.node_of(cluster.master), cluster.node_of(cluster.agent)
    cluster.partition([master], [agent])
    cluster.advance(seconds=20)
    assert cluster.agent.state is AgentState.DISCONNECTED
    cluster.heal()
    cluster.advance(seconds=20)
    assert cluster.agent.state is AgentState.REGISTERED
    assert runner.states[TaskID("t1")][-1] is RUNNING
    assert TaskState.TASK_UNREACHABLE not in runner.states[TaskID("t1")]


def test_a_long_partition_ends_with_the_task_running_again(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    master, agent = cluster.node_of(cluster.master), cluster.node_of(cluster.agent)
    cluster.cut(agent, master)
    flags = cluster.master.flags
    cluster.advance(seconds=flags.total_ping_timeout_seconds + flags.agent_reregister_timeout_seconds)
    assert runner.state("t1") is TaskState.TASK_UNREACHABLE

    cluster.heal()
    cluster.advance(seconds=60)
    assert runner.state("t1") is RUNNING
    assert len(cluster.containers["agent-1"].living) == 1


def test_a_framework_whose_scheduler_dies_is_taken_over_by_another(cluster: Cluster):
    runner = start(cluster, "sleep 30")
    cluster.crash(scheduler_node(cluster))
    cluster.advance(seconds=20)

    heir = Runner()
    driver = cluster.run(heir, replace(framework(), id=runner.id))
    driver.reconcile_tasks([TaskReference(TaskID("t1"), cluster.agent.id)])
    cluster.advance(seconds=20)
    assert len(heir.news) == 1, "it was welcomed, and nothing else happened"
    assert heir.state("t1") is TaskState.TASK_FINISHED


def test_a_framework_that_stays_without_a_scheduler_ends_with_all_it_runs(cluster: Cluster):
    runner = start(cluster, "sleep infinity")
    cluster.crash(scheduler_node(cluster))
    cluster.advance(seconds=59)
    assert len(cluster.containers["agent-1"].living) == 1

    cluster.advance(seconds=10)
    assert not cluster.containers["agent-1"].living
    heir = Runner()
    cluster.run(heir, replace(framework(), id=runner.id))
    cluster.advance(seconds=1)
    assert len(heir.news) == 1
    assert "Framework has been removed" in heir.news[0]


def test_what_was_launched_while_there_is_no_master_is_reported_lost(cluster: Cluster):
    cluster.elect()
    runner = Runner("true")
    runner.resource_offers = lambda driver, offers: runner.offers.extend(offers)
    driver = cluster.run(runner, framework())
    cluster.advance(seconds=1)
    cluster.crash(cluster.node_of(cluster.master))
    cluster.settle()
    driver.launch_tasks(runner.offers[0].id, [runner.task(TaskID("t1"), runner.offers[0])])
    cluster.node_of(driver.process).drain()
    assert runner.state("t1") is TaskState.TASK_DROPPED


def test_two_frameworks_share_what_there_is(cluster: Cluster):
    cluster.add_agent("agent-2", Resources.parse("cpus:4;mem:4096"))
    cluster.elect()
    runners = {name: Runner(*["sleep 10"] * 100, prefix=name) for name in ("a", "b")}
    for name, runner in runners.items():
        cluster.run(runner, framework(name=name))
    cluster.advance(seconds=100)
    launched = [len(runner.states) for runner in runners.values()]
    assert 60 < sum(launched) <= 80, "8 cpus for 100 s, and each task has one for 10 s"
    assert min(launched) > 0.4 * sum(launched)


def test_a_framework_ends_when_its_scheduler_stops_though_that_is_not_written_down_at_once(cluster: Cluster):
    """It lived on, until its failover timeout was over."""
    cluster.elect()
    runner = Runner("sleep infinity")
    driver = cluster.run(runner, framework(failover_timeout_seconds=3600.0))
    cluster.run_until(lambda: runner.states.get(TaskID("t1"), [])[-1:] == [RUNNING])
    unwritten = cluster.drop(ChangeRegistryMessage)
    driver.stop()
    scheduler_node(cluster).drain()
    cluster.advance(seconds=1)
    assert len(unwritten.seen) == 1
    cluster.restore(unwritten)
    cluster.crash(cluster.node_of(cluster.master))
    cluster.elect(cluster.add_master("master-2"))
    cluster.advance(seconds=10)
    assert cluster.registry.has_ended(runner.id)
    assert cluster.containers["agent-1"].living == {}
