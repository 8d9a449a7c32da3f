"""What inits leave behind."""

from __future__ import annotations

import os
import signal

import msgspec

from agent.forker.plan import Report

REPORT_BYTES_MAX = 1 << 16


def take(path: str) -> Report:
    """What the init wrote; the file is gone after that."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return Report(status=signal.SIGKILL)  # so the init was killed, and with it the command
    try:
        report = os.read(descriptor, REPORT_BYTES_MAX)
    finally:
        os.close(descriptor)
    os.unlink(path)
    try:
        return msgspec.json.decode(report, type=Report)
    except msgspec.MsgspecError:
        return Report()  # the machine went down, or the disk is full
