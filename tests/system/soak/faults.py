"""What is done to a soak: any process is killed, or stopped for a moment."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil

from tests.system.soak.cluster import Soak
from tests.system.soak.kinds import TASK

SPARED = "agent-0"
"""This one is never killed, so that it is seen what it has after all that."""

SHARES = {
    "leading master": 2,
    "standing-by master": 1,
    "agent": 4,
    "scheduler": 3,
    "ZooKeeper server": 1,
    "forker": 2,
    "init": 4,
    "task": 4,
    "executor": 3,
}
PAUSE_SECONDS = (0.4, 2.4)
STOPS = 0.25
"""How many are stopped rather than killed."""
STOP_SECONDS = (0.2, 2.5)


class Faults:
    """Draws faults, and does them."""

    def __init__(self, soak: Soak) -> None:
        self._soak = soak
        self._chance = random.Random(soak.seed)
        self._next: list[str] = []
        self._stopped: list[tuple[float, psutil.Process]] = []
        self.done = Counter[str]()
        self.hit: set[str] = set()
        """The tasks whose own processes were killed."""

    def pause(self) -> float:
        """How long it is to the next one, in seconds."""
        return self._chance.uniform(*PAUSE_SECONDS)

    def _kind(self) -> str:
        """The kind of the next one; none is left out for long."""
        if not self._next:
            self._next = [kind for kind, count in SHARES.items() for _ in range(count)]
            self._chance.shuffle(self._next)
        return self._next.pop()

    def do(self) -> None:
        """Do the next one."""
        kind = self._kind()
        stops, seconds, which = (
            self._chance.random() < STOPS,
            self._chance.uniform(*STOP_SECONDS),
            self._chance.random(),
        )
        victims = sorted(self._victims(kind), key=lambda process: process.pid)
        if not victims:
            return
        victim = victims[int(which * len(victims))]
        try:
            if stops:
                victim.suspend()
                self._stopped.append((time.monotonic() + seconds, victim))
            else:
                self._note_hit(kind, victim)
                victim.kill()
        except psutil.Error:
            return
        self.done[f"{'SIGSTOP' if stops else 'kill -9'} of {kind}"] += 1

    def _victims(self, kind: str) -> list[psutil.Process]:
        soak = self._soak
        if kind in ("forker", "init", "task", "executor"):
            return [process for process, its in soak.others().items() if its == kind]
        named = {name: pid for pid, name in soak.named().items() if name != SPARED}
        leaders = {f"master-{number}" for number in soak.masters.leaders}
        is_wanted: dict[str, Callable[[str], bool]] = {
            "leading master": leaders.__contains__,
            "standing-by master": lambda name: name.startswith("master") and name not in leaders,
            "agent": lambda name: name.startswith("agent"),
            "scheduler": lambda name: name == "scheduler",
            "ZooKeeper server": lambda name: name.startswith("zookeeper"),
        }
        return [psutil.Process(pid) for name, pid in named.items() if is_wanted[kind](name)]

    def _note_hit(self, kind: str, victim: psutil.Process) -> None:
        if kind == "init":  # or the command, a moment before it is one; of one that has ended only the trace tells
            self.hit.update(self._tasks_of({victim.pid, victim.ppid()}))
        if kind in ("init", "task"):
            for process in (victim, *victim.children(recursive=True)):
                task = process.environ().get(TASK)
                if task:
                    self.hit.add(task)

    def _tasks_of(self, inits: set[int]) -> Iterator[str]:
        for path in self._soak.masters.work_dir.glob("agent-*/containers/*"):
            with suppress(OSError, ValueError):
                trace = json.loads(path.read_text())
                if trace.get("init") in inits:
                    yield trace["plan"]["environment"].get(TASK, "")

    def go_on(self, all_of_them: bool = False) -> None:
        """Let go on what was stopped for long enough."""
        now = time.monotonic()
        for when, process in list(self._stopped):
            if all_of_them or when <= now:
                self._stopped.remove((when, process))
                if process.is_running():
                    process.send_signal(signal.SIGCONT)
