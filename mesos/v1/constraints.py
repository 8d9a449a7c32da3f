"""Offer constraints as the v1 scheduler API has them: which message of a predicate is there tells which one it is."""

from __future__ import annotations

from mesos.types.constraint import AttributeConstraint, OfferConstraints, Predicate, PseudoAttribute
from mesos.v1.tree import Misfit, Tree


def read_constraints(tree: Tree) -> tuple[OfferConstraints, ...]:
    """The constraints of a SUBSCRIBE call, by role in order. Misfit for one that says nothing."""
    roles = tree.get("role_constraints", {})
    return tuple(OfferConstraints(role, tuple(map(_group, roles[role].get("groups", ())))) for role in sorted(roles))


def _group(tree: Tree) -> tuple[AttributeConstraint, ...]:
    return tuple(map(_constraint, tree.get("attribute_constraints", ())))


def _constraint(tree: Tree) -> AttributeConstraint:
    selector, name = tree["selector"], next(iter(tree["predicate"]), "")
    if name.upper() not in set(Predicate):
        raise Misfit(f"expected one of {', '.join(Predicate).lower()}, found none", "predicate")
    pseudo = selector.get("pseudoattribute_type")
    if not selector.get("attribute_name") and pseudo not in set(PseudoAttribute):
        raise Misfit("expected an attribute_name or a pseudoattribute_type, found none", "selector")
    body = tree["predicate"][name]
    return AttributeConstraint(
        Predicate(name.upper()),
        attribute_name=selector.get("attribute_name", ""),
        pseudoattribute=PseudoAttribute(pseudo) if pseudo else None,
        text=body.get("value", body.get("regex", "")),
    )
