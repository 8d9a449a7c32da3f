"""One command that a carrier runs: its processes, and the files that its output waits in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from frameworks.carrier.protocol import CHUNK_BYTES, Job, Outcome, Stream

NO_SUCH_COMMAND = 127


class Command:
    """Runs a job in a process group of its own, on the loop that calls it.

    `ended` is called once, with the outcome, when its first process has ended; what it left behind is killed then.
    """

    def __init__(self, job: Job, outputs: Path, name: str, ended: Callable[[Outcome], None]) -> None:
        self._job = job
        self._paths = {stream: outputs / f"{name}.{stream.name.lower()}" for stream in Stream}
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it. A command that cannot be started ends as it would in a shell: with 127, and why on its stderr."""
        with self._open(Stream.STDOUT) as stdout, self._open(Stream.STDERR) as stderr:
            try:
                self._process = self._spawn(environment, stdout, stderr)
            except (OSError, ValueError) as error:
                stderr.write(f"cannot run {self._job.command.value}: {error}\n".encode(errors="replace"))
        if self._process is None:
            asyncio.get_running_loop().call_soon(self._finish, NO_SUCH_COMMAND, 0.0)
        else:
            self._watch(self._process.pid)

    def _open(self, stream: Stream) -> BinaryIO:
        return self._paths[stream].open("wb")

    def _spawn(self, environment: Mapping[str, str], stdout: BinaryIO, stderr: BinaryIO) -> subprocess.Popen[bytes]:
        command = self._job.command
        own = {variable.name: variable.value for variable in command.environment.variables}
        return subprocess.Popen(
            command.value if command.shell else list(command.arguments),
            executable=None if command.shell else command.value,
            shell=command.shell,
            cwd=self._job.directory if os.path.isdir(self._job.directory) else None,
            env={**environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            process_group=0,
        )

    def _watch(self, pid: int) -> None:
        loop = asyncio.get_running_loop()
        descriptor = os.pidfd_open(pid)

        def over() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self.signal(signal.SIGKILL)  # whatever it left behind; its pid is still its own until it is waited for
            _, status, usage = os.wait4(pid, 0)
            code = os.waitstatus_to_exitcode(status)
            if self._process is not None:
                self._process.returncode = code  # it must not wait for it itself
            self._finish(128 - code if code < 0 else code, usage.ru_utime + usage.ru_stime)

        loop.add_reader(descriptor, over)

    def _finish(self, exit_status: int, cpu_seconds: float) -> None:
        self._process = None
        run_seconds = time.monotonic() - self._started_at
        self._ended(Outcome(exit_status, self.size(Stream.STDOUT), self.size(Stream.STDERR), run_seconds, cpu_seconds))

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes; nothing if it has ended."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def size(self, stream: Stream) -> int:
        """How many bytes it has written so far."""
        return self._paths[stream].stat().st_size

    def read(self, stream: Stream, offset: int) -> bytes:
        """What it has written from that byte on, one chunk at most."""
        with self._paths[stream].open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK_BYTES)

    def forget(self) -> None:
        """Remove its output."""
        for path in self._paths.values():
            path.unlink(missing_ok=True)
