"""Plants for the contest: bugs in who is given what, made on purpose, to see that the contest catches them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop
from typing import Any
from unittest.mock import patch

from master.allocator import drf
from master.allocator.actor import Allocator
from master.allocator.agent import Agent
from master.allocator.cluster import Cluster
from master.allocator.holding import Grant
from master.allocator.messages import RecoverResourcesMessage
from master.allocator.quota import Allowance, Quotas
from master.allocator.ranking import Place
from master.allocator.refusals import Refusals
from master.dialogues.offers import OfferTimeoutMessage
from master.master import Master
from master.registrar.entries import QuotasEntry


@contextmanager
def no_limit() -> Iterator[None]:
    """Limits leave room for everything."""
    never_spent = property(lambda self: False, lambda self, value: None)
    with patch.object(Allowance, "room", lambda self: {}), patch.object(Allowance, "is_spent", never_spent):
        yield


@contextmanager
def forgotten_quota() -> Iterator[None]:
    """A new master reads quotas from the registry, and does not tell its allocator."""
    remember: Callable[..., None] = Master._remember

    def forgetful(self: Master, entry: Any) -> None:
        if not isinstance(entry, QuotasEntry):
            remember(self, entry)

    with patch.object(Master, "_remember", forgetful):
        yield


@contextmanager
def no_headroom() -> Iterator[None]:
    """What is free goes to whoever comes first, whatever is due to others."""
    with patch.object(Quotas, "surplus", lambda self: dict(self._available)):
        yield


@contextmanager
def kept_free() -> Iterator[None]:
    """What is handed out stays free, every fiftieth time."""
    hand_out: Callable[..., None] = Cluster.hand_out
    serial = itertools.count(1)

    def kept(self: Cluster, agent: Agent, client: Any, grant: Grant) -> None:
        free = agent.free
        hand_out(self, agent, client, grant)
        if next(serial) % 50 == 0:
            agent.free = free
            self.offerable[agent] = None

    with patch.object(Cluster, "hand_out", kept):
        yield


@contextmanager
def lost_recovery() -> Iterator[None]:
    """What is given back is not free again, every tenth time."""
    recover = Allocator._table[RecoverResourcesMessage]
    serial = itertools.count(1)

    def lossy(self: Allocator, message: RecoverResourcesMessage) -> None:
        if next(serial) % 10:
            recover(self, message)

    with patch.dict(Allocator._table, {RecoverResourcesMessage: lossy}):
        yield


@contextmanager
def endless_refusal() -> Iterator[None]:
    """What was refused once is never offered again."""

    def overlooked(self: Refusals, now: float) -> Iterator[Agent]:
        while self._by_end and self._by_end[0][0] <= now:
            heappop(self._by_end)
        return iter(())

    with patch.object(Refusals, "end", overlooked):
        yield


@contextmanager
def largest_first() -> Iterator[None]:
    """Whoever has most comes first."""
    place = drf._place

    def turned(node: Any, totals: Any) -> Place:
        share, count, path, node = place(node, totals)
        return -share, count, path, node

    with patch.object(drf, "_place", turned):
        yield


@contextmanager
def no_timeout() -> Iterator[None]:
    """Offers are never taken back, however long somebody holds them."""
    with patch.dict(Master._table, {OfferTimeoutMessage: lambda _, __: None}):
        yield


CONTEST_PLANTS = {
    "no-limit": no_limit,
    "forgotten-quota": forgotten_quota,
    "no-headroom": no_headroom,
    "kept-free": kept_free,
    "lost-recovery": lost_recovery,
    "endless-refusal": endless_refusal,
    "largest-first": largest_first,
    "no-timeout": no_timeout,
}
"""Only a contest catches these."""
