"""A story: one seed's cluster, its troubles, and what must be true once they are over."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from libprocess import Runtime
from mesos.ids import TaskID
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver
from mesos.types import FrameworkCapability, FrameworkInfo
from tools.simulate.audit import Audit, BrokenPromiseError
from tools.simulate.cluster import Cluster
from tools.simulate.peace import disagreements
from tools.simulate.troubles import Troubles
from tools.simulate.workload import Ledger, Workload

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

LOOK_SECONDS = 10.0
TOLD_MAX = 5


@dataclass(frozen=True)
class Setting:
    """How large a story is. `seconds` is how long there is trouble."""

    agents: int = 20
    schedulers: int = 3
    seconds: float = 600.0


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

    def __init__(self, seed: int, setting: Setting) -> None:
        self.cluster = Cluster(seed, agents=0, master_flags=MASTER_FLAGS)
        self.audit = Audit(self.cluster)
        self.setting = setting
        self.frameworks: list[Framework] = []
        """All that ever were."""
        for number in range(1, setting.agents + 1):
            self.start_agent(f"agent-{number}")

    def play(self) -> None:
        """Let it happen. BrokenPromiseError as soon as something happens that must not."""
        self.cluster.elect()
        for _ in range(self.setting.schedulers):
            self.start_framework()
        troubles = Troubles(self)
        troubles.begin()
        self.cluster.advance(self.setting.seconds)
        troubles.end()
        self._come_to_rest()
        self._check_updates()

    @property
    def tasks(self) -> int:
        """How many were launched."""
        return sum(len(framework.ledger.fates) for framework in self.frameworks)

    # Who takes part.

    def start_agent(self, host: str) -> None:
        """Start an agent, for the first time or after its machine crashed."""
        self.cluster.add_agent(host, RESOURCES)
        self.audit.watch(host, self.cluster.containers[host], RESOURCES)

    def start_framework(self) -> None:
        """Start one that was never there; every third does not know of partitions."""
        serial = len(self.frameworks) + 1
        capabilities = (FrameworkCapability.PARTITION_AWARE,) if serial % 3 else ()
        info = FrameworkInfo(
            "someone", f"f{serial}", failover_timeout_seconds=FAILOVER_SECONDS, capabilities=capabilities
        )
        ledger = Ledger(info)
        self.frameworks.append(Framework(ledger, *self._start_scheduler(ledger)))

    def fail_over(self, framework: Framework) -> None:
        """Start another scheduler for a framework."""
        framework.workload, framework.driver, framework.node = self._start_scheduler(framework.ledger)

    def _start_scheduler(self, ledger: Ledger) -> tuple[Workload, LocalSchedulerDriver, Runtime]:
        workload = Workload(ledger, self.cluster.chance)
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
        """Every update that an agent sent has come, in order, unless the agent's machine crashed or the framework
        ended.
        """
        ledgers = {framework.ledger.id: framework.ledger for framework in self.frameworks}
        for (framework_id, task_id), updates in self.audit.updates.items():
            ledger = ledgers.get(framework_id)
            if ledger is None or ledger.error or framework_id in self.audit.shut_down:
                continue
            due = [uuid for uuid, node in updates.items() if self.cluster.nodes.get(node.address) is node]
            self._check_order(task_id, due, list(updates), list(ledger.fates[task_id].uuids))

    @staticmethod
    def _check_order(task_id: TaskID, due: list[bytes], sent: list[bytes], came: list[bytes]) -> None:
        missing = [uuid.hex() for uuid in due if uuid not in came]
        if missing:
            raise BrokenPromiseError(
                f"of the updates of task {task_id}, {', '.join(missing)} never reached its scheduler"
            )
        if came != [uuid for uuid in sent if uuid in came]:
            raise BrokenPromiseError(
                f"the updates of task {task_id} reached its scheduler in another order than they were sent"
            )
