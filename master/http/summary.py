"""The cluster in numbers: /state-summary, what web pages poll instead of /state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from master.http.forms import agent, framework_summary
from master.records import AgentRecord, Cluster, FrameworkRecord, TaskRecord
from mesos.forms import Json
from mesos.types import MasterInfo, TaskState

COUNTED = (
    TaskState.TASK_STAGING,
    TaskState.TASK_STARTING,
    TaskState.TASK_RUNNING,
    TaskState.TASK_KILLING,
    TaskState.TASK_FINISHED,
    TaskState.TASK_KILLED,
    TaskState.TASK_FAILED,
    TaskState.TASK_LOST,
    TaskState.TASK_ERROR,
    TaskState.TASK_UNREACHABLE,
)


def summary(cluster: Cluster, info: MasterInfo, name: str | None) -> Json:
    """What /state-summary says."""
    past: dict[str, list[TaskRecord]] = {}
    for framework in (*cluster.frameworks.values(), *cluster.completed.values()):
        for task in _past(framework):
            past.setdefault(task.agent_id, []).append(task)
    return summary_head(info, name) | {
        "slaves": [_agent(each, past.get(each.id, [])) for each in cluster.agents.values()],
        "frameworks": [_framework(each) for each in cluster.frameworks.values()],
    }


def summary_head(info: MasterInfo, name: str | None) -> Json:
    """What /state-summary begins with."""
    return {"hostname": info.hostname, **({"cluster": name} if name else {})}


def _past(framework: FrameworkRecord) -> Iterable[TaskRecord]:
    return (*framework.unreachable_tasks.values(), *framework.completed_tasks)


def _agent(record: AgentRecord, past: list[TaskRecord]) -> Json:
    tasks = [*record.tasks.values(), *past]
    framework_ids = sorted({*record.framework_ids(), *(task.framework_id for task in past)})
    return agent(record) | _counted(tasks) | {"framework_ids": framework_ids}


def _framework(record: FrameworkRecord) -> Json:
    tasks = [*record.tasks.values(), *_past(record)]
    agent_ids = sorted({*record.agent_ids(), *(task.agent_id for task in tasks)})
    return framework_summary(record) | _counted(tasks) | {"slave_ids": agent_ids}


def _counted(tasks: Iterable[TaskRecord]) -> Json:
    """How many tasks came to each state."""
    found = Counter(task.state for task in tasks)
    return {state: found[state] for state in COUNTED}
