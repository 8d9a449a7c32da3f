"""Between an executor and the agent that started it: registering."""

from __future__ import annotations

from libprocess.message import Message
from mesos.ids import AgentID, ExecutorID, FrameworkID
from mesos.types import AgentInfo, ExecutorInfo, FrameworkInfo, StatusUpdate, TaskInfo


class RegisterExecutorMessage(Message, frozen=True):
    """Executor → agent, once it has started."""

    framework_id: FrameworkID
    executor_id: ExecutorID


class ExecutorRegisteredMessage(Message, frozen=True):
    """Agent → executor, as answer: this is what you are and where; tasks follow."""

    framework_id: FrameworkID
    agent_id: AgentID
    executor_info: ExecutorInfo
    framework_info: FrameworkInfo
    agent_info: AgentInfo


class ReconnectExecutorMessage(Message, frozen=True):
    """Agent → executor, after the agent was restarted: register again, with what I may have missed."""

    agent_id: AgentID


class ReregisterExecutorMessage(Message, frozen=True):
    """Executor → agent, as answer: tasks and updates that were never acknowledged."""

    framework_id: FrameworkID
    executor_id: ExecutorID
    tasks: tuple[TaskInfo, ...] = ()
    updates: tuple[StatusUpdate, ...] = ()


class ExecutorReregisteredMessage(Message, frozen=True):
    """Agent → executor, as answer when it comes back: you are known again."""

    agent_id: AgentID
    agent_info: AgentInfo
