"""What a node lets tools do from outside."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from libprocess.errors import OperatorError

TRACE_ID = "trace"
"""The id of the actor that tools speak to."""

VARIABLE = "LIBPROCESS_TRACING"
FLIGHT_SECONDS = 30.0
"""How far back a flight recorder tells, unless something else is said."""


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
    """Where recordings go that are started from outside. None: there are none."""
    is_recorded: bool = False
    """Record to that directory from the beginning, with all that replaying an actor takes."""
    flight_directory: Path | None = None
    """Where the flight recorder dumps what it has when an actor fails, or when somebody asks. None: there is none."""
    flight_seconds: float = FLIGHT_SECONDS
    """How far back the flight recorder tells; 0 is none."""

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        flight_directory: str | Path | None = None,
        flight_seconds: float = FLIGHT_SECONDS,
    ) -> Tracing:
        """What LIBPROCESS_TRACING says: words with commas between.

        `off` or `break`; `to=DIRECTORY`, for recordings and a flight recorder; `flight=SECONDS`, how far back that
        tells; `record`, to record from the beginning. BadTracing at any other word. A program that has a flight
        recorder anyway says where it dumps to, and how far back it tells, where the words say nothing of that.
        """
        may_watch, may_break, is_recorded, directory = True, False, False, None
        for word in words_of(environment.get(VARIABLE, "")):
            name, _, value = word.partition("=")
            if word == "off":
                may_watch = False
            elif word == "break":
                may_break = True
            elif word == "record":
                is_recorded = True
            elif name == "to" and value:
                directory = Path(value)
            elif name == "flight" and re.fullmatch(r"\d+(\.\d+)?", value):
                flight_seconds = float(value)
            else:
                raise BadTracing(
                    f"{VARIABLE} has {word!r}; "
                    "expected off, break, record, to=DIRECTORY or flight=SECONDS, commas between"
                )
        if is_recorded and directory is None:
            raise BadTracing(f"{VARIABLE} has record but does not say where to; expected to=DIRECTORY beside it")
        dumps = directory or (Path(flight_directory) if flight_directory else None)
        return cls(may_watch, may_break, directory, is_recorded, dumps, flight_seconds)


def words_of(text: str) -> list[str]:
    """The words in the variable."""
    return [word for word in text.split(",") if word]


def for_child(text: str, directory: str) -> str:
    """What the variable is to say to a program that this one starts: the same, with a directory of its own."""
    return ",".join(f"to={directory}" if word.startswith("to=") else word for word in words_of(text))
