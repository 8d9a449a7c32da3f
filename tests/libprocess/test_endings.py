"""What tells a program to end; that programs do is for tests/system."""

from __future__ import annotations

import signal

import pytest

from libprocess.endings import end_as_interrupted, ending_signals


@pytest.mark.parametrize(("before", "ends"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)], ids=["shell", "nohup"])
def test_a_program_ends_with_its_terminal_unless_it_is_to_outlive_that(before: signal.Handlers, ends: bool):
    its = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGHUP, before)
        assert (signal.SIGHUP in ending_signals()) == ends
        end_as_interrupted()
        assert (signal.getsignal(signal.SIGHUP) is signal.default_int_handler) == ends
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        for number, handler in its.items():
            signal.signal(number, handler)
