"""The trace tool on real nodes: followed live, recorded, broken, killed, and faster than anybody reads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.tools.trace import depot
from tools.trace.checking import Check
from tools.trace.life import Life
from tools.trace.story import Story

TRACE = [sys.executable, "-m", "tools.trace"]
DEPOT = [sys.executable, str(Path(depot.__file__))]
ROUNDS = 6


class Program:
    """A process of the test's, whose first line of output is read."""

    def __init__(self, command: list[str], tracing: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"LIBPROCESS_TRACING": tracing},
        )

    def line(self) -> str:
        """The next line of what it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def said(self) -> str:
        """The next line that it prints on stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().strip()

    def end(self) -> tuple[str, str]:
        """Let it end; the rest of its output."""
        return self.process.communicate(timeout=60)


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(command: list[str], tracing: str = "") -> Program:
            program = Program(command, tracing)
            stack.callback(program.process.wait)
            stack.callback(program.process.kill)
            return program

        yield begin


def trace(*arguments: object) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run([*TRACE, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def refused(*arguments: object) -> str:
    """The one line that a command ends with when it cannot do what is asked for."""
    done = subprocess.run([*TRACE, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def test_a_slow_start_is_found_in_a_queue(start: Start, tmp_path: Path):
    tracing = f"record,to={tmp_path}"
    server = start([*DEPOT, "depot"], tracing)
    start([*DEPOT, "desk", server.line(), str(ROUNDS)], tracing).end()
    server.end()

    story = Story([tmp_path])
    assert Check(story).is_whole
    life = Life(story, "t3")
    path = life.path()
    longest = max(path, key=lambda part: part.seconds)
    assert re.fullmatch(r"queue of launcher@127\.0\.0\.1:\d+", longest.what)
    [(blamed, seconds)] = life.ahead(longest).most_common(1)
    assert blamed[0] == "SweepMessage"
    assert seconds > longest.seconds / 2


def test_a_program_is_followed_while_it_runs(start: Start, tmp_path: Path):
    server = start([*DEPOT, "depot"])
    address = server.line()
    tap = start([*TRACE, "tap", address, "--where", "task_id~t", "--save", str(tmp_path)])
    assert tap.said() == f"tapping {address}; Ctrl-C ends it"
    start([*DEPOT, "desk", address, "3"]).end()
    lines = [tap.line() for _ in range(6)]
    assert ["LaunchMessage(task_id='t1')" in line for line in lines][:2] == [True, False]
    tap.process.send_signal(signal.SIGINT)
    out, _ = tap.end()
    assert "6 messages shown, 0 left out" in out
    assert trace("log", tmp_path, "--type", "LaunchMessage").count("task_id=") == 3


def test_a_node_that_dies_while_it_is_tapped_is_reported(start: Start):
    first, second = start([*DEPOT, "depot"]), start([*DEPOT, "depot"])
    addresses = [first.line(), second.line()]
    tap = start([*TRACE, "tap", *addresses])
    tap.said()
    start([*DEPOT, "desk", addresses[0], "1"]).end()
    while "LaunchMessage" not in tap.line():
        pass
    first.process.kill()
    assert tap.said().startswith(f"{addresses[0]} is not tapped any more: ")
    start([*DEPOT, "desk", addresses[1], "1"]).end()
    while "LaunchMessage" not in tap.line():
        pass
    second.process.kill()
    assert tap.said().startswith(f"{addresses[1]} is not tapped any more: ")
    assert tap.process.wait(60) == 0, "nobody is left"


def test_more_than_anybody_reads_is_bounded_and_said(start: Start):
    server = start([*DEPOT, "flood"])
    address = server.line()
    tap = start([*TRACE, "tap", address, "--type", "SweepMessage"])
    tap.said()
    for _ in range(5):
        tap.line()
    # It prints into a pipe that nobody reads now: the tool waits, and the node goes on.
    told = [tuple(map(int, server.line().split())) for _ in range(8)]
    assert told[-1][0] - told[0][0] > 1_000_000
    assert told[-1][1] - told[3][1] < 32 << 20, "the node does not grow"
    for _ in range(1_000_000):
        if "messages left out" in tap.line():
            break
    else:
        pytest.fail("what was left out is never said")


def test_a_node_is_recorded_from_outside(start: Start, tmp_path: Path):
    server = start([*DEPOT, "depot"], f"to={tmp_path / 'there'}")
    address = server.line()
    assert "records to" in trace("record", address, "--start")
    start([*DEPOT, "desk", address, "2"]).end()
    assert f"bytes of {address}" in trace("record", address, "--stop", "-o", tmp_path / "here")
    assert trace("log", tmp_path / "here", "--type", "LaunchMessage").count("task_id=") == 2
    trace("flight", address, "-o", tmp_path / "flight")
    assert trace("log", tmp_path / "flight", "--type", "LaunchMessage").count("task_id=") == 2


def test_mail_is_held_and_released_from_the_command_line(start: Start):
    server = start([*DEPOT, "depot"], "break")
    address = server.line()
    trace("break", "hold", address, "--type", "LaunchMessage", "--where", "task_id==t2")
    desk = start([*DEPOT, "desk", address, "3"])
    while "1 seen, 1 held" not in trace("break", "list", address):
        assert desk.process.poll() is None
    assert "nothing is broken" in trace("break", "release", address)
    assert desk.process.wait(30) == 0


def test_a_cut_ends_links_and_healing_lets_new_ones_be(start: Start):
    server = start([*DEPOT, "depot"], "break")
    address = server.line()
    trace("break", "hold", address, "--type", "LaunchMessage")
    desk = start([*DEPOT, "desk", address, "3"], "break")
    desk_address = desk.line()
    while "1 seen, 1 held" not in trace("break", "list", address):
        assert desk.process.poll() is None
    # The desk may end before it answers.
    subprocess.run([*TRACE, "break", "cut", address, desk_address], capture_output=True, timeout=60)
    assert desk.process.wait(30) == 0, "it learns that the depot is gone, and ends"
    assert f"cut from {desk_address}" in trace("break", "list", address)
    trace("break", "heal", address)
    trace("break", "restore", address)
    assert start([*DEPOT, "desk", address, "1"]).process.wait(30) == 0


def test_what_cannot_be_done_is_said_in_one_line(start: Start):
    server = start([*DEPOT, "depot"])
    address = server.line()
    assert "does not let itself be broken" in refused("break", "drop", address)
    assert "no directory for recordings" in refused("record", address, "--start")
    assert "no node is named" in refused("tap")
    assert "mesos-trace log: the following arguments are required: FILE; --help says more" in refused("log", "--wat")
    assert "name another by --master" in refused("tap", "--master", address)
    server.process.kill()
    server.process.wait()
    assert "expected a running libprocess node" in refused("flight", address)
