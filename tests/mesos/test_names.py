"""Ids and roles: which names may be given."""

from __future__ import annotations

import pytest

from mesos.ids import check_id
from mesos.roles import check_role, is_above


@pytest.mark.parametrize("text", ["t7", "a b", "…", "x" * 255, "...", "a:b@c"])
def test_good_ids_pass(text: str) -> None:
    assert check_id(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected an id, found ''"),
        (".", "expected an id that can name a directory, found '.'"),
        ("..", "expected an id that can name a directory, found '..'"),
        ("a/b", "expected an id without separators and control characters, found '/' in 'a/b'"),
        ("a\\b", "expected an id without separators and control characters, found '\\\\' in 'a\\\\b'"),
        ("a\nb", "expected an id without separators and control characters, found '\\n' in 'a\\nb'"),
        ("a\0", "expected an id without separators and control characters, found '\\x00' in 'a\\x00'"),
        ("\ud800", "expected an id without separators and control characters, found '\\ud800' in '\\ud800'"),
    ],
)
def test_bad_ids_are_named(text: str, reason: str) -> None:
    assert check_id(text) == reason


@pytest.mark.parametrize("text", ["x" * 256, "…" * 86])
def test_long_ids_are_refused_before_they_fill_a_log(text: str) -> None:
    reason = check_id(text)
    assert reason is not None
    assert "at most 255 bytes" in reason
    assert len(reason) < 120


@pytest.mark.parametrize("role", ["*", "eng", "eng/backend", "a.b", "a-b", "ünï"])
def test_good_roles_pass(role: str) -> None:
    assert check_role(role) is None


@pytest.mark.parametrize(
    "role", ["", ".", "..", "a/..", "/a", "a/", "a//b", "a/*", "-a", "a/-b", "a b", "a\\b", "a\tb"]
)
def test_bad_roles_are_named(role: str) -> None:
    reason = check_role(role)
    assert reason is not None
    assert repr(role) in reason


def test_only_whole_parts_stand_above() -> None:
    assert is_above("eng", "eng/backend/db")
    assert not is_above("eng", "eng")
    assert not is_above("eng", "engine/x")
    assert not is_above("*", "eng")
