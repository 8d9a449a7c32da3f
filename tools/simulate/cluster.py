"""Cluster: a world with masters, agents and schedulers in it, the same actors that run in production."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from agent.agent import AGENT_ID, Agent
from agent.flags import AgentFlags
from libprocess import PID, Runtime
from libprocess.pid import Address
from libprocess.process import Process
from libprocess.simulation import World
from libprocess.simulation.world import PORT
from master.flags import MasterFlags
from master.master import MASTER, Master
from mesos.access.credentials import Credential
from mesos.detector import MasterDetector, MasterFoundMessage, MasterNotFoundMessage
from mesos.executor import Executor
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver, Scheduler
from mesos.types import AgentInfo, Environment, FrameworkInfo, MasterInfo
from tools.simulate.containers import VirtualContainers
from tools.simulate.election import LeaderChangedMessage, Watcher
from tools.simulate.registry import Ensemble, VirtualStore
from tools.simulate.volumes import VirtualVolumes

RESOURCES = Resources.parse("cpus:4;mem:4096;disk:10240;ports:[31000-32000]")
FIND_SECONDS = 5.0
"""How long a finder waits for a master to be elected before it says that there is none."""

WATCH_SECONDS = 1.0
"""How long it takes at most until everybody knows of an election, where elections are watched."""

DETECTOR = "detector"


class Cluster(World):
    """A virtual cluster: a master that nobody knows of before `elect`, and agents that look for one.

        cluster = Cluster(agents=2)
        cluster.elect()
        driver = cluster.run(MyScheduler(), FrameworkInfo(user="me", name="mine"))
        cluster.advance(seconds=10)

    It is a `World`, with all that has: time, faults, filters, crashes.
    """

    def __init__(
        self,
        seed: int | str = 0,
        agents: int = 1,
        resources: Resources = RESOURCES,
        master_flags: dict[str, Any] | None = None,
        agent_flags: dict[str, Any] | None = None,
        is_watched: bool = False,
        credentials: dict[str, str] | None = None,
        agent_credential: Credential | None = None,
        store_seconds_max: float = 0.0,
    ) -> None:
        """With `is_watched`, everybody learns of an election within moments, also while the old master lives.

        Otherwise a master is looked for at the beginning, and when it is gone. Masters know the `credentials` of
        principals, and agents have one to prove themselves with. To write something down takes a master up to
        `store_seconds_max`.
        """
        super().__init__(seed)
        self._credentials = credentials or {}
        self._agent_credential = agent_credential
        self._is_watched = is_watched
        self._watchers: list[Watcher] = []
        self.leader: MasterInfo | None = None
        """The master that is found by whoever looks for one."""
        self.masters: list[Master] = []
        """Those that live."""
        self.agents: list[Agent] = []
        """Those that live."""
        self.containers: dict[str, VirtualContainers] = {}
        """By host: the containers of the agent that runs there, or did last."""
        self.boots: Counter[str] = Counter()
        """By host: how often that machine crashed."""
        self.disks: Counter[str] = Counter()
        """By host: how often its disk was replaced."""
        self.volumes: dict[str, VirtualVolumes] = {}
        """By host: what is on the persistent volumes there."""
        self.executors: dict[str, Callable[[], Executor]] = {}
        """By command: what a container with that command runs is an executor, made by this."""
        self._master_flags = MasterFlags(work_dir="/virtual", **(master_flags or {}))
        agent_defaults: dict[str, Any] = {"master": Address("master", 5050), "work_dir": "/virtual"}
        self._agent_flags = agent_defaults | (agent_flags or {})
        self.registry = Ensemble(self, random.Random(f"registry {seed}"), store_seconds_max)
        """What masters write down for those after them."""
        self.when_agent_ended: Callable[[str], None] | None = None
        """Called with the host of an agent that ended by itself, once its program has; without this, that stays."""
        self.when_master_ended: Callable[[], None] | None = None
        """Called when a master ended by itself, and its program with it."""
        self._questions: list[tuple[Runtime, PID]] = []
        self._schedulers = 0
        self.add_master("master-1")
        for number in range(1, agents + 1):
            self.add_agent(f"agent-{number}", resources)

    # Masters.

    @property
    def master(self) -> Master:
        """The first master."""
        return self.masters[0]

    def add_master(self, host: str) -> Master:
        """Start a master. Nobody finds it before it is elected."""
        node = self.node(host)
        store = VirtualStore(self.registry, node)
        master = Master(self._master_flags, node.address, store=store, credentials=self._credentials)
        node.when_exited(node.spawn(master, MASTER), lambda _: self._end(node))
        self.masters.append(master)
        return master

    def _end(self, node: Runtime) -> None:
        """A master that ends by itself ends its program."""

        def end() -> None:
            if self.nodes.get(node.address) is node:
                self.crash(node)
                if self.when_master_ended is not None:
                    self.when_master_ended()

        self.timeline.at(self.elapsed, end)

    def elect(self, master: Master | None = None) -> None:
        """Let everybody find this master, or the first."""
        pid = (master or self.master).pid
        self.leader = MasterInfo(id="", pid=pid, hostname=pid.host, ip=pid.host)
        questions, self._questions = self._questions, []
        for node, asker in questions:
            self.find_master(node, asker)
        self._watchers = [watcher for watcher in self._watchers if watcher.pid.address in self.nodes]
        for watcher in self._watchers:
            self._tell(watcher)

    def _tell(self, watcher: Watcher) -> None:
        """Let it learn, after a while, who leads by then: an election that is over already is no news."""
        node = self.node_of(watcher)

        def look() -> None:
            assert self.leader is not None
            node.send(watcher.pid, LeaderChangedMessage(self.leader))

        node.clock.later(self.chance.uniform(0.0, WATCH_SECONDS), look)

    def find_master(self, node: Runtime, asker: PID) -> None:
        """Answer a detector: with the master if that can be reached, else when one is elected, else not at all."""
        leader = self.leader
        if leader is not None and self.is_reachable(node, leader.pid.address):
            node.send(asker, MasterFoundMessage(leader))
            return
        question = (node, asker)
        self._questions.append(question)

        def give_up() -> None:
            if question in self._questions:
                self._questions.remove(question)
                node.send(asker, MasterNotFoundMessage("no master is elected"))

        node.clock.later(FIND_SECONDS, give_up)

    # Agents.

    @property
    def agent(self) -> Agent:
        """The first agent."""
        return self.agents[0]

    def add_agent(self, host: str, resources: Resources = RESOURCES, **flags: Any) -> Agent:
        """Start an agent that looks for a master: a new one, or after `crash` and `kill` the same again. It has these
        flags beside those of all.
        """
        node = self.node(host)
        containers = self.containers.setdefault(host, VirtualContainers(self, host, self.executors))
        containers.serve(node)
        volumes = self.volumes.setdefault(host, VirtualVolumes())
        info = AgentInfo(host, resources=resources)
        boot_id, credential = f"boot {self.boots[host]} of {host}", self._agent_credential
        agent = Agent(
            AgentFlags(**(self._agent_flags | flags)),
            info,
            containers,
            Environment(),
            volumes,
            boot_id=boot_id,
            credential=credential,
        )
        pid = node.spawn(agent, AGENT_ID)
        node.when_exited(pid, lambda _: self._end_agent(node))
        node.spawn(self._detector(node, pid), DETECTOR)
        self.agents.append(agent)
        return agent

    def _end_agent(self, node: Runtime) -> None:
        def end() -> None:
            if self.when_agent_ended is not None and self.nodes.get(node.address) is node:
                self.kill(node)
                self.when_agent_ended(node.address.host)

        self.timeline.at(self.elapsed, end)

    # Schedulers.

    def run(
        self, scheduler: Scheduler, framework: FrameworkInfo, host: str = "", credential: Credential | None = None
    ) -> LocalSchedulerDriver:
        """Start a scheduler on a node of its own; its driver calls it back as the real one does."""
        self._schedulers += 1
        node = self.node(host or f"scheduler-{self._schedulers}")
        driver = LocalSchedulerDriver(
            scheduler, framework, lambda pid: self._detector(node, pid), credential=credential
        )
        node.spawn(driver.process, "scheduler")
        return driver

    # Nodes.

    def crash(self, node: Runtime) -> None:
        """The machine is gone, as in `World.crash`, and what runs on it."""
        super().crash(node)
        if any(agent.pid.address == node.address for agent in self.agents):
            self.boots[node.address.host] += 1
            self.containers[node.address.host].fall()
        self._strike(node)

    def kill(self, node: Runtime) -> None:
        """The program is gone, as in `World.kill`; the machine goes on."""
        super().kill(node)
        if any(agent.pid.address == node.address for agent in self.agents):
            self.containers[node.address.host].part()
        self._strike(node)

    def replace_disk(self, host: str) -> None:
        """The next agent there finds an empty disk."""
        self.disks[host] += 1
        self.lose_disk(Address(host, PORT))

    def _strike(self, node: Runtime) -> None:
        self.masters = [master for master in self.masters if master.pid.address != node.address]
        self.agents = [agent for agent in self.agents if agent.pid.address != node.address]

    def node_of(self, actor: Process) -> Runtime:
        """Where an actor lives."""
        return self.nodes[actor.pid.address]

    def _detector(self, node: Runtime, subscriber: PID) -> Process:
        if not self._is_watched:
            return MasterDetector(subscriber, _Finder(self, node))
        watcher = Watcher(subscriber, self.leader)
        self._watchers.append(watcher)
        return watcher


class _Finder:
    """The detectors' `MasterFinder`: asks the cluster."""

    def __init__(self, cluster: Cluster, node: Runtime) -> None:
        self._cluster = cluster
        self._node = node

    def find(self, asker: PID) -> None:
        """See `mesos.detector.MasterFinder`."""
        self._cluster.find_master(self._node, asker)
