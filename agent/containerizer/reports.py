"""What inits leave behind: a trace of a container that runs, then a report of how it was."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import msgspec

from agent.forker import tree
from agent.forker.plan import Report, Trace

REPORT_BYTES_MAX = 1 << 20


def take(path: str) -> Report:
    """What the init wrote; the file is gone after that."""
    report = read(path)
    remove(path)
    return report


def read(path: str) -> Report:
    """What the init wrote at its end. One that had no time for that was killed, and with it the command."""
    content = _content(path)
    if content is None:
        return Report(status=signal.SIGKILL)
    try:
        report = msgspec.json.decode(content, type=Report)
    except msgspec.MsgspecError:
        return Report()  # the machine went down, or the disk is full
    return report if report or read_trace(path) is None else Report(status=signal.SIGKILL)


def remove(path: str) -> None:
    """Nobody needs it any more."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def read_trace(path: str) -> Trace | None:
    """What the init wrote at its beginning; None if there was none, or if it has ended and left a report."""
    try:
        return msgspec.json.decode(_content(path) or b"", type=Trace)
    except msgspec.MsgspecError:
        return None


def lives(trace: Trace) -> bool:
    """Whether the init is still there, and is not another process with its number."""
    try:
        return tree.began(trace["init"]) == trace["began"]
    except OSError:
        return False


def names(directory: Path) -> list[str]:
    """The containers that something is known of."""
    return sorted(path.name for path in directory.iterdir() if not path.name.endswith(".new"))


def _content(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, REPORT_BYTES_MAX)
    finally:
        os.close(descriptor)
