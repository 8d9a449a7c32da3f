"""Rate limits, as Mesos' users write them: how many messages a second the frameworks of a principal may send.

    {"limits": [{"principal": "ads", "qps": 50, "capacity": 1000}, {"principal": "ops"}],
     "aggregate_default_qps": 10, "aggregate_default_capacity": 500}

A principal without `qps` has no limit. All that are not listed share the default, if there is one. Beyond it messages
wait, at most `capacity` of them.
"""

from __future__ import annotations

import math

import msgspec


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That of one principal."""

    principal: str
    qps: float | None = None
    capacity: int | None = None


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Those of all."""

    limits: tuple[RateLimit, ...] = ()
    aggregate_default_qps: float | None = None
    aggregate_default_capacity: int | None = None


def parse_rate_limits(text: str) -> RateLimits:
    """Read them from JSON; ValueError says what is wrong."""
    try:
        limits = msgspec.json.decode(text, type=RateLimits)
    except msgspec.MsgspecError as error:
        raise ValueError(f'expected {{"limits": [{{"principal": …, "qps": …, "capacity": …}}]}}: {error}') from None
    principals = [each.principal for each in limits.limits]
    if len(set(principals)) < len(principals):
        raise ValueError(f"expected one limit for each principal, found {', '.join(principals)}")
    for qps in (limits.aggregate_default_qps, *(each.qps for each in limits.limits)):
        if qps is not None and not 0 < qps < math.inf:
            raise ValueError(f"expected a qps above 0, found {qps:g}")
    for capacity in (limits.aggregate_default_capacity, *(each.capacity for each in limits.limits)):
        if capacity is not None and capacity < 0:
            raise ValueError(f"expected a capacity of 0 or more, found {capacity}")
    return limits


def format_rate_limits(limits: RateLimits) -> str:
    """Write what `parse_rate_limits` reads."""
    return msgspec.json.encode(limits).decode()
