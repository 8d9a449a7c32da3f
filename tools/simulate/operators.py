"""Operators: what people do to a cluster, through the doors that it has for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from agent.agent import AGENT_ID
from libprocess import Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.http.exchange import JSON_TYPE, to_json
from master.master import MASTER
from mesos.ids import AgentID
from mesos.v1.tree import Tree

if TYPE_CHECKING:
    from tools.simulate.story import Framework, Story

CALL_OFF_SECONDS = 5.0

GONE = 0.3
"""How likely it is that an agent is never to come back, where one might be."""

TEARDOWN = 0.6
"""How likely it is that a framework is torn down, where one might be."""

ADOPTED = 0.5
"""How likely it is that it may come back then."""

FORM_TYPE = "application/x-www-form-urlencoded"
CPUS, MEM = (1, 1.5, 2, 3), (1024, 2048, 3072)
"""What an agent may have at a time."""


class Operators:
    """What they do. Whatever comes of it is seen later, and a witness holds the cluster to what they are told."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._cluster = story.cluster
        self._chance = story.cluster.chance
        self._pledges = story.witness.pledges
        self._over = False

    @property
    def is_over(self) -> bool:
        """Whether the troubles have ended."""
        return self._over

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._cluster.timeline.at(self._cluster.elapsed + seconds, callback)

    def _is_led(self) -> bool:
        leader = self._cluster.leader
        return leader is not None and any(master.pid == leader.pid for master in self._cluster.masters)

    # To agents.

    def _some_agent(self) -> tuple[str, Runtime] | None:
        """A machine, and the node of the agent that lives there."""
        hosts = [host for host in self._cluster.containers if any(a.pid.host == host for a in self._cluster.agents)]
        if not hosts:
            return None
        host = self._chance.choice(hosts)
        agent = next(agent for agent in self._cluster.agents if agent.pid.host == host)
        return host, self._cluster.node_of(agent)

    def _drain_agent(self) -> None:
        """An operator empties an agent, now and then one that is out of reach, and thinks otherwise later."""
        known = [agent.info.id for agent in self._cluster.agents if agent.info.id is not None]
        if known:
            agent_id = self._chance.choice(known)
            grace = {"max_grace_period": {"seconds": self._chance.randint(0, 60)}}
            self._later(self._chance.uniform(1.0, 120.0), lambda: self._call("REACTIVATE_AGENT", agent_id, {}))
            more: Tree = {"mark_gone": True} if self._chance.random() < GONE else {}
            self._call("DRAIN_AGENT", agent_id, more | grace if self._chance.random() < 0.8 else more)

    def _mark_gone(self) -> None:
        """An operator says that an agent is gone: one that is there, or out of reach, or being started just now."""
        known = [agent.info.id for agent in self._cluster.agents if agent.info.id is not None]
        if known and self._chance.random() < GONE:
            self._call("MARK_AGENT_GONE", self._chance.choice(known), {})

    def _call_off_drains(self) -> None:
        """Again and again until all are called off: a master may have just begun."""
        for agent_id in self._cluster.registry.deactivated():
            self._call("REACTIVATE_AGENT", agent_id, {})
        self._later(CALL_OFF_SECONDS, self._call_off_drains)

    def _reconfigure(self) -> None:
        """A machine gets more, or less."""
        found = self._some_agent()
        if found is not None:
            self._give(found[0], f"cpus:{self._chance.choice(CPUS)};mem:{self._chance.choice(MEM)}")

    def _give(self, host: str, resources: str) -> None:
        """Let an agent, if it is there, have that much to give."""
        for agent in self._cluster.agents:
            if agent.pid.host == host:
                answered = self._pledges.reconfigured(host)
                self._post(self._cluster.node_of(agent), f"/{AGENT_ID}/reconfigure", answered, resources=resources)

    def _clean_agent(self) -> None:
        """An agent is started again only to end what runs there, and then as another."""
        found = self._some_agent()
        if found is not None:
            self._clean(*found, self._chance.uniform(0.5, 10.0))

    def _clean(self, host: str, node: Runtime, seconds: float) -> None:
        self._cluster.kill(node)
        self._later(seconds, lambda: self._clean_up(host))

    def _clean_up(self, host: str) -> None:
        if all(agent.pid.host != host for agent in self._cluster.agents):
            self._story.start_agent(host, recover="cleanup")

    # To frameworks.

    def _teardown(self) -> None:
        """A framework is torn down; now and then it is let in again, or else another begins in its place."""
        framework = self._some_framework()
        if framework is not None and self._chance.random() < TEARDOWN:
            self._tear_down(framework, self._chance.uniform(0.5, 60.0), self._chance.random() < ADOPTED)

    def _tear_down(self, framework: Framework, seconds: float, is_adopted: bool) -> None:
        """What becomes of it is seen after so much time."""
        framework_id = framework.ledger.id
        if framework_id is None or not self._is_led():
            return
        follows = partial(self._adopt, framework) if is_adopted else partial(self._begin_another, framework)
        answered = self._pledges.torn_down(framework_id, lambda: self._later(seconds, follows))
        self._post(self._leader(), f"/{MASTER}/teardown", answered, frameworkId=framework_id)

    def _adopt_some(self) -> None:
        """A framework that ended, for whatever reason, may come back."""
        ended = [framework for framework in self._story.frameworks if framework.is_over and framework.ledger.id]
        if ended:
            self._adopt(self._chance.choice(ended))

    def _adopt(self, framework: Framework) -> None:
        """It may come back, and does if that is answered while there is still trouble."""
        framework_id = framework.ledger.id
        if framework_id is not None and not self._over and self._is_led():
            answered = self._pledges.adopted(framework_id, lambda: self._let_in(framework))
            self._post(self._leader(), f"/{MASTER}/adopt", answered, frameworkId=framework_id)

    def _let_in(self, framework: Framework) -> None:
        if not self._over:
            self._story.let_in(framework)

    def _some_framework(self) -> Framework | None:
        living = [framework for framework in self._story.frameworks if framework.is_alive(self._cluster)]
        return self._chance.choice(living) if living else None

    def _begin_another(self, framework: Framework) -> None:
        if not self._over and not framework.is_replaced:
            framework.is_replaced = True
            self._story.start_framework()

    # How.

    def _call(self, type_: str, agent_id: AgentID, more: Tree) -> None:
        """What comes of it is seen later; a master that is just beginning answers that it cannot say."""
        if self._is_led():
            body = to_json({"type": type_, type_.lower(): {"agent_id": {"value": agent_id}, **more}})
            answered = self._pledges.called(type_, agent_id, more)
            self._request(self._leader(), f"/{MASTER}/api/v1", JSON_TYPE, body, answered)

    def _post(self, node: Runtime, path: str, answered: Callable[[HttpResponse], None], **fields: str) -> None:
        self._request(node, path, FORM_TYPE, urlencode(fields).encode(), answered)

    @staticmethod
    def _request(node: Runtime, path: str, type_: str, body: bytes, answered: Callable[[HttpResponse], None]) -> None:
        node.routes.request(HttpRequest("POST", path, headers=(("content-type", type_),), body=body), answered)

    def _leader(self) -> Runtime:
        return self._cluster.node_of(self._cluster.masters[-1])
