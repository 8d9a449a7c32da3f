"""The forker's loop: takes plans from the agent, forks an init for each, and says when one has ended.

Both directions carry frames as `marshal` makes them, each with its length in front. When the agent's end of the socket
is gone, the containers that are to end with it are killed; the forker starts no more, and stays until it has reaped the
others.
"""

from __future__ import annotations

import _socket
import gc
import marshal
import os
import select
import signal
import struct
import sys

from agent.forker import kernel, tree
from agent.forker.init import KILL_ALL, UNKNOWN_FAULT, live
from agent.forker.visitor import visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.forker.plan import Plan

LENGTH = struct.Struct("!I")
SERIALS = 1 << 32
STARTING_MAX = 4 + (os.cpu_count() or 1)
"""So many containers are started side by side: more would only wait for each other in the kernel."""

_READ_BYTES = 1 << 16


class Forker:
    """Forks, and reaps."""

    def __init__(self, agent: _socket.socket) -> None:
        self._agent = agent
        self._incoming = bytearray()
        self._waiting: list[Plan] = []
        self._inits: dict[int, Plan] = {}
        self._starting: dict[int, int] = {}
        """By the serial number of a start: the init that has not started its command yet."""
        self._serial = 0
        self._process_id = os.getpid()
        self._own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._deaths = kernel.signal_descriptor(kernel.signal_set((signal.SIGCHLD,)))
        self._starts, self._started = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self) -> None:
        """Serve until the agent is gone."""
        poll = select.poll()
        for descriptor in (self._agent.fileno(), self._deaths, self._starts):
            poll.register(descriptor, select.POLLIN)
        while self._read():
            self._note_starts()
            self._reap()
            while self._waiting and len(self._starting) < STARTING_MAX:
                self._start(self._waiting.pop(0))
            poll.poll()
            kernel.take_signals(self._deaths)
        self._end()

    def _read(self) -> bool:
        """Take all that the agent sent; False when it is gone, and the next one may have started what it asked for."""
        try:
            while read := self._agent.recv(_READ_BYTES, _socket.MSG_DONTWAIT):
                self._incoming += read
        except BlockingIOError:
            while (plan := self._next()) is not None:
                self._waiting.append(plan)
            return True
        except ConnectionError:
            pass
        return False

    def _next(self) -> Plan | None:
        if len(self._incoming) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._incoming)[0]
        if len(self._incoming) < end:
            return None
        plan: Plan = marshal.loads(self._incoming[LENGTH.size : end])
        del self._incoming[:end]
        return plan

    def _start(self, plan: Plan) -> None:
        self._serial = (self._serial + 1) % SERIALS
        try:
            init = self._fork(plan)
        except OSError as error:
            self._tell({"id": plan["id"], "error": f"cannot fork: {error.strerror}"})
            return
        self._inits[init] = plan
        self._starting[self._serial] = init

    def _note_starts(self) -> None:
        """Take what the inits say whose commands have started."""
        try:
            said = os.read(self._starts, _READ_BYTES)
        except BlockingIOError:
            return
        for (serial,) in LENGTH.iter_unpack(said):
            init = self._starting.pop(serial)
            self._tell({"id": self._inits[init]["id"], "init": init})

    def _fork(self, plan: Plan) -> int:
        """Fork an init, into a process namespace of its own if the plan says so."""
        in_namespace = plan.get("namespaces", 0) & kernel.CLONE_NEWPID
        if in_namespace:
            kernel.unshare(kernel.CLONE_NEWPID)  # which concerns children only
        try:
            init = os.fork()
            if init == 0:
                self._become_init(plan)
            return init
        finally:
            if in_namespace:
                kernel.setns(self._own_namespace, kernel.CLONE_NEWPID)

    def _become_init(self, plan: Plan) -> None:
        try:
            # One that has left no trace of itself yet must not outlive the forker: nobody would know of it.
            kernel.signal_at_parents_death(signal.SIGKILL)
            if tree.parent("self") != self._process_id:
                return
            for descriptor in (self._agent.fileno(), self._own_namespace, self._deaths, self._starts):
                os.close(descriptor)
            run = visit if "visits" in plan else live
            run(plan, self._say_started)
        finally:
            os._exit(UNKNOWN_FAULT)  # whatever went wrong: all that follows is the forker's

    def _say_started(self) -> None:
        """What an init calls when its command has started."""
        try:
            os.write(self._started, LENGTH.pack(self._serial))
        except BrokenPipeError:  # the forker is gone, and nobody wants to know: this init no more than the command
            signal.sigtimedwait((signal.SIGPIPE,), 0)
        os.close(self._started)

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                self._bury(*ended)
        except ChildProcessError:
            pass  # there are none

    def _bury(self, process_id: int, status: int) -> None:
        """A child has ended: an init, or what an init left that was killed."""
        self._note_starts()  # it may have said so just before
        plan = self._inits.pop(process_id, None)
        if plan is None or os.WIFSIGNALED(status):
            self._kill_orphans()
        if plan is None:
            return
        for serial in [serial for serial, init in self._starting.items() if init == process_id]:
            del self._starting[serial]
        fault = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        if fault:
            self._tell({"id": plan["id"], "error": f"cannot write {plan['status_path']}: {os.strerror(fault)}"})
        else:
            self._tell({"id": plan["id"], "ended": True})

    def _kill_orphans(self) -> None:
        """Kill what this process has adopted. What those leave behind comes next: their ends are noticed, too."""
        for child in tree.children(self._process_id):
            if child not in self._inits:
                os.kill(child, signal.SIGKILL)

    def _tell(self, news: dict[str, object]) -> None:
        frame = marshal.dumps(news)
        try:
            self._agent.sendall(LENGTH.pack(len(frame)) + frame)
        except OSError:
            return  # the agent is gone; the next read says so, too

    def _end(self) -> None:
        for init, plan in self._inits.items():
            if plan.get("ends_with_forker"):
                os.kill(init, KILL_ALL)
        self._kill_orphans()
        try:
            while True:
                self._bury(*os.wait())
        except ChildProcessError:
            pass


def main() -> None:
    """Run the forker on the socket whose descriptor is the first argument."""
    # Signals wait, in the forker and so in every init; commands get them as programs expect, which Python changed here.
    kernel.block_signals(kernel.signal_set(signal.valid_signals()))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    kernel.adopt_orphans()
    forker = Forker(_socket.socket(fileno=descriptor))
    gc.disable()
    gc.freeze()
    forker.run()
