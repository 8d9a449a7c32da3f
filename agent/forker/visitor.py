"""A visitor: goes into a container that runs, runs one command there, and leaves. Checks are made so."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from agent.forker import kernel
from agent.forker.init import Init, leave, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.forker.plan import Plan, Report

_NAMESPACES = {"ipc": kernel.CLONE_NEWIPC, "pid": kernel.CLONE_NEWPID, "mnt": kernel.CLONE_NEWNS}


def visit(plan: Plan, say_started: Callable[[], None]) -> None:
    """Run a command in a container, in a process of one's own whose signals are blocked; it does not return."""
    report: Report = {"error": "the visitor of the container failed"}
    try:
        _enter(plan["visits"], plan.get("enters", 0))
        report = Visitor(plan).supervise(say_started)
    except OSError as error:
        report = {"error": text_of(error)}
    finally:
        leave(plan, report)


class Visitor(Init):
    """Looks after a command that is not alone in its container, and so touches nothing but it and its group."""

    _command = 0

    def _wait(self, command: int) -> Report:
        self._command = command
        return super()._wait(command)

    def _end_the_rest(self) -> None:
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: int) -> None:
        for kill in (os.killpg, os.kill):  # it may not have its group yet
            try:
                kill(self._command, number)
            except ProcessLookupError:
                pass


def _enter(init: int, namespaces: int) -> None:
    kinds = [kind for kind, flag in _NAMESPACES.items() if namespaces & flag]
    descriptors = [os.open(f"/proc/{init}/ns/{kind}", os.O_RDONLY) for kind in kinds]  # all before /proc is another one
    for kind, descriptor in zip(kinds, descriptors, strict=True):
        kernel.setns(descriptor, _NAMESPACES[kind])
        os.close(descriptor)
