"""The directory of one agent, which is no other's as long as that runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from libprocess.errors import OperatorError

LOCK = "meta/lock"


@contextmanager
def held(path: str) -> Iterator[None]:
    """Make an agent's directory, where there is none, and hold it. OperatorError says why that is not possible.

    It is free again as soon as this process has ended, however that ends.
    """
    lock = f"{path}/{LOCK}"
    try:
        os.makedirs(path, exist_ok=True)
        os.makedirs(os.path.dirname(lock), mode=0o700, exist_ok=True)  # tasks may hide something
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = f"{error.filename} cannot be made: {error.strerror}"
        raise OperatorError(f"--work_dir: {reason}; give a directory to write to") from None
    try:
        _lock(descriptor, lock)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OperatorError(f"another agent holds {path}; end it, or give each a --work_dir of its own") from None
    except OSError as error:  # some file systems that machines share have no locks
        raise OperatorError(f"--work_dir: {path} cannot be locked: {error.strerror}; give a local directory") from None
