"""What a node lets tools do from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from libprocess.errors import OperatorError

TRACE_ID = "trace"
"""The id of the actor that tools speak to."""

VARIABLE = "LIBPROCESS_TRACING"
FLIGHT_MAIL = 20_000
"""How much mail a flight recorder holds."""


class BadTracing(OperatorError, ValueError):
    """The environment says something else than what can be chosen."""


@dataclass(frozen=True)
class Tracing:
    """By default tools may watch a node, within bounds, and nothing else."""

    may_watch: bool = True
    """Send mail to whoever taps, as much as it reads and no more."""
    may_break: bool = False
    """Lose, hold back, delay and double mail for whoever says so. Only for clusters that are there to be tested."""
    directory: Path | None = None
    """Where recordings go that are started from outside, and what the flight recorder dumps. None: there are none."""
    is_recorded: bool = False
    """Record to that directory from the beginning, with all that replaying an actor takes."""
    flight_mail: int = 0
    """How much mail the flight recorder holds; 0 is none."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Tracing:
        """What LIBPROCESS_TRACING says: words with commas between.

        `off` or `break`; `to=DIRECTORY`, for recordings and a flight recorder; `record`, to record from the beginning.
        BadTracing at any other word.
        """
        may_watch, may_break, is_recorded, directory = True, False, False, None
        for word in filter(None, environment.get(VARIABLE, "").split(",")):
            name, _, value = word.partition("=")
            if word == "off":
                may_watch = False
            elif word == "break":
                may_break = True
            elif word == "record":
                is_recorded = True
            elif name == "to" and value:
                directory = Path(value)
            else:
                raise BadTracing(
                    f"{VARIABLE} has {word!r}; expected off, break, record or to=DIRECTORY, commas between"
                )
        if is_recorded and directory is None:
            raise BadTracing(f"{VARIABLE} has record but does not say where to; expected to=DIRECTORY beside it")
        return cls(may_watch, may_break, directory, is_recorded, FLIGHT_MAIL if directory else 0)
