"""The master's metrics, under the names that Mesos' users have in their dashboards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from libprocess.metrics import Metrics
from master.records import Cluster
from mesos.states import TERMINAL
from mesos.types import TaskState, TaskStatus

SCALARS = ("cpus", "gpus", "mem", "disk")

REMOVED_FOR = ("registered", "unhealthy", "unregistered")
"""Another agent took its place; it was out of reach; it took its leave."""

UNDERWAY = (TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING)


class MasterMetrics:
    """Counters that the master's dialogues add to, and gauges that read its records."""

    def __init__(self, metrics: Metrics, cluster: Cluster, now: Callable[[], float]) -> None:
        self._metrics = metrics
        self._cluster = cluster
        self.dropped_messages = metrics.counter("master/dropped_messages")
        """Mail that made no sense any more: from a scheduler that is not its framework's, of an agent not known, …"""
        self.agent_registrations = metrics.counter("master/slave_registrations")
        self.agent_reregistrations = metrics.counter("master/slave_reregistrations")
        self.agent_removals = metrics.counter("master/slave_removals")
        for reason in REMOVED_FOR:
            metrics.counter(f"master/slave_removals/reason_{reason}")
        self.recovery_removals = metrics.counter("master/recovery_slave_removals")
        self.removals_scheduled = metrics.counter("master/slave_unreachable_scheduled")
        """Agents whose time was over; where their removal is limited, they may still come back."""
        self.removals_canceled = metrics.counter("master/slave_unreachable_canceled")
        self.agents_marked_unreachable = metrics.counter("master/slave_unreachable_completed")
        removals = {
            "scheduled": self.removals_scheduled,
            "canceled": self.removals_canceled,
            "completed": self.agents_marked_unreachable,
        }
        for name, counter in removals.items():  # by the older name, too
            metrics.gauge(f"master/slave_shutdowns_{name}", partial(getattr, counter, "value"))
        for state in TERMINAL:
            metrics.counter(f"master/{_short(state)}")
        began = now()
        metrics.gauge("master/uptime_secs", lambda: now() - began)
        metrics.gauge("master/elected", lambda: 1)
        metrics.gauge("master/outstanding_offers", lambda: len(cluster.offers))
        self._add_agents()
        self._add_frameworks()
        self._add_tasks()
        self._add_resources()

    def count_removal(self, reason: str) -> None:
        """An agent that was registered is not any more, for one of the reasons that Mesos counts, or another."""
        self.agent_removals.value += 1
        if reason:
            self._metrics.counter(f"master/slave_removals/reason_{reason}").value += 1

    def count_end(self, state: TaskState, status: TaskStatus) -> None:
        """A task ended, in this state, as was learnt with this status: who said so, and why."""
        self._metrics.counter(f"master/{_short(state)}").value += 1
        source = (status.source or "source_unknown").lower().replace("agent", "slave")
        reason = (status.reason or "reason_none").lower().replace("agent", "slave")
        self._metrics.counter(f"master/{state.lower()}/{source}/{reason}").value += 1

    def _add_agents(self) -> None:
        agents = self._cluster.agents
        gauge = self._metrics.gauge
        gauge("master/slaves_connected", lambda: sum(agent.connected for agent in agents.values()))
        gauge("master/slaves_disconnected", lambda: sum(not agent.connected for agent in agents.values()))
        gauge("master/slaves_active", lambda: sum(agent.active for agent in agents.values()))
        gauge("master/slaves_inactive", lambda: sum(not agent.active for agent in agents.values()))
        gauge("master/slaves_unreachable", lambda: len(self._cluster.unreachable))

    def _add_frameworks(self) -> None:
        frameworks = self._cluster.frameworks
        gauge = self._metrics.gauge
        gauge("master/frameworks_connected", lambda: sum(each.connected for each in frameworks.values()))
        gauge("master/frameworks_disconnected", lambda: sum(not each.connected for each in frameworks.values()))
        gauge("master/frameworks_active", lambda: sum(each.active for each in frameworks.values()))
        gauge("master/frameworks_inactive", lambda: sum(not each.active for each in frameworks.values()))
        gauge("master/frameworks_recovered", lambda: sum(each.is_orphan for each in frameworks.values()))

    def _add_tasks(self) -> None:
        for state in UNDERWAY:
            self._metrics.gauge(f"master/{_short(state)}", partial(self._cluster.task_states.__getitem__, state))
        frameworks = self._cluster.frameworks
        unreachable = f"master/{_short(TaskState.TASK_UNREACHABLE)}"
        self._metrics.gauge(unreachable, lambda: sum(len(each.unreachable_tasks) for each in frameworks.values()))

    def _add_resources(self) -> None:
        for name in SCALARS:
            self._metrics.gauge(f"master/{name}_total", partial(self._total, name))
            self._metrics.gauge(f"master/{name}_used", partial(self._used, name))
            self._metrics.gauge(f"master/{name}_percent", partial(self._part, name))

    def _total(self, name: str) -> float:
        return sum(agent.total.thousandths(name) for agent in self._cluster.agents.values()) / 1000

    def _used(self, name: str) -> float:
        return sum(agent.used.total().thousandths(name) for agent in self._cluster.agents.values()) / 1000

    def _part(self, name: str) -> float:
        """How much of it is in use, from 0 to 1; 0 if there is none."""
        total = self._total(name)
        return self._used(name) / total if total else 0.0


def _short(state: TaskState) -> str:
    """`TASK_FINISHED` → `tasks_finished`."""
    return f"tasks_{state.lower().removeprefix('task_')}"
