"""How a process ended, in words."""

from __future__ import annotations

import os
import signal


def describe(status: int | None) -> str:
    """What wait(2) said: `exited with status 1`, `terminated with signal Killed`."""
    if status is None:
        return "ended in a way that nobody saw"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"terminated with signal {signal.strsignal(number) or number}"
    return f"exited with status {os.waitstatus_to_exitcode(status)}"


def is_success(status: int | None) -> bool:
    """Whether a process ended by itself with exit status 0."""
    return status == 0
