"""What is kept of tasks that have ended: no more after many than after some, in no actor of a cluster."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import pytest

from libprocess import Runtime
from mesos.ids import TaskID
from mesos.resources import Resources
from mesos.scheduler import Scheduler, SchedulerCalls
from mesos.states import terminal
from mesos.types import CommandInfo, Filters, Offer, TaskInfo, TaskStatus
from tests.simulation.frameworks import framework
from tools.simulate.cluster import Cluster

TASKS, TIMES = 2, 15
COMMANDS = ("true", "sleep 5", "exit 1")
RESOURCES = Resources.parse("cpus:0.5;mem:32")
KEPT = {"max_completed_tasks_per_framework": 10, "max_history_tasks": 10}
QUIET_SECONDS = 900.0
"""After so long without tasks no timer for any of them is left."""
SLACK = 3


class Forgetful(Scheduler):
    """Launches as many tasks as it is told, and keeps nothing of them."""

    def __init__(self) -> None:
        self.launched = self.wanted = self.running = 0

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        for offer in offers:
            tasks, left = list[TaskInfo](), offer.resources.unallocate()
            while self.wanted and left.contains(RESOURCES):
                self.wanted, self.launched, self.running = self.wanted - 1, self.launched + 1, self.running + 1
                left -= RESOURCES
                command = CommandInfo(COMMANDS[self.launched % len(COMMANDS)])
                tasks.append(TaskInfo("t", TaskID(f"t{self.launched}"), offer.agent_id, RESOURCES, command))
            driver.launch_tasks(offer.id, tasks, Filters(1.0))

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        self.running -= terminal(status.state)


class Work:
    """A cluster and the tasks that it has to run, of which it shows a few when they have ended."""

    def __init__(self) -> None:
        self.cluster = Cluster(agents=2, master_flags=KEPT, agent_flags={"max_completed_executors_per_framework": 5})
        self.cluster.elect()
        self.scheduler = Forgetful()
        self.driver = self.cluster.run(self.scheduler, framework(checkpoint=True))

    def do(self, tasks: int) -> None:
        """Have so many tasks run until they have ended."""
        self.scheduler.wanted = tasks
        self.driver.revive_offers()
        self.cluster.run_until(lambda: self.scheduler.wanted == self.scheduler.running == 0)

    def rest(self) -> None:
        """Let all timers for tasks go by."""
        self.cluster.advance(seconds=QUIET_SECONDS)


@pytest.fixture
def work() -> Work:
    return Work()


def test_of_tasks_that_have_ended_no_more_is_kept_than_is_to_be_shown(work: Work):
    found = []
    for number in range(3):
        for _ in range(TIMES):  # idle in between
            work.do(TASKS)
            work.cluster.advance(seconds=1)
        restart_agent(work.cluster)
        fail_over(work.cluster, f"next-master-{number}")
        work.rest()
        found.append(objects())
    grown = found[2] - found[1]
    assert {name: count for name, count in grown.items() if count > SLACK} == {}


def test_an_actor_that_lives_on_has_no_collection_that_grows_with_the_tasks_that_have_ended(work: Work):
    found = []
    for _ in range(3):
        work.do(TASKS * TIMES)
        work.rest()
        found.append(entries(*work.cluster.nodes.values()))
    assert found[2] - found[1] == Counter()


def test_what_is_kept_of_a_task_no_more_is_gone_at_once_without_the_garbage_collector(collector: None, work: Work):
    work.do(TASKS * TIMES)
    work.rest()
    gc.collect()
    assert names_of_ours(gc.garbage) == Counter()


@pytest.fixture
def collector() -> Iterator[None]:
    """Has the garbage collector look only when it is told to, and show what it finds."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def restart_agent(cluster: Cluster) -> None:
    node = cluster.node_of(cluster.agent)
    cluster.kill(node)
    cluster.add_agent(node.address.host)
    cluster.advance(seconds=60)


def fail_over(cluster: Cluster, host: str) -> None:
    former, successor = cluster.master, cluster.add_master(host)
    cluster.crash(cluster.node_of(former))
    cluster.elect(successor)
    cluster.advance(seconds=60)


def objects() -> Counter[str]:
    """How many there are of each class of ours, but for those of the simulation."""
    gc.collect()
    return names_of_ours(gc.get_objects())


def names_of_ours(found: Sequence[object]) -> Counter[str]:
    """The classes among the objects that are found, and how many there are of each."""
    kinds = (type(each) for each in found)
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    ours = ("agent.", "master.", "mesos.scheduler.", "libprocess.")
    return Counter(name for name in names if name.startswith(ours) and ".simulation." not in name)


def entries(*nodes: Runtime) -> Counter[str]:
    """How much is in each collection that an actor has itself, but for those that have a bound of their own."""
    return Counter(
        {
            f"{process.pid}.{name}": len(value)
            for node in nodes
            for process in node.processes.values()
            for name, value in getattr(process, "__dict__", {}).items()
            if isinstance(value, Collection) and getattr(value, "maxlen", None) is None
        }
    )
