"""World: a whole cluster's nodes in one process, on virtual time, from one seed."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from libprocess.failure import Failure
from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.ports import Envelope
from libprocess.recording import Sink
from libprocess.runtime import FAILURES_KEPT, Runtime
from libprocess.simulation.faults import NO_FAULTS, Faults
from libprocess.simulation.filters import Filter, Filters, Verdict
from libprocess.simulation.journal import Journal
from libprocess.simulation.network import Fabric, SimNetwork
from libprocess.simulation.storage import PowerLostError, SimStorage
from libprocess.simulation.timeline import SimClock, Timeline

M = TypeVar("M", bound=Message)

PORT = 5050
STEPS_MAX = 100_000
"""So many steps at one moment are taken for a loop without end."""

TAIL_RECORDS = 20


class StruckError(BaseException):
    """Ends the turn of a node that dies in the middle of it. Not an Exception: an actor cannot survive it."""

    def __init__(self, node: Runtime, blow: Blow) -> None:
        super().__init__("the node was struck")
        self.node = node
        self.blow = blow


@dataclass
class Blow:
    """How a node is to die, and when: see `World.strike_after`."""

    mail: int
    strike: Callable[[Runtime], None]


class UnsettledError(AssertionError):
    """The world did not come to rest, or not to what is waited for. The text ends with what happened last."""


class World:
    """Makes nodes, and lets time pass. The same seed and the same calls give the same trace, byte for byte.

        world = World(seed=7)
        node = world.node("h1")
        node.spawn(Counter(), "counter")
        world.advance(seconds=10)

    Time stands still between calls, and mail takes none unless `faults` say so.
    """

    def __init__(self, seed: int | str = 0) -> None:
        self.seed = seed
        self.chance = random.Random(f"world {seed}")
        """For what a test or a story leaves to chance."""
        self.timeline = Timeline()
        self.nodes: dict[Address, Runtime] = {}
        """The nodes that live."""
        self.after_step: list[Callable[[], None]] = []
        """Called after every step, which is one turn of one node or one event of the network: the place for
        invariants.
        """
        self.failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        """The actors, of any node that ever was, that ended by their own fault."""
        self.journal = Journal()
        self._fabric = Fabric(self.timeline, random.Random(f"network {seed}"))
        self._filters = Filters(self.nodes)
        self._storages: dict[Address, SimStorage] = {}
        self._lives: Counter[Address] = Counter()
        self._blows: dict[Address, Blow] = {}

    # Nodes.

    def node(self, host: str, port: int = PORT, skew_seconds: float = 0.0) -> Runtime:
        """Start a node, for the first time or again: its disk is as its last run left it.

        `skew_seconds` is how far its clock is ahead of the world's. ValueError if a node lives at that address.
        """
        address = Address(host, port)
        if address in self.nodes:
            raise ValueError(f"there is a node at {address} already")
        self._lives[address] += 1
        network = SimNetwork(self._fabric, address)
        node = self.nodes[address] = Runtime(
            clock=SimClock(self.timeline, skew_seconds),
            network=network,
            chance=random.Random(f"node {address} {self._lives[address]} {self.seed}"),
            storage=self.storage(address),
        )
        node.failures = self.failures
        node.trace = network.trace = self.journal.tracer(node)
        self._show_mail(node)
        return node

    def storage(self, address: Address) -> SimStorage:
        """The disk of the node at that address, whether it lives or not."""
        return self._storages.setdefault(address, SimStorage())

    def lose_disk(self, address: Address) -> None:
        """The next node at that address finds an empty disk. ValueError if one lives there."""
        if address in self.nodes:
            raise ValueError(f"there is a node at {address}, which has the disk in use")
        self._storages.pop(address, None)

    def crash(self, node: Runtime) -> None:
        """The node is gone, with its memory and what it did not sync; who is linked to it sees a broken connection."""
        if self._leave(node):
            self.storage(node.address).crash(self.chance)

    def kill(self, node: Runtime) -> None:
        """The node's program is gone, as after a SIGKILL, with its memory; what it wrote is in the machine's hands."""
        if self._leave(node):
            self.storage(node.address).settle()

    def strike_after(self, address: Address, mail: int, strike: Callable[[Runtime], None]) -> None:
        """Let the node there, or one after it, be struck when it is about to handle one more piece of mail than that.

        Each point between two is a different death, also in the middle of a turn: what was written by then is written,
        and what was said in that turn is heard by nobody. `strike` is `crash` or `kill`, or does that.
        """
        self._blows[address] = Blow(mail, strike)
        if address in self.nodes:
            self._show_mail(self.nodes[address])

    def spare(self, address: Address) -> None:
        """Undo `strike_after`."""
        if self._blows.pop(address, None) is not None and address in self.nodes:
            self._show_mail(self.nodes[address])

    def spare_all(self) -> None:
        """Let all live."""
        for address in list(self._blows):
            self.spare(address)

    def close(self, node: Runtime) -> None:
        """The node ends in good order: its actors' `finalize` runs, and all that it wrote is there."""
        node.close()
        self._leave(node)

    def pause(self, node: Runtime) -> None:
        """The node does nothing any more, as after a SIGSTOP: what is said to it waits, and its links are given up."""
        if not self.is_paused(node):
            _clock(node).pause()
            self._fabric.pause(_network(node))

    def resume(self, node: Runtime) -> None:
        """A paused node goes on: its timers that came due ring now, and it hears what was said to it."""
        if self.is_paused(node):
            _clock(node).resume()
            self._fabric.resume(_network(node))

    def is_paused(self, node: Runtime) -> bool:
        """Whether the node is paused."""
        return _network(node).paused_at is not None

    def _leave(self, node: Runtime) -> bool:
        if self.nodes.get(node.address) is not node:
            return False
        del self.nodes[node.address]
        _clock(node).stopped = True
        node.network.close()
        return True

    # Time.

    @property
    def elapsed(self) -> float:
        """Seconds since the world began."""
        return self.timeline.now

    def step(self, until: float) -> bool:
        """Let the next thing happen, if one is due by then (seconds since the world began)."""
        try:
            happened = self.timeline.step(until)
        except PowerLostError as lost:
            happened = True
            self._power_lost(lost.storage)
        except StruckError as struck:
            happened = True
            struck.blow.strike(struck.node)
        if happened:
            for check in self.after_step:
                check()
        return happened

    def _power_lost(self, storage: SimStorage) -> None:
        for node in list(self.nodes.values()):
            if node.storage is storage:
                self.crash(node)

    def settle(self) -> None:
        """Let all happen that is due now, and what comes of it now."""
        self.advance(0.0)

    def advance(self, seconds: float) -> None:
        """Let that much time pass, and all happen that is due in it."""
        until = self.timeline.now + seconds
        self._run_until(lambda: False, until)
        self.timeline.now = until

    def run_until(self, condition: Callable[[], bool], limit_seconds: float = 60.0) -> None:
        """Let time pass until the condition holds; it is asked after every step. UnsettledError after that many
        seconds.
        """
        if not self._run_until(condition, self.timeline.now + limit_seconds):
            raise self._unsettled(f"within {limit_seconds:g} s it did not come true")

    def _run_until(self, condition: Callable[[], bool], until: float) -> bool:
        moment, steps = self.timeline.now, 0
        while not condition():
            if not self.step(until):
                return False
            steps = steps + 1 if self.timeline.now == moment else 0
            moment = self.timeline.now
            if steps > STEPS_MAX:
                raise self._unsettled(f"{STEPS_MAX} steps at one moment, and no rest")
        return True

    def _unsettled(self, what: str) -> UnsettledError:
        tail = "\n  ".join(self.journal.tail(TAIL_RECORDS))
        return UnsettledError(f"{what}; what happened last (seed {self.seed}):\n  {tail}")

    # From outside.

    def ask(self, to: PID, message: Message, timeout_seconds: float = 10.0) -> Message:
        """Send from outside an actor, on the node of `to`, and let time pass until the answer comes.

        TimeoutError and ConnectionError as from `Runtime.ask`.
        """
        answers: list[Message | Exception] = []
        node = self.nodes[to.address]
        node.asks.ask(to, message, timeout_seconds, answers.append)
        self.timeline.at(self.timeline.now, node.drain)
        self.run_until(lambda: bool(answers), timeout_seconds + 1.0)
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    # Faults.

    @property
    def faults(self) -> Faults:
        """What the network does wrong by chance, from now on."""
        return self._fabric.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._fabric.faults = faults

    def cut(self, source: Runtime | Address, target: Runtime | Address) -> None:
        """Let nothing through from one node to another; the other way stays open."""
        self._fabric.cut(_address(source), _address(target))

    def is_reachable(self, node: Runtime | Address, other: Runtime | Address) -> bool:
        """Whether the other node lives, and no cut keeps the two apart."""
        here, there = _address(node), _address(other)
        return there in self.nodes and not (self._fabric.is_cut(here, there) or self._fabric.is_cut(there, here))

    def partition(self, *groups: Iterable[Runtime | Address]) -> None:
        """Cut both ways between every two nodes of different groups."""
        sides = [[_address(node) for node in group] for group in groups]
        for side in sides:
            for other in sides:
                if other is not side:
                    for source in side:
                        for target in other:
                            self._fabric.cut(source, target)

    def mend(self) -> None:
        """End all cuts. What waited for that arrives, where the link did not break meanwhile."""
        self._fabric.mend()

    def heal(self) -> None:
        """End all cuts, and all faults."""
        self._fabric.faults = NO_FAULTS
        self.mend()

    # Filters.

    def expect(self, kind: type[M], to: PID | None = None, sender: PID | None = None) -> Filter[M]:
        """Note the mail of that kind, to and from whom given, that reaches its actor; it is in `.seen`."""
        return self._filter(kind, to, sender, Verdict.PASS)

    def drop(self, kind: type[M], to: PID | None = None, sender: PID | None = None) -> Filter[M]:
        """Lose such mail, until `restore`."""
        return self._filter(kind, to, sender, Verdict.DROP)

    def hold(self, kind: type[M], to: PID | None = None, sender: PID | None = None) -> Filter[M]:
        """Keep such mail back, until `release`."""
        return self._filter(kind, to, sender, Verdict.HOLD)

    def restore(self, ended: Filter[M]) -> None:
        """End a filter. What it holds is lost."""
        self._filters.restore(ended)
        self._show_mail(*self.nodes.values())

    def release(self, ended: Filter[M]) -> None:
        """End a filter. What it holds is delivered, in order."""
        self._filters.release(ended)
        self._show_mail(*self.nodes.values())

    def _filter(self, kind: type[M], to: PID | None, sender: PID | None, verdict: Verdict) -> Filter[M]:
        added = self._filters.add(kind, to, sender, verdict)
        self._show_mail(*self.nodes.values())
        return added

    def _show_mail(self, *nodes: Runtime) -> None:
        for node in nodes:
            is_watched = self._filters or node.address in self._blows
            node.interceptor = partial(self._intercept, node) if is_watched else None

    def _intercept(self, node: Runtime, envelope: Envelope) -> bool:
        """See `ports.Interceptor`."""
        blow = self._blows.get(node.address)
        if blow is not None:
            if blow.mail == 0:
                del self._blows[node.address]
                raise StruckError(node, blow)
            blow.mail -= 1
        return self._filters.intercept(node, envelope)

    # Trace.

    def digest(self) -> str:
        """The fingerprint of all that happened so far, in every node."""
        return self.journal.digest()

    def record(self, sink: Sink) -> None:
        """Write what happens from now on to a sink, such as a `BoundedFile`; all nodes go to one recording."""
        self.journal.attach(sink)


def _address(node: Runtime | Address) -> Address:
    return node if isinstance(node, Address) else node.address


def _clock(node: Runtime) -> SimClock:
    assert isinstance(node.clock, SimClock)
    return node.clock


def _network(node: Runtime) -> SimNetwork:
    assert isinstance(node.network, SimNetwork)
    return node.network
