"""What operators decided about roles: their weights and quotas; and what roles consume of those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from master.allocator.messages import Quota
from master.records.agent import AgentRecord
from master.records.framework import FrameworkRecord
from mesos.resources import Kind, Resources

Amounts: TypeAlias = dict[str, int]
"""Scalars by name, in thousandths."""


class Roles:
    """Roles that somebody decided something about. All others weigh 1 and have no quota."""

    def __init__(self, weights: Iterable[tuple[str, float]] = ()) -> None:
        self.weights: dict[str, float] = dict(weights)
        self.quotas: dict[str, Quota] = {}

    def set_quota(self, quota: Quota) -> None:
        """A role has this quota from now on; none if it says nothing."""
        if quota.guarantees or quota.limits:
            self.quotas[quota.role] = quota
        else:
            self.quotas.pop(quota.role, None)


def consumption(agents: Iterable[AgentRecord], frameworks: Iterable[FrameworkRecord]) -> dict[str, Amounts]:
    """What counts against each role's quota: what it uses that is not reserved, and what is reserved for it.

    A role's consumption is part of that of every role above it.
    """
    consumed: dict[str, Amounts] = defaultdict(lambda: defaultdict(int))
    for agent in agents:
        _add(consumed, ((kind.role, kind, amount) for kind, amount in agent.total.items if kind.reservations))
    for framework in frameworks:
        _add(consumed, ((kind.allocated_to, kind, amount) for kind, amount in counted(framework.used.total()).items))
    return consumed


def counted(resources: Resources) -> Resources:
    """What of the resources that somebody has counts against quotas."""
    return resources.filter(lambda kind: not kind.reservations and not kind.revocable)


def _add(consumed: dict[str, Amounts], items: Iterable[tuple[str, Kind, object]]) -> None:
    for role, kind, amount in items:
        if isinstance(amount, int) and not kind.revocable:
            for each in lineage(role):
                consumed[each][kind.name] += (kind.size or 1) * amount


def lineage(role: str) -> Iterator[str]:
    """A role and those above it: `eng/web` → `eng/web`, `eng`."""
    while role:
        yield role
        role = role.rpartition("/")[0]
