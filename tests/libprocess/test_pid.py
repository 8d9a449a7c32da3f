"""PIDs and addresses: written and read as text, compared, and refused where they make no sense."""

from __future__ import annotations

import pytest

from libprocess import PID, Address


@pytest.mark.parametrize("text", ["master@10.0.0.1:5050", "agent(1)@node-7:0", "a@b@[::1]:65535"])
def test_a_pid_reads_back_from_its_text(text: str):
    assert str(PID.parse(text)) == text


def test_equal_pids_are_one_key_and_pids_have_an_order():
    a, b = PID("a", "h", 1), PID("b", "h", 1)
    assert {a: 1}[PID.parse("a@h:1")] == 1
    assert sorted([b, a]) == [a, b]
    assert a.address == Address("h", 1)


@pytest.mark.parametrize("text", ["", "master", "@h:1", "a@h", "a@:1", "a@h:", "a@h:65536", "a@h:-1", "a@h:x", "a@h:¹"])
def test_what_is_no_pid_is_refused(text: str):
    with pytest.raises(ValueError, match=r"expected (id@)?host:port, found "):
        PID.parse(text)
