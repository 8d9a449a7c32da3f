"""A master with many agents and tasks, on one node, for the http bench: they do what real ones would say."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from libprocess import PID, Process, Runtime, open_node
from libprocess.http.server import HttpServer
from master.flags import MasterFlags
from master.master import MASTER, Master
from mesos.ids import AgentID, FrameworkID, TaskID
from mesos.messages import (
    AcceptOffersMessage,
    AgentRegisteredMessage,
    DeclineOffersMessage,
    FrameworkRegisteredMessage,
    PingAgentMessage,
    PongAgentMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
    ResourceOffersMessage,
    RunTaskMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
)
from mesos.resources import Resources
from mesos.types import (
    AgentInfo,
    CommandInfo,
    Filters,
    FrameworkInfo,
    Label,
    Launch,
    Offer,
    StatusUpdate,
    TaskInfo,
    TaskState,
    TaskStatus,
)

FRAMEWORKS = 50
AGENT = "cpus:{tasks};mem:{mem};disk:100000;ports:[31000-32000]"
TASK = Resources.of(cpus=1, mem=512)
A_DAY = Filters(86400.0)
BUILD_SECONDS = 600.0


class Agent(Process):
    """Runs every task at once, and ends one when the bench says so."""

    def __init__(self, master: PID, number: int, tasks: int) -> None:
        resources = Resources.parse(AGENT.format(tasks=tasks, mem=512 * tasks))  # full, once they all run
        self.master = master
        self.info = AgentInfo(f"host-{number}.example", resources=resources)
        self.id = AgentID("")
        self.tasks: dict[TaskID, FrameworkID] = {}
        self.updates = 0

    def initialize(self) -> None:
        """The first turn."""
        self.send(self.master, RegisterAgentMessage(self.info, "1"))

    def agent_registered(self, message: AgentRegisteredMessage) -> None:
        """It has an id."""
        self.id = message.agent_id

    def ping_agent(self, message: PingAgentMessage) -> None:
        """It is there."""
        self.reply(PongAgentMessage())

    def run_task(self, message: RunTaskMessage) -> None:
        """It runs."""
        assert message.framework.id is not None
        self.tasks[message.task.task_id] = message.framework.id
        self.tell(message.task.task_id, TaskState.TASK_RUNNING)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        """Its scheduler has heard."""

    def tell(self, task_id: TaskID, state: TaskState) -> None:
        """Report a state of a task."""
        self.updates += 1
        uuid = self.updates.to_bytes(16, "big")
        status = TaskStatus(task_id, state, self.id, timestamp=self.now, uuid=uuid)
        self.send(self.master, StatusUpdateMessage(StatusUpdate(self.tasks[task_id], status, self.id)))

    def end(self, task_id: TaskID) -> None:
        """A task has finished."""
        self.tell(task_id, TaskState.TASK_FINISHED)
        del self.tasks[task_id]


class Scheduler(Process):
    """Launches as many tasks as it should have, a few per agent, and wants no more offers of what is left."""

    def __init__(self, crowd: Crowd, number: int, per_offer: int) -> None:
        self.crowd = crowd
        self.info = FrameworkInfo("user", f"framework-{number}", role=f"role-{number}")
        self.id = FrameworkID("")
        self.per_offer = per_offer
        self.serial = 0

    def initialize(self) -> None:
        """The first turn."""
        self.send(self.crowd.master, RegisterFrameworkMessage(self.info))

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        """It has an id."""
        self.id = message.framework_id

    def resource_offers(self, message: ResourceOffersMessage) -> None:
        """Launch what is missing."""
        self.crowd.offered(message)
        for offer in message.offers:
            count = min(self.per_offer, self.crowd.missing)
            self.crowd.missing -= count
            if count:
                tasks = tuple(self._task(offer) for _ in range(count))
                self.send(self.crowd.master, AcceptOffersMessage(self.id, (offer.id,), (Launch(tasks),), A_DAY))
            else:
                self.send(self.crowd.master, DeclineOffersMessage(self.id, (offer.id,), A_DAY))

    def _task(self, offer: Offer) -> TaskInfo:
        self.serial += 1
        id_ = TaskID(f"{self.info.name}.{self.serial:08}")
        return TaskInfo(
            "service",
            id_,
            offer.agent_id,
            TASK.allocate(offer.role),
            command=CommandInfo("sleep 1000"),
            labels=(Label("service", "web"),),
        )

    def status_update(self, message: StatusUpdateMessage) -> None:
        """Acknowledge."""
        status, agent_id = message.update.status, message.update.agent_id
        self.crowd.running += status.state is TaskState.TASK_RUNNING
        assert agent_id is not None
        self.send(self.crowd.master, StatusUpdateAcknowledgementMessage(self.id, agent_id, status.task_id, status.uuid))


class Crowd:
    """All of them."""

    def __init__(self, runtime: Runtime, agents: int, tasks: int) -> None:
        self.runtime = runtime
        self.master = PID(MASTER, *runtime.address)
        self.missing = 0
        """How many tasks are still to be launched."""
        self.running = 0
        """How many were heard to run."""
        each = -(-tasks // agents)
        self.agents = [Agent(self.master, number, each) for number in range(agents)]
        self.schedulers = [Scheduler(self, number, each) for number in range(FRAMEWORKS)]
        self.latencies: list[tuple[float, float]] = []
        """Seconds from the end of a task to an offer of what it had: as they pass, and of the processor's time here."""
        self._chance = random.Random(1)
        self._ended: dict[AgentID, tuple[float, float]] = {}

    async def build(self, tasks: int) -> None:
        """Everybody comes, and every task runs."""
        for agent in self.agents:
            self.runtime.spawn(agent)
        await self.until(lambda: all(agent.id for agent in self.agents))
        self.missing = tasks
        for scheduler in self.schedulers:
            self.runtime.spawn(scheduler)
        await self.until(lambda: self.running >= tasks)
        await self.until(lambda: not self.runtime.mailbox_depths().total())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it."""
        async with asyncio.timeout(BUILD_SECONDS):
            while not condition():
                assert not self.runtime.failures, str(self.runtime.failures[0])
                await asyncio.sleep(0.05)

    def offered(self, message: ResourceOffersMessage) -> None:
        """Some scheduler has offers."""
        now, used = time.perf_counter(), time.thread_time()
        for offer in message.offers:
            ended = self._ended.pop(offer.agent_id, None)
            if ended is not None:
                self.latencies.append((now - ended[0], used - ended[1]))

    def change(self) -> None:
        """A task ends somewhere; who is offered what it had launches another."""
        agent = self._chance.choice(self.agents)
        if agent.tasks and agent.id not in self._ended:
            self.missing += 1
            self._ended[agent.id] = time.perf_counter(), time.thread_time()
            agent.end(next(iter(agent.tasks)))
            self.runtime.drain()

    def report(self, count: int) -> None:
        """That many tasks say that they run."""
        for agent in self._chance.choices(self.agents, k=count):
            if agent.tasks:
                agent.tell(next(iter(agent.tasks)), TaskState.TASK_RUNNING)
        self.runtime.drain()


@asynccontextmanager
async def crowd(agents: int, tasks: int) -> AsyncIterator[tuple[Crowd, Master, HttpServer]]:
    """A crowd that stands, and its master's web page."""
    async with open_node() as runtime:
        server = HttpServer(runtime, root=MASTER)
        await server.start()
        try:
            master = Master(MasterFlags(work_dir="."), server.address)
            runtime.spawn(master, MASTER)
            the_crowd = Crowd(runtime, agents, tasks)
            await the_crowd.build(tasks)
            yield the_crowd, master, server
        finally:
            await server.close()
