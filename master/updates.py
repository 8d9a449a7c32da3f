"""Status updates that the master makes itself: they have no uuid, are sent once, and nobody acknowledges them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from master.records import FrameworkRecord, TaskRecord
from mesos.ids import ExecutorID
from mesos.states import told
from mesos.types import Reason, Source, StatusUpdate, TaskInfo, TaskReference, TaskState, TaskStatus


@dataclass(frozen=True)
class Verdict:
    """What became of a task, why, and in words."""

    state: TaskState
    reason: Reason
    message: str
    unreachable_time: float | None = None


def update_of(
    framework: FrameworkRecord,
    task: TaskReference,
    verdict: Verdict,
    now: float,
    executor_id: ExecutorID | None = None,
) -> StatusUpdate:
    """Say it to this framework, in the states that it knows."""
    status = TaskStatus(
        task_id=task.task_id,
        state=told(verdict.state, framework.info.capabilities),
        agent_id=task.agent_id,
        executor_id=executor_id,
        message=verdict.message,
        source=Source.SOURCE_MASTER,
        reason=verdict.reason,
        timestamp=now,
        unreachable_time=verdict.unreachable_time,
    )
    return StatusUpdate(framework.id, status, task.agent_id, executor_id, latest_state=status.state)


def update_of_known(framework: FrameworkRecord, task: TaskRecord, verdict: Verdict, now: float) -> StatusUpdate:
    """Say it of a task that the master knows. What has ended stays as it ended."""
    if task.ended:
        verdict = replace(verdict, state=task.state)
    return update_of(framework, TaskReference(task.task_id, task.agent_id), verdict, now, task.executor_id)


def update_of_told(framework: FrameworkRecord, task: TaskRecord, verdict: Verdict, now: float) -> StatusUpdate:
    """Say it of a task that the master knows, whose framework is not told yet how it ended, should it have."""
    return update_of(framework, TaskReference(task.task_id, task.agent_id), verdict, now, task.executor_id)


def update_of_refused(framework: FrameworkRecord, task: TaskInfo, verdict: Verdict, now: float) -> StatusUpdate:
    """Say it of a task that was never launched."""
    executor_id = task.executor.executor_id if task.executor else None
    return update_of(framework, TaskReference(task.task_id, task.agent_id), verdict, now, executor_id)
