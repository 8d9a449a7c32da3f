"""Quotas that operators ask for: whether they can be, and which offers have to be taken back for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from master.allocator.messages import Quantities, Quota
from master.records import Cluster
from master.records.roles import Amounts, consumption, counted, lineage
from master.validation.common import check_unique, first
from mesos.resources import Resources, format_thousandths
from mesos.roles import ANY_ROLE, check_role
from mesos.types import Offer

FORCE = "free some first, or set it by force"


def check_quotas(quotas: Sequence[Quota]) -> str | None:
    """Whether these make sense, whatever the cluster has."""
    return check_unique("role", (quota.role for quota in quotas)) or first(map(_check, quotas))


def _check(quota: Quota) -> str | None:
    wrong = check_role(quota.role)
    if wrong is not None:
        return wrong
    if quota.role == ANY_ROLE:
        return f"expected a role of its own for a quota, found {ANY_ROLE}"
    if "/" in quota.role:
        return f"expected a top-level role, whose quota counts for all roles below it, found {quota.role}"
    limits = dict(quota.limits)
    for name, amount in quota.guarantees:
        if amount > limits.get(name, amount):
            found = f"{name}:{_text(amount)}"
            return (
                f"role {quota.role}: expected a guarantee within the limit {name}:{_text(limits[name])}, found {found}"
            )
    return None


def check_possible(quotas: Sequence[Quota], cluster: Cluster) -> str | None:
    """Whether the cluster can keep them: its roles are within their limits, and it has all that it guarantees."""
    consumed = consumption(cluster.agents.values(), cluster.frameworks.values())
    for quota in quotas:
        for name, limit in quota.limits:
            found = consumed.get(quota.role, {}).get(name, 0)
            if found > limit:
                most, found_text = f"{name}:{_text(limit)}", f"{name}:{_text(found)}"
                return f"role {quota.role} consumes {found_text} already, more than a limit of {most}; {FORCE}"
    return _check_capacity(quotas, cluster)


def _check_capacity(quotas: Sequence[Quota], cluster: Cluster) -> str | None:
    total = Resources.sum(agent.total.filter(lambda kind: not kind.revocable) for agent in cluster.agents.values())
    capacity = total.quantities()
    promised: Amounts = {}
    for quota in {**cluster.roles.quotas, **{quota.role: quota for quota in quotas}}.values():
        for name, amount in quota.guarantees:
            promised[name] = promised.get(name, 0) + amount
    asked = {name for quota in quotas for name, _ in quota.guarantees}
    for name in sorted(asked):
        if promised[name] > capacity.get(name, 0):
            has = f"{name}:{_text(capacity.get(name, 0))}"
            return f"all guarantees together come to {name}:{_text(promised[name])}, and the cluster has {has}; {FORCE}"
    return None


def _text(thousandths: int) -> str:
    return format_thousandths(thousandths)


# Offers in the way.


def offers_in_the_way(quotas: Sequence[Quota], cluster: Cluster) -> list[Offer]:
    """The offers to take back so that no role has more than its limit, and guarantees can be kept."""
    consumed = consumption(cluster.agents.values(), cluster.frameworks.values())
    doomed: dict[str, Offer] = {}
    for quota in quotas:
        own = [offer for offer in cluster.offers.values() if quota.role in lineage(offer.role)]
        doomed |= {offer.id: offer for offer in _over_limit(quota, own, consumed.get(quota.role, {}))}
    doomed |= {offer.id: offer for offer in _for_guarantees(quotas, cluster, consumed)}
    return list(doomed.values())


def _over_limit(quota: Quota, offers: Iterable[Offer], consumed: Amounts) -> Iterator[Offer]:
    """Those that the limits leave no room for; the oldest stand as long as they can."""
    room = {name: limit - consumed.get(name, 0) for name, limit in quota.limits}
    for offer in offers:
        needed = counted(offer.resources).quantities()
        if any(needed.get(name, 0) > left for name, left in room.items() if needed.get(name)):
            yield offer
        else:
            room = {name: left - needed.get(name, 0) for name, left in room.items()}


def _for_guarantees(quotas: Sequence[Quota], cluster: Cluster, consumed: dict[str, Amounts]) -> Iterator[Offer]:
    """Those of roles without a guarantee, until enough is free for the guarantees."""
    missing = _due(quotas, consumed)
    for name, amount in _free(cluster).items():
        missing[name] = missing.get(name, 0) - amount
    guaranteed = {quota.role for quota in (*cluster.roles.quotas.values(), *quotas) if quota.guarantees}
    for offer in cluster.offers.values():
        if guaranteed.isdisjoint(lineage(offer.role)):
            held = counted(offer.resources).quantities()
            if any(held.get(name) and amount > 0 for name, amount in missing.items()):
                missing = {name: amount - held.get(name, 0) for name, amount in missing.items()}
                yield offer


def _due(quotas: Iterable[Quota], consumed: dict[str, Amounts]) -> Amounts:
    due: Amounts = {}
    for quota in quotas:
        for name, amount in quota.guarantees:
            due[name] = due.get(name, 0) + max(amount - consumed.get(quota.role, {}).get(name, 0), 0)
    return due


def _free(cluster: Cluster) -> Amounts:
    """What is neither used nor offered nor reserved."""
    free: Amounts = {}
    for agent in cluster.agents.values():
        for name, amount in counted(agent.total).quantities().items():
            free[name] = free.get(name, 0) + amount
        for held in (agent.used.total(), agent.offered):
            for name, amount in counted(held).quantities().items():
                free[name] = free.get(name, 0) - amount
    return free


def quantities(resources: Resources) -> Quantities:
    """Scalars as quotas have them."""
    return tuple(sorted(resources.quantities().items()))
