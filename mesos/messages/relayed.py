"""What travels further than one hop: a task and its status, and mail between a scheduler and its executors."""

from __future__ import annotations

from libprocess.message import Message
from libprocess.pid import PID
from mesos.ids import AgentID, ExecutorID, FrameworkID, TaskID
from mesos.types import FrameworkInfo, KillPolicy, StatusUpdate, TaskInfo, TaskReference


class RunTaskMessage(Message, frozen=True):
    """Master → agent → executor: run this task of this framework, whose scheduler is `pid`.

    `launch_executor` says to the agent that the master counted on a new executor, so that one which just ended is not
    started again unseen.
    """

    framework: FrameworkInfo
    task: TaskInfo
    pid: PID | None = None
    launch_executor: bool = True


class KillTaskMessage(Message, frozen=True):
    """Scheduler → master → agent → executor: kill this task; the policy counts instead of the task's own.

    With `is_drain` it comes from the master, which empties the agent: the task's updates are to say so.
    """

    framework_id: FrameworkID
    task_id: TaskID
    agent_id: AgentID | None = None
    kill_policy: KillPolicy | None = None
    is_drain: bool = False


class StatusUpdateMessage(Message, frozen=True):
    """Executor → agent → master → scheduler, or from the one of them that knows: this is the state of a task now.

    With a uuid in its status it is sent again until it is acknowledged.
    """

    update: StatusUpdate


class StatusUpdateAcknowledgementMessage(Message, frozen=True):
    """Scheduler → master → agent, and agent → executor: this update is taken care of, do not send it again."""

    framework_id: FrameworkID
    agent_id: AgentID
    task_id: TaskID
    uuid: bytes


class ReconcileTasksMessage(Message, frozen=True):
    """Scheduler → master: tell me the state of these tasks, of all that have not ended when there are none.

    Answered by a `StatusUpdateMessage` without a uuid for each task whose state can be known.
    """

    framework_id: FrameworkID
    tasks: tuple[TaskReference, ...] = ()


class FrameworkToExecutorMessage(Message, frozen=True):
    """Scheduler → (master →) agent → executor: data from the framework, at most once."""

    framework_id: FrameworkID
    agent_id: AgentID
    executor_id: ExecutorID
    data: bytes


class ExecutorToFrameworkMessage(Message, frozen=True):
    """Executor → agent (→ master) → scheduler: data from an executor, at most once."""

    framework_id: FrameworkID
    agent_id: AgentID
    executor_id: ExecutorID
    data: bytes


class ShutdownExecutorMessage(Message, frozen=True):
    """Scheduler → master → agent → executor: kill your tasks and end, within the grace period."""

    framework_id: FrameworkID
    executor_id: ExecutorID
    agent_id: AgentID | None = None


class ExitedExecutorMessage(Message, frozen=True):
    """Agent → master → scheduler: this executor has ended; `status` is what wait(2) said, -1 if nobody knows."""

    framework_id: FrameworkID
    agent_id: AgentID
    executor_id: ExecutorID
    status: int
