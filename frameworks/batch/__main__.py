"""mesos-batch: xargs for a cluster."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from frameworks.batch.console import PROGRAM, Console
from frameworks.batch.flags import BatchFlags
from frameworks.batch.ledger import Ledger
from frameworks.batch.results import Results
from frameworks.batch.scheduler import FAILOVER_SECONDS, BatchScheduler, Plan
from frameworks.batch.template import Template
from frameworks.carrier import carrier
from libprocess.endings import end_as_interrupted
from libprocess.errors import OperatorError, told_to_the_operator
from mesos.detector import require_master
from mesos.resources import Resources
from mesos.scheduler import SchedulerDriver
from mesos.types import FrameworkInfo

MASTER_SECONDS = 5.0
INTERRUPTED = 130
JOBS_MAX = sys.maxsize


def main() -> None:
    """Run a batch; the exit status is 0 if all inputs succeeded, 1 if any failed, 130 after an interrupt."""
    end_as_interrupted()
    with told_to_the_operator(PROGRAM), suppress(KeyboardInterrupt):
        sys.exit(run(BatchFlags.load()))
    sys.exit(INTERRUPTED)


def run(flags: BatchFlags) -> int:
    """Run the batch that the flags and the standard input describe; returns the exit status."""
    plan, proofs = plan_of(flags), flags.proofs
    asyncio.run(require_master(flags.master, MASTER_SECONDS))
    ledger = Ledger.of(read_inputs())
    with output_directory(flags.output) as directory:
        results = Results(directory, len(ledger.items))
        console = Console(ledger, results, prints=not flags.output)
        scheduler = BatchScheduler(ledger, plan, results, console, time.monotonic)
        try:
            return work(flags, proofs, scheduler, ledger, console)
        finally:
            if flags.output:
                results.write_index(ledger.items)


def work(flags: BatchFlags, proofs: dict[str, Any], scheduler: BatchScheduler, ledger: Ledger, console: Console) -> int:
    """Let the scheduler run until it is done or interrupted, and report."""
    framework = FrameworkInfo(user="", name=flags.name, failover_timeout_seconds=FAILOVER_SECONDS)
    driver = SchedulerDriver(scheduler, framework, flags.master, implicit_acknowledgements=False, **proofs)
    started_at = time.monotonic()
    is_interrupted = not runs_through(driver)
    console.close(time.monotonic() - started_at, len(scheduler.agents))
    if scheduler.failure:
        raise OperatorError(f"the master refuses this framework: {scheduler.failure}")
    if is_interrupted:
        return INTERRUPTED
    return int(any(item.is_failed for item in ledger.items))


def runs_through(driver: SchedulerDriver) -> bool:
    """Run the driver to its end; False if the user does not want it any more."""
    try:
        driver.run()
    except KeyboardInterrupt:
        return False
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    except OperatorError:
        raise
    except OSError as error:
        raise OperatorError(
            f"outputs cannot be written: {error}; make room, or name a directory with --output"
        ) from None
    finally:
        driver.stop()
    return True


def plan_of(flags: BatchFlags) -> Plan:
    """What the flags say about each task."""
    try:
        each = Resources.of(cpus=flags.cpus, mem=flags.mem)
    except ValueError as error:
        raise OperatorError(f"--cpus, --mem: {error}") from None
    if flags.jobs < 0:
        raise OperatorError(f"--jobs: expected 0 or more, found {flags.jobs}; 0 sets no limit")
    template = Template(flags.arguments, os.getcwd())
    return Plan(template, each, carrier(flags.python), flags.jobs or JOBS_MAX)


def read_inputs() -> list[str]:
    """The lines of the standard input that are not empty."""
    if sys.stdin.isatty():
        print(f"{PROGRAM}: reading inputs, one per line; end them with Ctrl-D", file=sys.stderr)
    try:
        return [line for line in sys.stdin.buffer.read().decode().split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise OperatorError(f"expected inputs in UTF-8, found the byte {error.object[error.start]:#x}") from None


@contextmanager
def output_directory(path: str) -> Iterator[Path]:
    """The directory that outputs go to: the user's own, which must be new or empty, or one that does not last."""
    if not path:
        with tempfile.TemporaryDirectory(prefix="mesos-batch-") as scratch:
            yield Path(scratch)
        return
    directory = Path(path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        is_empty = not any(directory.iterdir())
    except OSError as error:
        raise OperatorError(f"--output: expected a directory to write to, found {path}: {error.strerror}") from None
    if not is_empty:
        raise OperatorError(f"--output: expected a new or empty directory, found files in {path}; name another one")
    yield directory


if __name__ == "__main__":
    main()
