"""Checks of frameworks: when they register, and when they come back changed."""

from __future__ import annotations

from collections.abc import Iterator

from master.patterns import check_pattern
from master.validation.common import check_seconds, check_unique, first
from mesos.ids import check_id
from mesos.roles import ANY_ROLE, check_role
from mesos.types import FrameworkCapability, FrameworkInfo
from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate


def check_framework(
    info: FrameworkInfo, suppressed_roles: tuple[str, ...], constraints: tuple[OfferConstraints, ...] = ()
) -> str | None:
    """Whether a framework may register as that."""
    return first(_complaints(info, suppressed_roles)) or _check_constraints(info, constraints)


def _complaints(info: FrameworkInfo, suppressed_roles: tuple[str, ...]) -> Iterator[str | None]:
    yield check_id(info.id) if info.id is not None else None
    yield _check_way_of_roles(info)
    yield check_unique("role", info.all_roles)
    yield from map(check_role, info.all_roles)
    yield check_seconds("failover_timeout", info.failover_timeout_seconds)
    yield _check_among_roles("suppressed_roles", suppressed_roles, info)
    yield _check_among_roles("offer_filters", tuple(offer_filter.role for offer_filter in info.offer_filters), info)


def _check_constraints(info: FrameworkInfo, constraints: tuple[OfferConstraints, ...]) -> str | None:
    roles = tuple(each.role for each in constraints)
    wrong = check_unique("role of offer_constraints", roles) or _check_among_roles("offer_constraints", roles, info)
    return (
        wrong
        or first(map(_check_groups, constraints))
        or first(_check_constraint(constraint) for each in constraints for group in each.groups for constraint in group)
    )


def _check_groups(constraints: OfferConstraints) -> str | None:
    """What demands nothing at all is left out, so that nobody takes it for what nothing meets."""
    if all(constraints.groups) and constraints.groups:
        return None
    found = "an empty one" if constraints.groups else "none"
    return f"expected groups of offer_constraints for role {constraints.role}, found {found}"


def _check_constraint(constraint: AttributeConstraint) -> str | None:
    if bool(constraint.attribute_name) is (constraint.pseudoattribute is not None):
        return "expected an offer constraint to name either an attribute or a pseudo-attribute"
    if constraint.predicate not in (Predicate.TEXT_MATCHES, Predicate.TEXT_NOT_MATCHES):
        return None
    return check_pattern(constraint.text)


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


def check_framework_revision(old: FrameworkInfo, new: FrameworkInfo) -> str | None:
    """Whether a framework may become that while it is there; one that comes back may say it, and it is not heeded."""
    if old.user != new.user:
        return f"expected a framework to keep its user {old.user!r}, found {new.user!r}"
    if old.checkpoint != new.checkpoint:
        return f"expected a framework to keep checkpoint={old.checkpoint}, found {new.checkpoint}"
    return None
