"""Amounts against sets of numbers and plain integers, which say the same in a slow way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesos.resources import Ranges, Set, format_thousandths, thousandths
from tests.mesos.strategies import ranges, sets


@given(ranges, ranges)
def test_ranges_add_and_subtract_like_sets_of_numbers(one: Ranges, other: Ranges) -> None:
    assert set(one + other) == set(one) | set(other)
    assert set(one - other) == set(one) - set(other)
    assert (one >= other) == (set(one) >= set(other))


@given(ranges, ranges)
def test_ranges_with_the_same_numbers_are_equal(one: Ranges, other: Ranges) -> None:
    for result in (one + other, one - other):
        singles = tuple((number, number) for number in reversed(list(result)))
        assert Ranges(singles) == result
        assert hash(Ranges(singles)) == hash(result)
        assert len(result) == len(singles)


@given(ranges, st.integers(-5, 90))
def test_ranges_know_their_numbers(some: Ranges, number: int) -> None:
    assert (number in some) == (number in set(some))


def test_ranges_that_touch_become_one() -> None:
    assert Ranges(((5, 7), (1, 2), (3, 4))).spans == ((1, 7),)
    one, other = Ranges(((1, 2),)), Ranges(((3, 4),))
    assert (one + other).spans == (other + one).spans == ((1, 4),)


@pytest.mark.parametrize("span", [(5, 3), (-1, 3), (0, 2**63)])
def test_a_range_that_cannot_be_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"found {span[0]}-{span[1]}"):
        Ranges((span,))


@given(sets, sets)
def test_sets_add_and_subtract_like_sets(one: Set, other: Set) -> None:
    assert set(one + other) == set(one) | set(other)
    assert set(one - other) == set(one) - set(other)
    assert (one >= other) == (set(one) >= set(other))


def test_sets_forget_order_and_repetition() -> None:
    assert Set(("b", "a", "b")) == Set(("a", "b"))


@given(st.integers(0, 10**15))
def test_thousandths_survive_being_written(amount: int) -> None:
    assert thousandths(format_thousandths(amount)) == amount


@pytest.mark.parametrize(
    ("value", "amount"), [(0.1, 100), (4, 4000), ("0.0004", 0), ("0.0006", 1), (2.675, 2675), ("12.345", 12345)]
)
def test_thousandths_are_the_nearest(value: float | str, amount: int) -> None:
    assert thousandths(value) == amount


@pytest.mark.parametrize("value", [-0.001, float("nan"), float("inf"), "-1", "NaN", "Infinity", "1e99", "four", ""])
def test_what_is_no_amount_is_refused(value: float | str) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        thousandths(value)
