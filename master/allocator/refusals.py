"""Refusals: what frameworks do not want to be offered again for some time, unless it comes together with more.

Per agent there is one entry for each different lot that was refused there, with a bit for each client that refused it:
so a million refusals cost little more than a million references, and who refused something is one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from master.allocator.agent import Agent
from master.allocator.bundle import Bundle
from master.allocator.client import Client


class Refused:
    """A lot of an agent, and who refused it."""

    __slots__ = ("again", "agent", "bundle", "mask")

    def __init__(self, agent: Agent, bundle: Bundle) -> None:
        self.agent = agent
        self.bundle = bundle
        self.mask = 0
        self.again: dict[Client, int] = {}
        """How many more times a client refused the same, while its refusal still held."""


class Refusal:
    """What a client refused at one time, and until when."""

    __slots__ = ("client", "refused", "until")

    def __init__(self, client: Client, until: float, refused: list[Refused]) -> None:
        self.client = client
        self.until = until
        self.refused = refused


class Refusals:
    """All that is refused, by when it ends."""

    def __init__(self) -> None:
        self.clients = 0
        """Those who refuse something, as a mask."""
        self._by_end: list[tuple[float, int, Refusal]] = []
        self._serial = 0
        self._forgotten = 0

    @property
    def next_end(self) -> float | None:
        """When the first of them ends, in seconds since 1970; a little early if that one was forgotten since."""
        return self._by_end[0][0] if self._by_end else None

    def add(self, client: Client, lots: Iterable[tuple[Agent, Bundle]], until: float) -> None:
        """A client refuses lots, until then."""
        refused = [_refuse(client, agent, bundle) for agent, bundle in lots]
        refusal = Refusal(client, until, refused)
        client.refusals.append(refusal)
        self.clients |= client.mask
        self._serial += 1
        heappush(self._by_end, (until, self._serial, refusal))

    def end(self, now: float) -> Iterator[Agent]:
        """Those that are over are so; yields the agents whose lots they were."""
        while self._by_end and self._by_end[0][0] <= now:
            _, _, refusal = heappop(self._by_end)
            if not refusal.refused:
                self._forgotten -= 1
                continue
            self._strike(refusal)
            for refused in refusal.refused:
                _withdraw(refusal.client, refused)
                yield refused.agent

    def _strike(self, refusal: Refusal) -> None:
        refusal.client.refusals.remove(refusal)
        if not refusal.client.refusals:
            self.clients &= ~refusal.client.mask

    def forget_client(self, client: Client) -> None:
        """A client takes back all it refused."""
        for refusal in client.refusals:
            for refused in refusal.refused:
                refused.again.pop(client, None)
                _withdraw(client, refused)
            refusal.refused = []
        self._forgotten += len(client.refusals)
        client.refusals = []
        self.clients &= ~client.mask
        if self._forgotten * 2 > len(self._by_end):
            self._by_end = [entry for entry in self._by_end if entry[2].refused]
            heapify(self._by_end)
            self._forgotten = 0

    def move(self, before: Agent, agent: Agent) -> None:
        """What was refused of one agent is refused of another from now on, which is the same come back."""
        agent.refused, before.refused = before.refused, []
        for refused in agent.refused:
            refused.agent = agent

    def forget_agent(self, agent: Agent) -> None:
        """Nobody refuses anything of this agent any more."""
        for refused in agent.refused:
            refused.mask = 0
            refused.again.clear()
        agent.refused = []


def _refuse(client: Client, agent: Agent, bundle: Bundle) -> Refused:
    for refused in agent.refused:
        if refused.bundle is bundle or refused.bundle.resources == bundle.resources:
            break
    else:
        refused = Refused(agent, bundle)
        agent.refused.append(refused)
    if refused.mask & client.mask:
        refused.again[client] = refused.again.get(client, 0) + 1
    else:
        refused.mask |= client.mask
    return refused


def _withdraw(client: Client, refused: Refused) -> None:
    """One refusal less."""
    more = refused.again.pop(client, 0)
    if more > 1:
        refused.again[client] = more - 1
    if more:
        return
    refused.mask &= ~client.mask
    if not refused.mask and refused in refused.agent.refused:
        refused.agent.refused.remove(refused)
