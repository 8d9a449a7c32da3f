"""The text form of attributes: `rack:abc;level:10;keys:[1000-1500]`, what an operator says of an agent."""

from __future__ import annotations

from mesos.resources import Ranges, Set, format_thousandths, thousandths
from mesos.resources.amounts import is_number
from mesos.resources.text import parse_value
from mesos.types import Attribute, Attributes


def parse_attributes(text: str) -> Attributes:
    """Read attributes in their order; a value that is no number, ranges or set is a text, and may hold colons.

    ValueError in one line for what cannot be read.
    """
    return tuple(_parse(part.strip()) for part in text.split(";") if part.strip())


def format_attributes(attributes: Attributes) -> str:
    """The text that `parse_attributes` reads as these."""
    return ";".join(f"{attribute.name}:{_format(attribute.value)}" for attribute in attributes)


def _parse(text: str) -> Attribute:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not colon or not name or not value:
        raise ValueError(f"expected an attribute such as rack:abc, found {text!r}")
    try:
        return Attribute(name, parse_value(value) if _is_structured(value) else value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _is_structured(value: str) -> bool:
    return value[0] in "[{" or is_number(value)


def _format(value: str | float | Ranges | Set) -> str:
    return format_thousandths(thousandths(value)) if isinstance(value, float) else str(value)
