"""A story: one seed's cluster, its troubles, and what must be true once they are over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from msgspec.structs import replace

from libprocess import Runtime
from libprocess.recording import Sink
from master.allocator.options import MIN_ALLOCATABLE
from mesos.ids import FrameworkID, TaskID
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver
from mesos.types import FrameworkCapability, FrameworkInfo
from tools.simulate.audit import Audit, BrokenPromiseError, Home
from tools.simulate.cluster import Cluster
from tools.simulate.peace import disagreements
from tools.simulate.troubles import Troubles
from tools.simulate.witness import Witness
from tools.simulate.workload import Collector, Ledger, Workload

RESOURCES = Resources.parse("cpus:2;mem:2048;ports:[31000-31009]")
FAILOVER_SECONDS = 60.0
MASTER_FLAGS = {
    "agent_ping_timeout_seconds": 15.0,
    "max_agent_ping_timeouts": 2,
    "agent_reregister_timeout_seconds": 60.0,
}
"""Shorter than in production, so that a story sees what happens when they are over."""

HEALING_SECONDS = 1200.0
"""So long it may take until all agree again: the longest wait between two tries of an update is 600 s."""

STORE_SECONDS_MAX = (0.005, 0.5, 5.0)
"""What it takes to write something down: in one story little, in another a disk or an ensemble is slow."""

LOOK_SECONDS = 10.0
TOLD_MAX = 5

COLLECT_SECONDS = 5.0
"""So long it may take until all that is free is offered."""


@dataclass(frozen=True)
class Setting:
    """How large a story is. `seconds` is how long there is trouble."""

    agents: int = 20
    schedulers: int = 3
    seconds: float = 600.0
    story: Literal["lives", "contest", "steps"] = "lives"
    """Lives go on under all kinds of troubles; in a contest, frameworks want more than there is; in steps, somebody
    dies at a certain piece of mail, which is another one for each seed.
    """


@dataclass
class Framework:
    """One framework: what lasts of it, and the scheduler that it has now."""

    ledger: Ledger
    workload: Workload
    driver: LocalSchedulerDriver
    node: Runtime
    is_replaced: bool = False
    """There is another one in its place."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return bool(self.ledger.error)

    def is_alive(self, cluster: Cluster) -> bool:
        """Whether it has a scheduler at this moment."""
        return not self.is_over and cluster.nodes.get(self.node.address) is self.node


class Story:
    """One seed's cluster, as it lives through its troubles."""

    def __init__(self, seed: int, setting: Setting, recording: Sink | None = None) -> None:
        self.cluster = Cluster(
            seed,
            agents=0,
            master_flags=MASTER_FLAGS,
            is_watched=bool(seed % 2),
            store_seconds_max=STORE_SECONDS_MAX[seed % 3],
        )
        if recording is not None:
            self.cluster.record(recording)
        self.setting = setting
        self.frameworks: list[Framework] = []
        """All that ever were."""
        self.excused: set[tuple[FrameworkID, TaskID]] = set()
        """The tasks of frameworks that ended and came back: what was said of them in between, nobody took."""
        self.audit = Audit(self.cluster)
        self.witness = Witness(self, FAILOVER_SECONDS)
        for number in range(1, setting.agents + 1):
            self.start_agent(f"agent-{number}")

    def play(self) -> None:
        """Let it happen. BrokenPromiseError as soon as something happens that must not."""
        self.cluster.elect()
        for _ in range(self.setting.schedulers):
            self.start_framework()
        troubles = self.make_troubles()
        troubles.begin()
        self.cluster.advance(self.setting.seconds)
        troubles.end()
        self._come_to_rest()
        self._check_updates()
        self._check_leaks()

    def make_troubles(self) -> Troubles:
        """What befalls it."""
        return Troubles(self)

    @property
    def tasks(self) -> int:
        """How many were launched."""
        return sum(len(framework.ledger.fates) for framework in self.frameworks)

    # Who takes part.

    def start_agent(self, host: str, recover: str = "reconnect") -> None:
        """Start an agent, for the first time or after it ended: whoever does so looks up what it had."""
        known = self.witness.pledges.known_agent(host)
        self.witness.pledges.starts(host, known, is_cleaned=recover == "cleanup")
        agent = self.cluster.add_agent(host, RESOURCES if known is None else known.resources, recover=recover)
        self.audit.watch(self.cluster.containers[host], agent)
        self.witness.watch(host)

    def start_framework(self) -> None:
        """Start one that was never there; every third does not know of partitions, every other wants its tasks kept."""
        serial = len(self.frameworks) + 1
        capabilities = (FrameworkCapability.PARTITION_AWARE,) if serial % 3 else ()
        info = FrameworkInfo(
            "someone",
            f"f{serial}",
            failover_timeout_seconds=FAILOVER_SECONDS,
            capabilities=capabilities,
            checkpoint=bool(serial % 2),
        )
        ledger = Ledger(info)
        self.frameworks.append(Framework(ledger, *self._start_scheduler(ledger)))

    def fail_over(self, framework: Framework) -> None:
        """Start another scheduler for a framework."""
        framework.workload, framework.driver, framework.node = self._start_scheduler(framework.ledger)

    def let_in(self, framework: Framework) -> None:
        """Start another scheduler for a framework that ended, and may come back: all that it ran was to end."""
        ledger = framework.ledger
        assert ledger.id is not None
        for task_id, fate in ledger.fates.items():
            fate.is_to_end = True
            self.excused.add((ledger.id, task_id))
        self.audit.shut_down.discard(ledger.id)
        self.witness.let_in(ledger.id)
        ledger.error = ""
        self.cluster.crash(framework.node)
        self.fail_over(framework)

    def _start_scheduler(self, ledger: Ledger) -> tuple[Workload, LocalSchedulerDriver, Runtime]:
        workload = Workload(ledger, self.cluster.chance)
        workload.when_told = partial(self.witness.told, workload)
        driver = self.cluster.run(workload, replace(ledger.info, id=ledger.id))
        return workload, driver, self.cluster.node_of(driver.process)

    # What must be true in the end.

    def _come_to_rest(self) -> None:
        until = self.cluster.elapsed + HEALING_SECONDS
        while True:
            self.cluster.advance(LOOK_SECONDS)
            apart = disagreements(self)
            if not apart:
                return
            if self.cluster.elapsed >= until:
                raise BrokenPromiseError(
                    f"{HEALING_SECONDS:g} s after all troubles there is no peace: {'; '.join(apart[:TOLD_MAX])}"
                )

    def _check_updates(self) -> None:
        """Every update that an agent has, reaches its scheduler, and in order.

        Not so when the framework ended, when the agent did and the framework did not care, or when its disk is gone.
        """
        ledgers = {framework.ledger.id: framework.ledger for framework in self.frameworks if not framework.is_over}
        living = set(ledgers) - self.audit.shut_down
        for key, promised in self.audit.promised.items():
            if key[0] in living and key not in self.excused:
                self._check_arrival(key[1], promised, ledgers[key[0]])
        for key, sent in self.audit.updates.items():
            if key[0] in living and key not in self.excused:
                self._check_arrival(key[1], sent, ledgers[key[0]])
                self._check_order(key[1], list(sent), list(ledgers[key[0]].fates[key[1]].uuids))

    def _check_arrival(self, task_id: TaskID, updates: dict[bytes, Home], ledger: Ledger) -> None:
        fate = ledger.fates[task_id]
        if fate.agent_id in self.witness.pledges.given_up | self.witness.pledges.cleaned:
            return  # it goes with all that it had to say
        for uuid, home in updates.items():
            lasts = self._has_disk(home) if ledger.info.checkpoint else self._lives(home)
            if uuid not in fate.uuids and lasts:
                raise BrokenPromiseError(f"an update of task {task_id} ({uuid.hex()}) never reached its scheduler")

    def _lives(self, home: Home) -> bool:
        return self.cluster.nodes.get(home.node.address) is home.node

    def _has_disk(self, home: Home) -> bool:
        return self.cluster.disks[home.node.address.host] == home.disk

    @staticmethod
    def _check_order(task_id: TaskID, sent: list[bytes], came: list[bytes]) -> None:
        if came != [uuid for uuid in sent if uuid in came]:
            raise BrokenPromiseError(f"the updates of task {task_id} did not reach its scheduler in order")

    def _check_leaks(self) -> None:
        """What is not used can be had: somebody who takes all that there is gets just that."""
        for framework in self.frameworks:
            if framework.is_alive(self.cluster):
                framework.workload.close(framework.driver)
                framework.node.drain()
        collector = Collector()
        self.cluster.run(collector, FrameworkInfo("someone", "collector"))
        self.cluster.advance(COLLECT_SECONDS)
        for agent in self.cluster.master.cluster.agents.values():
            had = Resources.sum(offer.resources for offer in collector.offers.values() if offer.agent_id == agent.id)
            used = agent.used.total().unallocate()
            if had.unallocate() + used != agent.total and is_worth_an_offer(agent.total - used):
                raise BrokenPromiseError(
                    f"agent {agent.id} has {agent.total}, of which {used or 'nothing'} is used; "
                    f"who takes all the rest gets {had or 'nothing'}"
                )


def is_worth_an_offer(resources: Resources) -> bool:
    """Whether a master with the default flags offers so little."""
    return any(resources.contains(least) for least in MIN_ALLOCATABLE)
