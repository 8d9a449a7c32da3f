"""Kinds of flags: how a value is read from text and written back."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from libprocess.units import format_bytes, format_duration, parse_bytes, parse_duration


@dataclass(frozen=True, slots=True)
class Kind:
    """What a flag's text means.

    `parse` raises ValueError with "expected …, found …"; `format` writes the text that `parse` reads. Where the text
    carries the unit itself, the field's name ends in `unit` and the flag's does not: the field `timeout_seconds` is the
    flag `--timeout=5secs`.
    """

    placeholder: str
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str
    unit: str = ""
    several: bool = False
    """Given several times, its texts are joined by newlines; otherwise the last one counts."""
    reads_files: bool = True
    """A text `file://PATH` is replaced by what that file holds."""


def parse_integer(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, found {text!r}") from None


def parse_count(text: str) -> int:
    """Read a whole number that is not less than nothing."""
    count = parse_integer(text)
    if count < 0:
        raise ValueError(f"expected 0 or more, found {text!r}")
    return count


def parse_number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, found {text!r}") from None


def parse_port(text: str) -> int:
    """Read a port; 0 lets the system choose one."""
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ValueError(f"expected a port from 0 to 65535, found {text!r}")
    return int(text)


def parse_time(text: str) -> float:
    """Read a duration that is not less than nothing."""
    seconds = parse_duration(text)
    if seconds < 0:
        raise ValueError(f"expected a duration such as 15secs, found {text!r}")
    return seconds


def parse_switch(text: str) -> bool:
    """Read true or false."""
    switches = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in switches:
        raise ValueError(f"expected true or false, found {text!r}")
    return switches[text.lower()]


def format_switch(value: bool) -> str:
    """Write true or false."""
    return "true" if value else "false"


def parse_list(text: str) -> tuple[str, ...]:
    """Read words separated by commas."""
    return tuple(word.strip() for line in text.splitlines() for word in line.split(",") if word.strip())


def parse_path(text: str) -> str:
    """Read the path of a file or directory; `file://PATH` is that path, too."""
    path = text.removeprefix("file://")
    if not path:
        raise ValueError(f"expected a path, found {text!r}")
    return path


TEXT = Kind("TEXT", str)
INTEGER = Kind("NUMBER", parse_integer)
COUNT = Kind("NUMBER", parse_count)
NUMBER = Kind("NUMBER", parse_number)
SWITCH = Kind("true|false", parse_switch, format_switch)
PORT = Kind("PORT", parse_port)
PATH = Kind("PATH", parse_path, reads_files=False)
DURATION = Kind("DURATION", parse_time, format_duration, unit="_seconds")
BYTES = Kind("SIZE", parse_bytes, format_bytes, unit="_bytes")
LIST = Kind("A,B,…", parse_list, ",".join, several=True)
MANY = Kind("TEXT", lambda text: tuple(text.splitlines()), "\n".join, several=True)
"""One value per time that the flag is given, or per line of its file; commas mean nothing."""

_BY_TYPE = {str: TEXT, int: INTEGER, float: NUMBER, bool: SWITCH, tuple[str, ...]: LIST}


def kind_of(annotation: Any) -> Kind:
    """The kind that goes without saying for a field of this type; TypeError where there is none."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):  # the latter with a Literal in it
        annotation, *rest = (arm for arm in typing.get_args(annotation) if arm is not types.NoneType)
        annotation = object if rest else annotation
    if typing.get_origin(annotation) is Literal:
        return one_of(typing.get_args(annotation))
    if annotation not in _BY_TYPE:
        raise TypeError(f"expected kind=… beside a type that says little: {annotation}")
    return _BY_TYPE[annotation]


def above_zero(kind: Kind) -> Kind:
    """The same, for what makes no sense when it is nothing, such as the time from one turn to the next."""

    def parse(text: str) -> Any:
        value = kind.parse(text)
        if not value > 0:
            raise ValueError(f"expected more than 0, found {text!r}")
        return value

    return replace(kind, parse=parse)


def one_of(words: tuple[str, ...]) -> Kind:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected {' or '.join(words)}, found {text!r}")
        return text

    return Kind("|".join(words), parse)
