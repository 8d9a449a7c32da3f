"""A master in a world of its own, and peers that speak to it line by line as the test says.

The agents and schedulers here do nothing by themselves but note what they hear (and answer pings), so that a test shows
both sides of each dialogue. Whole clusters are played in `tests/simulation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from libprocess import Message, Process, Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.pid import Address
from libprocess.simulation import World
from master.flags import MasterFlags
from master.master import MASTER, Master
from master.registrar.entries import AgentEntry, Rows, Standing, read_entries
from master.registrar.messages import RegistryStoredMessage
from master.registrar.store import MemoryStore
from mesos.ids import AgentID, ExecutorID, FrameworkID, OfferID, TaskID
from mesos.messages import (
    AcceptOffersMessage,
    AcknowledgeOperationStatusMessage,
    AgentLostMessage,
    AgentRegisteredMessage,
    AgentReregisteredMessage,
    ApplyOperationMessage,
    DeclineOffersMessage,
    ExecutorToFrameworkMessage,
    ExitedExecutorMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkToExecutorMessage,
    FrameworkUnregisteredMessage,
    InverseOffersMessage,
    KillTaskMessage,
    PingAgentMessage,
    PongAgentMessage,
    RegisterAgentMessage,
    RegisterFrameworkMessage,
    ReregisterAgentMessage,
    ReregisterFrameworkMessage,
    RescindInverseOfferMessage,
    RescindResourceOfferMessage,
    ResourceOffersMessage,
    RunTaskMessage,
    ShutdownExecutorMessage,
    ShutdownFrameworkMessage,
    ShutdownMessage,
    StatusUpdateAcknowledgementMessage,
    StatusUpdateMessage,
    UpdateFrameworkMessage,
    UpdateOperationStatusMessage,
)
from mesos.resources import Resources
from mesos.types import (
    AgentCapability,
    AgentInfo,
    CommandInfo,
    ExecutorInfo,
    Filters,
    FrameworkCapability,
    FrameworkInfo,
    Launch,
    Offer,
    Operation,
    OperationState,
    OperationStatus,
    Source,
    StatusUpdate,
    Task,
    TaskInfo,
    TaskState,
    TaskStatus,
)

WEB = Address("master", 5050)

CAPABILITIES = (
    AgentCapability.MULTI_ROLE,
    AgentCapability.HIERARCHICAL_ROLE,
    AgentCapability.RESERVATION_REFINEMENT,
    AgentCapability.RESIZE_VOLUME,
    AgentCapability.AGENT_OPERATION_FEEDBACK,
)
"""What agents can do."""

M = TypeVar("M", bound=Message)


class Peer(Process):
    """Somebody who talks with the master, and notes what it hears."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.inbox: list[Any] = []

    def note(self, news: Message) -> None:
        """Remember something that was heard."""
        self.inbox.append(news)

    def say(self, words: Message) -> None:
        """Send something to the master, and let it have its effects."""
        self.node.send(self.scene.master.pid, words, sender=self.pid)
        self.scene.world.settle()

    def all(self, kind: type[M]) -> list[M]:
        """Everything of that kind that was heard so far."""
        return [message for message in self.inbox if isinstance(message, kind)]

    def last(self, kind: type[M]) -> M:
        """The last of that kind; the test fails if there was none."""
        found = self.all(kind)
        assert found, f"{self.pid} heard no {kind.__name__}, but {[type(message).__name__ for message in self.inbox]}"
        return found[-1]

    @property
    def node(self) -> Runtime:
        """Where it lives."""
        return self._runtime

    def die(self) -> None:
        """Be gone, and let the master notice."""
        self.scene.world.crash(self.node)
        self.scene.world.settle()


class AgentPeer(Peer):
    """An agent by its voice."""

    def __init__(self, scene: Scene, info: AgentInfo) -> None:
        super().__init__(scene)
        self.info = info
        self.answers_pings = True

    @property
    def id(self) -> AgentID:
        """What the master called it."""
        return self.last(AgentRegisteredMessage).agent_id

    def register(self) -> AgentPeer:
        """As one that was never here."""
        self.say(RegisterAgentMessage(self.info, "1", CAPABILITIES))
        return self

    def reregister(self, id: AgentID, **report: Any) -> AgentPeer:
        """As one that has its id."""
        info = AgentInfo(self.info.hostname, id, resources=self.info.resources)
        self.say(ReregisterAgentMessage(info, "1", **({"capabilities": CAPABILITIES} | report)))
        return self

    def update(
        self, task: TaskInfo | TaskID, state: TaskState, uuid: bytes = b"u", latest: TaskState | None = None
    ) -> None:
        """Report a state of a task of the only framework there is."""
        order = next(each for each in self.all(RunTaskMessage) if each.task.task_id == _id(task))
        status = TaskStatus(_id(task), state, self.id, source=Source.SOURCE_EXECUTOR, uuid=uuid)
        self.say(StatusUpdateMessage(StatusUpdate(order.framework.id or _nobody, status, self.id, latest_state=latest)))

    def agent_registered(self, message: AgentRegisteredMessage) -> None:
        self.note(message)

    def agent_reregistered(self, message: AgentReregisteredMessage) -> None:
        self.note(message)

    def shutdown(self, message: ShutdownMessage) -> None:
        self.note(message)

    def ping_agent(self, message: PingAgentMessage) -> None:
        self.note(message)
        if self.answers_pings:
            self.reply(PongAgentMessage())

    def run_task(self, message: RunTaskMessage) -> None:
        self.note(message)

    def apply_operation(self, message: ApplyOperationMessage) -> None:
        self.note(message)

    def acknowledge_operation_status(self, message: AcknowledgeOperationStatusMessage) -> None:
        self.note(message)

    def finish(self, order: ApplyOperationMessage, state: OperationState = OperationState.OPERATION_FINISHED) -> None:
        """Say what became of an operation."""
        status = OperationStatus(state, order.operation.id, self.id, uuid=b"s" + order.uuid)
        self.say(UpdateOperationStatusMessage(order.uuid, status, order.framework_id))

    def kill_task(self, message: KillTaskMessage) -> None:
        self.note(message)

    def shutdown_framework(self, message: ShutdownFrameworkMessage) -> None:
        self.note(message)

    def shutdown_executor(self, message: ShutdownExecutorMessage) -> None:
        self.note(message)

    def update_framework(self, message: UpdateFrameworkMessage) -> None:
        self.note(message)

    def framework_to_executor(self, message: FrameworkToExecutorMessage) -> None:
        self.note(message)

    def status_update_acknowledgement(self, message: StatusUpdateAcknowledgementMessage) -> None:
        self.note(message)


class SchedulerPeer(Peer):
    """A scheduler by its voice."""

    def __init__(self, scene: Scene, info: FrameworkInfo) -> None:
        super().__init__(scene)
        self.info = info
        self.answered: set[OfferID] = set()
        """The offers that it accepted or declined."""

    def say(self, words: Message) -> None:
        """See Peer."""
        if isinstance(words, AcceptOffersMessage | DeclineOffersMessage):
            self.answered |= set(words.offer_ids)
        super().say(words)

    @property
    def id(self) -> FrameworkID:
        """What the master called it."""
        return next(
            message.framework_id
            for message in reversed(self.inbox)
            if isinstance(message, FrameworkRegisteredMessage | FrameworkReregisteredMessage)
        )

    def register(self, suppressed_roles: tuple[str, ...] = ()) -> SchedulerPeer:
        """As a framework that was never here."""
        self.say(RegisterFrameworkMessage(self.info, suppressed_roles))
        return self

    def reregister(self, id: FrameworkID, force: bool = False, **changes: Any) -> SchedulerPeer:
        """As a framework that has its id."""
        self.say(ReregisterFrameworkMessage(framework_info(id=id, **changes), force))
        return self

    def offers(self) -> list[Offer]:
        """Those that stand, as far as it knows."""
        gone = self.answered | {message.offer_id for message in self.all(RescindResourceOfferMessage)}
        made = [offer for message in self.all(ResourceOffersMessage) for offer in message.offers]
        return [offer for offer in made if offer.id not in gone]

    def offer(self) -> Offer:
        """The last that stands; the test fails if there is none."""
        assert self.offers(), f"{self.pid} has no offer"
        return self.offers()[-1]

    def launch(self, *tasks: TaskInfo, on: Iterable[Offer] | None = None, refuse_seconds: float = 5.0) -> None:
        """Launch tasks on the last offer, or on these."""
        ids = tuple(offer.id for offer in ([self.offer()] if on is None else on))
        self.say(AcceptOffersMessage(self.id, ids, (Launch(tasks),), Filters(refuse_seconds)))

    def accept(self, *operations: Operation, on: Iterable[Offer] | None = None, refuse_seconds: float = 5.0) -> None:
        """Do this with the last offer, or with these."""
        ids = tuple(offer.id for offer in ([self.offer()] if on is None else on))
        self.say(AcceptOffersMessage(self.id, ids, operations, Filters(refuse_seconds)))

    def statuses(self, task: TaskInfo | TaskID) -> list[TaskStatus]:
        """What it heard of a task."""
        statuses = [message.update.status for message in self.all(StatusUpdateMessage)]
        return [status for status in statuses if status.task_id == _id(task)]

    def status(self, task: TaskInfo | TaskID) -> TaskStatus:
        """The last that it heard of a task; the test fails if there was nothing."""
        assert self.statuses(task), f"{self.pid} heard nothing of task {_id(task)}"
        return self.statuses(task)[-1]

    def acknowledge(self, task: TaskInfo, uuid: bytes = b"u") -> None:
        """Say that an update is taken care of."""
        self.say(StatusUpdateAcknowledgementMessage(self.id, task.agent_id, task.task_id, uuid))

    def framework_registered(self, message: FrameworkRegisteredMessage) -> None:
        self.note(message)

    def framework_reregistered(self, message: FrameworkReregisteredMessage) -> None:
        self.note(message)

    def framework_unregistered(self, message: FrameworkUnregisteredMessage) -> None:
        self.note(message)

    def framework_error(self, message: FrameworkErrorMessage) -> None:
        self.note(message)

    def resource_offers(self, message: ResourceOffersMessage) -> None:
        self.note(message)

    def rescind_resource_offer(self, message: RescindResourceOfferMessage) -> None:
        self.note(message)

    def status_update(self, message: StatusUpdateMessage) -> None:
        self.note(message)

    def inverse_offers(self, message: InverseOffersMessage) -> None:
        self.note(message)

    def rescind_inverse_offer(self, message: RescindInverseOfferMessage) -> None:
        self.note(message)

    def update_operation_status(self, message: UpdateOperationStatusMessage) -> None:
        self.note(message)

    def agent_lost(self, message: AgentLostMessage) -> None:
        self.note(message)

    def exited_executor(self, message: ExitedExecutorMessage) -> None:
        self.note(message)

    def executor_to_framework(self, message: ExecutorToFrameworkMessage) -> None:
        self.note(message)


class Scene:
    """A world with a master in it."""

    def __init__(self, **flags: Any) -> None:
        self.world = World(seed=1)
        self.flags = MasterFlags(work_dir="work", **flags)
        self.registry: Rows = {}
        """What lasts from one master to the next."""
        self._hosts = 0
        self.start_master()

    def start_master(self) -> None:
        """Start the master, for the first time or after it crashed."""
        self.node = self.world.node(WEB.host)
        self.master = Master(self.flags, WEB, store=MemoryStore(self.node, self.registry))
        self.node.spawn(self.master, MASTER)
        self.world.settle()

    def restart_master(self) -> None:
        """The master crashes, and another one is started in its place: it knows what is written down."""
        self.world.crash(self.node)
        self.world.settle()
        self.start_master()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Nothing comes to be written down before this is over."""
        held = self.world.hold(RegistryStoredMessage)
        yield
        self.world.release(held)
        self.world.settle()

    @property
    def standings(self) -> dict[str, Standing]:
        """How each agent stands, as it is written down."""
        entries = read_entries(self.registry).values()
        return {entry.id: entry.standing for entry in entries if isinstance(entry, AgentEntry)}

    def agent(self, resources: str = "cpus:4;mem:4096", node: Runtime | None = None, hostname: str = "") -> AgentPeer:
        """An agent that has not spoken yet."""
        node = node or self._new_node("agent")
        peer = AgentPeer(self, AgentInfo(hostname or node.address.host, resources=Resources.parse(resources)))
        node.spawn(peer)
        return peer

    def scheduler(self, *capabilities: FrameworkCapability, node: Runtime | None = None, **info: Any) -> SchedulerPeer:
        """A scheduler that has not spoken yet."""
        peer = SchedulerPeer(self, framework_info(capabilities=capabilities, **info))
        (node or self._new_node("scheduler")).spawn(peer)
        return peer

    def _new_node(self, what: str) -> Runtime:
        self._hosts += 1
        return self.world.node(f"{what}-{self._hosts}")

    def get(
        self,
        path: str,
        method: str = "GET",
        body: str = "",
        query: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> HttpResponse:
        """Ask the master over HTTP."""
        answers: list[HttpResponse] = []
        self.ask(HttpRequest(method, path, query, headers, body.encode()), answers.append)
        return answers[0]

    def ask(self, request: HttpRequest, then: Callable[[HttpResponse], None]) -> None:
        """Ask the master over HTTP what it may have to think about."""
        self.node.routes.root = MASTER
        self.node.routes.request(request, then)
        self.world.settle()

    def metric(self, name: str) -> float:
        """One of the master's numbers."""
        return self.node.metrics.snapshot()[f"master/{name}"]


_nobody = FrameworkID("")


def _id(task: TaskInfo | TaskID) -> TaskID:
    return task.task_id if isinstance(task, TaskInfo) else task


def framework_info(**fields: Any) -> FrameworkInfo:
    """A framework that says no more than it must."""
    return FrameworkInfo(**({"user": "somebody", "name": "tests"} | fields))


def task_on(offer: Offer, id: str = "t1", resources: str = "cpus:1;mem:64", **fields: Any) -> TaskInfo:
    """A task for the agent of an offer: a command, unless an executor is given."""
    if "executor" not in fields:
        fields.setdefault("command", CommandInfo("true"))
    return TaskInfo(id, TaskID(id), offer.agent_id, Resources.parse(resources), **fields)


def executor(id: str = "e1", resources: str = "cpus:0.5;mem:32", **fields: Any) -> ExecutorInfo:
    """A program of the framework's own."""
    return ExecutorInfo(ExecutorID(id), CommandInfo("./run"), Resources.parse(resources), **fields)


def reported(order: RunTaskMessage, state: TaskState = TaskState.TASK_RUNNING) -> dict[str, Any]:
    """What an agent that was given this order says of it when it comes back."""
    task, framework = order.task, order.framework
    runs_it = task.executor
    known = Task(
        task.task_id,
        framework.id or _nobody,
        task.agent_id,
        state,
        task.name,
        runs_it.executor_id if runs_it else None,
        task.resources,
    )
    return {"tasks": (known,), "frameworks": (framework,), "executor_infos": (runs_it,) if runs_it else ()}


def offer_ids(*ids: str) -> tuple[OfferID, ...]:
    """Ids of offers, as nobody made them."""
    return tuple(map(OfferID, ids))
