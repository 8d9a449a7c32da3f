"""The cluster of a soak, and whoever starts again what ended of it."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.system.masters import Masters
from tests.system.soak.kinds import FETCHED
from tests.system.soak.ledger import WANTED, Ledger
from tests.system.waiting import eventually
from tests.system.zookeeper import ZooKeeper
from tools.local.cluster import free_ports
from tools.local.daemon import Daemon

AGENTS = 3
MASTERS = 3
COMPLETED_TASKS = 50
LOOK_SECONDS = 0.05
LIMIT_SECONDS = 120.0
FORKER = "agent.forker.main"

MASTER = (
    "--max_agent_ping_timeouts=60",
    "--allocation_interval=200ms",
    f"--max_completed_tasks_per_framework={COMPLETED_TASKS}",
    "--max_history_tasks=200",
    "--flight_recorder=5secs",
)
AGENT = (
    "--gc_delay=2secs",
    "--disk_watch_interval=500ms",
    "--executor_reregistration_timeout=10secs",
    "--executor_registration_timeout=20secs",
    "--flight_recorder=5secs",
    "--max_completed_executors_per_framework=20",
)
OPERATORS_FAULT = 2
TAKEN = "is taken"
SCHEDULER_LOG = "scheduler.log"
DEPOSED = "it does not lead any more"
COMPLAINT = re.compile(rf"Traceback|\bERROR\b|\bCRITICAL\b(?!.*{DEPOSED})")
"""A leader that stood still, or lost ZooKeeper, is right to end."""
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


class Soak:
    """ZooKeeper, masters, agents and a scheduler. All processes that come of them are below this one's."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place = place
        self.seed = seed
        self.cgroups_root = f"soak-{os.getpid()}"
        self.zookeeper = ZooKeeper(place / "zookeeper")
        self.url = self.zookeeper.url("soak")
        self.masters = Masters(place / "cluster", self.url, MASTERS, AGENTS, MASTER)
        agents, self.agent_ports = self.masters.agents, free_ports(AGENTS)
        self.masters.agents = [
            agent.with_flags(*AGENT, f"--port={port}", "--actor_port=0", f"--cgroups_root={self.cgroups_root}/{number}")
            for number, (agent, port) in enumerate(zip(agents, self.agent_ports, strict=True))
        ]
        self.ledger = Ledger(place)
        self.scheduler: subprocess.Popen[bytes] | None = None
        (place / FETCHED).write_text("fetched\n")
        self.want(0)

    def want(self, tasks: int) -> None:
        """Have so many tasks run at once."""
        new = self.place / f"{WANTED}.new"
        new.write_text(str(tasks))
        new.replace(self.place / WANTED)

    # Its processes.

    @property
    def daemons(self) -> dict[str, Daemon]:
        return {daemon.name: daemon for daemon in (*self.masters.masters, *self.masters.agents)}

    def named(self) -> dict[int, str]:
        """What this program itself started and runs, by process ids."""
        named = {daemon.pid: name for name, daemon in self.daemons.items() if daemon.is_running}
        servers = enumerate(self.zookeeper.processes)
        named |= {server.pid: f"zookeeper-{number}" for number, server in servers if server.poll() is None}
        if self.scheduler is not None and self.scheduler.poll() is None:
            named[self.scheduler.pid] = "scheduler"
        return named

    def others(self) -> dict[psutil.Process, str]:
        """All other processes that came of that: forkers, containers' inits, and what is in containers."""
        named, found = self.named(), dict[psutil.Process, str]()
        for process in psutil.Process().children(recursive=True):
            if process.pid not in named:
                kind = self._kind(process, named)
                if kind:
                    found[process] = kind
        return found

    def _kind(self, process: psutil.Process, named: dict[int, str]) -> str:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return "zombie" if process.ppid() != os.getpid() else ""
            if FORKER not in " ".join(process.cmdline()):
                return "executor" if "tests.system.soak.executor" in process.cmdline() else "task"
            if os.getsid(process.pid) == process.pid:
                return "init"
            parent = process.ppid()
            return "forker" if parent in named or parent == os.getpid() else "init"
        except (psutil.Error, ProcessLookupError):
            return ""

    def tend(self) -> None:
        """Start what has ended, as whoever watches over the programs of a cluster does; and reap orphans."""
        for daemon in self.daemons.values():
            if not daemon.is_running:
                # While it was down, whoever dialled somebody may have got its port for that.
                assert daemon.exit_code != OPERATORS_FAULT or TAKEN in daemon.last_words(), daemon.last_words()
                daemon.start()
        for number, server in enumerate(self.zookeeper.processes):
            if server.poll() is not None:
                self.zookeeper.restart(number)
        if self.scheduler is None or (code := self.scheduler.poll()) is not None:
            assert self.scheduler is None or code == -signal.SIGKILL, (self.place / SCHEDULER_LOG).read_text()[-2000:]
            self._start_scheduler()
        known = self.named()
        for child in psutil.Process().children():
            if child.pid not in known and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)

    def _start_scheduler(self) -> None:
        framework_id = self.ledger.refresh().framework_id
        command = [sys.executable, "-m", "tests.system.soak.scheduler", self.url, str(self.place), str(self.seed)]
        with (self.place / "scheduler.log").open("ab") as log:
            self.scheduler = subprocess.Popen(
                [*command, framework_id], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def tend_for(self, seconds: float) -> None:
        """Look after it for so long."""
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= until, "time passes")

    def wait_until(self, condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
        """Look after it until something is so."""
        eventually(condition, what, LIMIT_SECONDS, LOOK_SECONDS, meanwhile=self.tend)

    def complaints(self) -> list[str]:
        """What its programs logged that is their own fault."""
        logs = [*(daemon.log for daemon in self.daemons.values()), self.place / SCHEDULER_LOG]
        return [
            f"{log.name}: {line}" for log in logs for line in log.read_text().splitlines() if COMPLAINT.search(line)
        ]

    def __enter__(self) -> Self:
        self.zookeeper.__enter__()
        self.masters.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.scheduler is not None:
            self.scheduler.kill()
            self.scheduler.wait()
        self.masters.__exit__(kind, error, traceback)
        self.zookeeper.__exit__(kind, error, traceback)
        while left := psutil.Process().children(recursive=True):
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=10)
        for path in sorted(self.groups(), reverse=True):
            path.rmdir()

    def groups(self) -> list[Path]:
        """The control groups of its agents and their containers."""
        roots = [path for pattern in ("", "*/") for path in Path("/sys/fs/cgroup").glob(pattern + self.cgroups_root)]
        return [path for root in roots for path in (root, *root.rglob("*")) if path.is_dir()]


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Have every process that comes of this one and loses its parent become a child of this one."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
