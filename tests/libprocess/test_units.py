"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libprocess.units import format_bytes, format_duration, parse_bytes, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15secs", 15.0),
        ("5mins", 300.0),
        ("1hrs", 3600.0),
        ("2weeks", 1209600.0),
        ("1.5days", 129600.0),
        ("250ms", 0.25),
        ("3us", 0.000003),
        ("7ns", 0.000000007),
        (" 10 secs ", 10.0),
        ("-1secs", -1.0),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0ns"), (15.0, "15secs"), (90.0, "90secs"), (120.0, "2mins"), (0.25, "250ms"), (604800.0, "1weeks")],
)
def test_durations_are_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(-1e9, 1e9))
def test_durations_survive_being_written(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "15", "secs", "15 seconds", "15SECS", "1e3secs", "15secs!", "\u0661secs"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a duration such as 15secs .*, found '" + text):
        parse_duration(text)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_only_finite_durations_can_be_written(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        format_duration(seconds)


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("1B", 1), ("32MB", 32 << 20), ("1.5KB", 1536), ("2GB", 2 << 30), ("1TB", 1 << 40)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@given(st.integers(0, 1 << 60))
def test_sizes_survive_being_written(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


def test_sizes_are_written_in_the_largest_whole_unit() -> None:
    assert [format_bytes(size) for size in (1536, 2048, 3 << 20)] == ["1536B", "2KB", "3MB"]


@pytest.mark.parametrize("text", ["", "32", "MB", "-1MB", "0.5B", "32mb", "32 MiB"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"expected a size such as 32MB .*, found '{text}'"):
        parse_bytes(text)
