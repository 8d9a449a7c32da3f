"""The init of a container: it starts the command, and stays until nothing of the container is left.

With a process namespace it is process 1 there, so the kernel ends the container with it. Without one it adopts
orphans, so that all processes of the container stay below it. What became of the command it writes to a file, where an
agent finds it that was restarted meanwhile.
"""

from __future__ import annotations

import os
import select
import signal
from _json import encode_basestring_ascii as quoted
from collections.abc import Callable, Iterator

from agent.forker import groups, kernel, tree
from agent.forker.command import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.forker.plan import Plan, Report

KILL_ALL = signal.SIGRTMIN + 1
"""Sent to an init: kill everything in the container."""

FAULT_BYTES_MAX = 4096

UNKNOWN_FAULT = 255
"""The exit status of an init that left no report, and not for want of a disk to write it to."""

_EVERY_SIGNAL = kernel.signal_set(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def live(plan: Plan, say_started: Callable[[], None]) -> None:
    """Be the init of a container, in a process of one's own whose signals are blocked; it does not return.

    `say_started` is called when the command runs.
    """
    report: Report = {"error": "the init of the container failed"}
    try:
        report = _run(plan, say_started)
    except OSError as error:
        report = {"error": text_of(error)}
    finally:
        groups.remove(plan.get("groups", []))
        leave(plan, report)


def leave(plan: Plan, report: Report) -> None:
    """Leave a report, and end this process; its exit status is 0, or the number of the error that stopped it.

    Where there is no room for the report it goes over the trace.
    """
    path, text, fault = plan["status_path"], as_json(report), UNKNOWN_FAULT
    # Nobody comes back for a container that ends with the forker, so that its trace need not be whole until then.
    ways = (kernel.write if plan.get("ends_with_forker") else kernel.replace, kernel.overwrite)
    try:
        for write in ways:
            try:
                write(path, text)
                fault = 0
                break
            except OSError as error:
                fault = error.errno or UNKNOWN_FAULT
    finally:
        os._exit(fault)


def _run(plan: Plan, say_started: Callable[[], None]) -> Report:
    if plan.get("leaves_trace"):
        trace = f'{{"init": {_own_number()}, "began": {tree.began("self")}, "plan": {plan["trace"]}}}'
        kernel.write(plan["status_path"], trace)
    kernel.signal_at_parents_death(KILL_ALL if plan.get("ends_with_forker") else 0)
    groups.make(plan.get("groups", []))
    _isolate(plan)
    init = Init(plan)
    report = init.supervise(say_started)
    report["readings"] = groups.readings(plan.get("groups", []))
    return report


def _own_number() -> int:
    """This process' id as the host has it: /proc is still the host's."""
    return int(os.readlink("/proc/self"))


def _isolate(plan: Plan) -> None:
    os.setsid()
    namespaces = plan.get("namespaces", 0)
    if not namespaces & kernel.CLONE_NEWPID:
        kernel.adopt_orphans()
    kernel.unshare(namespaces & ~kernel.CLONE_NEWPID)  # of the latter this process is the first one already
    for source, target, kind, flags, options in plan.get("mounts", ()):
        kernel.mount(source, target, kind, flags, options)


class Init:
    """Looks after the command and all that comes of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._in_namespace = bool(plan.get("namespaces", 0) & kernel.CLONE_NEWPID)
        self._signals = kernel.signal_descriptor(_EVERY_SIGNAL)
        self._poll = select.poll()
        self._poll.register(self._signals, select.POLLIN)
        self._alarm = -1
        if "memory_alarm" in plan and "visits" not in plan:
            self._alarm = groups.memory_alarm(plan["memory_alarm"])
            self._poll.register(self._alarm, select.POLLIN)

    def supervise(self, say_started: Callable[[], None]) -> Report:
        """Start the command, and stay until it and all that it left behind has ended."""
        reading, writing = os.pipe()
        command = os.fork()
        if command == 0:
            _become(self._plan, writing)
        os.close(writing)
        fault = os.read(reading, FAULT_BYTES_MAX)  # nothing, when the exec closes the other end
        if not fault:
            say_started()
        report = self._wait(command)
        self._end_the_rest()
        return {"error": fault.decode()} if fault else report

    def _wait(self, command: int) -> Report:
        """Reap what ends, and pass on what signals come, until the command has ended."""
        report: Report = {}
        while True:
            for process_id, status, kilobytes in _reaped():
                report["peak_kilobytes"] = max(report.get("peak_kilobytes", 0), kilobytes)
                if process_id == command:
                    report["status"] = status
                    return report
            ready = [descriptor for descriptor, _ in self._poll.poll()]
            if self._alarm in ready:
                os.eventfd_read(self._alarm)
                report["out_of_memory"] = True
                self._signal_all(signal.SIGKILL)
            for number in kernel.take_signals(self._signals):
                if number != signal.SIGCHLD:
                    self._signal_all(signal.SIGKILL if number == KILL_ALL else number)

    def _end_the_rest(self) -> None:
        """Kill until nothing is left to be reaped: what forks while it is looked for is found the next time."""
        try:
            os.waitpid(-1, os.WNOHANG)  # most commands leave nothing behind
            while True:
                self._signal_all(signal.SIGKILL)
                os.waitpid(-1, 0)
        except ChildProcessError:
            pass

    def _signal_all(self, number: int) -> None:
        if self._in_namespace:
            try:
                os.kill(-1, number)  # to all in this namespace but process 1
            except ProcessLookupError:
                pass
        else:
            tree.signal_all(os.getpid(), number)


def _become(plan: Plan, writing: int) -> None:
    try:
        become(plan)
    except OSError as error:
        os.write(writing, f"cannot start {plan['program']}: {text_of(error)}".encode())
    finally:
        os._exit(1)


def as_json(report: Report) -> str:
    """A report as it is written: by hand, since the module for that is larger than this program."""
    fields = {name: _value(value) for name, value in report.items()}
    return f"{{{', '.join(f'{quoted(name)}: {value}' for name, value in fields.items())}}}"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(name)}: {quoted(text)}' for name, text in value.items())}}}"
    return str(value).lower() if isinstance(value, int) else quoted(str(value))


def text_of(error: OSError) -> str:
    """What went wrong, and with what."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


def _reaped() -> Iterator[tuple[int, int, int]]:
    """The children that have ended: their ids, statuses, and how many kilobytes they or theirs had at most."""
    while True:
        process_id, status, usage = os.wait4(-1, os.WNOHANG)
        if process_id == 0:
            return
        yield process_id, status, int(usage.ru_maxrss)
