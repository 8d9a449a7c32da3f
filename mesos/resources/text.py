"""The text form of resources: `cpus:4;mem:4096;ports:[31000-32000,33000-33999];disk(role):100;bugs(debug):{a,b,c}`.

A text that begins with `[` is read as the JSON form. Errors are one line: what was found and what was expected.
"""

from __future__ import annotations

import re

from mesos.resources.amounts import Ranges, Set, Span, thousandths
from mesos.resources.jsonform import resources_from_json
from mesos.resources.kind import Kind, Reservation
from mesos.resources.resource import Resource
from mesos.roles import ANY_ROLE, check_role

_RESOURCE = re.compile(r"(?P<name>[^\s:;(){}\[\]]+)\s*(?:\((?P<role>[^()]*)\))?\s*:\s*(?P<value>.+)", re.DOTALL)
_SPAN = re.compile(r"\s*([0-9]+)\s*-\s*([0-9]+)\s*", re.ASCII)


def parse_resources(text: str, default_role: str = ANY_ROLE) -> tuple[Resource, ...]:
    """Read every resource of a text or of a JSON array, in its order; also those of amount 0, which say "none of this".

    What names no role is reserved for `default_role`. ValueError in one line for what cannot be read.
    """
    if text.lstrip().startswith("["):
        return resources_from_json(text, default_role)
    return tuple(_parse_resource(part.strip(), default_role) for part in text.split(";") if part.strip())


def _parse_resource(text: str, default_role: str) -> Resource:
    match = _RESOURCE.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a resource such as cpus:4 or disk(role):100, found {text!r}")
    role = default_role if match["role"] is None else match["role"].strip()
    try:
        return Resource.of(
            Kind(match["name"], reservations=reservations_for(role)), parse_value(match["value"].strip())
        )
    except ValueError as error:
        raise ValueError(f"{match['name']}: {error}") from None


def parse_value(text: str) -> float | Ranges | Set:
    """Read `4.5`, `[1-5,7-9]` or `{a,b}`; ValueError for anything else."""
    if text.startswith("["):
        return Ranges(tuple(map(_parse_span, _inside(text, "[]"))))
    if text.startswith("{"):
        return Set(tuple(_inside(text, "{}")))
    return thousandths(text) / 1000


def reservations_for(role: str) -> tuple[Reservation, ...]:
    """The static reservation that a role in a flag stands for; ValueError for what is no role."""
    wrong = check_role(role)
    if wrong is not None:
        raise ValueError(wrong)
    return () if role == ANY_ROLE else (Reservation(role),)


def _inside(text: str, brackets: str) -> list[str]:
    """The parts between the brackets; they are separated by commas."""
    if len(text) < 2 or text[-1] != brackets[1]:
        raise ValueError(f"expected {brackets[1]!r} at the end, found {text!r}")
    parts = [part.strip() for part in text[1:-1].split(",")]
    return [] if parts == [""] else parts


def _parse_span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a range such as 31000-32000, found {text!r}")
    return int(match[1]), int(match[2])
