"""Calls to the kernel that Python 3.11 has no names for."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import suppress

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_SIG_SETMASK = 2
_SFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_SIGNALFD_RECORD_BYTES = 128

_libc = ctypes.CDLL(None, use_errno=True)
_SignalSet = ctypes.c_ulong * 16
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def unshare(flags: int) -> None:
    """See unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """See setns(2)."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """See mount(2)."""
    texts = (os.fsencode(text) for text in (source, target, kind))
    _check(_libc.mount(*texts, flags, os.fsencode(options)), f"mount {target}")


def signal_at_parents_death(number: int) -> None:
    """Have this process sent a signal when its parent dies."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


def write(path: str, text: str) -> None:
    """Write a small file, which is made where it is missing. Python's own files would touch many pages after a fork."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def block_signals(numbers: Iterable[int]) -> None:
    """Have these signals wait from now on, and no others. Cheaper than Python's own, which is called for every fork."""
    _check(_libc.sigprocmask(_SIG_SETMASK, _signal_set(numbers), None), "sigprocmask")


def signal_descriptor(numbers: Iterable[int]) -> int:
    """A descriptor that is readable while one of these signals, which must be blocked, waits."""
    descriptor: int = _libc.signalfd(-1, _signal_set(numbers), _SFD_FLAGS)
    _check(min(descriptor, 0), "signalfd")
    return descriptor


def take_signals(descriptor: int) -> list[int]:
    """Take the signals that wait at a `signal_descriptor`."""
    taken = []
    with suppress(BlockingIOError):
        while record := os.read(descriptor, _SIGNALFD_RECORD_BYTES):
            taken.append(int.from_bytes(record[:4], sys.byteorder))
    return taken


def _signal_set(numbers: Iterable[int]) -> ctypes.Array[ctypes.c_ulong]:
    bits = sum(1 << number - 1 for number in numbers)
    return _SignalSet(bits)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
