"""Amounts: how much of a resource there is, a whole number, ranges of numbers, or a set of names.

A scalar is a plain int that counts thousandths, so that 0.1 and 0.2 make 0.3 exactly. All three answer to the same
operators: `+` joins, `-` takes away, `a >= b` says whether a holds all of b, and an empty amount is false.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from mesos.struct import Struct

# Far above any cluster, and low enough that sums stay within the 64 bits that the wire can carry.
SCALAR_MAX = 10**12
RANGE_END_MAX = 2**63 - 1
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", re.ASCII)

Span: TypeAlias = tuple[int, int]
_begin, _end = itemgetter(0), itemgetter(1)


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
            msgspec.structs.force_setattr(self, "spans", _canonical(self.spans))

    def __add__(self, other: Ranges) -> Ranges:
        spans = list(self.spans)
        for span in other.spans:
            _insert(spans, span)
        return Ranges(Canonical(spans))

    def __sub__(self, other: Ranges) -> Ranges:
        spans = list(self.spans)
        for span in other.spans:
            _remove(spans, span)
        return Ranges(Canonical(spans))

    def __ge__(self, other: Ranges) -> bool:
        return all(self._holds(span) for span in other.spans)

    def __contains__(self, number: int) -> bool:
        return self._holds((number, number))

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

    def _holds(self, span: Span) -> bool:
        index = bisect_right(self.spans, span[0], key=_begin) - 1
        return index >= 0 and self.spans[index][1] >= span[1]


class Set(Struct, frozen=True, tag=True):
    """Names without order and without repetition, kept sorted."""

    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.items) is not Canonical:
            msgspec.structs.force_setattr(self, "items", Canonical(sorted(set(self.items))))

    def __add__(self, other: Set) -> Set:
        return Set(self.items + other.items)

    def __sub__(self, other: Set) -> Set:
        taken = set(other.items)
        return Set(Canonical(item for item in self.items if item not in taken))

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


def _canonical(spans: tuple[Span, ...]) -> Canonical:
    """Spans from outside, checked, sorted and joined."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if not 0 <= begin <= end <= RANGE_END_MAX:
            raise ValueError(f"expected a range of ascending numbers from 0 to {RANGE_END_MAX}, found {begin}-{end}")
        if joined and begin <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return Canonical(joined)


# Both find their place by halving and touch only what lies there: an agent's ports may be in hundreds of pieces.


def _insert(spans: list[Span], span: Span) -> None:
    """Add a span to canonical ones, joining it with those that it overlaps or touches."""
    begin, end = span
    first = bisect_left(spans, begin - 1, key=_end)
    after = bisect_right(spans, end + 1, key=_begin)
    if first < after:
        begin, end = min(begin, spans[first][0]), max(end, spans[after - 1][1])
    spans[first:after] = [(begin, end)]


def _remove(spans: list[Span], span: Span) -> None:
    """Cut a span out of canonical ones."""
    begin, end = span
    first = bisect_left(spans, begin, key=_end)
    after = bisect_right(spans, end, key=_begin)
    if first < after:
        before, behind = (spans[first][0], begin - 1), (end + 1, spans[after - 1][1])
        spans[first:after] = [rest for rest in (before, behind) if rest[0] <= rest[1]]
