"""What several checks have in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable

Check = Callable[[], str | None]


def first(checks: Iterable[str | None]) -> str | None:
    """The first complaint, if there is one; with a generator, what comes after it is not even looked at."""
    return next(filter(None, checks), None)


def check_seconds(what: str, seconds: float | None) -> str | None:
    """Durations are numbers from 0 on; None is no duration, and fine."""
    if seconds is None or (math.isfinite(seconds) and seconds >= 0):
        return None
    return f"expected {what} of at least 0 seconds, found {seconds:g}"


def check_unique(what: str, values: Iterable[Hashable]) -> str | None:
    """Nothing is named twice."""
    twice = [str(value) for value, times in Counter(values).items() if times > 1]
    return f"expected every {what} once, found several times: {', '.join(twice)}" if twice else None


def named(what: str, names: Iterable[str]) -> str:
    """Put names behind a noun: `offer O1`, `offers O1, O2`."""
    names = list(names)
    return f"{what}{'s' if len(names) != 1 else ''} {', '.join(names)}"
