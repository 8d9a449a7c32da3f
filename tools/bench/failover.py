"""Failover: how long until all agents and frameworks are back at a standby that was elected.

Two masters are processes of their own, with one registry between them, as after the first has died on its machine. The
agents are real ones whose machines only pretend, and the schedulers have real drivers; they live in this process. The
leader is killed by SIGKILL; then the other one is told that it leads, and everybody here learns it at that moment.
Mesos' paper has 4 to 8 s for 200 to 4,000 agents.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from agent.agent import Agent
from agent.dialogues.base import AgentState
from agent.flags import AgentFlags
from agent.ports import ContainerConfig, ContainerLaunchedMessage, Recovered
from agent.volumes import DiskVolumes
from libprocess import PID, Address, Process, Runtime, open_node
from libprocess.edge import run
from libprocess.ports import Storage
from libprocess.simulation.storage import SimStorage
from mesos.detector import MasterDetector, MasterFoundMessage, MasterNotFoundMessage
from mesos.ids import ContainerID, TaskID
from mesos.resources import Resources
from mesos.scheduler import LocalSchedulerDriver, Scheduler, SchedulerCalls, pick
from mesos.types import (
    AgentInfo,
    CommandInfo,
    Environment,
    Filters,
    FrameworkInfo,
    MasterInfo,
    Offer,
    ResourceLimit,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from tools.bench.allocator import reference_ms
from tools.options import Parser, count

TASK = Resources.of(cpus=1, mem=64)
FRAMEWORKS = 10
NODES = 10
BAR_SECONDS = 4.0
PATIENCE_SECONDS = 600.0
A_DAY = Filters(86400.0)


class BrokenError(Exception):
    """Something of the bench has ended that should not have, so that what it waits for will never be."""


class Leader:
    """One of the masters, in a process of its own."""

    def __init__(self, work_dir: str) -> None:
        command = [sys.executable, "-m", "tools.bench.leader", work_dir]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        pid, self._web = self._process.stdout.readline().split()
        self.pid = PID.parse(pid)

    def lead(self) -> None:
        """It is elected."""
        assert self._process.stdin is not None
        self._process.stdin.write("lead\n")
        self._process.stdin.flush()

    def knows(self) -> dict[str, float]:
        """Its metrics."""
        with urllib.request.urlopen(f"http://{self._web}/metrics/snapshot", timeout=60) as response:
            found: dict[str, float] = json.load(response)
        return found

    @property
    def ending(self) -> str:
        """Why it does not run; empty as long as it does."""
        status = self._process.poll()
        return "" if status is None else f"the master at {self.pid} ended with status {status}"

    def kill(self) -> None:
        """As its machine would be by a power failure."""
        self._process.kill()
        self._process.communicate()


class Election:
    """Tells everybody on a node who leads; a finder for their detectors."""

    def __init__(self, node: Runtime) -> None:
        self._node = node
        self._leader: MasterInfo | None = None
        self._askers: dict[PID, None] = {}

    def find(self, asker: PID) -> None:
        """See `MasterFinder`."""
        self._askers[asker] = None
        if self._leader is None:
            return
        self._node.send(asker, MasterFoundMessage(self._leader))

    def elect(self, pid: PID | None) -> None:
        """Let this master lead, or nobody."""
        self._leader = MasterInfo(str(pid), pid) if pid is not None else None
        for asker in self._askers:
            found = MasterFoundMessage(self._leader) if self._leader else MasterNotFoundMessage("the leader died")
            self._node.send(asker, found)


class Machines:
    """Containers that start at once and never end."""

    def __init__(self, node: Runtime) -> None:
        self._node = node

    def recover(self, containers: Sequence[Recovered]) -> None: ...

    def forget(self, container_id: ContainerID) -> None: ...

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        """It runs."""
        self._node.send(owner, ContainerLaunchedMessage(config.container_id, 1))

    def update(
        self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()
    ) -> None: ...

    def signal(self, container_id: ContainerID, number: int) -> None: ...

    def destroy(self, container_id: ContainerID) -> None: ...

    def usage(self, asker: PID) -> None: ...

    def probe(self, asker: PID, container_id: ContainerID, check: object) -> None: ...


class BenchAgent(Agent):
    """A real agent with a disk of its own in memory: many live on one node."""

    def __init__(self, number: int, tasks: int, node: Runtime) -> None:
        flags = AgentFlags(master=Address("127.0.0.1", 1), work_dir="/nowhere")
        resources = Resources.parse(f"cpus:{tasks};mem:{64 * tasks}")
        info = AgentInfo(f"host-{number}.example", resources=resources)
        super().__init__(flags, info, Machines(node), Environment(), DiskVolumes("/nowhere"))
        self._own_storage = SimStorage()

    @property
    def storage(self) -> Storage:
        """See Process."""
        return self._own_storage

    def _spawn_files(self) -> None:
        """It has no sandboxes to show."""


class Tenant(Scheduler):
    """Runs tasks for as long as it is offered anything."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.crowd = crowd
        self.name = f"tenant-{number}"
        self.serial = 0
        self.returns = 0

    def resource_offers(self, driver: SchedulerCalls, offers: Sequence[Offer]) -> None:
        """Fill what is offered, so far as its share goes."""
        for offer in offers:
            tasks, left = list[TaskInfo](), offer.resources
            while self.serial < self.crowd.share and (picked := pick(left, TASK)) is not None:
                self.serial += 1
                left -= picked
                id_ = TaskID(f"{self.name}.{self.serial}")
                tasks.append(TaskInfo("sleep", id_, offer.agent_id, picked, CommandInfo("sleep 1000")))
            driver.launch_tasks(offer.id, tasks, A_DAY)

    def status_update(self, driver: SchedulerCalls, status: TaskStatus) -> None:
        """Count those that run."""
        if status.uuid and status.state is TaskState.TASK_RUNNING:
            self.crowd.running.add(status.task_id)  # it may be told so again
        elif status.state not in (TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING):
            self.crowd.lost += 1

    def reregistered(self, driver: SchedulerCalls, master_info: MasterInfo) -> None:
        """It is back."""
        self.returns += 1


class Crowd:
    """The agents and schedulers, on some nodes of this process."""

    agent_type = BenchAgent

    def __init__(self, nodes: Sequence[Runtime], agents: int, tasks: int) -> None:
        self.running: set[TaskID] = set()
        self.lost = 0
        self.ending = ""
        """Which of its actors ended first, and why; empty as long as all are there."""
        self.share = agents * tasks // FRAMEWORKS
        self.elections = [Election(node) for node in nodes]
        self.agents: list[BenchAgent] = []
        self.tenants: list[Tenant] = []
        for number in range(agents):
            node, election = nodes[number % len(nodes)], self.elections[number % len(nodes)]
            agent = self.agent_type(number, tasks, node)
            self.agents.append(agent)
            pid = node.spawn(agent, f"agent-{number}")
            self._need(node, pid)
            self._need(node, node.spawn(MasterDetector(pid, election)))
        for number in range(FRAMEWORKS):
            node, election = nodes[number % len(nodes)], self.elections[number % len(nodes)]
            tenant = Tenant(self, number)
            info = FrameworkInfo("somebody", tenant.name, failover_timeout_seconds=3600.0)
            driver = LocalSchedulerDriver(tenant, info, _detecting(election))
            self._need(node, node.spawn(driver.process, tenant.name))
            self.tenants.append(tenant)

    def _need(self, node: Runtime, pid: PID) -> None:
        def ended(reason: str) -> None:
            self.ending = self.ending or f"{pid} ended: {reason}"

        node.when_exited(pid, ended)

    def elect(self, pid: PID | None) -> None:
        """Everybody learns who leads."""
        for election in self.elections:
            election.elect(pid)

    @property
    def registered(self) -> int:
        """How many agents the master knows."""
        return sum(agent.state is AgentState.REGISTERED for agent in self.agents)

    @property
    def back(self) -> int:
        """How many frameworks came back."""
        return sum(tenant.returns for tenant in self.tenants)


def _detecting(election: Election) -> Callable[[PID], Process]:
    return lambda pid: MasterDetector(pid, election)


async def measure(agents: int, tasks: int, crowd_type: type[Crowd] = Crowd) -> dict[str, float]:
    """The figures; BrokenError says why there are none."""
    async with AsyncExitStack() as stack:
        work_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="failover-"))
        first, second = Leader(work_dir), Leader(work_dir)
        stack.callback(first.kill)
        stack.callback(second.kill)
        nodes = [await stack.enter_async_context(open_node()) for _ in range(NODES)]
        crowd = crowd_type(nodes, agents, tasks)

        first.lead()
        crowd.elect(first.pid)
        await _until(lambda: crowd.registered == agents, "all agents registered", crowd, first, second)
        await _until(lambda: len(crowd.running) == crowd.share * FRAMEWORKS, "all tasks run", crowd, first, second)
        first.kill()
        await _until(lambda: crowd.registered == 0, "the leader's death is noticed", crowd, second)
        crowd.elect(None)
        reference = reference_ms()

        began = time.perf_counter()
        second.lead()
        crowd.elect(second.pid)
        await _until(lambda: crowd.registered == agents and crowd.back == FRAMEWORKS, "all are back", crowd, second)
        back_seconds = time.perf_counter() - began
        known = await asyncio.to_thread(second.knows)
        return {
            "agents": int(known["master/slaves_active"]),
            "tasks": int(known["master/tasks_running"]) - crowd.lost,
            "back_seconds": round(back_seconds, 3),
            "reference_ms": round(min(reference, reference_ms()), 1),
        }


async def _until(condition: Callable[[], bool], what: str, *needed: Crowd | Leader) -> None:
    """Wait for something to come true for which all of these have to be there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        ending = next(filter(None, (each.ending for each in needed)), "")
        if ending:
            raise BrokenError(f"it cannot come true that {what}: {ending}")
        if time.monotonic() > deadline:
            raise BrokenError(f"within {PATIENCE_SECONDS:g} s it did not come true that {what}")
        await asyncio.sleep(0.005)


def main(arguments: list[str]) -> int:
    """Measure, and print; 1 if the bar is not met, or a task was lost."""
    parser = Parser(prog="python -m tools.bench failover", description=__doc__)
    parser.add_argument("--agents", type=count, default=1000, help="how many agents (1000)")
    parser.add_argument("--tasks", type=count, default=10, help="how many tasks on each (10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a line")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # that the leader is gone, from everybody
    try:
        found = run(measure(options.agents, options.tasks))
    except BrokenError as error:
        print(f"tools.bench failover: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['agents']} agents with {found['tasks']} tasks and {FRAMEWORKS} frameworks were back after "
            f"{found['back_seconds']:.2f} s, at most {BAR_SECONDS:g}; 10 million integers are added up in "
            f"{found['reference_ms']:.0f} ms"
        )
    is_whole = (found["agents"], found["tasks"]) == (options.agents, options.agents * options.tasks)
    return 0 if is_whole and found["back_seconds"] <= BAR_SECONDS else 1
