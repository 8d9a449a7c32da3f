"""Our programs as a user starts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

SECONDS = 100.0
MODULES = {
    "mesos-master": "master",
    "mesos-agent": "agent",
    "mesos-local": "tools.local",
    "mesos-batch": "frameworks.batch",
    "mesos-run": "frameworks.run",
    "mesos-trace": "tools.trace",
    "tools.cli": "tools.cli",
}


def command(program: str, *arguments: str) -> Sequence[str]:
    """The command line of a program."""
    return [sys.executable, "-m", MODULES[program], *arguments]


def finished(program: str, *arguments: str, input: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        command(program, *arguments), input=input, capture_output=True, text=True, timeout=SECONDS, **options
    )


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command(program, *arguments), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
