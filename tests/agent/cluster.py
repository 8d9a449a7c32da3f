"""An agent in a simulated world. The test itself plays the machine, the master and the framework's own executors."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from agent.agent import AGENT_ID, Agent
from agent.checkpoints.facts import Fact
from agent.checkpoints.identity import journal_path
from agent.checkpoints.journal import Journal
from agent.dialogues.base import AgentState
from agent.flags import AgentFlags
from agent.guests import Guests
from agent.ports import (
    ContainerConfig,
    ContainerLaunchedMessage,
    ContainerTerminatedMessage,
    ProbedMessage,
    Recovered,
    Usage,
    UsageMessage,
)
from libprocess import PID, Address, ExitedMessage, Message, Process, Runtime
from libprocess.simulation import World
from mesos.detector import MasterDetectedMessage
from mesos.ids import AgentID, ContainerID, ExecutorID, FrameworkID, TaskID
from mesos.messages import (
    AgentRegisteredMessage,
    EndedFrameworkMessage,
    ExecutorRegisteredMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkToExecutorMessage,
    KillTaskMessage,
    PongAgentMessage,
    RegisterAgentMessage,
    RegisterExecutorMessage,
    ReregisterAgentMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    UnregisterAgentMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Resources
from mesos.types import (
    AgentInfo,
    CheckInfo,
    CommandInfo,
    Environment,
    ExecutorInfo,
    FrameworkInfo,
    HealthCheck,
    MasterInfo,
    ResourceLimit,
    StatusUpdate,
    TaskInfo,
    TaskState,
    TaskStatus,
)

M = TypeVar("M", bound=Message)

AGENT = AgentID("A1")
FRAMEWORK = FrameworkID("F1")
PING_TIMEOUT_SECONDS = 75.0
RESOURCES = Resources.of(cpus=4, mem=1024)


class Machine:
    """A containerizer whose containers do what the test says."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._owners: dict[ContainerID, PID] = {}
        self.configs: dict[ContainerID, ContainerConfig] = {}
        self.signals: list[int] = []
        self.recovered: list[Recovered] = []
        self.forgotten: list[ContainerID] = []
        self.sizes: list[Resources] = []
        self.limits: list[dict[str, float]] = []
        self.starts = True
        self.probes: list[HealthCheck | CheckInfo] = []
        self.finding: dict[str, object] = {}
        """What probes find."""
        self.measured: tuple[tuple[str, float], ...] = ()
        """What every container uses."""

    def serve(self, runtime: Runtime) -> None:
        """Another agent lives there now."""
        self._runtime = runtime

    def recover(self, containers: Sequence[Recovered]) -> None:
        self.recovered = list(containers)
        for owner, config in containers:
            self.configs[config.container_id] = config
            self._owners[config.container_id] = owner
            if self.starts:
                self._runtime.send(owner, ContainerLaunchedMessage(config.container_id, 4711))

    def forget(self, container_id: ContainerID) -> None:
        self.forgotten.append(container_id)

    @property
    def container_id(self) -> ContainerID:
        """The container that was launched last."""
        return list(self.configs)[-1]

    @property
    def config(self) -> ContainerConfig:
        return self.configs[self.container_id]

    @property
    def running(self) -> list[ContainerID]:
        return list(self._owners)

    def launch(self, owner: PID, config: ContainerConfig) -> None:
        self.configs[config.container_id] = config
        self._owners[config.container_id] = owner
        if self.starts:
            self._runtime.send(owner, ContainerLaunchedMessage(config.container_id, 4711))

    def update(self, container_id: ContainerID, resources: Resources, limits: tuple[ResourceLimit, ...] = ()) -> None:
        self.sizes.append(resources)
        self.limits.append({limit.name: limit.value for limit in limits})

    def signal(self, container_id: ContainerID, number: int) -> None:
        if container_id in self._owners:
            self.signals.append(number)

    def destroy(self, container_id: ContainerID) -> None:
        if container_id in self._owners:
            self.signals.append(signal.SIGKILL)
            self.end(status=signal.SIGKILL, container_id=container_id)

    def usage(self, asker: PID) -> None:
        now = self._runtime.clock.now()
        self._runtime.send(asker, UsageMessage(tuple(Usage(id_, now, self.measured) for id_ in self._owners)))

    def probe(self, asker: PID, container_id: ContainerID, check: HealthCheck | CheckInfo) -> None:
        self.probes.append(check)
        probed = ProbedMessage(container_id, isinstance(check, HealthCheck), **self.finding)
        self._runtime.send(asker, probed)

    def end(self, status: int | None = 0, container_id: ContainerID | None = None, **why: object) -> None:
        """Let a container's first process end; by default the one that was launched last."""
        container_id = container_id or self.container_id
        owner = self._owners.pop(container_id)
        self._runtime.send(owner, ContainerTerminatedMessage(container_id, status, **why))


class Shelf:
    """Volumes that are names on a list."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def create(self, path: str) -> None:
        self.paths.append(path)

    def keep(self, path: str) -> None:
        if path not in self.paths:
            self.paths.append(path)

    def remove(self, path: str) -> None:
        self.paths.remove(path)


class Seat(Process):
    """The master's seat, and the test sits in it: it takes everything, and says what the test says."""

    def __init__(self) -> None:
        self.mail: list[Message] = []
        self.acknowledges = True
        self.admits = True

    def take(self, mail: Message) -> None:
        self.mail.append(mail)

    def got(self, kind: type[M]) -> list[M]:
        return [message for message in self.mail if isinstance(message, kind)]

    @property
    def states(self) -> list[TaskState]:
        """The states of all updates, in the order in which they came."""
        return [message.update.status.state for message in self.mail if isinstance(message, StatusUpdateMessage)]

    @property
    def status(self) -> TaskStatus:
        """The last update's status."""
        return [message for message in self.mail if isinstance(message, StatusUpdateMessage)][-1].update.status

    def tell(self, to: PID, message: Message) -> None:
        self._runtime.send(to, message, self.pid)

    def register_agent(self, message: RegisterAgentMessage) -> None:
        self.take(message)
        if self.admits:
            self.link(self.sender)
            self.reply(AgentRegisteredMessage(AGENT, PING_TIMEOUT_SECONDS))

    def reregister_agent(self, message: ReregisterAgentMessage) -> None:
        self.take(message)
        if self.admits:
            self.reply(AgentRegisteredMessage(AGENT, PING_TIMEOUT_SECONDS))

    def status_update(self, message: StatusUpdateMessage) -> None:
        self.take(message)
        if self.acknowledges:
            self.reply(acknowledgement(message.update))

    def update_operation_status(self, message: UpdateOperationStatusMessage) -> None:
        self.take(message)

    def unregister_agent(self, message: UnregisterAgentMessage) -> None:
        self.take(message)

    def exited_executor(self, message: ExitedExecutorMessage) -> None:
        self.take(message)

    def ended_framework(self, message: EndedFrameworkMessage) -> None:
        self.take(message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        self.take(message)

    def pong_agent(self, message: PongAgentMessage) -> None:
        self.take(message)

    def exited(self, message: ExitedMessage) -> None: ...


class Program(Process):
    """A framework's own executor. It registers, notes what it is told, and reports what the test says."""

    def __init__(self, agent: PID, executor_id: ExecutorID, framework_id: FrameworkID = FRAMEWORK) -> None:
        self._agent = agent
        self._executor_id = executor_id
        self._framework_id = framework_id
        self.mail: list[Message] = []
        self.tasks: list[TaskID] = []
        self._serial = 0

    def initialize(self) -> None:
        self.send(self._agent, RegisterExecutorMessage(self._framework_id, self._executor_id))

    def report(self, task_id: TaskID, state: TaskState, uuid: bytes = b"") -> None:
        self._serial += 1
        status = TaskStatus(task_id, state, uuid=uuid or f"{self.pid} {self._serial}".encode())
        self._runtime.send(self._agent, StatusUpdateMessage(StatusUpdate(self._framework_id, status)), self.pid)

    def say(self, mail: Message) -> None:
        self._runtime.send(self._agent, mail, self.pid)

    def executor_registered(self, message: ExecutorRegisteredMessage) -> None:
        self.mail.append(message)

    def run_task(self, message: RunTaskMessage) -> None:
        self.mail.append(message)
        self.tasks.append(message.task.task_id)

    def kill_task(self, message: KillTaskMessage) -> None:
        self.mail.append(message)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self.mail.append(message)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        self.mail.append(message)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self.mail.append(message)


def acknowledgement(update: StatusUpdate) -> StatusUpdateAcknowledgementMessage:
    assert update.agent_id is not None
    return StatusUpdateAcknowledgementMessage(
        update.framework_id, update.agent_id, update.status.task_id, update.status.uuid
    )


class Cluster:
    """One agent on its machine, and the test in the master's seat."""

    def __init__(self, resources: Resources = RESOURCES, token_key: bytes = b"", **flags: Any) -> None:
        self.world = World()
        self.node = self.world.node("agent", 5051)
        self.machine = Machine(self.node)
        self._flags: dict[str, Any] = {"master": Address("master", 5050), "work_dir": "/srv/mesos"}
        self.give_flags(**flags)
        self.volumes = Shelf()
        self.guests = set[str]()
        """Those that the agent lets in."""
        self.boot_id = ""
        self._token_key = token_key
        self.info = AgentInfo("agent", resources=resources)
        self.start_agent()
        self.framework = FrameworkInfo("root", "f", id=FRAMEWORK)
        self.master = Seat()
        self.elect(self.master)

    def give_flags(self, **flags: Any) -> None:
        """Agents are started with these, too, from now on."""
        self._flags |= flags
        self.flags = AgentFlags(**self._flags)

    def start_agent(self) -> None:
        self.agent = Agent(
            self.flags,
            self.info,
            self.machine,
            Environment(),
            self.volumes,
            boot_id=self.boot_id,
            guests=Guests(self._token_key, self.invite, self.guests.discard),
        )
        self.node.spawn(self.agent, AGENT_ID)

    def invite(self, name: str) -> str:
        self.guests.add(name)
        return ""

    def restart_agent(self) -> None:
        """The machine fails, and comes back with what was on its disk."""
        self.world.crash(self.node)
        self.node = self.world.node("agent", 5051)
        self.machine = Machine(self.node)
        self.start_agent()
        self.elect(Seat(), "master-2")

    def revive_agent(self, writes: int | None = None) -> None:
        """The agent's program is killed and started again; its machine goes on, or fails after so many writes."""
        self.world.kill(self.node)
        self.node = self.world.node("agent", 5051)
        if writes is not None:
            self.node.storage.lose_power_after(writes)
        self.machine.serve(self.node)
        self.start_agent()
        self.elect(Seat(), f"master-{len(self.world.nodes)}")

    def revive_agent_without(self, kind: type[Fact]) -> None:
        """Do that as if the agent had been killed just before it wrote down such facts."""
        journal = Journal(self.node.storage, journal_path(AGENT))
        facts = journal.read(strict=True).facts
        journal.rewrite(fact for fact in facts if not isinstance(fact, kind))
        self.revive_agent()
        self.register()

    def elect(self, master: Seat, host: str = "master") -> None:
        """Put somebody into the seat, and let the agent detect it."""
        self.master = master
        self.master_node = self.world.node(host)
        pid = self.master_node.spawn(master, "master")
        self.node.send(self.agent.pid, MasterDetectedMessage(MasterInfo("m", pid)))

    def register(self) -> None:
        self.world.run_until(lambda: self.agent.state is AgentState.REGISTERED)

    def run(self, *tasks: TaskInfo, launch_executor: bool = True) -> None:
        """Order tasks, as the master does."""
        for task in tasks:
            self.tell(RunTaskMessage(self.framework, task, launch_executor=launch_executor))

    def tell(self, message: Message) -> None:
        """Say something in the master's name, and let happen what comes of it."""
        self.master.tell(self.agent.pid, message)
        self.world.settle()

    def start_program(self, executor_id: str = "E1") -> Program:
        """Let a framework's executor start on the agent's machine."""
        program = Program(self.agent.pid, ExecutorID(executor_id))
        self.node.spawn(program)
        self.world.settle()
        return program


def kept(cluster: Cluster) -> Cluster:
    """From now on tasks are to outlive their agent."""
    cluster.framework = replace(cluster.framework, checkpoint=True)
    return cluster


def command_task(id: str = "t1", line: str = "true", **more: object) -> TaskInfo:
    task = TaskInfo(id, TaskID(id), AGENT, Resources.of(cpus=1, mem=64), command=CommandInfo(line))
    return replace(task, **more)


def executor_task(id: str = "t1", executor_id: str = "E1") -> TaskInfo:
    executor = ExecutorInfo(
        ExecutorID(executor_id), CommandInfo("./executor"), Resources.of(cpus=0.5, mem=32), framework_id=FRAMEWORK
    )
    return TaskInfo(id, TaskID(id), AGENT, Resources.of(cpus=1, mem=64), executor=executor)
