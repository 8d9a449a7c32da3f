"""Offer constraints: what a framework demands of an agent's attributes, so that it is not offered agents in vain."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from mesos.struct import Struct


class PseudoAttribute(StrEnum):
    """What every agent has as if it were an attribute."""

    HOSTNAME = "HOSTNAME"
    REGION = "REGION"
    ZONE = "ZONE"


class Predicate(StrEnum):
    """What is demanded of an attribute. One that is no text meets every predicate about text."""

    EXISTS = "EXISTS"
    NOT_EXISTS = "NOT_EXISTS"
    TEXT_EQUALS = "TEXT_EQUALS"
    TEXT_NOT_EQUALS = "TEXT_NOT_EQUALS"
    TEXT_MATCHES = "TEXT_MATCHES"
    TEXT_NOT_MATCHES = "TEXT_NOT_MATCHES"


class AttributeConstraint(Struct, frozen=True):
    """One demand, of an attribute or of a pseudo-attribute; of several of that name the first one counts.

    If there is none of that name, what says NOT is met. `text` is what a text is compared with: a regular expression
    that the whole of it has to match, for the predicates that say MATCHES.
    """

    predicate: Predicate
    attribute_name: str = ""
    pseudoattribute: PseudoAttribute | None = None
    text: str = ""


ConstraintGroup: TypeAlias = tuple[AttributeConstraint, ...]
"""Demands that must all be met."""


class OfferConstraints(Struct, frozen=True):
    """What a framework demands for one of its roles: all of one of the groups."""

    role: str
    groups: tuple[ConstraintGroup, ...] = ()
