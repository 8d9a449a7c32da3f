"""Checks of frameworks: when they register, and when they come back changed."""

from __future__ import annotations

from collections.abc import Iterator

from master.validation.common import check_seconds, check_unique, first
from mesos.ids import check_id
from mesos.roles import ANY_ROLE, check_role
from mesos.types import FrameworkCapability, FrameworkInfo


def check_framework(info: FrameworkInfo, suppressed_roles: tuple[str, ...]) -> str | None:
    """Whether a framework may register as that."""
    return first(_complaints(info, suppressed_roles))


def _complaints(info: FrameworkInfo, suppressed_roles: tuple[str, ...]) -> Iterator[str | None]:
    yield check_id(info.id) if info.id is not None else None
    yield _check_way_of_roles(info)
    yield check_unique("role", info.all_roles)
    yield from map(check_role, info.all_roles)
    yield check_seconds("failover_timeout", info.failover_timeout_seconds)
    yield _check_among_roles("suppressed_roles", suppressed_roles, info)
    yield _check_among_roles("offer_filters", tuple(offer_filter.role for offer_filter in info.offer_filters), info)


def _check_way_of_roles(info: FrameworkInfo) -> str | None:
    multi = FrameworkCapability.MULTI_ROLE in info.capabilities
    if multi and info.role != ANY_ROLE:
        return f"expected a framework with MULTI_ROLE to set roles, found role {info.role!r}"
    if not multi and info.roles:
        return f"expected role or the capability MULTI_ROLE, found roles {', '.join(info.roles)} without it"
    return None


def _check_among_roles(what: str, roles: tuple[str, ...], info: FrameworkInfo) -> str | None:
    others = sorted(set(roles) - set(info.all_roles))
    if others:
        return (
            f"expected {what} to be among the framework's roles {', '.join(info.all_roles)}, found {', '.join(others)}"
        )
    return None


def check_framework_update(old: FrameworkInfo, new: FrameworkInfo) -> str | None:
    """Whether a framework that comes back may have become that."""
    if old.principal != new.principal:
        return f"expected a framework to keep its principal {old.principal!r}, found {new.principal!r}"
    return None
