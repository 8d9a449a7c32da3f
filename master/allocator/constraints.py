"""Offer constraints: whether an agent is what a framework demands."""

from __future__ import annotations

from collections.abc import Iterator

from master.patterns import pattern
from mesos.types import AgentInfo
from mesos.types.constraint import AttributeConstraint, ConstraintGroup, Predicate, PseudoAttribute

_ABSENT_MEETS = {Predicate.NOT_EXISTS, Predicate.TEXT_NOT_EQUALS, Predicate.TEXT_NOT_MATCHES}


def meets(agent: AgentInfo, groups: tuple[ConstraintGroup, ...]) -> bool:
    """Whether an agent meets all demands of one of the groups; if there are none, it does."""
    return not groups or any(all(_meets(agent, constraint) for constraint in group) for group in groups)


def _meets(agent: AgentInfo, constraint: AttributeConstraint) -> bool:
    value = next(_values(agent, constraint), None)
    return constraint.predicate in _ABSENT_MEETS if value is None else _holds(constraint, value)


def _values(agent: AgentInfo, constraint: AttributeConstraint) -> Iterator[object]:
    domain = agent.domain.fault_domain if agent.domain is not None else None
    match constraint.pseudoattribute:
        case None:
            yield from (each.value for each in agent.attributes if each.name == constraint.attribute_name)
        case PseudoAttribute.HOSTNAME:
            yield agent.hostname
        case PseudoAttribute.REGION:
            yield from [domain.region] if domain is not None else []
        case PseudoAttribute.ZONE:
            yield from [domain.zone] if domain is not None else []


def _holds(constraint: AttributeConstraint, value: object) -> bool:
    match constraint.predicate:
        case Predicate.EXISTS:
            return True
        case Predicate.NOT_EXISTS:
            return False
        case Predicate.TEXT_EQUALS:
            return not isinstance(value, str) or value == constraint.text
        case Predicate.TEXT_NOT_EQUALS:
            return not isinstance(value, str) or value != constraint.text
        case Predicate.TEXT_MATCHES:
            return not isinstance(value, str) or pattern(constraint.text).matches(value)
        case Predicate.TEXT_NOT_MATCHES:
            return not isinstance(value, str) or not pattern(constraint.text).matches(value)
