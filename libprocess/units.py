"""Units: durations and sizes as people write them, `15secs` and `32MB`."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "secs": Decimal(1),
    "mins": Decimal(60),
    "hrs": Decimal(3600),
    "days": Decimal(86400),
    "weeks": Decimal(604800),
}
_BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_NUMBER_WITH_UNIT = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", re.ASCII)


def parse_duration(text: str) -> float:
    """Read a duration such as `15secs`, `1.5mins` or `2weeks`; the result is in seconds.

    ValueError says what is wrong with anything else.
    """
    number, unit = _split(text)
    if unit not in _SECONDS:
        raise ValueError(f"expected a duration such as 15secs (units: {', '.join(_SECONDS)}), found {text!r}")
    return float(number * _SECONDS[unit])


def format_duration(seconds: float) -> str:
    """Write seconds in the largest unit that leaves a whole number: 90.0 is `90secs`, 120.0 is `2mins`."""
    if not math.isfinite(seconds):
        raise ValueError(f"expected a finite number of seconds, found {seconds!r}")
    exact = Decimal(repr(seconds))
    if exact == 0:
        return "0ns"
    for unit, size in reversed(_SECONDS.items()):
        if exact % size == 0:
            return f"{_plain(exact / size)}{unit}"
    return f"{_plain(exact / _SECONDS['ns'])}ns"


def parse_bytes(text: str) -> int:
    """Read a size such as `32MB`; the result is in bytes, and a unit is 1024 times the one before it.

    ValueError says what is wrong with anything else.
    """
    number, unit = _split(text)
    size = number * _BYTES.get(unit, 0)
    if unit not in _BYTES or size < 0 or size != int(size):
        raise ValueError(f"expected a size such as 32MB (units: {', '.join(_BYTES)}), found {text!r}")
    return int(size)


def format_bytes(size_bytes: int) -> str:
    """Write bytes in the largest unit that leaves a whole number: 1536 is `1536B`, 2048 is `2KB`."""
    if size_bytes == 0:
        return "0B"
    unit = next(unit for unit in reversed(_BYTES) if size_bytes % _BYTES[unit] == 0)
    return f"{size_bytes // _BYTES[unit]}{unit}"


def _split(text: str) -> tuple[Decimal, str]:
    """The number and the unit of a text; the unit is empty when the text has not this shape."""
    match = _NUMBER_WITH_UNIT.fullmatch(text)
    return (Decimal(match[1]), match[2]) if match else (Decimal(0), "")


def _plain(number: Decimal) -> str:
    """Digits without an exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
