"""What inits leave behind: a trace of a container that runs, then a report of how it was."""

from __future__ import annotations

import os
import signal
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from agent.forker import tree
from agent.forker.plan import Report, Trace

REPORT_BYTES_MAX = 1 << 20

BOOT_ID = "/proc/sys/kernel/random/boot_id"
_KNOWN_BOOT = ".boot_id"
TAIL_BYTES_MAX = 2048
TAIL_LINES_MAX = 20
PEAKS = ("memory.peak", "memory.max_usage_in_bytes")


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
    """Nobody needs it any more, nor what an init had begun to put in its place."""
    for name in (path, f"{path}.new"):
        with suppress(FileNotFoundError):
            os.unlink(name)


def is_known(path: str) -> bool:
    """Whether there has been an init that left a trace or a report."""
    return bool(_content(path))


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
    return sorted(
        path.name for path in directory.iterdir() if path.name != _KNOWN_BOOT and not path.name.endswith(".new")
    )


def forget_other_boots(directory: Path) -> None:
    """Remove what was left before the machine was started: the numbers in there may be other processes' now."""
    boot_id, known = Path(BOOT_ID).read_text(), directory / _KNOWN_BOOT
    if known.exists():
        if known.read_text() == boot_id:
            return
        for path in directory.iterdir():
            if path != known:
                path.unlink()
    new = directory / f"{_KNOWN_BOOT}.new"
    new.write_text(boot_id)
    new.replace(known)  # half of it would be another boot's


def peak_memory_bytes(report: Report) -> int | None:
    """How much memory a container had at most: as its control group says, or else the largest of its processes."""
    readings = report.get("readings", {})
    peak = next((readings[name] for name in PEAKS if readings.get(name, "").strip().isdigit()), None)
    if peak is not None:
        return int(peak)
    return report["peak_kilobytes"] * 1024 if "peak_kilobytes" in report else None


def last_lines(sandbox: str) -> str:
    """What was written last into a sandbox's stderr, or its stdout if that is empty."""
    return next(filter(None, (_tail(f"{sandbox}/{name}") for name in ("stderr", "stdout"))), "")


def _tail(path: str) -> str:
    try:
        # Whoever owns the sandbox may have put anything in the file's place.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        file = os.fstat(descriptor)
        if not stat.S_ISREG(file.st_mode) or file.st_nlink > 1:
            return ""
        begin = max(file.st_size - TAIL_BYTES_MAX, 0)
        text = os.pread(descriptor, TAIL_BYTES_MAX, begin).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    whole = text.partition("\n")[2] or text if begin else text
    return "\n".join(whole.rstrip("\n").split("\n")[-TAIL_LINES_MAX:])


def _content(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, REPORT_BYTES_MAX)
    finally:
        os.close(descriptor)
