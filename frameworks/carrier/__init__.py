"""The carrier: an executor that runs commands and carries what they write to their scheduler.

One executor per agent runs any number of commands. Output travels as framework messages, so it needs nothing but the
cluster itself; messages may get lost, so the scheduler's side (`Receiver`) knows what it lacks and asks for it.
"""

from __future__ import annotations

from mesos.ids import ExecutorID
from mesos.resources import Resources
from mesos.types import CommandInfo, ExecutorInfo

MEMORY_MEGABYTES = 48


def carrier(python: str) -> ExecutorInfo:
    """A carrier, for machines where mesolite is installed in this Python. Waiting for commands takes no processor."""
    return ExecutorInfo(
        ExecutorID("carrier"),
        CommandInfo(python, shell=False, arguments=(python, "-m", "frameworks.carrier.executor")),
        Resources.of(mem=MEMORY_MEGABYTES),
        name="carrier",
    )
