"""The virtual network: links between nodes that open, carry frames through the real codec, and break as real ones do.

There is one link per pair of nodes, used both ways; each side holds its end. Mail waits at an end until the link is
open, and while the way is cut. A link is between two runs of nodes: a node that comes back begins with none, so
nothing meant for the dead one reaches it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from libprocess.codec import Decoder, encode
from libprocess.pid import Address
from libprocess.ports import Envelope, Node, Trace
from libprocess.simulation.faults import NO_FAULTS, may_suffer
from libprocess.simulation.timeline import Timeline

SILENCE_SECONDS = 3.0
"""How long an end hears nothing before it gives the link up, and how long a dialled node may take to answer."""

REFUSED = "connection refused"
SILENT = "nothing heard any more"
HUNG_UP = "the other end hung up"
REPLACED = "replaced by a newer link"
LOST = "lost by the simulated network"


class End:
    """One node's end of its link to another."""

    __slots__ = ("address", "arrival", "decoder", "doomed", "is_closed", "is_open", "network", "peer", "waiting")

    def __init__(self, network: SimNetwork, address: Address) -> None:
        self.network = network
        self.address = address
        self.peer: End | None = None
        self.is_open = False
        self.is_closed = False
        self.doomed = False
        self.arrival = 0.0
        self.waiting: list[Envelope] = []
        self.decoder = Decoder(address, network.address, network.node.dropped, network.node.came)

    def open(self) -> None:
        """The handshake is through: from now on mail goes."""
        if not self.network.keeps(self.open) and not self.is_closed:
            self.is_open = True
            self.flush()

    def flush(self) -> None:
        """Let out what waits, if it can go."""
        fabric = self.network.fabric
        if self.waiting and self.is_open and not fabric.is_cut(self.network.address, self.address):
            batch, self.waiting = self.waiting, []
            fabric.carry(self, batch)

    def arrive(self, frame: bytes, sender: SimNetwork) -> None:
        """A frame comes out at this end."""
        if self.network.keeps(partial(self.arrive, frame, sender)):
            return
        envelopes = self.decoder.decode(frame)
        if self.is_closed:
            sender.lose(envelopes, HUNG_UP)
        else:
            self.network.node.deliver(envelopes)

    def close(self, reason: str) -> None:
        """This end sees that the link is gone."""
        if self.is_closed or self.network.keeps(partial(self.close, reason)):
            return
        self.is_closed = True
        network = self.network
        if network.ends.get(self.address) is self:
            del network.ends[self.address]
        self._hang_up()
        if network.is_closed:
            return
        for envelope in self.waiting:
            network.node.dropped(envelope, reason)
        network.node.broken(self.address, reason)

    def _hang_up(self) -> None:
        """Let the other end know: behind the mail that is underway, or by the silence where nothing gets through."""
        peer = self.peer
        if peer is None or peer.is_closed:
            return
        fabric = self.network.fabric
        if self.doomed or fabric.is_cut(self.network.address, self.address):
            fabric.timeline.at(fabric.timeline.now + SILENCE_SECONDS, partial(peer.close, SILENT))
        else:
            fabric.timeline.at(fabric.arrival_at(peer), partial(peer.close, HUNG_UP))


class SimNetwork:
    """One node's face of the network (see `ports.Network`)."""

    node: Node

    def __init__(self, fabric: Fabric, address: Address) -> None:
        self.fabric = fabric
        self.address = address
        self.is_closed = False
        self.paused_at: float | None = None
        """Since when the node does nothing, in seconds since the world began; None if it does what it should."""
        self.ends: dict[Address, End] = {}
        self.trace: Trace | None = None
        self._to_flush: dict[End, None] = {}
        self._kept: list[Callable[[], None]] = []

    def start(self, node: Node) -> Address:
        """See `ports.Network`."""
        self.node = node
        self.fabric.networks[self.address] = self
        return self.address

    def send(self, envelope: Envelope) -> None:
        """See `ports.Network`."""
        end = self._end(envelope[0].address)
        end.waiting.append(envelope)
        self._to_flush[end] = None

    def flush(self) -> None:
        """See `ports.Network`."""
        if self._to_flush:
            ends, self._to_flush = self._to_flush, {}
            for end in ends:
                end.flush()

    def connect(self, address: Address) -> None:
        """See `ports.Network`."""
        self._end(address)

    def principal(self, address: Address) -> str | None:
        """See `ports.Network`."""
        return None

    def _end(self, address: Address) -> End:
        end = self.ends.get(address)
        if end is None:
            end = self.ends[address] = End(self, address)
            self.fabric.dial(end)
        return end

    def keeps(self, callback: Callable[[], None]) -> bool:
        """Whether the node is paused: then this happens when it resumes."""
        if self.paused_at is None or self.is_closed:
            return False
        self._kept.append(callback)
        return True

    def resume(self) -> None:
        """Let happen what was kept back, in order."""
        self.paused_at = None
        kept, self._kept = self._kept, []
        for callback in kept:
            callback()

    def lose(self, envelopes: Sequence[Envelope], reason: str) -> None:
        """Mail of this node was lost on its way: only the trace may know."""
        if self.trace is not None and not self.is_closed:
            for envelope in envelopes:
                self.trace.dropped(envelope, reason)

    def close(self) -> None:
        """See `ports.Network`: the node leaves, in good order or not; the other ends see it as a broken connection."""
        if self.is_closed:
            return
        self.is_closed = True
        del self.fabric.networks[self.address]
        for end in list(self.ends.values()):
            end.close(HUNG_UP)


class Fabric:
    """What lies between the nodes: who is reachable, how long mail takes, and what goes wrong."""

    def __init__(self, timeline: Timeline, chance: random.Random) -> None:
        self.timeline = timeline
        self.networks: dict[Address, SimNetwork] = {}
        self.faults = NO_FAULTS
        self._chance = chance
        self._cuts: dict[tuple[Address, Address], object] = {}

    # Links.

    def dial(self, end: End) -> None:
        """Begin to open a link."""
        now = self.timeline.now
        self.timeline.at(now + self._latency(), partial(self._hello, end))
        self.timeline.at(now + SILENCE_SECONDS, partial(self._give_up, end))

    def _hello(self, end: End) -> None:
        """The dialler's first words reach the other node, if they can."""
        if end.is_closed or end.is_open or end.peer is not None:
            return
        here, there = end.network.address, end.address
        network = self.networks.get(there)
        if self.is_cut(here, there) or self.is_cut(there, here) or _is_paused(end.network) or _is_paused(network):
            return  # until `_try_again`, or until it takes too long
        if network is None:
            end.close(REFUSED)
        else:
            self._join(end, self._answering_end(network, here))

    @staticmethod
    def _answering_end(network: SimNetwork, address: Address) -> End:
        """The other node's end for a new link: the one it dials itself at this moment, or a new one."""
        end = network.ends.get(address)
        if end is not None and end.peer is not None:
            end.close(REPLACED)  # what it was linked to is no more
            end = network.ends.get(address)
        if end is None:
            end = network.ends[address] = End(network, address)
        return end

    def _join(self, dialled: End, answering: End) -> None:
        dialled.peer, answering.peer = answering, dialled
        self.timeline.at(self.arrival_at(dialled), dialled.open)  # the welcome
        answering.open()

    @staticmethod
    def _give_up(end: End) -> None:
        if not end.is_open:
            end.close(SILENT)

    def arrival_at(self, end: End) -> float:
        """When what is sent now arrives at that end: never before what was sent earlier."""
        end.arrival = max(end.arrival, self.timeline.now + self._latency())
        return end.arrival

    def _latency(self) -> float:
        least, most = self.faults.delay_seconds
        return most if least == most else self._chance.uniform(least, most)

    # Frames.

    def carry(self, end: End, batch: list[Envelope]) -> None:
        """Take a frame from one end towards the other."""
        if self.faults is not NO_FAULTS:
            batch = self._suffer(end, batch)
            if not batch:
                return
        peer = end.peer
        assert peer is not None
        frame = encode(batch, end.network.node.leaving(batch))
        self.timeline.at(self.arrival_at(peer), partial(peer.arrive, frame, end.network))

    def _suffer(self, end: End, batch: list[Envelope]) -> list[Envelope]:
        """What random faults leave of a frame."""
        if end.doomed or self._happens(self.faults.breaks):
            self._doom(end)
            end.network.lose(batch, LOST)
            return []
        kept = []
        for envelope in batch:
            if may_suffer(envelope[2]):
                if self._happens(self.faults.loss):
                    end.network.lose([envelope], LOST)
                    continue
                if self._happens(self.faults.duplicates):
                    self._repeat(end, envelope)
            kept.append(envelope)
        return kept

    def _doom(self, end: End) -> None:
        """From now on nothing that leaves this end arrives; it notices when the silence has lasted."""
        if not end.doomed:
            end.doomed = True
            noticed = self.timeline.now + self._chance.uniform(0.0, SILENCE_SECONDS)
            self.timeline.at(noticed, partial(end.close, SILENT))

    def _repeat(self, end: End, envelope: Envelope) -> None:
        """A second copy, after what is sent within the next moments."""
        peer = end.peer
        assert peer is not None
        frame = encode([envelope])
        late = self.arrival_at(peer) + self._chance.uniform(0.0, SILENCE_SECONDS)
        self.timeline.at(late, partial(peer.arrive, frame, end.network))

    def _happens(self, probability: float) -> bool:
        return probability > 0.0 and self._chance.random() < probability

    # Nodes that do nothing for a while.

    def pause(self, network: SimNetwork) -> None:
        """A node does nothing any more; those linked to it give the links up when the silence has lasted."""
        now = network.paused_at = self.timeline.now
        for end in network.ends.values():
            if end.peer is not None:
                self.timeline.at(now + SILENCE_SECONDS, partial(self._miss, end.peer, network, now))

    @staticmethod
    def _miss(end: End, network: SimNetwork, paused_at: float) -> None:
        if network.paused_at == paused_at:
            end.close(SILENT)

    def resume(self, network: SimNetwork) -> None:
        """A node goes on where it was, and hears what was said to it meanwhile."""
        network.resume()
        self._try_again()

    # Cuts.

    def is_cut(self, source: Address, target: Address) -> bool:
        """Whether nothing gets from one node to the other."""
        return bool(self._cuts) and (source, target) in self._cuts

    def cut(self, source: Address, target: Address) -> None:
        """Let nothing through from one node to the other; a linked target gives the link up when the silence has
        lasted.
        """
        if (source, target) in self._cuts:
            return
        cut = self._cuts[source, target] = object()
        network = self.networks.get(target)
        end = network.ends.get(source) if network is not None else None
        if end is not None and end.peer is not None:
            noticed = self.timeline.now + SILENCE_SECONDS
            self.timeline.at(noticed, partial(self._silence, end, (source, target), cut))

    def _silence(self, end: End, way: tuple[Address, Address], cut: object) -> None:
        if self._cuts.get(way) is cut:
            end.close(SILENT)

    def mend(self) -> None:
        """End all cuts: what waited goes, and who was dialling is heard."""
        self._cuts.clear()
        self._try_again()

    def _try_again(self) -> None:
        for network in list(self.networks.values()):
            for end in list(network.ends.values()):
                if end.peer is None:
                    self._hello(end)
                else:
                    end.flush()


def _is_paused(network: SimNetwork | None) -> bool:
    return network is not None and network.paused_at is not None
