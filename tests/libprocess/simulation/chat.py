"""A story that leaves as much as possible to chance: what a seed must repeat."""

from __future__ import annotations

from libprocess import PID
from libprocess.simulation import Faults, World
from tests.libprocess.simulation.actors import Chatter


def chat(seed: int, seconds: float = 60.0) -> World:
    """Five nodes that talk at random over a bad network, while one is cut off and another crashes and comes back."""
    world = World(seed)
    world.faults = Faults(delay_seconds=(0.001, 0.2), breaks=0.01, loss=0.05, duplicates=0.05)
    hosts = [f"h{number}" for number in range(5)]
    pids = tuple(PID("chatter", host, 5050) for host in hosts)
    for host in hosts:
        world.node(host, skew_seconds=world.chance.uniform(-1, 1)).spawn(Chatter(pids), "chatter")
    world.advance(seconds / 3)
    world.partition(list(world.nodes)[:1], list(world.nodes)[1:])
    world.crash(world.nodes[pids[1].address])
    world.advance(seconds / 3)
    world.heal()
    world.node("h1").spawn(Chatter(pids), "chatter")
    world.advance(seconds / 3)
    return world
