"""Metrics: numbers that say how a node does, kept by its actors and read at once as a flat dictionary.

Names are paths, such as `master/tasks_lost`. One registry belongs to one runtime: its actors share a thread, so that
counting is adding to an attribute, and needs no lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

WINDOW = 1000
"""How many of its latest values a timer's statistics are made of."""

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "p9999": 0.9999}


class Counter:
    """Counts what happens: `counter.value += 1`. It only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def read(self, name: str) -> dict[str, float]:
        """What the snapshot shows."""
        return {name: self.value}


class Gauge:
    """A level that rises and falls: set `gauge.value` (push), or give a function that reads it (pull)."""

    __slots__ = ("pull", "value")

    def __init__(self, pull: Callable[[], float] | None = None) -> None:
        self.pull = pull
        self.value: float = 0

    def read(self, name: str) -> dict[str, float]:
        """What the snapshot shows."""
        return {name: self.value if self.pull is None else self.pull()}


class Family:
    """Levels of one kind whose names are known only when they are read, such as one per reason: shown as NAME/KEY."""

    __slots__ = ("pull",)

    def __init__(self, pull: Callable[[], Mapping[str, float]]) -> None:
        self.pull = pull

    def read(self, name: str) -> dict[str, float]:
        """What the snapshot shows."""
        return {f"{name}/{key.replace(' ', '_')}": value for key, value in sorted(self.pull().items())}


class Timer:
    """How long something takes, in milliseconds: the last value, and statistics of the latest ones."""

    __slots__ = ("_latest", "_now", "count")

    def __init__(self, now: Callable[[], float]) -> None:
        self.count = 0
        """How many were recorded, those that the statistics no longer cover included."""
        self._now = now
        self._latest: deque[float] = deque(maxlen=WINDOW)

    def record(self, milliseconds: float) -> None:
        """Add one value."""
        self.count += 1
        self._latest.append(milliseconds)

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Record how long the body of a with statement takes by the node's clock, also if it fails."""
        began = self._now()
        try:
            yield
        finally:
            self.record((self._now() - began) * 1000)

    def read(self, name: str) -> dict[str, float]:
        """What the snapshot shows; of a timer that never ran, the count alone."""
        shown: dict[str, float] = {f"{name}_ms/count": self.count}
        if not self._latest:
            return shown
        values = sorted(self._latest)
        shown |= {f"{name}_ms": self._latest[-1], f"{name}_ms/min": values[0], f"{name}_ms/max": values[-1]}
        return shown | {f"{name}_ms/{label}": _percentile(values, part) for label, part in PERCENTILES.items()}


def _percentile(values: list[float], part: float) -> float:
    """The value below which that part of the sorted values lies; between two of them, in proportion."""
    position = part * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


Metric = Counter | Gauge | Timer | Family
M = TypeVar("M", Counter, Gauge, Timer, Family)


class Metrics:
    """The metrics of one node, by name.

    Asking for a name again gives the metric that is there, so that an actor that was started anew counts on. ValueError
    if it is there as one of another type.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is the node's clock, in seconds."""
        self._now = now
        self._metrics: dict[str, Metric] = {}

    def counter(self, name: str) -> Counter:
        """A counter, which starts at 0."""
        return self._kept(name, Counter())

    def gauge(self, name: str, pull: Callable[[], float] | None = None) -> Gauge:
        """A gauge; with `pull`, a function that is called whenever it is read (the latest one given)."""
        gauge = self._kept(name, Gauge())
        gauge.pull = pull
        return gauge

    def family(self, name: str, pull: Callable[[], Mapping[str, float]]) -> Family:
        """Levels by name, from a function that is called whenever they are read (the latest one given)."""
        family = self._kept(name, Family(pull))
        family.pull = pull
        return family

    def timer(self, name: str) -> Timer:
        """A timer, shown as NAME_ms."""
        return self._kept(name, Timer(self._now))

    def _kept(self, name: str, new: M) -> M:
        metric = self._metrics.setdefault(name, new)
        if not isinstance(metric, type(new)):
            raise ValueError(f"{name} is a {type(metric).__name__} already, not a {type(new).__name__}")
        return metric

    def remove(self, prefix: str) -> None:
        """Forget every metric whose name begins so: of a framework that is gone, say. Fine where there is none."""
        for name in [name for name in self._metrics if name.startswith(prefix)]:
            del self._metrics[name]

    def snapshot(self) -> dict[str, float]:
        """Every number there is, by name in order."""
        shown: dict[str, float] = {}
        for name, metric in sorted(self._metrics.items()):
            shown |= metric.read(name)
        return shown
