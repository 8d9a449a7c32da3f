"""Links: who is told when which actor ends.

The node that an actor lives on keeps the list of those who linked to it; a linker elsewhere asks its NodeProcess for a
place on that list. So a link to an actor that is not there is answered at once, and a broken connection ends all links
over it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from libprocess.message import Message
from libprocess.pid import PID, Address
from libprocess.process import ExitedMessage, Process

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

NODE_ID = "node"
"""The id of the actor that every node has."""

NO_ACTOR = "no such actor"

_Pairs = dict[Address, dict[tuple[PID, PID], None]]


class WatchMessage(Message, frozen=True):
    """From a linker to the node of the actor it links to: tell me when it ends."""

    target: str


class UnwatchMessage(Message, frozen=True):
    """From a linker to the node of the actor it was linked to: no longer."""

    target: str


class NodeProcess(Process):
    """Speaks for the node: takes the wishes of linkers on other nodes."""

    __slots__ = ()

    def watch(self, message: WatchMessage) -> None:
        self._runtime.links.watch(self.sender, self._here(message.target))

    def unwatch(self, message: UnwatchMessage) -> None:
        self._runtime.links.unwatch(self.sender, self._here(message.target))

    def _here(self, id: str) -> PID:
        return PID(id, self.pid.host, self.pid.port)


class Links:
    """The links of one node's actors, in both directions. Dicts stand for ordered sets."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._targets: dict[PID, dict[PID, None]] = {}  # a linker here → what it is linked to
        self._away: _Pairs = defaultdict(dict)  # a node → (linker here, target there)
        self._watchers: dict[PID, dict[PID, None]] = {}  # a target here → its linkers
        self._foreign: _Pairs = defaultdict(dict)  # a node → (linker there, target here)

    def link(self, linker: PID, target: PID) -> None:
        """A linker of this node wants to know of the end of an actor anywhere."""
        targets = self._targets.setdefault(linker, {})
        if target in targets:
            return
        targets[target] = None
        if self._is_here(target):
            self.watch(linker, target)
            return
        self._away[target.address][linker, target] = None
        self._runtime.network.connect(target.address)
        self._runtime._post((self._node_of(target), linker, WatchMessage(target.id), 0, 0))

    def unlink(self, linker: PID, target: PID) -> None:
        """Undo `link`."""
        if not self.forget(linker, target):
            return
        if self._is_here(target):
            self.unwatch(linker, target)
        else:
            self._runtime._post((self._node_of(target), linker, UnwatchMessage(target.id), 0, 0))

    def forget(self, linker: PID, target: PID) -> bool:
        """Strike a link from the linker's side; False if there was none."""
        targets = self._targets.get(linker)
        if targets is None or target not in targets:
            return False
        del targets[target]
        if not targets:
            del self._targets[linker]
        _discard(self._away, target.address, (linker, target))
        return True

    def watch(self, linker: PID, target: PID) -> None:
        """A linker anywhere wants to know of the end of an actor here."""
        if target not in self._runtime.processes:
            self._tell(linker, target, NO_ACTOR)
            return
        self._watchers.setdefault(target, {})[linker] = None
        if not self._is_here(linker):
            self._foreign[linker.address][linker, target] = None

    def unwatch(self, linker: PID, target: PID) -> None:
        """Undo `watch`."""
        watchers = self._watchers.get(target, {})
        watchers.pop(linker, None)
        if not watchers:
            self._watchers.pop(target, None)
        _discard(self._foreign, linker.address, (linker, target))

    def ended(self, pid: PID, reason: str) -> None:
        """An actor of this node ended: tell its linkers, and drop the links it held itself."""
        for linker in self._watchers.pop(pid, {}):
            _discard(self._foreign, linker.address, (linker, pid))
            self._tell(linker, pid, reason)
        for target in list(self._targets.get(pid, {})):
            self.unlink(pid, target)

    def broken(self, address: Address, reason: str) -> None:
        """The connection to a node ended: so do all links over it."""
        for linker, target in self._foreign.pop(address, {}):
            self.unwatch(linker, target)
        for linker, target in self._away.pop(address, {}):
            self._tell(linker, target, reason)

    def _tell(self, linker: PID, target: PID, reason: str) -> None:
        self._runtime._post((linker, target, ExitedMessage(target, reason), 0, 0))

    def _is_here(self, pid: PID) -> bool:
        return pid.address == self._runtime.address

    @staticmethod
    def _node_of(pid: PID) -> PID:
        return PID(NODE_ID, pid.host, pid.port)


def _discard(index: _Pairs, address: Address, pair: tuple[PID, PID]) -> None:
    pairs = index.get(address)
    if pairs is not None and pairs.pop(pair, pairs) is None and not pairs:
        del index[address]
