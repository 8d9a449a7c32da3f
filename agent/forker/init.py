"""The init of a container: it starts the command, and stays until nothing of the container is left.

With a process namespace it is process 1 there, so the kernel ends the container with it. Without one it adopts orphans,
so that all processes of the container stay below it.

What becomes of the command is written to the file `status_path`: the number that waitpid(2) gave, or `error: …` with
the reason why it could not be started.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

from agent.forker import kernel, tree
from agent.forker.command import become
from agent.forker.plan import Plan

KILL_ALL = signal.SIGRTMIN + 1
"""Sent to an init: kill everything in the container."""

FAULT_BYTES_MAX = 4096

_EVERY_SIGNAL = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def live(plan: Plan) -> None:
    """Be the init of a container, in a process of one's own whose signals are blocked; it does not return."""
    status = "error: the init of the container failed"
    try:
        _isolate(plan)
        status = _run(plan)
    except OSError as error:
        status = f"error: {_text(error)}"
    finally:
        kernel.write(plan["status_path"], status)
        os._exit(0)


def _isolate(plan: Plan) -> None:
    if plan.get("ends_with_forker"):
        kernel.signal_at_parents_death(KILL_ALL)
    os.setsid()
    namespaces = plan.get("namespaces", 0)
    if not namespaces & kernel.CLONE_NEWPID:
        kernel.adopt_orphans()
    kernel.unshare(namespaces & ~kernel.CLONE_NEWPID)  # of the latter this process is the first one already
    for source, target, kind, flags, options in plan.get("mounts", ()):
        kernel.mount(source, target, kind, flags, options)


def _run(plan: Plan) -> str:
    """Start the command, and stay until it and all that it left behind has ended. Returns its status."""
    reading, writing = os.pipe()
    command = os.fork()
    if command == 0:
        _become(plan, writing)
    os.close(writing)
    fault = os.read(reading, FAULT_BYTES_MAX)  # nothing, when the exec closes the other end
    signal_all = _signal_namespace if plan.get("namespaces", 0) & kernel.CLONE_NEWPID else _signal_descendants
    status = _wait(command, signal_all)
    _end_the_rest(signal_all)
    return f"error: {fault.decode()}" if fault else str(status)


def _become(plan: Plan, writing: int) -> None:
    try:
        become(plan)
    except OSError as error:
        os.write(writing, f"cannot start {plan['program']}: {_text(error)}".encode())
    finally:
        os._exit(1)


def _text(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


def _wait(command: int, signal_all: Callable[[int], None]) -> int:
    """Reap what ends and pass on what signals come, until the command has ended."""
    while True:
        for process_id, status in _reaped():
            if process_id == command:
                return status
        number = signal.sigwaitinfo(_EVERY_SIGNAL).si_signo
        if number != signal.SIGCHLD:
            signal_all(signal.SIGKILL if number == KILL_ALL else number)


def _reaped() -> Iterator[tuple[int, int]]:
    """The children that have ended."""
    while True:
        process_id, status = os.waitpid(-1, os.WNOHANG)
        if process_id == 0:
            return
        yield process_id, status


def _end_the_rest(signal_all: Callable[[int], None]) -> None:
    """Kill until nothing is left to be reaped: what forks while it is looked for is found the next time."""
    with suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # most commands leave nothing behind
        while True:
            signal_all(signal.SIGKILL)
            os.waitpid(-1, 0)


def _signal_namespace(number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(-1, number)  # to all in this namespace but process 1


def _signal_descendants(number: int) -> None:
    tree.signal_all(os.getpid(), number)
