"""Steps: a short life in which somebody dies at a certain piece of mail, for each piece another story.

What happens is laid down: masters change, a machine is drained and another one gets more, an agent is started anew, a
scheduler is, one framework is torn down and let in again, one ends, an agent cleans up. Seeds take the dead in turn,
and the mail that they die at in order: after 2000 of them somebody has died between every two things that were done. In
some of them whoever comes back dies again, while it takes up what it finds.
"""

from __future__ import annotations

from libprocess.pid import Address
from libprocess.recording import Sink
from libprocess.simulation.world import PORT
from mesos.v1.tree import Tree
from tools.simulate.story import Setting, Story
from tools.simulate.troubles import MASTER_HOSTS, Troubles

VICTIMS = ("agent-1", "master-1", "agent-2", "master-2", "scheduler-1")
AGENTS, SCHEDULERS, SECONDS = 2, 3, 45.0

AGAIN = 0.25
"""How likely it is that whoever died dies again."""


class Steps(Story):
    """One seed's cluster, and its death. Of the setting only the story counts."""

    def __init__(self, seed: int, setting: Setting, recording: Sink | None = None) -> None:
        self._seed = seed
        super().__init__(seed, Setting(AGENTS, SCHEDULERS, SECONDS, setting.story), recording)

    def make_troubles(self) -> Troubles:
        """See `Story`."""
        return Script(self, VICTIMS[self._seed % len(VICTIMS)], self._seed // len(VICTIMS))


class Script(Troubles):
    """What happens in every such story."""

    def __init__(self, story: Steps, victim: str, mail: int) -> None:
        super().__init__(story)
        self._victim = Address(victim, PORT)
        self._mail = mail

    def begin(self) -> None:
        """Lay down what happens when."""
        self.let_die(self._victim, self._mail, AGAIN)
        self._reconcile()
        for seconds, happens in (
            (8.0, self._kill_tasks),
            (11.0, lambda: self._order("DRAIN_AGENT", max_grace_period={"seconds": 4})),
            (14.0, lambda: self._give("agent-1", "cpus:3")),
            (17.0, self._depose_master),
            (20.0, lambda: self._tear_down(self._story.frameworks[1], seconds=3.0, is_adopted=True)),
            (22.0, lambda: self._order("REACTIVATE_AGENT")),
            (27.0, lambda: self._strike_at("agent-1")),
            (32.0, lambda: self._strike_at("scheduler-1")),
            (37.0, self._stop_framework),
            (39.0, lambda: self._clean_at("agent-2")),
        ):
            self._later(seconds, happens)

    def _order(self, type_: str, **more: Tree) -> None:
        """An operator says something of the second agent."""
        for agent in self._cluster.agents:
            if agent.pid.host == "agent-2" and agent.info.id is not None:
                self._call(type_, agent.info.id, more)

    def _strike_at(self, host: str) -> None:
        node = self._cluster.nodes.get(Address(host, PORT))
        if node is not None:
            self.strike(node)

    def _clean_at(self, host: str) -> None:
        node = self._cluster.nodes.get(Address(host, PORT))
        if node is not None:
            self._clean(host, node, seconds=1.0)

    def _elect_another(self) -> None:
        """The first who is not there."""
        taken = [master.pid.host for master in self._cluster.masters]
        host = next(host for host in MASTER_HOSTS if host not in taken)
        self._cluster.elect(self._cluster.add_master(host))
