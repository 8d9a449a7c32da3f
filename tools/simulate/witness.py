"""Witness: what frameworks are told of their tasks is true, and nothing of theirs ends without anybody's will.

An audit looks at the mail by itself. A witness knows the story: what every machine runs, what a framework asked for,
and what operators did.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from libprocess import PID, Message, Runtime
from libprocess.process import ExitedMessage
from libprocess.recording import Record
from master.registrar.entries import Standing
from mesos.ids import FrameworkID, TaskID
from mesos.messages import (
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    RunTaskMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    UnregisterFrameworkMessage,
)
from mesos.types import TaskState, TaskStatus
from tools.simulate.containers import Container
from tools.simulate.pledges import Pledges

if TYPE_CHECKING:
    from tools.simulate.story import Framework, Story
    from tools.simulate.workload import Workload

Key: TypeAlias = tuple[FrameworkID, TaskID]

LOOK_SECONDS = 1.0
GRACE_SECONDS = 1.0

REFUSED = "Framework has been removed"
"""What a scheduler is told whose framework ended."""

BY_OPERATORS = TaskState.TASK_GONE_BY_OPERATOR
"""Told at once of what may run on, where its agent cannot be reached."""

NOT_THERE = {TaskState.TASK_GONE, TaskState.TASK_DROPPED, TaskState.TASK_LOST, BY_OPERATORS}
"""One end: that nobody has a task is said by masters, by agents, of operators, and to those who know only LOST."""


class Witness:
    """Watches a story from its beginning."""

    def __init__(self, story: Story, failover_seconds: float) -> None:
        self.pledges = Pledges(story)
        """What operators were told."""
        self._story = story
        self._cluster = story.cluster
        self._break = story.audit.break_promise
        self._failover_seconds = failover_seconds
        self._ends: dict[Key, TaskState] = {}
        self._seen: dict[FrameworkID, float] = {}
        """When a master that led knew last that a framework has a scheduler: later masters count from there."""
        self._left: set[FrameworkID] = set()
        """Those that said themselves that they are over, or were given up."""
        self._look_at = 0.0
        self._looks: Mapping[type[Message], Callable[[Runtime, PID, PID, Any], None]] = {
            ShutdownFrameworkMessage: self._framework_ended,
            FrameworkRegisteredMessage: self._framework_seen,
            FrameworkReregisteredMessage: self._framework_seen,
            ExitedMessage: self._link_broken,
            FrameworkErrorMessage: self._framework_refused,
            UnregisterFrameworkMessage: self._framework_left,
            RunTaskMessage: self._launched,
            ShutdownMessage: self._sent_away,
        }
        story.cluster.journal.listeners.append(self._listen)
        story.cluster.after_step.append(self._look)

    def watch(self, host: str) -> None:
        """See to it that nothing on a machine is ended for no reason."""
        self._cluster.containers[host].when_struck = partial(self._struck, host)

    def _listen(self, node: Runtime, record: Record) -> None:
        if record[0] == "turn":
            for to, sender, message, _, _ in record[3]:
                look = self._looks.get(type(message))
                if look is not None:
                    look(node, to, sender, message)

    def _framework(self, framework_id: FrameworkID | None) -> Framework | None:
        return next((each for each in self._story.frameworks if each.ledger.id == framework_id), None)

    # What a framework is told of a task.

    def told(self, workload: Workload, status: TaskStatus) -> None:
        """A scheduler is called back: mail that its driver does not let through does not count."""
        ledger = workload.ledger
        if workload.is_usurped or ledger.id is None:
            return
        key, state = (ledger.id, status.task_id), status.state
        before = self._ends.get(key)
        if before is not None and state is not before and not {state, before} <= NOT_THERE | {TaskState.TASK_UNKNOWN}:
            self._break(f"task {status.task_id} ended in {before}, and then its scheduler is told of {state}")
        if not ledger.is_over(state):
            return
        self._ends[key] = state
        if state is not BY_OPERATORS:
            for host, container in self._running(key):
                if not container.is_ending:
                    self._break(f"the scheduler of task {status.task_id} is told of {state}, and it runs on {host}")
        if state is TaskState.TASK_FINISHED and not self._has_finished(key):
            self._break(f"the scheduler of task {status.task_id} is told of {state}, and it did not end so")

    def _running(self, key: Key) -> Iterator[tuple[str, Container]]:
        for host, containers in self._cluster.containers.items():
            for container in containers.living.values():
                if container.runs and container.status is None and container.key == key:
                    yield host, container

    def _has_finished(self, key: Key) -> bool:
        return any(containers.outcomes.get(key) == 0 for containers in self._cluster.containers.values())

    # What is done to a task.

    def _struck(self, host: str, container: Container, number: int) -> None:
        """An agent ends something that runs: somebody must have wanted that, if its framework knows that it runs."""
        framework_id, task_id = container.key
        framework = self._framework(FrameworkID(framework_id))
        if container.is_ending or container.status is not None or framework is None:
            return
        fate = framework.ledger.fates.get(TaskID(task_id))
        is_known = fate is not None and TaskState.TASK_RUNNING in fate.states
        if fate is None or not is_known or fate.is_to_end or self.pledges.is_empty(fate.agent_id):
            return
        if framework.is_over or framework.ledger.id in self._story.audit.shut_down:
            return
        self._break(f"{host} ends task {task_id} ({signal.Signals(number).name}), which nobody asked for")

    # What becomes of frameworks.

    def _framework_seen(
        self, node: Runtime, to: PID, sender: PID, message: FrameworkRegisteredMessage | FrameworkReregisteredMessage
    ) -> None:
        if node.address == sender.address:
            self._see(node, message.framework_id)

    def _link_broken(self, node: Runtime, to: PID, sender: PID, message: ExitedMessage) -> None:
        """A master that had a scheduler loses it now."""
        for framework in self._story.frameworks if to.id == "master" else ():
            if framework.node.address == message.pid.address and framework.ledger.id is not None:
                self._see(node, framework.ledger.id)

    def _see(self, master: Runtime, framework_id: FrameworkID) -> None:
        """Only who was elected last may write down what later masters count from."""
        newest = self._cluster.masters[-1] if self._cluster.masters else None
        if newest is not None and self._cluster.node_of(newest) is master:
            self._seen[framework_id] = self._cluster.elapsed

    def _framework_refused(self, node: Runtime, to: PID, sender: PID, message: FrameworkErrorMessage) -> None:
        framework = next((each for each in self._story.frameworks if each.node.address == to.address), None)
        is_refused = message.message.startswith(REFUSED) and node.address == sender.address
        if is_refused and framework is not None and framework.ledger.id is not None:
            self.pledges.refused(framework.ledger.id)

    def let_in(self, framework_id: FrameworkID) -> None:
        """A framework that ended may come back: its end is not the last any more."""
        self._left.discard(framework_id)

    def _framework_left(self, node: Runtime, to: PID, sender: PID, message: UnregisterFrameworkMessage) -> None:
        if message.framework_id is not None:
            self._left.add(message.framework_id)

    def _framework_ended(self, node: Runtime, to: PID, sender: PID, message: ShutdownFrameworkMessage) -> None:
        """A master gives a framework up: it left, an operator said so, or it had no scheduler for too long."""
        framework_id = message.framework_id
        if node.address != sender.address or framework_id in self._left | self.pledges.doomed:
            return
        self._left.add(framework_id)  # every agent is told, and the first time counts
        alone = self._cluster.elapsed - self._seen.get(framework_id, 0.0)
        if alone < self._failover_seconds - GRACE_SECONDS:
            self._break(f"framework {framework_id} is given up after {alone:.1f} s without a scheduler")

    # What is done to agents.

    def _launched(self, node: Runtime, to: PID, sender: PID, message: RunTaskMessage) -> None:
        """Only agents that are written down are given work by who may still write; what is just being written counts
        when the master knows that it is.
        """
        newest = self._cluster.masters[-1] if self._cluster.masters else None
        if node.address != sender.address or newest is None or newest.pid != sender:
            return
        agent_id = message.task.agent_id
        standing = self._cluster.registry.standing(agent_id)
        if standing is not Standing.ADMITTED and agent_id not in newest.leaving:
            self._break(f"task {message.task.task_id} is sent to agent {agent_id}; written down is {standing}")

    def _sent_away(self, node: Runtime, to: PID, sender: PID, message: ShutdownMessage) -> None:
        """A master that sends an agent away means one that is gone."""
        agent = next((each for each in self._cluster.agents if each.pid == to), None)
        if node.address != sender.address or agent is None or agent.info.id is None:
            return
        if agent.info.id not in self.pledges.given_up:
            self._break(f"agent {agent.info.id} is sent away: {message.message}")

    def _look(self) -> None:
        if self._cluster.elapsed < self._look_at:
            return
        self._look_at = self._cluster.elapsed + LOOK_SECONDS
        self.pledges.look()
