"""Amounts: how much of a resource there is, a whole number, ranges of numbers, or a set of names.

A scalar is a plain int that counts thousandths, so that 0.1 and 0.2 make 0.3 exactly. All three answer to the same
operators: `+` joins, `-` takes away, `a >= b` says whether a holds all of b, and an empty amount is false.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from mesos.struct import Struct

# Far above any cluster, and low enough that sums stay within the 64 bits that the wire can carry.
SCALAR_MAX = 10**12
RANGE_END_MAX = 2**63 - 1
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", re.ASCII)

Span: TypeAlias = tuple[int, int]


class Canonical(tuple[Any, ...]):
    """A tuple that is known to be in canonical form, so that it need not be checked again."""

    __slots__ = ()


class Ranges(Struct, frozen=True, tag=True):
    """Whole numbers as inclusive spans, such as ports: sorted, apart from each other, never touching.

    Spans in any other form are brought into this one; ValueError for a span that ends before it begins.
    """

    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if type(self.spans) is not Canonical:
            msgspec.structs.force_setattr(self, "spans", _merge(sorted(map(_checked, self.spans))))

    def __add__(self, other: Ranges) -> Ranges:
        return Ranges(_merge(sorted(self.spans + other.spans)))

    def __sub__(self, other: Ranges) -> Ranges:
        return Ranges(Canonical(_cut(self.spans, other.spans)))

    def __ge__(self, other: Ranges) -> bool:
        return all(self._holds(begin, end) for begin, end in other.spans)

    def __contains__(self, number: int) -> bool:
        return self._holds(number, number)

    def __len__(self) -> int:
        return sum(end - begin + 1 for begin, end in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[int]:
        """Every number, in ascending order."""
        for begin, end in self.spans:
            yield from range(begin, end + 1)

    def __str__(self) -> str:
        return "[" + ",".join(f"{begin}-{end}" for begin, end in self.spans) + "]"

    def _holds(self, begin: int, end: int) -> bool:
        index = bisect_right(self.spans, begin, key=lambda span: span[0]) - 1
        return index >= 0 and self.spans[index][1] >= end


class Set(Struct, frozen=True, tag=True):
    """Names without order and without repetition, kept sorted."""

    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.items) is not Canonical:
            msgspec.structs.force_setattr(self, "items", Canonical(sorted(set(self.items))))

    def __add__(self, other: Set) -> Set:
        return Set(self.items + other.items)

    def __sub__(self, other: Set) -> Set:
        return Set(Canonical(item for item in self.items if item not in other.items))

    def __ge__(self, other: Set) -> bool:
        return set(other.items).issubset(self.items)

    def __contains__(self, item: str) -> bool:
        return item in self.items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __str__(self) -> str:
        return "{" + ",".join(self.items) + "}"


Amount: TypeAlias = int | Ranges | Set


def thousandths(value: float | str) -> int:
    """A number of units, or its digits, as the int that counts its thousandths, rounded to the nearest.

    ValueError unless it is a number from 0 to `SCALAR_MAX`.
    """
    number: Decimal | float = value if not isinstance(value, str) else Decimal(value) if is_number(value) else -1
    if not 0 <= number <= SCALAR_MAX:
        raise ValueError(f"expected a number from 0 to {SCALAR_MAX}, found {value!r}")
    return round(number * 1000)


def is_number(text: str) -> bool:
    """Whether a text consists of digits, with at most one point."""
    return _NUMBER.fullmatch(text) is not None


def format_thousandths(amount: int) -> str:
    """Thousandths as a number of units: 4000 is `4`, 100 is `0.1`."""
    whole, rest = divmod(amount, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


def _checked(span: Span) -> Span:
    begin, end = span
    if not 0 <= begin <= end <= RANGE_END_MAX:
        raise ValueError(f"expected a range of ascending numbers from 0 to {RANGE_END_MAX}, found {begin}-{end}")
    return span


def _merge(spans: Iterable[Span]) -> Canonical:
    """Join spans, sorted by their beginnings, where they overlap or touch."""
    merged: list[Span] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return Canonical(merged)


def _cut(spans: Iterable[Span], holes: tuple[Span, ...]) -> Iterator[Span]:
    """What is left of the spans outside the holes; both are canonical."""
    for begin, end in spans:
        first = max(bisect_right(holes, begin, key=lambda hole: hole[0]) - 1, 0)
        for index in range(first, len(holes)):
            hole_begin, hole_end = holes[index]
            if hole_begin > end:
                break
            if begin < hole_begin:
                yield begin, hole_begin - 1
            begin = max(begin, hole_end + 1)
        if begin <= end:
            yield begin, end
