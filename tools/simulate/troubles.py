"""Troubles: what befalls a cluster, by chance, until it is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from libprocess import Runtime
from libprocess.pid import Address
from libprocess.simulation import Faults
from libprocess.simulation.world import PORT
from tools.simulate.operators import Operators

if TYPE_CHECKING:
    from master.master import Master
    from tools.simulate.story import Framework, Story

BETWEEN_SECONDS = 8.0
"""On average, from one trouble to the next."""

RECONCILE_SECONDS = 60.0
"""How often frameworks ask for the state of their tasks, as they should."""

LAST_WRITE_SECONDS = 20.0
"""So long a machine that is to fail at its next write has for that; then it fails anyway."""

STEPS_MAX = 60
"""So much mail somebody handles at most who is to die at one of the next."""

AGAIN = 0.3
"""How likely it is that whoever died dies again on the way back."""

NEW_DISK = 0.5
"""How likely it is that a machine which crashed comes back with another disk."""

MASTER_HOSTS = ("master-1", "master-2", "master-3")


class Troubles(Operators):
    """Strikes again and again between `begin` and `end`."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        # Not all kinds in each story: where the master crashes every minute, nobody sees what else would go wrong.
        self._kinds = self._chance.sample(_TROUBLES, self._chance.randint(2, len(_TROUBLES)))
        self._cluster.when_agent_ended = self._agent_ended
        self._cluster.when_master_ended = self._master_ended

    def begin(self) -> None:
        """Begin with a network of some quality or other."""
        self._cluster.faults = Faults(
            delay_seconds=(0.0005, self._chance.choice((0.001, 0.02, 0.5))),
            breaks=self._chance.choice((0.0, 0.002, 0.02)),
        )
        self._strike_later()
        self._reconcile()

    def end(self) -> None:
        """Leave the cluster in peace: the network is good, all machines run, and nobody launches anything new."""
        self._over = True
        self._cluster.heal()
        for node in self._cluster.nodes.values():
            self._cluster.storage(node.address).keep_power()
        self._cluster.spare_all()
        for node in self._cluster.nodes.values():
            self._cluster.resume(node)  # which handles at once what came meanwhile
        self._cluster.registry.fails_next = False
        self._replace_master()
        for master in self._cluster.masters[:-1]:
            self._cluster.crash(self._cluster.node_of(master))
        for host in self._cluster.containers:
            self._restart_agent(host)
        self._call_off_drains()
        for framework in self._story.frameworks:
            framework.ledger.is_closing = True
            self._fail_over(framework)

    # When.

    def _strike_later(self) -> None:
        self._later(self._chance.expovariate(1 / BETWEEN_SECONDS), self._strike)

    def _strike(self) -> None:
        if not self._over:
            troubles, weights = zip(*self._kinds, strict=True)
            self._strike_later()
            if self._cluster.nodes:  # somebody is left to have it
                self._chance.choices(troubles, weights)[0](self)

    def _reconcile(self) -> None:
        for framework in self._story.frameworks:
            if framework.is_alive(self._cluster):
                framework.workload.reconcile(framework.driver)
                self._wake(framework)
        self._later(RECONCILE_SECONDS, self._reconcile)

    # What: machines.

    def _kill_agent(self) -> None:
        """Its program ends; the machine, and what is to live on there, goes on."""
        found = self._some_agent()
        if found is not None:
            host, node = found
            self._cluster.kill(node)
            self._later(self._chance.uniform(0.5, 40.0), lambda: self._restart_agent(host))

    def _crash_agent(self) -> None:
        found = self._some_agent()
        if found is not None:
            host, node = found
            self._cluster.crash(node)
            if self._chance.random() < NEW_DISK:
                self._cluster.replace_disk(host)
            self._later(self._chance.uniform(0.5, 40.0), lambda: self._restart_agent(host))

    def _lose_power(self) -> None:
        """A machine fails in the middle of what its agent writes next."""
        found = self._some_agent()
        if found is not None:
            host, node = found
            self._cluster.storage(node.address).lose_power_after(self._chance.randint(0, 2))
            self._later(LAST_WRITE_SECONDS, lambda: self._end_agent(host, node))

    def _end_agent(self, host: str, node: Runtime) -> None:
        if self._over:
            return
        if self._cluster.nodes.get(node.address) is node:  # it had nothing to write
            self._cluster.crash(node)
        self._later(self._chance.uniform(0.5, 20.0), lambda: self._restart_agent(host))

    def _restart_agent(self, host: str) -> None:
        if all(agent.pid.host != host for agent in self._cluster.agents):
            self._story.start_agent(host)

    def _agent_ended(self, host: str) -> None:
        """It was sent away, or has cleaned up; another one begins there."""
        self._pledges.ended(host)
        self._later(self._chance.uniform(0.5, 20.0), lambda: self._restart_agent(host))

    def _fail_registry(self) -> None:
        """What a master wants written down next fails, and with that its time as a leader ends."""
        self._cluster.registry.fails_next = True

    def _master_ended(self) -> None:
        """It could not write, or was not the one any more who may: also long after the last trouble."""
        self._later(self._chance.uniform(0.2, 10.0), self._replace_master)

    def _crash_master(self) -> None:
        if self._is_led():
            self._cluster.crash(self._cluster.node_of(self._cluster.masters[-1]))
            self._later(self._chance.uniform(0.2, 10.0), self._replace_master)

    def _replace_master(self) -> None:
        """Another one takes over: on the same machine, or on another."""
        if not self._is_led():
            self._elect_another()

    def _depose_master(self) -> None:
        """Another one takes over while the old one lives, and does not know for a while."""
        masters = self._cluster.masters
        if len(masters) == 1:
            self._later(self._chance.uniform(0.0, 20.0), partial(self._end_master, masters[0]))
            self._elect_another()

    def _elect_another(self) -> None:
        taken = [master.pid.host for master in self._cluster.masters]
        host = self._chance.choice([host for host in MASTER_HOSTS if host not in taken])
        self._cluster.elect(self._cluster.add_master(host))

    def _end_master(self, master: Master) -> None:
        if master in self._cluster.masters:
            self._cluster.crash(self._cluster.node_of(master))

    # What: anybody, at any step.

    def _die_at_a_step(self) -> None:
        """Somebody dies at some piece of mail, also in the middle of a turn, and now and then again on the way back."""
        node = self._chance.choice(list(self._cluster.nodes.values()))
        self.let_die(node.address, self._chance.randint(0, STEPS_MAX))

    def let_die(self, address: Address, mail: int, again: float = AGAIN) -> None:
        """Whoever lives there dies after so much mail, and is replaced; or again and again, as likely as said."""

        def die(node: Runtime) -> None:
            self.strike(node)
            if self._chance.random() < again:
                self.let_die(address, self._chance.randint(0, STEPS_MAX), again)

        self._cluster.strike_after(address, mail, die)

    def strike(self, node: Runtime) -> None:
        """A node dies; what belongs there is started again some moments later."""
        host, seconds = node.address.host, self._chance.uniform(0.2, 10.0)
        framework = next((each for each in self._story.frameworks if each.node is node), None)
        if host in self._cluster.containers and node.address.port == PORT:
            (self._cluster.kill if self._chance.random() < 0.7 else self._cluster.crash)(node)
            self._later(seconds, lambda: self._restart_agent(host))
        elif framework is not None:
            self._cluster.crash(node)
            self._later(seconds, lambda: self._fail_over(framework))
        else:
            self._cluster.crash(node)
            self._later(seconds, self._replace_master)

    # What: schedulers.

    def _crash_scheduler(self) -> None:
        framework = self._some_framework()
        if framework is not None:
            self._cluster.crash(framework.node)
            self._later(self._chance.uniform(0.5, 75.0), lambda: self._fail_over(framework))

    def _usurp(self) -> None:
        """Another scheduler takes a framework over while the old one lives, and does not know."""
        framework = self._some_framework()
        if framework is not None and framework.ledger.id is not None:
            old = framework.node
            framework.workload.is_usurped = True
            self._story.fail_over(framework)
            self._later(self._chance.uniform(0.0, 20.0), lambda: self._cluster.crash(old))

    def _fail_over(self, framework: Framework) -> None:
        if framework.is_over:
            self._begin_another(framework)
        elif not framework.is_alive(self._cluster):
            self._story.fail_over(framework)

    def _stop_framework(self) -> None:
        framework = self._some_framework()
        if framework is not None and self._chance.random() < 0.3:
            framework.driver.stop()
            framework.ledger.error = "stopped"
            self._wake(framework)
            self._begin_another(framework)

    def _kill_tasks(self) -> None:
        framework = self._some_framework()
        if framework is None:
            return
        tasks = list(framework.ledger.open)
        for task_id in self._chance.sample(tasks, min(3, len(tasks))):
            framework.ledger.fates[task_id].is_to_end = True
            framework.driver.kill_task(task_id)
        self._wake(framework)

    def _revive(self) -> None:
        framework = self._some_framework()
        if framework is not None:
            self._chance.choice((framework.driver.revive_offers, framework.driver.suppress_offers))()
            self._wake(framework)

    @staticmethod
    def _wake(framework: Framework) -> None:
        """What its driver was told from outside is looked at, as soon as its node does anything."""
        framework.node.clock.soon(framework.node.drain)

    # What: any node.

    def _pause(self) -> None:
        """A machine hangs, its disk or its memory being slow; then it goes on."""
        node = self._chance.choice(list(self._cluster.nodes.values()))
        if not self._cluster.is_paused(node):
            self._cluster.pause(node)
            self._later(self._chance.uniform(0.5, 60.0), lambda: self._resume(node))

    def _resume(self, node: Runtime) -> None:
        if self._cluster.nodes.get(node.address) is node:
            self._cluster.resume(node)

    # What: the network.

    def _partition(self) -> None:
        addresses = list(self._cluster.nodes)
        some = self._chance.sample(addresses, min(self._chance.randint(1, max(1, len(addresses) // 2)), len(addresses)))
        self._cluster.partition(some, [address for address in addresses if address not in some])
        self._mend_later()

    def _cut(self) -> None:
        addresses = list(self._cluster.nodes)
        for _ in range(self._chance.randint(1, 5) if len(addresses) > 1 else 0):
            self._cluster.cut(*self._chance.sample(addresses, 2))
        self._mend_later()

    def _mend_later(self) -> None:
        self._later(self._chance.uniform(0.5, 30.0), self._cluster.mend)


# The second number says how often, against the others.
_TROUBLES: tuple[tuple[Callable[[Troubles], None], int], ...] = (
    (Troubles._crash_agent, 2),
    (Troubles._kill_agent, 3),
    (Troubles._lose_power, 2),
    (Troubles._crash_master, 1),
    (Troubles._depose_master, 1),
    (Troubles._drain_agent, 1),
    (Troubles._reconfigure, 2),
    (Troubles._clean_agent, 1),
    (Troubles._teardown, 1),
    (Troubles._adopt_some, 1),
    (Troubles._crash_scheduler, 1),
    (Troubles._stop_framework, 1),
    (Troubles._kill_tasks, 3),
    (Troubles._revive, 1),
    (Troubles._pause, 2),
    (Troubles._die_at_a_step, 3),
    (Troubles._mark_gone, 1),
    (Troubles._usurp, 1),
    (Troubles._fail_registry, 1),
    (Troubles._partition, 1),
    (Troubles._cut, 2),
)
