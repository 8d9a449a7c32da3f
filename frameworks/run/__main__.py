"""mesos-run: one command on a cluster."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from frameworks.carrier import carrier
from frameworks.run.console import PROGRAM, Console
from frameworks.run.flags import RunFlags
from frameworks.run.scheduler import FAILOVER_SECONDS, Order, RunScheduler
from libprocess.endings import end_as_interrupted
from libprocess.errors import OperatorError, told_to_the_operator
from mesos.detector import require_master
from mesos.ids import check_id
from mesos.resources import Resources
from mesos.scheduler import SchedulerDriver
from mesos.types import CommandInfo, Environment, FrameworkInfo

MASTER_SECONDS = 5.0
INTERRUPTED = 130


def main() -> None:
    """Run a command; the exit status is its own, or 130 after an interrupt, which kills it."""
    end_as_interrupted()
    with told_to_the_operator(PROGRAM), suppress(KeyboardInterrupt):
        sys.exit(run(RunFlags.load()))
    sys.exit(INTERRUPTED)


def run(flags: RunFlags) -> int:
    """Run what the flags describe; returns the exit status."""
    order, proofs = order_of(flags), flags.proofs
    asyncio.run(require_master(flags.master, MASTER_SECONDS))
    scheduler = RunScheduler(order, Console(order.instances_count))
    framework = FrameworkInfo(user="", name=flags.name, failover_timeout_seconds=FAILOVER_SECONDS)
    driver = SchedulerDriver(scheduler, framework, flags.master, implicit_acknowledgements=False, **proofs)
    try:
        driver.run()
    finally:
        driver.stop()
    if scheduler.failure:
        raise OperatorError(f"the master refuses this framework: {scheduler.failure}")
    return scheduler.exit_status


def order_of(flags: RunFlags) -> Order:
    """What the flags say about the command."""
    problem = check_id(flags.name)
    if problem is not None:
        raise OperatorError(f"--name: {problem}")
    if flags.instances < 1:
        raise OperatorError(f"--instances: expected 1 or more, found {flags.instances}")
    command = _command(flags.command, flags.arguments, environment(flags.env))
    its_carrier = carrier(flags.python) if flags.follow else None
    return Order(flags.name, command, resources(flags), flags.instances, its_carrier, flags.move)


def _command(line: str, words: tuple[str, ...], environment: Environment) -> CommandInfo:
    if bool(line) is bool(words):
        found = "both" if line else "neither"
        raise OperatorError(f"expected either --command='a line for the shell' or PROGRAM ARGUMENTS…, found {found}")
    if line:
        return CommandInfo(line, environment=environment)
    return CommandInfo(words[0], environment=environment, shell=False, arguments=words)


def environment(variables: tuple[str, ...]) -> Environment:
    """Variables from their texts, NAME=VALUE."""
    for text in variables:
        if not text.partition("=")[1] or text.startswith("="):
            raise OperatorError(f"--env: expected NAME=VALUE, found {text!r}")
    return Environment.of(dict(text.split("=", 1) for text in variables))


def resources(flags: RunFlags) -> Resources:
    """What each instance asks for."""
    try:
        return Resources.parse(flags.resources) if flags.resources else Resources.of(cpus=flags.cpus, mem=flags.mem)
    except ValueError as error:
        raise OperatorError(f"--resources, --cpus, --mem: {error}") from None


if __name__ == "__main__":
    main()
