"""The actor of an executor: registers with the agent, and carries mail both ways.

It takes the calls of its driver as the very messages that the agent understands, and hands them on. News from the agent
it hands to `deliver`, which calls the executor back, on whatever thread or loop that lives. What the agent has not
acknowledged it keeps, and tells again to an agent that was restarted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from libprocess.message import Message
from libprocess.process import ExitedMessage, Process
from libprocess.timers import Timer
from mesos.driver import News
from mesos.executor.place import ExecutorPlace
from mesos.ids import AgentID, TaskID
from mesos.messages import (
    ExecutorRegisteredMessage,
    ExecutorReregisteredMessage,
    ExecutorToFrameworkMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    ReconnectExecutorMessage,
    RegisterExecutorMessage,
    ReregisterExecutorMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.states import terminal
from mesos.types import Source, StatusUpdate, TaskInfo, TaskState

log = logging.getLogger("mesos.executor")

REGISTER_AGAIN_SECONDS = 1.0


class RegisterAgainWithAgentMessage(Message, frozen=True):
    """Executor → itself: there should have been an answer by now."""


class StopExecutorMessage(Message, frozen=True):
    """Driver → its actor, or the actor → itself when its time is up: end."""


class AgentStaysAwayMessage(Message, frozen=True):
    """Executor → itself, when it has waited long enough for its agent to come back."""


class ExecutorProcess(Process):
    """See the module. It ends when it is told to and its tasks have ended, and when the agent is gone: at once, or when
    that does not come back in time.
    """

    def __init__(self, place: ExecutorPlace, deliver: Callable[[News], None]) -> None:
        self._place = place
        self._agent = place.agent
        """Where the agent is; after a restart perhaps elsewhere."""
        self._deliver = deliver
        self._agent_id: AgentID | None = None
        self._running: set[TaskID] = set()
        self._unknown: dict[TaskID, TaskInfo] = {}
        """The tasks of which the agent has acknowledged no update."""
        self._unacknowledged: dict[bytes, StatusUpdate] = {}
        self._patience: Timer | None = None
        """Runs while the agent is gone."""
        self._is_ending = False

    def initialize(self) -> None:
        self.link(self._agent)
        self._register()

    # With the agent.

    def _register(self) -> None:
        self.send(self._agent, RegisterExecutorMessage(self._place.framework_id, self._place.executor_id))
        self.delay(REGISTER_AGAIN_SECONDS, RegisterAgainWithAgentMessage())

    def register_again_with_agent(self, message: RegisterAgainWithAgentMessage) -> None:
        if self._agent_id is None:
            self._register()

    def executor_registered(self, message: ExecutorRegisteredMessage) -> None:
        if self._is_from_agent() and self._agent_id is None:
            self._agent_id = message.agent_id
            self._stop_waiting()
            self._tell("registered", message.executor_info, message.framework_info, message.agent_info)

    def run_task(self, message: RunTaskMessage) -> None:
        if self._is_from_agent() and not self._is_ending:
            self._running.add(message.task.task_id)
            self._unknown[message.task.task_id] = message.task
            self._tell("launch_task", message.task)

    def kill_task(self, message: KillTaskMessage) -> None:
        if self._is_from_agent():
            self._tell("kill_task", message.task_id)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        if self._is_from_agent():
            self._tell("framework_message", message.data)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        if self._is_from_agent():
            self._unacknowledged.pop(message.uuid, None)
            self._unknown.pop(message.task_id, None)
            self._end_when_idle()

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        if self._is_from_agent():
            self._shut_down()

    def exited(self, message: ExitedMessage) -> None:
        if message.pid != self._agent or self._patience is not None:
            return
        log.warning("the agent is gone: %s", message.reason)
        self._tell("disconnected")
        if self._place.recovery_timeout_seconds:
            self._patience = self.delay(self._place.recovery_timeout_seconds, AgentStaysAwayMessage())
        else:
            self._give_up()

    def agent_stays_away(self, message: AgentStaysAwayMessage) -> None:
        log.error("the agent has not come back within %g s", self._place.recovery_timeout_seconds)
        self._give_up()

    def _give_up(self) -> None:
        self._unacknowledged.clear()  # nobody is left to take them
        self._shut_down()

    def reconnect_executor(self, message: ReconnectExecutorMessage) -> None:
        """See the message. Whoever knows the agent's id is the agent, wherever it is now."""
        if message.agent_id != self._agent_id or self._is_ending:
            return
        self._agent = self.sender
        place, updates = self._place, tuple(self._unacknowledged.values())
        self.reply(
            ReregisterExecutorMessage(place.framework_id, place.executor_id, tuple(self._unknown.values()), updates)
        )

    def executor_reregistered(self, message: ExecutorReregisteredMessage) -> None:
        if self._is_from_agent():
            self._stop_waiting()
            self._tell("reregistered", message.agent_info)

    def _stop_waiting(self) -> None:
        """The agent is there."""
        self.link(self._agent)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _is_from_agent(self) -> bool:
        return self.sender == self._agent

    def _tell(self, callback: str, *arguments: Any) -> None:
        self._deliver(News(callback, arguments))

    # The end.

    def _shut_down(self) -> None:
        """Let the executor end its tasks, and end when it has, or when the grace period is over."""
        if self._is_ending:
            return
        self._is_ending = True
        self._tell("shutdown")
        self.delay(self._place.shutdown_grace_seconds, StopExecutorMessage())
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if self._is_ending and not self._running and not self._unacknowledged:
            self.terminate()

    def stop_executor(self, message: StopExecutorMessage) -> None:
        if self._is_from_driver():
            self.terminate()

    # Calls from the driver.

    def status_update(self, message: StatusUpdateMessage) -> None:
        if not self._is_from_driver() or self._agent_id is None:
            return
        status = message.update.status
        if status.state is TaskState.TASK_STAGING:
            log.error("ignoring TASK_STAGING for task %s: an executor reports what comes after", status.task_id)
            return
        status = replace(
            status,
            agent_id=self._agent_id,
            executor_id=self._place.executor_id,
            source=Source.SOURCE_EXECUTOR,
            timestamp=status.timestamp or self.now,
            uuid=self.chance.getrandbits(128).to_bytes(16, "big"),
        )
        place = self._place
        update = StatusUpdate(place.framework_id, status, self._agent_id, place.executor_id)
        if terminal(status.state):
            self._running.discard(status.task_id)
        self._unacknowledged[status.uuid] = update
        self.send(self._agent, StatusUpdateMessage(update))

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        if self._is_from_driver() and self._agent_id is not None:
            place = self._place
            data = message.data
            self.send(
                self._agent, ExecutorToFrameworkMessage(place.framework_id, self._agent_id, place.executor_id, data)
            )

    def _is_from_driver(self) -> bool:
        return self.sender.address == self.pid.address
