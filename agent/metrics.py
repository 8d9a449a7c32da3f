"""The agent's metrics, under the names that Mesos' users have in their dashboards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent.records.executor import ExecutorState
from agent.records.framework import Frameworks
from libprocess.metrics import Metrics
from mesos.resources import Resources
from mesos.states import TERMINAL
from mesos.types import TaskState

SCALARS = ("cpus", "gpus", "mem", "disk")

UNDERWAY = (TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING)


class AgentMetrics:
    """Counters that the agent's dialogues add to, and gauges that read its records."""

    def __init__(
        self, metrics: Metrics, frameworks: Frameworks, total: Callable[[], Resources], now: Callable[[], float]
    ) -> None:
        """`total` is what the agent has to give; `now` is its clock."""
        self._metrics = metrics
        self._frameworks = frameworks
        self._total = total
        began = now()
        self.launch_errors = metrics.counter("slave/container_launch_errors")
        self._terminated = metrics.counter("slave/executors_terminated")
        metrics.counter("slave/executors_preempted")
        for state in TERMINAL:
            metrics.counter(_task_name(state))
        metrics.gauge("slave/uptime_secs", lambda: now() - began)
        metrics.gauge("slave/frameworks_active", lambda: len(frameworks))
        self._add_executors()
        self._add_tasks()
        for name in SCALARS:
            self._add_resource(name)

    def count_task_end(self, state: TaskState) -> None:
        """A task ended here."""
        self._metrics.counter(_task_name(state)).value += 1

    def count_executor_end(self) -> None:
        """An executor ended here."""
        self._terminated.value += 1

    def _add_executors(self) -> None:
        for state in (ExecutorState.REGISTERING, ExecutorState.RUNNING, ExecutorState.TERMINATING):
            self._metrics.gauge(f"slave/executors_{state.lower()}", partial(self._executors_in, state))

    def _executors_in(self, state: ExecutorState) -> int:
        return sum(executor.state is state for executor in self._frameworks.executors())

    def _add_tasks(self) -> None:
        for state in UNDERWAY:
            self._metrics.gauge(_task_name(state), partial(self._tasks_in, state))

    def _tasks_in(self, state: TaskState) -> int:
        return sum(task.state is state for task in self._frameworks.tasks())

    def _add_resource(self, name: str) -> None:
        gauge = self._metrics.gauge
        gauge(f"slave/{name}_total", lambda: self._total().scalar(name))
        gauge(f"slave/{name}_used", lambda: self._used(name))
        gauge(f"slave/{name}_percent", lambda: self._used(name) / (self._total().scalar(name) or 1.0))
        for part in ("total", "used", "percent"):
            gauge(f"slave/{name}_revocable_{part}", lambda: 0.0)  # nobody estimates here what could be taken back

    def _used(self, name: str) -> float:
        return sum(executor.resources.thousandths(name) for executor in self._frameworks.executors()) / 1000


def _task_name(state: TaskState) -> str:
    return f"slave/{state.lower().replace('task_', 'tasks_')}"
