"""A program to be traced, of two nodes: a desk that hands out tasks, and a depot where they are run and swept up.

    python depot.py depot        prints the address of its node
    python depot.py desk ADDRESS ROUNDS
    python depot.py flood        a depot that sends itself as much as it can; prints how much it has handled

The depot's sweeper takes its time, and the launcher, on the same node, has to wait for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys

import psutil

from libprocess import PID, ExitedMessage, Message, Process, open_node, run

SWEEPS = 50
ROUNDS_OF_HASHING = 2000


class LaunchMessage(Message, frozen=True):
    """From the desk to the launcher: start this task."""

    task_id: str


class LaunchedMessage(Message, frozen=True):
    """From the launcher to the desk: it runs."""

    task_id: str


class SweepMessage(Message, frozen=True):
    """From the desk to the sweeper: clean up what an old task left."""

    sandbox: str


class NextMessage(Message, frozen=True):
    """From the desk to itself: another round."""


class Launcher(Process):
    """Starts tasks, at once."""

    def launch(self, message: LaunchMessage) -> None:
        self.reply(LaunchedMessage(message.task_id))


class Sweeper(Process):
    """Cleans up, thoroughly."""

    def sweep(self, message: SweepMessage) -> None:
        dust = message.sandbox.encode()
        for _ in range(ROUNDS_OF_HASHING):
            dust = hashlib.sha256(dust).digest()


class Desk(Process):
    """Each round has a task; in every third, there is sweeping to do before."""

    def __init__(self, depot: str, rounds: int) -> None:
        self.launcher = PID.parse(f"launcher@{depot}")
        self.sweeper = PID.parse(f"sweeper@{depot}")
        self.rounds = rounds
        self.round = 0

    def initialize(self) -> None:
        self.link(self.launcher)
        self.delay(0.05, NextMessage())

    def next(self, message: NextMessage) -> None:
        self.round += 1
        if self.round % 3 == 0:
            for place in range(SWEEPS):
                self.send(self.sweeper, SweepMessage(f"sandbox-{place}"))
        self.send(self.launcher, LaunchMessage(f"t{self.round}"))

    def launched(self, message: LaunchedMessage) -> None:
        if self.round == self.rounds:
            self.terminate()
        else:
            self.delay(0.01, NextMessage())

    def exited(self, message: ExitedMessage) -> None:
        self.terminate()


class Flood(Process):
    """Sends itself mail without end."""

    def __init__(self) -> None:
        self.handled = 0

    def initialize(self) -> None:
        self.next(NextMessage())

    def sweep(self, message: SweepMessage) -> None:
        self.handled += 1

    def next(self, message: NextMessage) -> None:
        for place in range(1000):
            self.send(self.pid, SweepMessage(f"sandbox-{place}"))
        if self.handled % 200_000 < 1000:
            print(self.handled, psutil.Process().memory_info().rss, flush=True)
        self.delay(0.0, NextMessage())


async def flood() -> None:
    """Be there until killed."""
    async with open_node() as runtime:
        print(runtime.address, flush=True)
        await runtime.wait(runtime.spawn(Flood(), "flood"))


async def depot() -> None:
    """Be there until stdin closes."""
    async with open_node() as runtime:
        runtime.spawn(Launcher(), "launcher")
        runtime.spawn(Sweeper(), "sweeper")
        print(runtime.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def desk(address: str, rounds: int) -> None:
    """Hand out so many tasks."""
    async with open_node() as runtime:
        pid = runtime.spawn(Desk(address, rounds), "desk")
        print(runtime.address, flush=True)
        await runtime.wait(pid)


if __name__ == "__main__":
    if sys.argv[1] == "desk":
        run(desk(sys.argv[2], int(sys.argv[3])))
    else:
        run(flood() if sys.argv[1] == "flood" else depot())
