"""One process of a local cluster, which does not outlive its parent, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
LOG_LINES = 5
READY = "its page is at"

_libc = ctypes.CDLL(None, use_errno=True)


class Daemon:
    """A program of ours, as `python -m MODULE FLAGS…`; what it says goes to a log file."""

    def __init__(
        self,
        name: str,
        module: str,
        flags: Sequence[str],
        log: Path,
        ending: signal.Signals = signal.SIGTERM,
        enter: Sequence[str] = (),
    ) -> None:
        """`ending` is the signal that ends it, with all that it started. Its command line stands behind `enter`."""
        self.name = name
        self._ending = ending
        self.log = log
        self._enter = enter
        self._command = [sys.executable, "-m", module, *flags]
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start it, for the first time or again."""
        parent, ending = os.getpid(), self._ending
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [*self._enter, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt at the terminal is for the parent, which ends them in order
                preexec_fn=lambda: _end_with(parent, ending),
            )

    @property
    def pid(self) -> int:
        """Of its process, which was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal; nothing if it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Wait until it has ended; returns how. TimeoutExpired if it does not in time."""
        assert self._process is not None
        return self._process.wait(seconds)

    def with_flags(self, *flags: str) -> Daemon:
        """The same program with more flags, not started."""
        _, _, module, *known = self._command
        return Daemon(self.name, module, [*known, *flags], self.log, self._ending, self._enter)

    def stop(self, seconds: float) -> None:
        """Ask it to end, and see to it that it does within so many seconds, with all that it started."""
        if self._process is None:
            return
        descendants = psutil.Process(self.pid).children(recursive=True) if self.is_running else []
        self.signal(self._ending)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in descendants:
            if left.is_running():
                left.kill()

    @property
    def is_ready(self) -> bool:
        """Whether it has said, as all our programs do, where its page is."""
        return any(READY in line for line in self._said())

    def last_words(self) -> str:
        """The end of what it said."""
        return "\n".join(self._said()[-LOG_LINES:])

    def _said(self) -> list[str]:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()


def _end_with(parent: int, ending: signal.Signals) -> None:
    """Have this process told to end when its parent does, even if that is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, ending)
    if os.getppid() != parent:  # it ended just now
        os.kill(os.getpid(), ending)
