"""What all benchmarks share: a core of their own, repeats that beat noise, a way to show figures beside their bars."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libprocess.errors import OperatorError


@dataclass(frozen=True)
class Figure:
    """One result: what was measured, beside what it is measured by."""

    key: str
    """Its name in the JSON output."""
    value: float
    bar: float
    at_least: bool = False
    """The value has to reach the bar; otherwise it must not exceed it."""
    own: str = ""
    """What was measured, with its unit."""
    reference: str = ""
    """What that was divided by."""

    @property
    def is_met(self) -> bool:
        """Whether the value keeps its bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def pin(core: int | None = None) -> int:
    """Keep this process and those it starts on one core, the last one it may use by default; returns which."""
    allowed = sorted(os.sched_getaffinity(0))
    core = allowed[-1] if core is None else core
    if core not in allowed:
        raise OperatorError(f"--core: expected one of {', '.join(map(str, allowed))}, found {core}")
    os.sched_setaffinity(0, {core})
    return core


_ADDR_NO_RANDOMIZE = 0x0040000  # from <linux/personality.h>
_ASK = 0xFFFFFFFF


def fix_addresses() -> None:
    """Start this program once more, with code at the same addresses in all processes that it starts from then on.

    Two processes on one core share its caches for instructions. With addresses chosen at random, the libraries that
    both run drive each other out, more or less as luck has it (an ask took 71-73 µs without that, 87-96 µs with it):
    something that only happens to a benchmark, which keeps both on one core. Where the system does not permit it, this
    does nothing.
    """
    personality = ctypes.CDLL(None).personality
    personality.argtypes, personality.restype = [ctypes.c_ulong], ctypes.c_int
    now = personality(_ASK)
    if now != -1 and not now & _ADDR_NO_RANDOMIZE and personality(now | _ADDR_NO_RANDOMIZE) != -1:
        os.execv(sys.executable, sys.orig_argv)


def best_of(repeats: int, *measured: Callable[[], float]) -> list[float]:
    """The least that each function returned, called in turns so that whatever disturbs one disturbs all."""
    results = [[measure() for measure in measured] for _ in range(repeats)]
    return [min(column) for column in zip(*results, strict=True)]


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which that part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def show(figures: Sequence[Figure], as_json: bool) -> int:
    """Print figures as a table or as one JSON object; returns the exit status: 1 if a bar is not met."""
    if as_json:
        print(json.dumps({figure.key: round(figure.value, 4) for figure in figures}))
    else:
        print(_table(figures))
    return 0 if all(figure.is_met for figure in figures) else 1


def _table(figures: Sequence[Figure]) -> str:
    rows = [("figure", "measured", "reference", "value", "bar", "")]
    for figure in figures:
        bar = f"{'≥' if figure.at_least else '≤'} {figure.bar:g}"
        value = f"{figure.value:,.0f}" if figure.value >= 1000 else f"{figure.value:.3g}"
        rows.append((figure.key, figure.own, figure.reference, value, bar, "" if figure.is_met else "NOT MET"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
