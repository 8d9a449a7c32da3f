"""Mesos' camelCase names beside ours, for schedulers and executors that were written against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import FunctionType


def camel_case(name: str) -> str:
    """`resource_offers` → `resourceOffers`."""
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)


def adopt_aliases(cls: type, names: Mapping[str, tuple[str, ...]]) -> None:
    """Let a class that defines a callback under any of its names be found to define it under all of them.

    `names` has every callback, with its other names; the camelCase spellings go without saying.
    """
    for name, others in names.items():
        spellings = [spelling for known in (name, *others) for spelling in (known, camel_case(known))]
        own = next((vars(cls)[spelling] for spelling in spellings if spelling in vars(cls)), None)
        if isinstance(own, FunctionType):
            for spelling in spellings:
                setattr(cls, spelling, own)
