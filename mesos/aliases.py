"""Mesos' camelCase names beside ours, for frameworks that were written against it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import FunctionType


def camel_case(name: str) -> str:
    """`resource_offers` → `resourceOffers`."""
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)


def add_aliases(cls: type, names: Iterable[str]) -> None:
    """Let these methods of a class be called by their camelCase names, too."""
    for name in names:
        setattr(cls, camel_case(name), getattr(cls, name))


def adopt_aliases(cls: type, names: dict[str, tuple[str, ...]]) -> None:
    """Let a class that overrides a method under another of its names count as overriding the method itself.

    `names` gives every method's other names, camelCase aside.
    """
    for name, others in names.items():
        spellings = [spelling for known in (name, *others) for spelling in (known, camel_case(known))]
        own = next((vars(cls)[spelling] for spelling in spellings if spelling in vars(cls)), None)
        if isinstance(own, FunctionType):
            for spelling in spellings:
                setattr(cls, spelling, own)
