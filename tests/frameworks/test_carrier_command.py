"""Commands that a carrier runs: real processes, their ends and their output."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from frameworks.carrier.command import Command
from frameworks.carrier.protocol import CHUNK_BYTES, Job, Outcome, Stream
from mesos.types import CommandInfo, Environment


def shell(line: str, directory: str = "", **variables: str) -> Job:
    return Job(CommandInfo(line, environment=Environment.of(variables)), directory)


def run(
    tmp_path: Path, job: Job, meanwhile: Callable[[Command], Awaitable[None]] | None = None
) -> tuple[Command, Outcome]:
    """Run a job to its end."""

    async def main() -> tuple[Command, Outcome]:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        command = Command(job, tmp_path, "t", ended.set_result)
        command.start({"PATH": "/usr/bin:/bin", "OWN": "the carrier's"})
        if meanwhile is not None:
            await meanwhile(command)
        return command, await ended

    return asyncio.run(main())


def ends(pid: int) -> bool:
    """Whether a process has ended, or does so soon."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    return bool(ended)


async def written(command: Command, size: int) -> None:
    """Wait until a command has written so much."""
    while command.size(Stream.STDOUT) < size:
        await asyncio.sleep(0.005)


def test_a_command_ends_with_its_output_and_its_status(tmp_path: Path):
    command, outcome = run(tmp_path, shell("echo out; echo err >&2; exit 3"))
    assert outcome.exit_status == 3
    assert (outcome.stdout_bytes, outcome.stderr_bytes) == (4, 4)
    assert command.read(Stream.STDOUT, 0) == b"out\n"
    assert command.read(Stream.STDERR, 1) == b"rr\n"
    assert not command.is_running


def test_a_program_gets_its_arguments_as_they_are(tmp_path: Path):
    job = Job(CommandInfo("printf", shell=False, arguments=("printf", "%s|", "a b", "$HOME", "'")))
    command, outcome = run(tmp_path, job)
    assert outcome.exit_status == 0
    assert command.read(Stream.STDOUT, 0) == b"a b|$HOME|'|"


def test_a_command_has_the_carriers_environment_and_its_own(tmp_path: Path):
    command, _ = run(tmp_path, shell('echo "$OWN $MINE"', MINE="mine"))
    assert command.read(Stream.STDOUT, 0) == b"the carrier's mine\n"


def test_a_command_starts_in_its_directory_if_there_is_such_a_one(tmp_path: Path):
    command, _ = run(tmp_path, shell("pwd", directory="/usr"))
    assert command.read(Stream.STDOUT, 0) == b"/usr\n"
    _, outcome = run(tmp_path, shell("pwd", directory="/no/such/directory"))
    assert outcome.exit_status == 0


def test_a_command_reads_nothing(tmp_path: Path):
    command, _ = run(tmp_path, shell("cat; echo over"))
    assert command.read(Stream.STDOUT, 0) == b"over\n"


def test_a_program_that_is_not_there_fails_as_in_a_shell(tmp_path: Path):
    command, outcome = run(tmp_path, Job(CommandInfo("/no/such", shell=False, arguments=("/no/such",))))
    assert outcome.exit_status == 127
    assert b"cannot run /no/such" in command.read(Stream.STDERR, 0)


def test_a_killed_command_ends_with_the_signal(tmp_path: Path):
    async def kill(command: Command) -> None:
        command.signal(signal.SIGTERM)

    _, outcome = run(tmp_path, shell("sleep 60"), kill)
    assert outcome.exit_status == 128 + signal.SIGTERM


def test_a_signal_reaches_the_whole_tree(tmp_path: Path):
    async def kill(command: Command) -> None:
        await written(command, 1)
        command.signal(signal.SIGTERM)

    command, _ = run(tmp_path, shell("sleep 60 & echo $!; wait"), kill)
    assert ends(int(command.read(Stream.STDOUT, 0)))


def test_nothing_is_left_behind_by_a_command_that_ended(tmp_path: Path):
    command, outcome = run(tmp_path, shell("sleep 60 & echo $!"))
    assert outcome.exit_status == 0
    assert ends(int(command.read(Stream.STDOUT, 0)))


def test_output_is_read_by_chunks_also_while_the_command_runs(tmp_path: Path):
    async def look(command: Command) -> None:
        await written(command, 2 * CHUNK_BYTES)
        assert len(command.read(Stream.STDOUT, 0)) == CHUNK_BYTES
        assert command.is_running
        command.signal(signal.SIGKILL)

    command, outcome = run(tmp_path, shell(f"head -c {2 * CHUNK_BYTES + 1} /dev/zero; sleep 60"), look)
    assert outcome.stdout_bytes == 2 * CHUNK_BYTES + 1
    assert len(command.read(Stream.STDOUT, 2 * CHUNK_BYTES)) == 1


def test_forgotten_output_is_gone(tmp_path: Path):
    command, _ = run(tmp_path, shell("echo out"))
    command.forget()
    assert list(tmp_path.iterdir()) == []


def test_an_outcome_counts_the_processors_time(tmp_path: Path):
    _, outcome = run(tmp_path, shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"))
    assert 0 < outcome.cpu_seconds <= outcome.run_seconds * 2 + 1
