"""Labels: free key-value pairs that frameworks and operators attach to things."""

from __future__ import annotations

from typing import TypeAlias

from mesos.struct import Struct


class Label(Struct, frozen=True, order=True):
    """One label; a key may occur more than once. An empty value stands for none."""

    key: str
    value: str = ""


Labels: TypeAlias = tuple[Label, ...]
