"""Pledges: what an operator was told is done, is done, and stays so whoever dies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agent.checkpoints.identity import known_agent
from libprocess.http import HttpResponse
from libprocess.pid import Address
from libprocess.simulation.world import PORT
from master.registrar.entries import Standing
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from mesos.types import AgentInfo
from mesos.v1.tree import Tree

if TYPE_CHECKING:
    from tools.simulate.story import Story

Answered = Callable[[HttpResponse], None]


class Pledges:
    """Notes what operators asked for, and what they were answered."""

    def __init__(self, story: Story) -> None:
        self.drained: set[AgentID] = set()
        """The agents that one ever had emptied."""
        self.gone: set[AgentID] = set()
        """Those that one said are gone, and was answered."""
        self.given_up: set[AgentID] = set()
        """Those of which one was about to say so."""
        self.cleaned: set[AgentID] = set()
        """Those that were started to end what they ran, and themselves."""
        self.doomed: set[FrameworkID] = set()
        """The frameworks that one was about to tear down."""
        self.let_in: set[FrameworkID] = set()
        """The frameworks that may come back, though they ended."""
        self._called_off: Counter[AgentID] = Counter()
        """How often one was to be offered again."""
        self._torn_down: set[FrameworkID] = set()
        """The frameworks that are over."""
        self._configured: dict[str, tuple[AgentID, Resources]] = {}
        """By host: the agent there, and what it has, if the last who changed that was answered."""
        self._cluster = story.cluster
        self._audit = story.audit
        self._break = story.audit.break_promise

    def is_empty(self, agent_id: AgentID) -> bool:
        """Whether what an agent ran was to end."""
        return agent_id in self.drained | self.given_up | self.cleaned

    # About agents.

    def called(self, type_: str, agent_id: AgentID, more: Tree) -> Answered:
        """An operator calls; returns who is to be told of the answer."""
        if type_ == "DRAIN_AGENT":
            self.drained.add(agent_id)
        if type_ == "MARK_AGENT_GONE" or more.get("mark_gone"):
            self.given_up.add(agent_id)
        if type_ == "REACTIVATE_AGENT":
            self._called_off[agent_id] += 1
        return partial(self._answered, type_, agent_id, self._called_off[agent_id])

    def _answered(self, type_: str, agent_id: AgentID, called_off: int, response: HttpResponse) -> None:
        """An operator is told that something is done: it is written down, then, and will not be forgotten."""
        if response.status != 200:
            return
        registry = self._cluster.registry
        standing = registry.standing(agent_id)
        is_kept = standing not in (Standing.GONE, None)
        is_ordered = agent_id in registry.deactivated() or self._called_off[agent_id] != called_off
        if type_ == "MARK_AGENT_GONE":
            self.gone.add(agent_id)
            if is_kept:
                self._break(f"an operator is told that agent {agent_id} is gone; written down is {standing}")
        elif type_ == "DRAIN_AGENT" and is_kept and not is_ordered:
            self._break(f"an operator is told that agent {agent_id} is drained; nothing is written down")

    def reconfigured(self, host: str) -> Answered:
        """An agent is about to have more, or less. While nobody is answered it may have either."""
        before = self._configured.pop(host, None)

        def answered(response: HttpResponse) -> None:
            if response.status == 200:
                told = json.loads(response.body)
                self._configured[host] = (AgentID(told["id"]), Resources.parse(told["resources"]))
            elif response.status in (400, 409) and before is not None:
                self._configured.setdefault(host, before)

        return answered

    def known_agent(self, host: str) -> AgentInfo | None:
        """The agent of a machine as its disk says; None if there is none."""
        return known_agent(self._cluster.storage(Address(host, PORT)))

    def starts(self, host: str, known: AgentInfo | None, is_cleaned: bool) -> None:
        """An agent is started: as itself, it has what somebody was told that it has."""
        agent_id, had = self._configured.get(host, (None, None))
        if known is None or known.id is None:
            return
        if known.id == agent_id and known.resources != had:
            self._break(f"{host} had {had}, as an operator was told, and is started with {known.resources}")
        if is_cleaned:
            self.cleaned.add(known.id)

    def ended(self, host: str) -> None:
        """An agent ended by itself, sent away or since it had cleaned up: nothing of it is left."""
        left = [each for each in self._cluster.containers[host].living.values() if each.status is None]
        if left:
            self._break(f"the agent of {host} is done, and task {left[0].key[1]} runs there")

    # About frameworks.

    def torn_down(self, framework_id: FrameworkID, then: Callable[[], None]) -> Answered:
        """A framework is to end, whatever it says."""
        self.doomed.add(framework_id)

        def answered(response: HttpResponse) -> None:
            if response.status == 200:
                self._torn_down.add(framework_id)
                self.let_in.discard(framework_id)
                then()

        return answered

    def adopted(self, framework_id: FrameworkID, then: Callable[[], None]) -> Answered:
        """One that ended may come back; whether it did end does not matter any more."""
        self._torn_down.discard(framework_id)
        self._audit.adopted.add(framework_id)

        def let_in() -> None:
            self._audit.adopted.discard(framework_id)
            self.doomed.discard(framework_id)
            self.let_in.add(framework_id)
            then()

        def answered(response: HttpResponse) -> None:
            if response.status == 200:  # what was decided before, in the same turn, is still to be sent
                self._cluster.timeline.at(self._cluster.elapsed, let_in)

        return answered

    def refused(self, framework_id: FrameworkID) -> None:
        """A master does not take a framework back: it must know that it ended since it was let in."""
        if framework_id in self.let_in and not self._cluster.registry.has_ended(framework_id):
            self._break(f"framework {framework_id} may come back, as an operator was told, and is refused")

    # From time to time.

    def look(self) -> None:
        """What is said to be written down, is."""
        registry = self._cluster.registry
        for agent_id in sorted(self.gone):
            standing = registry.standing(agent_id)
            if standing not in (Standing.GONE, None):
                self._break(f"agent {agent_id} is gone, as an operator was told; written down is {standing}")
        for framework_id in sorted(self._torn_down):
            if not registry.has_ended(framework_id):
                self._break(f"framework {framework_id} was torn down, as an operator was told; nobody wrote that down")
        for agent_id in registry.drained():
            self._check_empty(agent_id)

    def _check_empty(self, agent_id: AgentID) -> None:
        agent = next((each for each in self._cluster.agents if each.info.id == agent_id), None)
        if agent is None:
            return
        for container in self._cluster.containers[agent.pid.host].living.values():
            if container.runs and not container.is_ending and container.status is None:
                self._break(f"agent {agent_id} is drained, as is written down, and runs {container.key[1]}")
